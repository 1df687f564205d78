def _log1p(x):
    """ln |1 + x|; below -1, |1 + x| is 1 + (-2 - x), which keeps small digits."""
    return jnp.log1p(jnp.where(x < -1, -2 - x, x))
