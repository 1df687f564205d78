# Adagrad (Duchi et al. 2011), in the form of torch.optim.Adagrad(lr=0.01, eps=1e-8).
def train(w, g, v, lr):
  g2 = square(g)
  v = v + g2
  sqrt_v = sqrt(v)
  update = g / sqrt_v
  lr = lr * 0.01
  update = update * lr
  return update, v
