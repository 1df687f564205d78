def train(w, g, v5, lr):
  v5_ = sign(-(g ** -2)) * -0.0
  return v5_ * w, v5 