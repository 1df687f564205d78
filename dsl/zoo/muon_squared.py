# Muon^2 (arXiv 2604.09967), as in result 7 of modded-nanogpt's track 3: learning rate 0.1, weight decay 0.0125, betas 0.95.
# Momentum divided by the root of a second moment, then orthogonalized: by Muon's five steps, there by twelve that converge. Eps is 1e-8, there 1e-10.
# Vectors, which are AdamW's there, are matrices of one column.
def train(w, g, m, v, lr):
  g2 = square(g)
  m = interp(g, m, 0.95)
  v = interp(g2, v, 0.95)
  ahead = interp(g, m, 0.95)
  sqrt_v = sqrt(v)
  update = ahead / sqrt_v
  update = orthogonalize(update)
  rows = get_rows()
  columns = get_columns()
  inverse = reciprocal(columns)
  ratio = rows * inverse
  ratio = max(ratio, 1.0)
  scale = sqrt(ratio)
  update = update * scale
  wd = w * 0.0125
  update = update + wd
  lr = lr * 0.1
  update = update * lr
  return update, m, v
