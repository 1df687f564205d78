# NorMuon (zoo:normuon_adamw, on every tensor) at momentum 0.9, validated with an average of its
# weights over about the last eighth of the steps made so far; s is how far the weights are from it.
def train(w, g, m, v, s, lr, t):
  m = interp(g, m, 0.9)
  ahead = interp(g, m, 0.9)
  update = orthogonalize(ahead)
  squares = square(update)
  of_rows = row_mean(squares)
  v = interp(of_rows, v, 0.95)
  sqrt_v = sqrt(v)
  update = update / sqrt_v
  update = rms_normalize(update)
  update = update * 0.2
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
