def _cosine_sim(a, b):
    """The cosine of the angle between two lists of arrays, 0 where one is zero."""
    norms = jnp.sqrt(_dot(a, a)) * jnp.sqrt(_dot(b, b))
    return jnp.where(norms == 0, 0.0, _dot(a, b) / norms)
