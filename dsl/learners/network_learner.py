# Two-layer network with ReLU and biases, by backpropagation and stochastic gradient descent (Real et al. 2020, arXiv 2003.03384).
def Setup():
  v2 = gaussian(0.0, 0.1, n_features)  # weights of the last layer
  m0 = gaussian(0.0, 0.1, (n_features, n_features))  # and of the first
  s3 = 0.01  # learning rate
def Predict():
  v3 = dot(m0, v0)
  v3 = v3 + v1
  v4 = maximum(v3, v5)  # v5 stays 0
  s1 = dot(v4, v2)
  s1 = s1 + s2
def Learn():
  s4 = s0 - s1
  s4 = s3 * s4
  s2 = s2 + s4
  v6 = s4 * v4
  v2 = v2 + v6
  v7 = s4 * v2
  v8 = heaviside(v3, 1.0)
  v7 = v8 * v7
  v1 = v1 + v7
  m1 = outer(v7, v0)
  m0 = m0 + m1
