# AdamW, validated with the moving average of its weights (Polyak; torch.optim.swa_utils): 0.999, the first weights copied; s is how far the weights are from it.
def train(w, g, m, v, s, lr, t):
  g2 = square(g)
  m = interp(g, m, 0.9)
  v = interp(g2, v, 0.999)
  m_hat = bias_correct(m, 0.9)
  v_hat = bias_correct(v, 0.999)
  root = sqrt(v_hat)
  update = m_hat / root
  wd = w * 0.01
  update = update + wd
  lr = lr * 0.001
  update = update * lr
  s = s - update
  s = s * 0.999
  later = t - 1.0
  s = where(later, s, 0.0)
  readout = update + s
  return (update, readout), m, v, s
