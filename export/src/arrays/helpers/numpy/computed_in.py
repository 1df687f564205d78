def _computed_in(w, g):
    """The type in which the update of such weights is computed, and their states kept."""
    w, g = np.asarray(w).dtype, np.asarray(g).dtype
    if w.kind in "biuc" or g.kind == "c":
        raise TypeError(f"this optimizer takes arrays of real numbers, not of {w} and {g}")
    dtype = np.result_type(w, g)
    # In float16, squares of small gradients and the numbers that keep divisors from 0 are 0.
    return np.dtype(np.float32) if dtype == np.float16 else dtype
