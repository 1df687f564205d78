# Adafactor without momentum (arXiv 1804.04235, algorithms 4 and 5), in the form of optax.adafactor(0.01, min_dim_size_to_factor=1).
# The second moment is that of each row (in r) times that of each column (in c); beta2 is 1 - t^-0.8.
# The update is clipped at a root mean square of 1, and 0.01 is relative to that of the weights.
# The paper lowers 0.01 to 1 / sqrt(t) after 10,000 steps; here, as in optax, that is the schedule's part.
def train(w, g, r, c, lr, t):
  g2 = square(g)
  g2 = g2 + 1e-30
  beta2 = power(t, -0.8)
  beta2 = 1.0 - beta2
  rows = row_mean(g2)
  old_rows = row_mean(r)
  r = interp(rows, old_rows, beta2)
  columns = column_mean(g2)
  old_columns = column_mean(c)
  c = interp(columns, old_columns, beta2)
  mean = column_mean(r)
  inverse = reciprocal(mean)
  share = r * inverse
  root = sqrt(share)
  inverse = reciprocal(root)
  update = g * inverse
  root = sqrt(c)
  inverse = reciprocal(root)
  update = update * inverse
  count = get_rows()
  columns = get_columns()
  count = count * columns
  root = sqrt(count)
  inverse = reciprocal(root)
  rms = norm(update)
  rms = rms * inverse
  excess = max(rms, 1.0)
  scale = reciprocal(excess)
  size = norm(w)
  size = size * inverse
  size = max(size, 0.001)
  scale = scale * size
  lr = lr * 0.01
  scale = scale * lr
  update = update * scale
  return update, r, c
