def _clip(tensors, limit):
    """The tensors scaled to a norm, over all of them, of at most the limit."""
    factor = torch.clamp(limit / torch.sqrt(_dot(tensors, tensors)), max=1.0)
    return [x * factor.to(x) for x in tensors]
