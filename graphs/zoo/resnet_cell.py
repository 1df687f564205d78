# ResNet-like cell: two 3x3 convolutions beside what they read (NAS-Bench-101, arXiv 1902.09635)
def cell(x):
  a = conv3x3(x)
  b = conv3x3(a)
  return concat(x, b)
