# Adadelta (arXiv 1212.5701), in the form of torch.optim.Adadelta(lr=1.0, rho=0.9, eps=1e-6).
# Divided by a reciprocal, for the guard of a division would show beside the root of eps.
def train(w, g, v, d, lr):
  g2 = square(g)
  v = interp(g2, v, 0.9)
  root_v = v + 1e-6
  root_v = sqrt(root_v)
  root_d = d + 1e-6
  root_d = sqrt(root_d)
  inverse = reciprocal(root_v)
  update = root_d * inverse
  update = update * g
  u2 = square(update)
  d = interp(u2, d, 0.9)
  lr = lr * 1.0
  update = update * lr
  return update, v, d
