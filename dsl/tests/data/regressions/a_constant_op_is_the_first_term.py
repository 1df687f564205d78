def train(w, g, lr):
  x = get_pi()
  return x
