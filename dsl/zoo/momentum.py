# Heavy-ball momentum (Polyak 1964), in the form of torch.optim.SGD(lr=0.01, momentum=0.9).
def train(w, g, m, lr):
  m = m * 0.9
  m = m + g
  lr = lr * 0.01
  update = m * lr
  return update, m
