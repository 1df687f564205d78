# Stochastic gradient descent (Robbins & Monro 1951).
def train(w, g, lr):
  update = g * lr
  update = update * 0.1
  return update
