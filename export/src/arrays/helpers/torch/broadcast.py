def _broadcast(value, like):
    """The value rounded to the type of a tensor and broadcast to its shape."""
    if not isinstance(value, torch.Tensor):
        # Filled in on the device, so that the host need not wait for it.
        value = torch.full((), value, dtype=torch.float64, device=like.device)
    return value.to(like).expand_as(like)
