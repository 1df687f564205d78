def _broadcast(value, like):
    """The value rounded to the type of an array and broadcast to its shape."""
    return jnp.broadcast_to(jnp.asarray(value, like.dtype), like.shape)
