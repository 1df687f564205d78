# Lion: program 1 of arXiv 2302.06675, with the learning rate and weight decay that go with AdamW's 0.001 and 0.01.
def train(w, g, m, lr):
  update = interp(g, m, 0.9)
  update = sign(update)
  m = interp(g, m, 0.99)
  wd = w * 0.1
  update = update + wd
  lr = lr * 0.0001
  update = update * lr
  return update, m
