# Cautious AdamW (arXiv 2411.16085): AdamW's steps of the gradient's sign alone, enlarged to make up for the rest.
# Learning rate 0.001 and weight decay 0.01, as for AdamW; decay is of the weights before the step.
def train(w, g, m, v, lr):
  g2 = square(g)
  m = interp(g, m, 0.9)
  v = interp(g2, v, 0.999)
  m_hat = bias_correct(m, 0.9)
  v_hat = bias_correct(v, 0.999)
  sqrt_v = sqrt(v_hat)
  update = m_hat / sqrt_v
  mask = update * g
  mask = heaviside(mask)
  mean = column_mean(mask)
  mean = row_mean(mean)
  mean = max(mean, 0.001)
  scale = reciprocal(mean)
  mask = mask * scale
  update = update * mask
  wd = w * 0.01
  update = update + wd
  lr = lr * 0.001
  update = update * lr
  return update, m, v
