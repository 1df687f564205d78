def _broadcast(value, like):
    """The value rounded to the type of an array and broadcast to its shape."""
    like = np.asarray(like)
    return np.broadcast_to(np.asarray(value).astype(like.dtype), like.shape).copy()
