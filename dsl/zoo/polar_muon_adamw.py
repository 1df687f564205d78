# Muon with Polar Express (arXiv 2505.16932) on hidden matrices, AdamW on embeddings, the last layer, vectors and scalars: learning rates 0.02 and 0.0003, weight decay 0.01.
# As github.com/KellerJordan/Muon says which tensors it is for; its five steps are replaced by five that end nearer to orthogonal.
# AdamW has betas 0.9 and 0.95, and 0.015 of Muon's learning rate. The state m holds Muon's momentum in hidden matrices, AdamW's elsewhere.
def train(w, g, m, v, lr):
  hidden = is_hidden()
  momentum = interp(g, m, 0.95)
  ahead = interp(g, momentum, 0.95)
  mean = interp(g, m, 0.9)
  m = where(hidden, momentum, mean)
  g2 = square(g)
  v = interp(g2, v, 0.95)
  orthogonal = polar_express(ahead)
  rows = get_rows()
  columns = get_columns()
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
  update = where(hidden, orthogonal, adaptive)
  lr = lr * 0.02
  update = update * lr
  return update, m, v
