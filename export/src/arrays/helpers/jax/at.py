def _at(places, structure, tree):
    """The leaves of a tree that are in these places of a structure."""
    leaves = structure.flatten_up_to(tree)
    if any(leaves[place] is None for place in places):
        raise ValueError("there is a gradient where the parameters, or the state of their optimizer, have None")
    return [leaves[place] for place in places]
