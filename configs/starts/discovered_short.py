# What evo simplify makes of discovered_muon.py (docs/records/2026-11-30-discovery.md): Muon with more of
# the current gradient, no factor for the shape of a matrix, and averaged weights.
def train(w, g, m, v, s, lr, t):
  m = interp(g, m, 0.9)
  ahead = interp(g, m, 0.6)
  update = orthogonalize(ahead)
  wd = w * 0.02
  update = update + wd
  lr = lr * 0.002
  update = update * lr
  s = s - update
  s = s * 0.95
  readout = update + s
  return (update, readout), m, v, s
