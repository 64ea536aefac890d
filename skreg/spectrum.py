"""Upper bounds on the largest eigenvalue of a matrix that is only known by its products."""

import numpy as np
from scipy.linalg import eigvalsh_tridiagonal

from skreg.sums import inner

__all__ = ["largest_eigenvalue"]

# Chance that the bound is too low.
RISK = 1e-6


def largest_eigenvalue(product, size, n_steps=30):
    """Bound from above by the method of Lanczos; within a few percent.

    From a random start the largest Ritz value of k steps is below ``(1 - share)``
    times the largest eigenvalue with a probability of at most
    ``1.648 sqrt(size) exp(-sqrt(share) (2 k - 1))``: dividing by ``1 - share`` makes it safe.

    Parameters
    ----------
    product : callable
        Matrix times vector of shape (size,); the matrix is positive semi-definite.
    size : int
    n_steps : int, default=30
        Products that may be spent; as many as ``size`` give the exact value.

    Returns
    -------
    float

    References
    ----------
    J. Kuczynski, H. Wozniakowski, "Estimating the largest eigenvalue by the power and Lanczos
    algorithms with a random start", SIAM J. Matrix Anal. Appl. 13 (1992), thm. 4.2 (a).
    """
    vector = np.random.default_rng(0).standard_normal(size)
    vector /= np.linalg.norm(vector) or 1.0
    basis, diagonal, beside = [], [], []
    while True:
        basis.append(vector)
        image = product(vector)
        diagonal.append(float(inner(vector, image)))
        # Orthogonal to all before, twice: rounding would bring copies of eigenvalues.
        for _ in range(2):
            for other in basis:
                image = image - inner(other, image) * other
        length = float(np.linalg.norm(image))
        value = eigvalsh_tridiagonal(diagonal, beside)[-1]
        steps = len(basis)
        if steps == size or length <= 1e-12 * value or length == 0.0:
            # Nothing is left outside of what was seen.
            return float(value * (1.0 + 1e-12))
        if steps == n_steps:
            share = (np.log(1.648 * np.sqrt(size) / RISK) / (2 * steps - 1)) ** 2
            return float(value / (1.0 - share))
        beside.append(length)
        vector = image / length
