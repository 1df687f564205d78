def _clip(arrays, limit):
    """The arrays scaled to a norm, over all of them, of at most the limit."""
    norm = np.sqrt(_dot(arrays, arrays))
    factor = 1.0 if norm == 0 else float(np.minimum(1.0, np.divide(limit, norm)))
    return [x * factor for x in arrays]
