def _store(x, value):
    """Puts a new value in a tensor of which this process may hold a part."""
    if hasattr(x, "placements"):
        value = type(x).from_local(value, x.device_mesh, run_check=False)
        x.to_local().copy_(value.redistribute(placements=x.placements).to_local())
    elif x.dtype != value.dtype:
        x.copy_(value)
