def _scalar(function, *args):
    """A function of Python floats that gives inf or NaN where Python would raise."""
    tensors = (torch.tensor(arg, dtype=torch.float64, device="cpu") for arg in args)
    return function(*tensors).item()
