# PowerSign with base e (arXiv 1709.07417): larger steps where gradient and momentum agree; beta 0.9, learning rate 0.1.
def train(w, g, m, lr):
  m = interp(g, m, 0.9)
  agreement = sign(g)
  direction = sign(m)
  agreement = agreement * direction
  scale = exp(agreement)
  update = g * scale
  lr = lr * 0.1
  update = update * lr
  return update, m
