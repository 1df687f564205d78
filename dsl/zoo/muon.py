# Muon (Jordan et al. 2024, github.com/KellerJordan/Muon), in the form of torch.optim.Muon(lr=0.02, momentum=0.95, weight_decay=0.01), but not in bfloat16.
# A vector, a matrix of one column, becomes a unit vector; see muon_adamw for what is usual there.
def train(w, g, m, lr):
  m = interp(g, m, 0.95)
  update = interp(g, m, 0.95)
  update = orthogonalize(update)
  rows = get_rows()
  columns = get_columns()
  inverse = reciprocal(columns)
  ratio = rows * inverse
  ratio = max(ratio, 1.0)
  scale = sqrt(ratio)
  update = update * scale
  wd = w * 0.01
  update = update + wd
  lr = lr * 0.02
  update = update * lr
  return update, m
