# NAdamW: NAdam with decoupled weight decay, in the form of torch.optim.NAdam(lr=0.002, weight_decay=0.01, decoupled_weight_decay=True).
# mu is the momentum of a step, warmed up at the speed 0.004; s is 1 less the product of all mu so far.
def train(w, g, m, v, s, lr, t):
  g2 = square(g)
  m = interp(g, m, 0.9)
  v = interp(g2, v, 0.999)
  v_hat = bias_correct(v, 0.999)
  sqrt_v = sqrt(v_hat)
  mu = t * 0.004
  mu = power(0.96, mu)
  mu = mu * 0.5
  mu = 1.0 - mu
  mu = mu * 0.9
  next_mu = t + 1.0
  next_mu = next_mu * 0.004
  next_mu = power(0.96, next_mu)
  next_mu = next_mu * 0.5
  next_mu = 1.0 - next_mu
  next_mu = next_mu * 0.9
  s = interp(1.0, s, mu)
  next_s = interp(1.0, s, next_mu)
  share = 1.0 - mu
  scale = reciprocal(s)
  next_scale = reciprocal(next_s)
  update = g * share
  update = update * scale
  ahead = m * next_mu
  ahead = ahead * next_scale
  update = update + ahead
  update = update / sqrt_v
  wd = w * 0.01
  update = update + wd
  lr = lr * 0.002
  update = update * lr
  return update, m, v, s
