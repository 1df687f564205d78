def _state_dtype(group, p):
    """The type of a parameter's states, in which its update is computed."""
    usual = torch.float32 if p.dtype == torch.float16 else p.dtype
    return group["state_dtype"] or usual
