def _dot(a, b):
    """The sum of products over all arrays, in float64."""
    return sum(float(np.sum(np.multiply(x, y, dtype=np.float64))) for x, y in zip(a, b))
