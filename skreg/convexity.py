"""Where along a path a penalty that is not convex outweighs the loss."""

import numpy as np
from scipy.linalg import LinAlgError, cholesky

from skreg.model import QuadraticModel

__all__ = ["convex_along"]

# A larger support is not looked at, and not called convex: it takes a factorisation of its Gram matrix.
MAX_SUPPORT = 1000


def convex_along(problem, solutions):
    """Whether the objective is convex in the coefficients that are not zero, at every solution.

    With the Hessian ``H`` of the loss on the support (the intercept at its best) and
    the concavity ``c`` of the penalty, it is where ``H - diag(c)`` is positive
    definite. The squared loss has the same Hessian everywhere, so there no other
    coefficients on that support have a lower objective; for other losses it is so
    near the solution. Beyond the first alpha where it fails a small change of the
    data may lead to quite another solution.

    Parameters
    ----------
    problem : Problem
    solutions : sequence of Solution

    Returns
    -------
    ndarray of bool of shape (n_solutions,)

    References
    ----------
    P. Breheny, J. Huang, "Coordinate descent algorithms for nonconvex penalized regression, with applications to
    biological feature selection", Ann. Appl. Stat. 5 (2011), sec. 4.1.
    """
    if problem.penalty.convex and problem.loss.convex:
        return np.ones(len(solutions), dtype=bool)
    return np.array([_convex(problem, solution) for solution in solutions])


def _convex(problem, solution):
    return all(_positive(*part, solution.alpha) for part in problem.apart(solution.coef, solution.intercept))


def _positive(problem, coef, intercept, alpha):
    support = np.flatnonzero(coef)
    if support.size == 0:
        return True
    concavity = np.asarray(problem.penalty.concavity(problem.strength(alpha)), dtype=np.float64)
    concavity = np.broadcast_to(concavity.reshape(concavity.shape[:1]), problem.n_features)
    concavity = concavity[support // problem.n_outputs]
    if support.size > MAX_SUPPORT or not np.all(np.isfinite(concavity)):
        return False
    if problem.moments is not None and coef.ndim == 1:
        hessian = problem.moments.gram[np.ix_(support, support)]
    else:
        hessian = QuadraticModel(problem.point(coef, intercept, alpha), support).hessian
    size = np.sqrt(np.diagonal(hessian))
    if not np.all(size > 0):
        return False
    system = (hessian - np.diag(concavity)) / np.outer(size, size)
    try:
        cholesky(system - 1e-10 * np.eye(len(size)))
    except LinAlgError:
        return False
    return True
