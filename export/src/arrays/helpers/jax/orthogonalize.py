def _orthogonalize(x):
    """The nearest semi-orthogonal matrix, by five Newton-Schulz steps. A vector is one column."""
    matrix = x.reshape(x.shape[0] if x.ndim else 1, math.prod(x.shape[1:]))
    matrix = matrix / jnp.maximum(_norm(matrix), 1e-7).astype(x.dtype)
    tall = matrix.shape[0] > matrix.shape[1]
    matrix = matrix.T if tall else matrix
    for _ in range(5):
        gram = jnp.matmul(matrix, matrix.T, precision="highest")
        polynomial = -4.7750 * gram + 2.0315 * jnp.matmul(gram, gram, precision="highest")
        matrix = 3.4445 * matrix + jnp.matmul(polynomial, matrix, precision="highest")
    return (matrix.T if tall else matrix).reshape(x.shape)
