# Logistic regression by stochastic gradient descent: an affine model whose prediction the task turns into a probability before Learn.
def Setup():
  s2 = 0.1  # learning rate
def Predict():
  s1 = dot(v1, v0)
  s1 = s1 + s3
def Learn():
  s4 = s0 - s1  # label and probability: the gradient of the cross-entropy by the logit
  s4 = s2 * s4
  s3 = s3 + s4
  v2 = s4 * v0
  v1 = v1 + v2
