def _cbrt(x):
    """The real cube root."""
    return torch.copysign(x.double().abs().pow(1 / 3), x).to(x.dtype)
