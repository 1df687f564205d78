# Inception-like cell: four branches, the 5x5 as two 3x3 convolutions (NAS-Bench-101, arXiv 1902.09635)
def cell(x):
  a = conv1x1(x)
  b = conv3x3(x)
  c = conv3x3(x)
  d = conv3x3(c)
  e = maxpool3x3(x)
  return concat(a, b, d, e)
