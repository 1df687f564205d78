# Grokfast (arXiv 2405.20233): gradfilter_ema(alpha=0.98, lamb=2.0) before torch.optim.AdamW(lr=0.001, betas=(0.9, 0.98), weight_decay=0.01).
# Twice a slow average of the gradients, begun with the first, is added to each. The authors have Adam at this rate and these betas.
def train(w, g, m, v, slow, lr, t):
  before = t - 1.0
  slow = where(before, slow, g)
  slow = interp(g, slow, 0.98)
  extra = slow * 2.0
  g = g + extra
  g2 = square(g)
  m = interp(g, m, 0.9)
  v = interp(g2, v, 0.98)
  m_hat = bias_correct(m, 0.9)
  v_hat = bias_correct(v, 0.98)
  sqrt_v = sqrt(v_hat)
  update = m_hat / sqrt_v
  wd = w * 0.01
  update = update + wd
  lr = lr * 0.001
  update = update * lr
  return update, m, v, slow
