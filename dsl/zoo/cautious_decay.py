# AdamW with cautious weight decay (arXiv 2510.12402): only of weights that the update does not enlarge.
# Learning rate 0.001 and weight decay 0.01, as for AdamW.
def train(w, g, m, v, lr):
  g2 = square(g)
  m = interp(g, m, 0.9)
  v = interp(g2, v, 0.999)
  m_hat = bias_correct(m, 0.9)
  v_hat = bias_correct(v, 0.999)
  sqrt_v = sqrt(v_hat)
  update = m_hat / sqrt_v
  enlarged = update * w
  enlarged = negative(enlarged)
  wd = w * 0.01
  wd = where(enlarged, 0.0, wd)
  update = update + wd
  lr = lr * 0.001
  update = update * lr
  return update, m, v
