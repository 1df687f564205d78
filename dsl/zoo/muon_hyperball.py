# MuonH (Hyperball, arXiv 2606.16899), as in result 5 of modded-nanogpt's track 3: learning rate 0.018, momentum 0.95, no weight decay.
# A matrix steps 0.018 of its norm along Muon's direction and keeps its norm; one of zeros stays. That is by Muon's five steps, there by twelve.
# The rest is Adam's at a rate of 0.0003, with the betas and states of muon_adamw.
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
  direction = orthogonalize(ahead)
  radius = norm(w)
  length = norm(direction)
  scale = radius / length
  rate = lr * 0.018
  scale = scale * rate
  direction = direction * scale
  moved = w - direction
  length = norm(moved)
  length = max(length, 1e-10)
  inverse = reciprocal(length)
  scale = radius * inverse
  moved = moved * scale
  turn = w - moved
  m_hat = bias_correct(mean, 0.9)
  v_hat = bias_correct(v, 0.95)
  sqrt_v = sqrt(v_hat)
  adaptive = m_hat / sqrt_v
  rate = lr * 0.0003
  adaptive = adaptive * rate
  update = where(matrix, turn, adaptive)
  return update, m, v
