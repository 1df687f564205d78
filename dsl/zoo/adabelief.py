# AdaBelief (arXiv 2010.07468), in the form of optax.adabelief(0.001, eps=1e-8).
# The paper's second eps is eps_root, 1e-16 there; it adds up in the state.
def train(w, g, m, v, lr):
  m = interp(g, m, 0.9)
  surprise = g - m
  surprise = square(surprise)
  v = interp(surprise, v, 0.999)
  v = v + 1e-16
  m_hat = bias_correct(m, 0.9)
  v_hat = bias_correct(v, 0.999)
  sqrt_v = sqrt(v_hat)
  update = m_hat / sqrt_v
  lr = lr * 0.001
  update = update * lr
  return update, m, v
