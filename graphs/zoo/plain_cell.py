# Plain cell: one 3x3 convolution
def cell(x):
  a = conv3x3(x)
  return concat(a)
