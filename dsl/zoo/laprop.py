# LaProp (arXiv 2002.04839): Adam that divides before it averages, in the form of the authors' LaProp(lr=0.0004, betas=(0.9, 0.999), eps=1e-8).
# Their eps is 1e-15, and their code averages gradients times learning rates. Weight decay 0.01 as for AdamW; there none.
def train(w, g, m, v, lr):
  g2 = square(g)
  v = interp(g2, v, 0.999)
  v_hat = bias_correct(v, 0.999)
  sqrt_v = sqrt(v_hat)
  share = g / sqrt_v
  m = interp(share, m, 0.9)
  update = bias_correct(m, 0.9)
  wd = w * 0.01
  update = update + wd
  lr = lr * 0.0004
  update = update * lr
  return update, m, v
