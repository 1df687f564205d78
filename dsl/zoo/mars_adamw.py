# MARS-AdamW (arXiv 2411.10438), one gradient a step, in the form of the authors' MARS(lr=0.003, weight_decay=0.01, optimize_1d=True).
# AdamW, betas 0.95 and 0.99, on gradients extrapolated by 0.475 (gamma 0.025 by 0.95 / 0.05) of their change, clipped at a norm of 1 in each tensor.
# By default the authors leave vectors to AdamW. The first change is from zero, as theirs.
def train(w, g, m, v, previous, lr):
  change = g - previous
  change = change * 0.475
  corrected = g + change
  size = norm(corrected)
  size = max(size, 1.0)
  inverse = reciprocal(size)
  corrected = corrected * inverse
  square_c = square(corrected)
  m = interp(corrected, m, 0.95)
  v = interp(square_c, v, 0.99)
  m_hat = bias_correct(m, 0.95)
  v_hat = bias_correct(v, 0.99)
  sqrt_v = sqrt(v_hat)
  update = m_hat / sqrt_v
  wd = w * 0.01
  update = update + wd
  lr = lr * 0.003
  update = update * lr
  return update, m, v, g
