def _columns(x):
    """The number of columns of a tensor: the product of all dimensions but the first."""
    return float(math.prod(x.shape[1:]))
