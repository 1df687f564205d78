# signSGD (arXiv 1802.04434).
def train(w, g, lr):
  update = sign(g)
  lr = lr * 0.0001
  update = update * lr
  return update
