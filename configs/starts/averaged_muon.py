# Muon^2 (zoo:muon_squared) at momentum 0.9, validated with an average of its weights over about the
# last eighth of the steps made so far; s is how far the weights are from it.
def train(w, g, m, v, s, lr, t):
  g2 = square(g)
  m = interp(g, m, 0.9)
  v = interp(g2, v, 0.95)
  ahead = interp(g, m, 0.9)
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
  wd = w * 0.01
  update = update + wd
  lr = lr * 0.005
  update = update * lr
  later = t + 8.0
  share = 8.0 / later
  keep = 1.0 - share
  s = s - update
  s = s * keep
  readout = update + s
  return (update, readout), m, v, s
