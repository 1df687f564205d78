# Contra-Muon (github.com/nilin/contra-muon), as in result 11 of modded-nanogpt's track 3: Muon less 0.2 of its momentum, at its norm before.
# That momentum is one of largest singular value 1, found by five power iterations, as there; the last two begin at a norm of 1.
# The rest is Muon's: the second moment of rows, the least size of a step and the learning rate of 0.0375 of that result are left out.
def train(w, g, m, lr):
  m = interp(g, m, 0.95)
  ahead = interp(g, m, 0.95)
  rows = get_rows()
  columns = get_columns()
  count = rows * columns
  root = sqrt(count)
  length = norm(ahead)
  scale = root / length
  x = ahead * scale
  left = row_mean(x)
  part = x * left
  right = column_mean(part)
  part = x * right
  left = row_mean(part)
  part = x * left
  right = column_mean(part)
  part = x * right
  left = row_mean(part)
  part = x * left
  right = column_mean(part)
  length = norm(right)
  right = right / length
  part = x * right
  left = row_mean(part)
  part = x * left
  right = column_mean(part)
  part = x * right
  left = row_mean(part)
  part = x * left
  right = column_mean(part)
  part = x * right
  left = row_mean(part)
  left = left * columns
  length = norm(right)
  size = norm(left)
  scale = length / size
  scale = scale * 0.2
  part = x * scale
  orthogonal = orthogonalize(ahead)
  before = norm(orthogonal)
  update = orthogonal - part
  after = norm(update)
  scale = before / after
  inverse = reciprocal(columns)
  ratio = rows * inverse
  ratio = max(ratio, 1.0)
  ratio = sqrt(ratio)
  scale = scale * ratio
  update = update * scale
  wd = w * 0.01
  update = update + wd
  lr = lr * 0.02
  update = update * lr
  return update, m
