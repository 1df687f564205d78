def _is_flat(p):
    """Whether this process holds but a part of a parameter and cannot get the whole."""
    # Marks of FSDP's flat parameters, and of DeepSpeed's ZeRO-3.
    return getattr(p, "_is_flat_param", False) or hasattr(p, "ds_id")
