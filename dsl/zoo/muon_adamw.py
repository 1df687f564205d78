# Muon on matrices, AdamW on vectors and scalars, as in github.com/KellerJordan/Muon: learning rates 0.02 and 0.0003, weight decay 0.01.
# AdamW has betas 0.9 and 0.95, and 0.015 of Muon's learning rate. The state m holds Muon's momentum where a leaf
# has more than one row and column, AdamW's elsewhere. Embeddings and the last layer, AdamW's there, are taken for matrices; polar_muon_adamw tells them apart.
def train(w, g, m, v, lr):
  rows = get_rows()
  columns = get_columns()
  shorter = min(rows, columns)
  matrix = shorter - 1.0
  g2 = square(g)
  momentum = interp(g, m, 0.95)
  ahead = interp(g, momentum, 0.95)
  mean = interp(g, m, 0.9)
  m = where(matrix, momentum, mean)
  v = interp(g2, v, 0.95)
  orthogonal = orthogonalize(ahead)
  inverse = reciprocal(columns)
  ratio = rows * inverse
  ratio = max(ratio, 1.0)
  scale = sqrt(ratio)
  orthogonal = orthogonal * scale
  wd = w * 0.01
  orthogonal = orthogonal + wd
  m_hat = bias_correct(mean, 0.9)
  v_hat = bias_correct(v, 0.95)
  sqrt_v = sqrt(v_hat)
  adaptive = m_hat / sqrt_v
  adaptive = adaptive + wd
  adaptive = adaptive * 0.015
  update = where(matrix, orthogonal, adaptive)
  lr = lr * 0.02
  update = update * lr
  return update, m, v
