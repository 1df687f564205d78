# RMSprop (Tieleman & Hinton 2012), in the form of torch.optim.RMSprop(lr=0.001, alpha=0.99).
def train(w, g, v, lr):
  g2 = square(g)
  v = interp(g2, v, 0.99)
  sqrt_v = sqrt(v)
  update = g / sqrt_v
  lr = lr * 0.001
  update = update * lr
  return update, v
