# AdamW with Nesterov momentum, validated with an average of its weights over about the last eighth
# of the steps made so far; s is how far the weights are from it.
def train(w, g, m, v, s, lr, t):
  g2 = square(g)
  m = interp(g, m, 0.9)
  v = interp(g2, v, 0.99)
  ahead = interp(g, m, 0.9)
  v_hat = bias_correct(v, 0.99)
  sqrt_v = sqrt(v_hat)
  update = ahead / sqrt_v
  wd = w * 0.01
  update = update + wd
  lr = lr * 0.004
  update = update * lr
  later = t + 8.0
  share = 8.0 / later
  keep = 1.0 - share
  s = s - update
  s = s * keep
  readout = update + s
  return (update, readout), m, v, s
