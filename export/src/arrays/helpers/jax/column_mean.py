def _column_mean(x):
    """The mean of each column of a matrix. A vector is one column."""
    if x.ndim == 0:
        return x.astype(float)
    return jnp.mean(x, axis=0, keepdims=True, dtype=float)
