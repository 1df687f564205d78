# Nesterov momentum (Sutskever et al. 2013), in the form of torch.optim.SGD(lr=0.01, momentum=0.9, nesterov=True).
def train(w, g, m, lr):
  m = m * 0.9
  m = m + g
  ahead = m * 0.9
  ahead = g + ahead
  lr = lr * 0.01
  update = ahead * lr
  return update, m
