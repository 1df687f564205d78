# AdaMuon (arXiv 2507.11005), in the form of the authors' AdaMuon(lr=0.0006, weight_decay=0.1), as they train GPT-2, but not in bfloat16.
# The sign of Muon's momentum is orthogonalized, divided by the root of its own second moment, and brought to a root mean square of 0.2.
# Vectors, which are AdamW's there, are matrices of one column.
def train(w, g, m, v, lr):
  m = interp(g, m, 0.95)
  ahead = interp(g, m, 0.95)
  update = sign(ahead)
  update = orthogonalize(update)
  square_u = square(update)
  v = interp(square_u, v, 0.95)
  sqrt_v = sqrt(v)
  update = update / sqrt_v
  rows = get_rows()
  columns = get_columns()
  count = rows * columns
  root = sqrt(count)
  length = norm(update)
  scale = root / length
  scale = scale * 0.2
  update = update * scale
  wd = w * 0.1
  update = update + wd
  lr = lr * 0.0006
  update = update * lr
  return update, m, v
