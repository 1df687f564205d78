def _global_norm(arrays):
    """The 2-norm over all arrays."""
    return jnp.sqrt(_dot(arrays, arrays))
