# Tiger (Su 2023, github.com/bojone/tiger), in the form of Tiger(learning_rate=0.001, beta=0.965, weight_decay=0.01).
# Matrices move relative to the root mean square of their weights; vectors and scalars, which there are
# known by the names of biases and gains, at half the learning rate and without weight decay.
def train(w, g, m, lr):
  m = interp(g, m, 0.965)
  update = sign(m)
  columns = get_columns()
  matrix = columns - 1.0
  wd = w * 0.01
  wd = where(matrix, wd, 0.0)
  update = update + wd
  count = get_rows()
  count = count * columns
  root = sqrt(count)
  inverse = reciprocal(root)
  size = norm(w)
  size = size * inverse
  scale = where(matrix, size, 0.5)
  lr = lr * 0.001
  scale = scale * lr
  update = update * scale
  return update, m
