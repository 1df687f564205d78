def _is_sharded(p):
    """Whether this process holds but a part of a parameter, as far as that shows."""
    of_dtensor = any(not placement.is_replicate() for placement in getattr(p, "placements", ()))
    # Marks of FSDP's flat parameters, and of DeepSpeed's ZeRO-3.
    return of_dtensor or getattr(p, "_is_flat_param", False) or hasattr(p, "ds_id")
