# What configs/discover_cpu.ron finds (docs/records/2026-11-30-discovery.md): Muon^2 with more of the
# current gradient, no factor for the shape of a matrix, and averaged weights. Tuned there, its
# learning rate is mostly 0.03 to 0.1.
def train(w, g, m, v, s, lr, t):
  g2 = square(g)
  m = interp(g, m, 0.9)
  v = interp(g2, v, 0.95)
  ahead = interp(g, m, 0.561349211679091)
  sqrt_v = sqrt(v)
  update = ahead / sqrt_v
  update = orthogonalize(update)
  wd = w * 0.01731263582209834
  update = update + wd
  lr = lr * 0.001990031903601677
  update = update * lr
  later = t + 8.0
  share = 5.449075098466288 / later
  keep = 1.0 - share
  s = s - update
  s = s * keep
  readout = update + s
  return (update, readout), m, v, s
