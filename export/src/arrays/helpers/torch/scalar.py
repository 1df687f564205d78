def _scalar(function, *args):
    """A function of numbers that gives inf or NaN where Python would raise."""
    if torch.compiler.is_compiling():
        return function(*[torch.as_tensor(arg, dtype=torch.float64) for arg in args])
    return function(*[torch.tensor(arg, dtype=torch.float64, device="cpu") for arg in args]).item()
