# Muon on matrices and AdamW on vectors and scalars, both with Nesterov momentum 0.9, validated with
# an average of the weights over about the last eighth of the steps made so far; s is how far the
# weights are from it.
def train(w, g, m, v, s, lr, t):
  rows = get_rows()
  columns = get_columns()
  shorter = min(rows, columns)
  matrix = shorter - 1.0
  g2 = square(g)
  m = interp(g, m, 0.9)
  v = interp(g2, v, 0.95)
  ahead = interp(g, m, 0.9)
  sqrt_v = sqrt(v)
  adaptive = ahead / sqrt_v
  adaptive = adaptive * 0.2
  orthogonal = orthogonalize(ahead)
  update = where(matrix, orthogonal, adaptive)
  wd = w * 0.01
  update = update + wd
  lr = lr * 0.01
  update = update * lr
  later = t + 8.0
  share = 8.0 / later
  keep = 1.0 - share
  s = s - update
  s = s * keep
  readout = update + s
  return (update, readout), m, v, s
