def _orthogonalize(x):
    """The nearest semi-orthogonal matrix, by five Newton-Schulz steps. A vector is one column."""
    matrix = x.reshape(x.shape[0] if x.ndim else 1, math.prod(x.shape[1:]))
    matrix = matrix / x.dtype.type(np.maximum(_norm(matrix), 1e-7))
    tall = matrix.shape[0] > matrix.shape[1]
    matrix = matrix.T if tall else matrix
    for _ in range(5):
        gram = matrix @ matrix.T
        polynomial = -4.7750 * gram + 2.0315 * (gram @ gram)
        matrix = 3.4445 * matrix + polynomial @ matrix
    return (matrix.T if tall else matrix).reshape(x.shape)
