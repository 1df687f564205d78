# Adam-mini (arXiv 2406.16793), AdamW with one second moment for each row, in the form of the authors' Adam_mini(lr=0.001, weight_decay=0.01).
# Queries and keys have one for a head there, gains of a layer one for all, known by their names. Here elements of vectors have their own, as biases
# have there; and vectors decay.
def train(w, g, m, v, lr):
  g2 = square(g)
  mean = row_mean(g2)
  old = row_mean(v)
  v = interp(mean, old, 0.999)
  m = interp(g, m, 0.9)
  m_hat = bias_correct(m, 0.9)
  v_hat = bias_correct(v, 0.999)
  sqrt_v = sqrt(v_hat)
  update = m_hat / sqrt_v
  wd = w * 0.01
  update = update + wd
  lr = lr * 0.001
  update = update * lr
  return update, m, v
