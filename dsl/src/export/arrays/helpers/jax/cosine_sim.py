def _cosine_sim(a, b):
    """The cosine of the angle between two lists of arrays."""
    return _dot(a, b) / (jnp.sqrt(_dot(a, a)) * jnp.sqrt(_dot(b, b)))
