def _put(places, structure, tree, values):
    """A tree with other values, in the types of the old ones, in these places of a structure."""
    leaves = structure.flatten_up_to(tree)
    for place, value in zip(places, values):
        leaves[place] = value.astype(jnp.result_type(leaves[place]))
    return structure.unflatten(leaves)
