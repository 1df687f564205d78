def _computed_in(*leaves):
    """The type in which updates of such leaves are computed, and what is carried for them kept."""
    dtype = jnp.result_type(*leaves)
    if jnp.issubdtype(dtype, jnp.floating) and jnp.finfo(dtype).maxexp < 128:
        # In float16, squares of small gradients and the numbers that keep divisors from 0 are 0.
        return jnp.promote_types(dtype, jnp.float32)
    return dtype
