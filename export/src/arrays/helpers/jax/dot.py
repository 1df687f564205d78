def _dot(a, b):
    """The sum of products over all arrays."""
    return sum(jnp.sum(jnp.asarray(x, float) * jnp.asarray(y, float)) for x, y in zip(a, b))
