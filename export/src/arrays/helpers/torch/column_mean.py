def _column_mean(x):
    """The mean of each column of a matrix, in float64. A vector is one column."""
    if x.ndim == 0:
        return x.to(torch.float64, copy=True)
    return torch.mean(x, dim=0, keepdim=True, dtype=torch.float64)
