def _bias_correction(beta, t):
    """1 / (1 - beta^t), by which a moving average that began at zero falls short in step t."""
    is_number = isinstance(beta, (int, float)) and beta > 0
    # The logarithm of a Python float is taken in float64, and expm1 keeps the digits of it.
    log_beta = math.log(beta) if is_number else jnp.log(beta)
    return 1 / jnp.where(beta > 0, -jnp.expm1(t * log_beta), 1 - jnp.power(beta, t))
