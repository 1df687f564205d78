def _where(condition, a, b):
    """The one value where the condition is above zero, else the other."""
    return torch.where(condition > 0, a, b)
