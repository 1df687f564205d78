# Grams (arXiv 2412.17107): Adam's sizes with the gradient's signs, in the form of the authors' Grams(lr=0.001, eps=1e-8, weight_decay=0.01).
# The second moment is corrected before eps is added, as in the paper.
def train(w, g, m, v, lr):
  g2 = square(g)
  m = interp(g, m, 0.9)
  v = interp(g2, v, 0.999)
  m_hat = bias_correct(m, 0.9)
  v_hat = bias_correct(v, 0.999)
  sqrt_v = sqrt(v_hat)
  update = m_hat / sqrt_v
  update = abs(update)
  direction = sign(g)
  update = update * direction
  wd = w * 0.01
  update = update + wd
  lr = lr * 0.001
  update = update * lr
  return update, m, v
