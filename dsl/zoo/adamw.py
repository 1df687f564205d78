# AdamW with bias correction (arXiv 1711.05101), in the form of torch.optim.AdamW(lr=0.001, weight_decay=0.01).
def train(w, g, m, v, lr, t):
  g2 = square(g)
  m = interp(g, m, 0.9)
  v = interp(g2, v, 0.999)
  decay1 = power(0.9, t)
  correction1 = 1.0 - decay1
  decay2 = power(0.999, t)
  correction2 = 1.0 - decay2
  scale1 = reciprocal(correction1)
  scale2 = reciprocal(correction2)
  v_hat = v * scale2
  sqrt_v = sqrt(v_hat)
  m_hat = m * scale1
  update = m_hat / sqrt_v
  wd = w * 0.01
  update = update + wd
  lr = lr * 0.001
  update = update * lr
  return update, m, v
