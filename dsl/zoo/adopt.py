# ADOPT (arXiv 2411.02853), in the form of the authors' ADOPT(lr=0.001, weight_decay=0.01, decouple=True): betas 0.9 and 0.9999, eps 1e-6.
# Gradients are divided by the root of the moment before them, clipped at the fourth root of the steps before, then averaged.
# The first step makes that moment and moves nothing.
def train(w, g, m, v, lr, t):
  before = t - 1.0
  sqrt_v = sqrt(v)
  sqrt_v = max(sqrt_v, 1e-06)
  inverse = reciprocal(sqrt_v)
  share = g * inverse
  high = power(before, 0.25)
  low = negative(high)
  share = clamp(share, low, high)
  m = interp(share, m, 0.9)
  g2 = square(g)
  next_v = interp(g2, v, 0.9999)
  v = where(before, next_v, g2)
  wd = w * 0.01
  wd = where(before, wd, 0.0)
  update = m + wd
  lr = lr * 0.001
  update = update * lr
  return update, m, v
