def _cosine_sim(a, b):
    """The cosine of the angle between two lists of arrays."""
    norms = np.sqrt(_dot(a, a)) * np.sqrt(_dot(b, b))
    return float(np.divide(_dot(a, b), norms))
