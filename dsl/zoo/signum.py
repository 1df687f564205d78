# Signum: the sign of the momentum (arXiv 1802.04434, algorithm 2), with beta 0.9 and learning rate 0.0001.
def train(w, g, m, lr):
  m = interp(g, m, 0.9)
  update = sign(m)
  lr = lr * 0.0001
  update = update * lr
  return update, m
