def _global_norm(arrays):
    """The 2-norm over all arrays, in float64."""
    return float(np.sqrt(_dot(arrays, arrays)))
