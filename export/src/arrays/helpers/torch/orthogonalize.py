def _orthogonalize(x, steps=5 * [(3.4445, -4.7750, 2.0315)], margin=1.0):
    """The nearest semi-orthogonal matrix, by Newton-Schulz steps. A vector is one column."""
    matrix = x.flatten(1) if x.ndim > 1 else x.reshape(-1, 1)
    norm = torch.linalg.vector_norm(matrix, dtype=torch.float64)
    matrix = matrix / torch.clamp(norm * margin, min=1e-7).to(x.dtype)
    tall = matrix.shape[0] > matrix.shape[1]
    matrix = matrix.T if tall else matrix
    for a, b, c in steps:
        gram = matrix @ matrix.T
        matrix = a * matrix + (b * gram + c * (gram @ gram)) @ matrix
    return (matrix.T if tall else matrix).reshape(x.shape)
