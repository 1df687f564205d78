def _clip(arrays, limit):
    """The arrays scaled to a norm, over all of them, of at most the limit."""
    norm = jnp.sqrt(_dot(arrays, arrays))
    factor = jnp.where(norm == 0, 1.0, jnp.minimum(1.0, limit / norm))
    return [x * factor.astype(jnp.asarray(x).dtype) for x in arrays]
