# LAMB (arXiv 1904.00962), AdamW scaled to the norm of each tensor, in the form of optax.lamb(0.001, eps=1e-8, weight_decay=0.01).
# Where the weights or their update are zero it is not scaled. The paper has eps 1e-6, and another learning rate for each batch size.
def train(w, g, m, v, lr):
  g2 = square(g)
  m = interp(g, m, 0.9)
  v = interp(g2, v, 0.999)
  m_hat = bias_correct(m, 0.9)
  v_hat = bias_correct(v, 0.999)
  sqrt_v = sqrt(v_hat)
  update = m_hat / sqrt_v
  wd = w * 0.01
  update = update + wd
  size = norm(w)
  length = norm(update)
  both = size * length
  inverse = reciprocal(length)
  ratio = size * inverse
  ratio = where(both, ratio, 1.0)
  lr = lr * 0.001
  ratio = ratio * lr
  update = update * ratio
  return update, m, v
