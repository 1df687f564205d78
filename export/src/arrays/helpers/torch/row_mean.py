def _row_mean(x):
    """The mean of each row of a matrix, in float64. A vector is one column."""
    if x.ndim < 2:
        return x.to(torch.float64, copy=True)
    return torch.mean(x, dim=tuple(range(1, x.ndim)), keepdim=True, dtype=torch.float64)
