def _row_mean(x):
    """The mean of each row of a matrix, in float64. A vector is one column."""
    if x.ndim < 2:
        return x.astype(np.float64)
    return np.mean(x, axis=tuple(range(1, x.ndim)), keepdims=True, dtype=np.float64)
