def _clip(tensors, limit):
    """The tensors scaled to a norm, over all of them, of at most the limit."""
    norm = torch.sqrt(_dot(tensors, tensors))
    factor = torch.where(norm == 0, 1.0, torch.clamp(limit / norm, max=1.0))
    return [x * factor.to(x) for x in tensors]
