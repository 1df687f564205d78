def _cast(values, dtypes):
    """The values as arrays of these types."""
    return [jnp.asarray(value, dtype) for value, dtype in zip(values, dtypes)]
