# Stochastic gradient descent (Robbins & Monro 1951), in the form of torch.optim.SGD(lr=0.1).
def train(w, g, lr):
  lr = lr * 0.1
  update = g * lr
  return update
