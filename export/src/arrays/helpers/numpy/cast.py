def _cast(arrays, dtypes):
    """The arrays in these types."""
    return [np.asarray(x, dtype) for x, dtype in zip(arrays, dtypes, strict=True)]
