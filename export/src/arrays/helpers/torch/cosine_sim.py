def _cosine_sim(a, b):
    """The cosine of the angle between two lists of tensors, 0 where one is zero."""
    norms = torch.sqrt(_dot(a, a)) * torch.sqrt(_dot(b, b))
    return torch.where(norms == 0, 0.0, _dot(a, b) / norms)
