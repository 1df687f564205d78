def _foreach_sign(tensors):
    """1 above zero, -1 below, and x itself at the zeros and NaN, where torch.sign gives 0."""
    # Twice the largest number takes even the smallest beyond 1, where the limits are.
    largest = [torch.finfo(x.dtype).max for x in tensors]
    signs = torch._foreach_mul(tensors, largest)
    torch._foreach_mul_(signs, largest)
    torch._foreach_clamp_min_(signs, -1.0)
    torch._foreach_clamp_max_(signs, 1.0)
    return signs
