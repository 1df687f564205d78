def _role(x, role):
    """What a tensor is in its network: as it is said, or as its shape suggests."""
    if role is None:
        return "hidden" if x.ndim > 1 else "vector"
    if role not in ("hidden", "embedding", "output", "vector"):
        raise ValueError(f"no role of a tensor: {role!r}")
    return role
