# Adan (arXiv 2208.06677), in the form of the authors' Adan(lr=0.001, weight_decay=0.02, no_prox=True).
# The betas are 1 less the paper's. The last state is the gradient before; the first difference is zero.
# Where the paper and the authors multiply a difference by 0.92, optax.adan does by 0.08.
def train(w, g, m, d, v, previous, lr, t):
  later = t - 1.0
  difference = g - previous
  difference = where(later, difference, 0.0)
  m = interp(g, m, 0.98)
  d = interp(difference, d, 0.92)
  ahead = difference * 0.92
  ahead = g + ahead
  ahead = square(ahead)
  v = interp(ahead, v, 0.99)
  m_hat = bias_correct(m, 0.98)
  d_hat = bias_correct(d, 0.92)
  v_hat = bias_correct(v, 0.99)
  d_hat = d_hat * 0.92
  update = m_hat + d_hat
  sqrt_v = sqrt(v_hat)
  update = update / sqrt_v
  wd = w * 0.02
  update = update + wd
  lr = lr * 0.001
  update = update * lr
  return update, m, d, v, g
