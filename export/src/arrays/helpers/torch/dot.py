def _dot(a, b):
    """The sum of products over all tensors, in float64."""
    sums = [torch.sum(x.double() * y.double()) for x, y in zip(a, b)]
    return sum(x.to(sums[0].device) for x in sums)
