# Linear model by stochastic gradient descent, without a bias.
def Setup():
  s2 = 0.1  # learning rate
def Predict():
  s1 = dot(v1, v0)
def Learn():
  s3 = s0 - s1
  s3 = s2 * s3
  v2 = s3 * v0
  v1 = v1 + v2
