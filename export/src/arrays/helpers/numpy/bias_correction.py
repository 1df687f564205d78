def _bias_correction(beta, t):
    """1 / (1 - beta^t), by which a moving average that began at zero falls short in step t."""
    return float(np.divide(1.0, 1.0 - np.power(float(beta), float(t))))
