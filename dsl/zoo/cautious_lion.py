# Cautious Lion (arXiv 2411.16085): Lion's steps of the gradient's sign alone, enlarged to make up for the rest.
# Learning rate 0.0001 and weight decay 0.1, as for Lion.
def train(w, g, m, lr):
  update = interp(g, m, 0.9)
  update = sign(update)
  m = interp(g, m, 0.99)
  mask = update * g
  mask = heaviside(mask)
  mean = column_mean(mask)
  mean = row_mean(mean)
  mean = max(mean, 0.001)
  scale = reciprocal(mean)
  mask = mask * scale
  update = update * mask
  wd = w * 0.1
  update = update + wd
  lr = lr * 0.0001
  update = update * lr
  return update, m
