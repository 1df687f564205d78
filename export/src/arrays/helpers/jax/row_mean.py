def _row_mean(x):
    """The mean of each row of a matrix. A vector is one column."""
    if x.ndim < 2:
        return x.astype(float)
    return jnp.mean(x, axis=tuple(range(1, x.ndim)), keepdims=True, dtype=float)
