def _put(places, structure, tree, values):
    """A tree with other values in these places of a structure."""
    leaves = structure.flatten_up_to(tree)
    for place, value in zip(places, values):
        leaves[place] = value
    return structure.unflatten(leaves)
