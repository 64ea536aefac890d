"""Degrees of freedom: how many coefficients a fit is worth."""

import numpy as np
from scipy.linalg import LinAlgError, cholesky, eigvalsh, solve_triangular

from skreg.model import QuadraticModel

__all__ = ["degrees_along"]

# A larger support is counted, not weighed: the trace needs a factorisation of its Gram matrix.
MAX_TRACED = 1000

# The smaller side of X up to which ridge has a spectrum.
MAX_SPECTRUM = 8000


def degrees_along(problem, solutions):
    r"""How fast the fit follows the data, :math:`\sum_i \partial \hat\eta_i / \partial y_i` in effect.

    With the Hessian ``H`` of the loss on the support ``A`` (the intercept at its
    best) and the curvature ``D`` of the penalty there, it is
    ``trace(H (H + D)^-1)``: the number of non-zero coefficients for the lasso, the
    trace of the hat matrix for ridge. The intercept is not counted. The curvature
    is found from the slope of the prox, so it is known for a penalty of your own.
    For penalties that are not convex the support is counted.

    Parameters
    ----------
    problem : Problem
    solutions : sequence of Solution

    Returns
    -------
    ndarray of shape (n_solutions,)

    References
    ----------
    H. Zou, T. Hastie, R. Tibshirani, "On the degrees of freedom of the lasso", Ann. Stat. 35 (2007), thm. 1;
    R. Tibshirani, J. Taylor, "Degrees of freedom in lasso problems", Ann. Stat. 40 (2012), eq. (17);
    S. Vaiter et al., "The degrees of freedom of partly smooth regularizers", Ann. Inst. Stat. Math. 69 (2017), thm. 2.
    """
    ridge = _ridge(problem, [solution.alpha for solution in solutions])
    if ridge is not None:
        return ridge
    gram = None
    few = problem.loss.quadratic and problem.n_features <= MAX_TRACED and len(solutions) > 1
    if few or problem.moments is not None:
        # The Hessian of all solutions.
        gram = problem.gram()
    return np.array([_degrees(problem, solution, gram) for solution in solutions])


def _ridge(problem, alphas):
    """Of the ridge family, by the spectrum of the smaller side; None for other problems."""
    unit = problem.penalty.quadratic(problem.strength(1.0)) if problem.loss.quadratic else None
    if unit is None or np.min(unit) <= 0 or min(alphas) <= 0 or min(problem.design.shape) > MAX_SPECTRUM:
        return None
    if not all(
        np.allclose(problem.penalty.quadratic(problem.strength(a)), a * np.asarray(unit), rtol=1e-12) for a in alphas
    ):
        return None
    unit = np.broadcast_to(np.asarray(unit, dtype=np.float64), problem.n_features)
    if problem.n_features <= problem.design.shape[0]:
        system = problem.gram() / np.sqrt(np.outer(unit, unit))
    else:
        root = np.sqrt(problem.weights)
        system = problem.design.kernel(1.0 / unit) * np.outer(root, root)
    values = np.maximum(eigvalsh(system), 0.0)
    return problem.n_outputs * np.sum(values / (values + np.asarray(alphas)[:, None]), axis=1)


def _degrees(problem, solution, gram):
    coef = solution.coef
    size = np.count_nonzero(coef)
    if size == 0 or not problem.penalty.convex or size > MAX_TRACED:
        rows = np.count_nonzero(problem.weights) - problem.fit_intercept
        return float(min(size, rows * problem.n_outputs))
    return sum(_trace(*part, solution.alpha, gram) for part in problem.apart(coef, solution.intercept))


def _trace(problem, coef, intercept, alpha, gram):
    support = np.flatnonzero(coef)
    if support.size == 0:
        return 0.0
    point = problem.point(coef, intercept, alpha)
    if gram is None or coef.ndim > 1:
        hessian = QuadraticModel(point, support).hessian
    else:
        hessian = gram[np.ix_(support, support)]
    step = 1.0 / point.curvature
    slope = _slope(problem, coef - step * point.gradient, step, alpha, support)
    step = np.broadcast_to(step, coef.shape).ravel()[support]
    if slope.ndim == 1 and slope.min() > 1e-9:
        trace = _regular(hessian, (1.0 / slope - 1.0) / step)
        if trace is not None:
            return trace
    # (I - J + step J H) dw = step J db: what the coefficients do when the gradient moves by -db.
    if slope.ndim == 1:
        slope = np.diag(slope)
    right = slope @ (step[:, None] * hessian)
    system = np.eye(support.size) - slope + right
    # Dependent columns are worth no more than their rank.
    return float(np.trace(np.linalg.lstsq(system, right, rcond=1e-10)[0]))


def _regular(hessian, curvature):
    """``trace(H (H + D)^-1)``, or None where ``H + D`` is close to singular."""
    system = hessian + np.diag(curvature)
    size = np.sqrt(np.diagonal(system))
    if not np.all(size > 0):
        return None
    try:
        factor = cholesky(system / np.outer(size, size), lower=True)
    except LinAlgError:
        return None
    if np.min(np.diagonal(factor)) < 1e-5:
        return None
    if np.max(curvature / size**2) < 1e-9:
        return float(len(size))
    inverse = solve_triangular(factor, np.eye(len(size)), lower=True)
    return float(len(size) - np.sum(curvature / size**2 * np.sum(inverse**2, axis=0)))


def _slope(problem, point, step, alpha, support):
    """Derivative of the prox on the support: its diagonal if it acts on one coefficient at a time, else a matrix."""
    width = 1e-6 * np.maximum(np.abs(point), np.max(np.abs(point)) * 1e-6)

    def slope(direction):
        above, below = problem.prox(point + direction, step, alpha), problem.prox(point - direction, step, alpha)
        return (above - below).ravel()[support]

    if problem.penalty.separable:
        return np.clip(slope(width) / (2.0 * width.ravel()[support]), 0.0, 1.0)
    columns = []
    for entry in support:
        direction = np.zeros(point.shape)
        direction.ravel()[entry] = width.ravel()[entry]
        columns.append(slope(direction) / (2.0 * width.ravel()[entry]))
    return np.column_stack(columns)
