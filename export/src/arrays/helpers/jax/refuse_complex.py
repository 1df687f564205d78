def _refuse_complex(tree):
    """Raises where a leaf is complex: the rule is one of real numbers."""
    if any(jnp.iscomplexobj(leaf) for leaf in jax.tree.leaves(tree)):
        raise TypeError("this optimizer does not take complex parameters")
