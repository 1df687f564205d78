def _global_norm(tensors):
    """The 2-norm over all tensors, in float64."""
    return torch.sqrt(_dot(tensors, tensors))
