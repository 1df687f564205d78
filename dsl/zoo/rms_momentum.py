# Momentum at a root mean square of 1 in each tensor, as Celo2 has its updates (arXiv 2602.19142); beta 0.9, learning rate 0.001.
# Their directions are learned, and the root is of 1e-9 more.
def train(w, g, m, lr):
  m = interp(g, m, 0.9)
  m2 = square(m)
  mean = column_mean(m2)
  mean = row_mean(mean)
  rms = sqrt(mean)
  update = m / rms
  lr = lr * 0.001
  update = update * lr
  return update, m
