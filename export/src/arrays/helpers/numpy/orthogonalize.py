def _orthogonalize(x, steps=5 * [(3.4445, -4.7750, 2.0315)], margin=1.0):
    """The nearest semi-orthogonal matrix, by Newton-Schulz steps. A vector is one column."""
    matrix = x.reshape(x.shape[0] if x.ndim else 1, math.prod(x.shape[1:]))
    matrix = matrix / x.dtype.type(np.maximum(_norm(matrix) * margin, 1e-7))
    tall = matrix.shape[0] > matrix.shape[1]
    matrix = matrix.T if tall else matrix
    for a, b, c in steps:
        gram = matrix @ matrix.T
        polynomial = b * gram + c * (gram @ gram)
        matrix = a * matrix + polynomial @ matrix
    return (matrix.T if tall else matrix).reshape(x.shape)
