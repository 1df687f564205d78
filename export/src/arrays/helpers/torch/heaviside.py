def _heaviside(x):
    """1 above zero, 0 at and below it; NaN stays."""
    return torch.where(torch.isnan(x), x, (x > 0).to(x.dtype))
