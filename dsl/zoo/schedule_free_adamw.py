# Schedule-Free AdamW (arXiv 2405.15682) at a constant learning rate: betas 0.9 0.999, weight decay 0.01; s is how far the weights, y, are from z.
def train(w, g, s, v, lr, t):
  g2 = square(g)
  v = interp(g2, v, 0.999)
  v_hat = bias_correct(v, 0.999)
  root = sqrt(v_hat)
  d = g / root
  wd = w * 0.01
  d = d + wd
  lr = lr * 0.0025
  step = d * lr
  c = reciprocal(t)
  rest = 1.0 - c
  rest = rest * 0.9
  rest = 1.0 - rest
  pull = s * c
  move = step * rest
  update = pull + move
  s = s - update
  s = s + step
  ahead = s * 0.1111111111111111
  readout = update - ahead
  return (update, readout), s, v
