def _zeros(leaf):
    """What is carried for a leaf, at first."""
    return jnp.zeros_like(leaf, dtype=_computed_in(leaf))
