# NorMuon (arXiv 2510.05491) on matrices, AdamW on the rest, as in the authors' NorMuonWithAuxAdam: learning rates 0.02 and 0.0003, weight decay 0.01.
# Muon's update with each row divided by its running root mean square, at its norm before; betas 0.95. Their eps is 1e-10, here 1e-8, and they have no decay.
# AdamW and the states are as in muon_adamw. Embeddings and the last layer, AdamW's there, are taken for matrices; polar_muon_adamw tells them apart.
def train(w, g, m, v, lr):
  rows = get_rows()
  columns = get_columns()
  shorter = min(rows, columns)
  matrix = shorter - 1.0
  momentum = interp(g, m, 0.95)
  ahead = interp(g, momentum, 0.95)
  mean = interp(g, m, 0.9)
  m = where(matrix, momentum, mean)
  orthogonal = orthogonalize(ahead)
  row = square(orthogonal)
  row = row_mean(row)
  g2 = square(g)
  v2 = where(matrix, row, g2)
  v = interp(v2, v, 0.95)
  sqrt_v = sqrt(v)
  even = orthogonal / sqrt_v
  before = norm(orthogonal)
  after = norm(even)
  scale = before / after
  inverse = reciprocal(columns)
  ratio = rows * inverse
  ratio = max(ratio, 1.0)
  ratio = sqrt(ratio)
  scale = scale * ratio
  even = even * scale
  wd = w * 0.01
  even = even + wd
  m_hat = bias_correct(mean, 0.9)
  v_hat = bias_correct(v, 0.95)
  sqrt_v = sqrt(v_hat)
  adaptive = m_hat / sqrt_v
  adaptive = adaptive + wd
  adaptive = adaptive * 0.015
  update = where(matrix, even, adaptive)
  lr = lr * 0.02
  update = update * lr
  return update, m, v
