def _norm(x):
    """The 2-norm of an array, in float64."""
    return float(np.sqrt(np.sum(np.multiply(x, x, dtype=np.float64))))
