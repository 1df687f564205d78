def _orthogonalize(x, steps=5 * [(3.4445, -4.7750, 2.0315)], margin=1.0):
    """The nearest semi-orthogonal matrix, by Newton-Schulz steps. A vector is one column."""
    matrix = x.reshape(x.shape[0] if x.ndim else 1, math.prod(x.shape[1:]))
    matrix = matrix / jnp.maximum(_norm(matrix) * margin, 1e-7).astype(x.dtype)
    tall = matrix.shape[0] > matrix.shape[1]
    matrix = matrix.T if tall else matrix
    for a, b, c in steps:
        gram = jnp.matmul(matrix, matrix.T, precision="highest")
        polynomial = b * gram + c * jnp.matmul(gram, gram, precision="highest")
        matrix = a * matrix + jnp.matmul(polynomial, matrix, precision="highest")
    return (matrix.T if tall else matrix).reshape(x.shape)
