def _orthogonalize(x):
    """The nearest semi-orthogonal matrix, by five Newton-Schulz steps. A vector is one column."""
    matrix = x.flatten(1) if x.ndim > 1 else x.reshape(-1, 1)
    norm = torch.linalg.vector_norm(matrix, dtype=torch.float64)
    matrix = matrix / torch.clamp(norm, min=1e-7).to(x.dtype)
    tall = matrix.shape[0] > matrix.shape[1]
    matrix = matrix.T if tall else matrix
    for _ in range(5):
        gram = matrix @ matrix.T
        matrix = 3.4445 * matrix + (-4.7750 * gram + 2.0315 * (gram @ gram)) @ matrix
    return (matrix.T if tall else matrix).reshape(x.shape)
