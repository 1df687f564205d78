def _cosine_sim(a, b):
    """The cosine of the angle between two lists of tensors."""
    return _dot(a, b) / (torch.sqrt(_dot(a, a)) * torch.sqrt(_dot(b, b)))
