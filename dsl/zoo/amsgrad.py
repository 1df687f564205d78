# AMSGrad: Adam with the largest second moment so far (Reddi et al. 2018), in the form of torch.optim.Adam(lr=0.001, amsgrad=True).
def train(w, g, m, v, largest, lr):
  g2 = square(g)
  m = interp(g, m, 0.9)
  v = interp(g2, v, 0.999)
  largest = max(largest, v)
  m_hat = bias_correct(m, 0.9)
  v_hat = bias_correct(largest, 0.999)
  sqrt_v = sqrt(v_hat)
  update = m_hat / sqrt_v
  lr = lr * 0.001
  update = update * lr
  return update, m, v, largest
