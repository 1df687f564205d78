def _rows(x):
    """The number of rows of a tensor: its first dimension, 1 for a scalar."""
    return float(x.shape[0] if x.ndim else 1)
