"""The intercept that is best for given coefficients."""

import numpy as np

from skreg.point import Point
from skreg.sums import inner

__all__ = ["BALANCING", "beside_its_intercept", "best_intercept"]

# Newton steps at most; after few of them it is found, or hard to find.
MOST, BALANCING = 100, 6

# The shortest step of a line search.
SHORTEST = 1e-30


def best_intercept(problem, eta, start=0.0, enough=1e-15):
    """The intercept that is best for a linear predictor ``eta`` without one.

    Newton's method on one number per output, safeguarded by the loss, until no derivative exceeds ``enough``.

    Parameters
    ----------
    problem : Problem
    eta : ndarray shaped like y
    start : float or ndarray of shape (n_outputs,), default=0
    enough : float, default=1e-15

    Returns
    -------
    float or ndarray of shape (n_outputs,)
    """
    if problem.loss.quadratic:
        return -problem.row_gradient(eta).sum(axis=0)
    coupled = eta.ndim > 1 and problem.loss.coupled_outputs

    def at(intercept):
        return Point(problem, None, intercept, 0.0, eta + intercept)

    point = at(np.zeros(eta.shape[1:]) + start)
    for _ in range(MOST):
        gradient = point.row_gradient.sum(axis=0)
        if np.max(np.abs(gradient)) <= enough:
            break
        if coupled:
            move = -np.linalg.lstsq(problem.intercept_hessian(point.eta), gradient, rcond=1e-12)[0]
        else:
            move = -gradient / np.maximum(point.row_curvature.sum(axis=0), 1e-12)
        size = 1.0
        # Where the loss is nearly flat a Newton move can be astronomically long.
        while size > SHORTEST:
            reached = at(point.intercept + size * move)
            # Below rounding the gradient decides.
            if reached.loss < point.loss or (
                reached.loss <= point.loss + 4e-16 * abs(point.loss)
                and np.linalg.norm(reached.row_gradient.sum(axis=0)) < 0.5 * np.linalg.norm(gradient)
            ):
                break
            size *= 0.5
        else:
            break
        point = reached
    return point.intercept if eta.ndim > 1 else float(point.intercept)


def beside_its_intercept(point):
    """The same coefficients, with the intercept that is best for them; the same point where that is hard to find."""
    problem, weights = point.problem, point.problem.weights
    intercept, eta, expansion = point.intercept, point.eta, point.expansion
    for _ in range(BALANCING):
        total, curvature = float(inner(weights, expansion[1])), float(inner(weights, expansion[2]))
        if abs(total) <= 1e-15:
            best = problem.point(point.coef, intercept, point.alpha, eta)
            best.expansion = expansion
            return best if best.loss <= point.loss else point
        if not curvature > 0.0:
            break
        intercept, eta = intercept - total / curvature, eta - total / curvature
        expansion = problem.loss.expansion(problem.y, eta)
    return point
