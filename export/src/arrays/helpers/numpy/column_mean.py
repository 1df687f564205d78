def _column_mean(x):
    """The mean of each column of a matrix, in float64. A vector is one column."""
    if x.ndim == 0:
        return x.astype(np.float64)
    return np.mean(x, axis=0, keepdims=True, dtype=np.float64)
