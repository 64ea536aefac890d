"""Degrees of freedom: how many coefficients a fit is worth."""

import numpy as np

from skreg.model import QuadraticModel

__all__ = ["degrees_of_freedom"]

# A larger support is counted, not weighed: the trace needs a factorisation of its Gram matrix.
MAX_TRACED = 1000


def degrees_of_freedom(problem, solution):
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
    solution : Solution

    Returns
    -------
    float

    References
    ----------
    H. Zou, T. Hastie, R. Tibshirani, "On the degrees of freedom of the lasso", Ann. Stat. 35 (2007), thm. 1;
    R. Tibshirani, J. Taylor, "Degrees of freedom in lasso problems", Ann. Stat. 40 (2012), eq. (17);
    S. Vaiter et al., "The degrees of freedom of partly smooth regularizers", Ann. Inst. Stat. Math. 69 (2017), thm. 2.
    """
    coef = solution.coef
    support = np.flatnonzero(coef)
    if support.size == 0:
        return 0.0
    if not problem.penalty.convex or support.size > MAX_TRACED:
        return float(support.size)
    if coef.ndim > 1 and not (problem.loss.coupled_outputs or problem.penalty.joint_outputs):
        intercepts = np.broadcast_to(solution.intercept, coef.shape[1:])
        columns = zip(np.ascontiguousarray(coef.T), intercepts, strict=True)
        return sum(_trace(problem.output(k), *parts, solution.alpha) for k, parts in enumerate(columns))
    return _trace(problem, coef, solution.intercept, solution.alpha)


def _trace(problem, coef, intercept, alpha):
    support = np.flatnonzero(coef)
    if support.size == 0:
        return 0.0
    point = problem.point(coef, intercept, alpha)
    hessian = QuadraticModel(point, support).hessian
    step = 1.0 / point.curvature
    slope = _slope(problem, coef - step * point.gradient, step, alpha, support)
    step = np.broadcast_to(step, coef.shape).ravel()[support]
    # (I - J + step J H) dw = step J db: what the coefficients do when the gradient moves by -db.
    size = support.size
    if slope.ndim == 1:
        system = slope[:, None] * step[:, None] * hessian
        right = system.copy()
        system[np.diag_indices(size)] += 1.0 - slope
    else:
        right = slope @ (step[:, None] * hessian)
        system = np.eye(size) - slope + right
    # Dependent columns are worth no more than their rank.
    return float(np.trace(np.linalg.lstsq(system, right, rcond=1e-10)[0]))


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
