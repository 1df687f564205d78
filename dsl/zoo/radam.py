# RAdam: Adam with its early variance rectified (arXiv 1908.03265), in the form of torch.optim.RAdam(lr=0.001).
# rho is the length of the moving average of squares: 1999 in the end, and up to 5 it is not divided by.
def train(w, g, m, v, lr, t):
  g2 = square(g)
  m = interp(g, m, 0.9)
  v = interp(g2, v, 0.999)
  m_hat = bias_correct(m, 0.9)
  sqrt_v = sqrt(v)
  decay = power(0.999, t)
  correction = 1.0 - decay
  last_rho = 1.0 - 0.999
  last_rho = reciprocal(last_rho)
  last_rho = last_rho * 2.0
  last_rho = last_rho - 1.0
  lost = t * 2.0
  lost = lost * decay
  scale = reciprocal(correction)
  lost = lost * scale
  rho = last_rho - lost
  above = rho - 4.0
  factor = rho - 2.0
  above = above * factor
  above = above * last_rho
  below = last_rho - 4.0
  factor = last_rho - 2.0
  below = below * factor
  below = below * rho
  below = reciprocal(below)
  rectified = above * below
  rectified = rectified * correction
  rectified = sqrt(rectified)
  adaptive = m_hat / sqrt_v
  adaptive = adaptive * rectified
  long = rho - 5.0
  update = where(long, adaptive, m_hat)
  lr = lr * 0.001
  update = update * lr
  return update, m, v
