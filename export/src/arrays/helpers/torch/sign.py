def _sign(x):
    """1 above zero, -1 below, and x itself at the zeros and NaN, where torch.sign gives 0."""
    return torch.where(torch.abs(x) > 0, torch.sign(x), x)
