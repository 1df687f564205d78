def _clip(arrays, limit):
    """The arrays scaled to a norm, over all of them, of at most the limit."""
    factor = jnp.minimum(1.0, limit / jnp.sqrt(_dot(arrays, arrays)))
    return [x * factor.astype(jnp.asarray(x).dtype) for x in arrays]
