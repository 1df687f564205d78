def _clip(arrays, limit):
    """The arrays scaled to a norm, over all of them, of at most the limit."""
    factor = float(np.minimum(1.0, np.divide(limit, np.sqrt(_dot(arrays, arrays)))))
    return [x * factor for x in arrays]
