def _number(x, like):
    """A number of one step: a Python float, or a tensor where the step is compiled."""
    if torch.compiler.is_compiling() and isinstance(x, torch.Tensor):
        # A graph may not depend on its value.
        return x.reshape(()).to(like.device, torch.float64)
    return float(x)
