# AddSign with alpha 1 (arXiv 1709.07417): steps only where gradient and momentum agree; beta 0.9, learning rate 0.1.
def train(w, g, m, lr):
  m = interp(g, m, 0.9)
  agreement = sign(g)
  direction = sign(m)
  agreement = agreement * direction
  scale = agreement + 1.0
  update = g * scale
  lr = lr * 0.1
  update = update * lr
  return update, m
