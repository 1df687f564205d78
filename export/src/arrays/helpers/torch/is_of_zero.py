def _is_of_zero(frame):
    """Whether a ZeroRedundancyOptimizer makes this optimizer, which will see its part alone."""
    # Nothing that it hands over tells.
    while frame is not None:
        maker = type(frame.f_locals.get("self"))
        of_torch = maker.__module__.startswith("torch.distributed.")
        if of_torch and maker.__name__ == "ZeroRedundancyOptimizer":
            return True
        frame = frame.f_back
    return False
