# AdEMAMix (arXiv 2409.03137), AdamW with a second, slow momentum, in the form of optax.contrib.ademamix(0.001, weight_decay=0.01).
# Its beta is 0.9999, its weight alpha 5. The authors raise both from less over a run's length, which is not known here.
def train(w, g, m, v, slow, lr):
  g2 = square(g)
  m = interp(g, m, 0.9)
  slow = interp(g, slow, 0.9999)
  v = interp(g2, v, 0.999)
  m_hat = bias_correct(m, 0.9)
  v_hat = bias_correct(v, 0.999)
  part = slow * 5.0
  update = m_hat + part
  sqrt_v = sqrt(v_hat)
  update = update / sqrt_v
  wd = w * 0.01
  update = update + wd
  lr = lr * 0.001
  update = update * lr
  return update, m, v, slow
