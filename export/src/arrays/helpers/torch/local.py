def _local(x, p):
    """This process's part of a tensor that is divided among processes as `p` is."""
    if not hasattr(x, "placements"):
        return x
    if x.placements != p.placements:
        x = x.redistribute(placements=p.placements)
    return x.to_local()
