# Adam with bias correction (arXiv 1412.6980), in the form of torch.optim.Adam(lr=0.001).
def train(w, g, m, v, lr, t):
  g2 = square(g)
  m = interp(g, m, 0.9)
  v = interp(g2, v, 0.999)
  decay1 = power(0.9, t)
  correction1 = 1.0 - decay1
  decay2 = power(0.999, t)
  correction2 = 1.0 - decay2
  scale2 = reciprocal(correction2)
  v_hat = v * scale2
  sqrt_v = sqrt(v_hat)
  update = m / sqrt_v
  scale1 = reciprocal(correction1)
  lr = lr * 0.001
  lr = lr * scale1
  update = update * lr
  return update, m, v
