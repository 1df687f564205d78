def _bias_correction(beta, t):
    """1 / (1 - beta^t), by which a moving average that began at zero falls short in step t."""
    return _scalar(torch.reciprocal, 1 - _scalar(torch.pow, beta, t))
