def _norm(x):
    """The 2-norm of an array."""
    return jnp.sqrt(jnp.sum(jnp.square(x.astype(float))))
