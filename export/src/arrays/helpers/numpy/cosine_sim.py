def _cosine_sim(a, b):
    """The cosine of the angle between two lists of arrays, 0 where one is zero."""
    norms = np.sqrt(_dot(a, a)) * np.sqrt(_dot(b, b))
    return 0.0 if norms == 0 else float(np.divide(_dot(a, b), norms))
