"""Ridge on a wide X by conjugate gradients, where a few passes over X are less work than the kernel matrix.

With the names of `skreg.solvers.ridge`, ``A = R Z F^2 Z' R`` is never formed: a pass over X gives ``F^2 Z'R d`` and
``A d`` together. With many more columns than rows all eigenvalues of ``A`` are of one size, and a handful of passes
is enough.
"""

import math

import numpy as np

from skreg.certificate import CONDITION, Optimality
from skreg.solvers.base import Solution

__all__ = ["conjugate_ridge"]

# To form the kernel of n rows takes about the time of n / KERNEL passes.
KERNEL = 25

# Fewer passes than these are not worth a try; it takes so many steps to see how fast they lead on.
WORTH, TRIAL = 10, 3


def conjugate_ridge(problem, alpha, strength, shape, tol):
    """The solution, or None where the kernel matrix is the better way.

    Parameters
    ----------
    problem : Problem
        Squared loss, quadratic penalty, fewer rows than columns.
    alpha : float
    strength : float
    shape : ndarray of shape (n_features,) or None
        The penalty is ``strength / 2 * sum(shape * coef**2)``.
    tol : float

    Returns
    -------
    Solution or None
    """
    n_samples, n_features = problem.design.shape
    budget = n_samples * (n_samples * n_features / max(problem.design.X.size, 1)) / KERNEL
    if problem.y.ndim > 1 or problem.moments is not None or n_samples >= n_features or budget < WORTH:
        return None
    system = _System(problem, strength, shape)
    x = system.minimise(tol, budget)
    return None if x is None else system.certified(x, alpha, tol)


class _System:
    """``(A + strength I) x = b``; ``x`` is the residual over ``strength``, times the roots of the sample weights."""

    def __init__(self, problem, strength, shape):
        self.problem, self.strength = problem, strength
        self.factor = np.ones(problem.n_features) if shape is None else 1.0 / shape
        self.root = np.sqrt(problem.weights)
        self.b = self.root * (problem.y - problem.null_intercept)
        self.curvature = problem.squared_norms

    def pass_over(self, x):
        """``Z'R x`` and ``A x``."""
        product, back = self.problem.design.dot_t_and_back(self.root * x, self.factor)
        return product, self.root * back

    def measures(self, e, product):
        """Gap and largest violation at the ``x`` of residual ``e``, where ``product`` is ``Z'R e``.

        Of the dual points ``R^-1 (b - A x)`` and ``strength R^-1 x`` the first is the better one where the penalty
        is strong, the second where it is weak.
        """
        gap = min(0.5 * (e @ e), self.factor @ np.square(product) / (2.0 * self.strength))
        curvature = self.curvature
        moves = product / (curvature + self.strength / self.factor)
        violation = math.sqrt(np.max(curvature * np.square(moves), initial=0.0))
        return gap / self.problem.null_loss, violation / math.sqrt(2.0 * self.problem.null_loss)

    def minimise(self, tol, budget):
        """Conjugate gradients until ``tol`` is met by far more than one step's worth, or None if they would take too many."""
        x, e = np.zeros_like(self.b), self.b
        direction, product, ratio, first = e, 0.0, 0.0, None
        for step in range(1, int(budget)):
            before = product
            product, back = self.pass_over(direction)
            gap, violation = self.measures(e, product - ratio * before)
            measure = max(gap, CONDITION * violation**2)
            size, back = e @ e, back + self.strength * direction
            if size == 0.0:
                return x
            length = size / (direction @ back)
            x, e = x + length * direction, e - length * back
            if measure <= tol:
                return x
            first = measure if first is None else first
            if step > TRIAL:
                digits = math.log(first / measure) / (step - 1)
                if not digits > 0.0 or step + math.log(measure / tol) / digits > budget:
                    return None
            ratio = (e @ e) / size
            direction = e + ratio * direction
        return None

    def certified(self, x, alpha, tol):
        """The solution that ``x`` stands for, with a certificate from X itself; None if rounding denies it one."""
        problem = self.problem
        product, back = self.pass_over(x)
        coef = self.factor * product
        e = self.b - back - self.strength * x
        gap, violation = self.measures(e, problem.design.dot_t(self.root * e))
        if not max(gap, CONDITION * violation**2) <= tol:
            return None
        loss = 0.5 * float(np.sum(np.square(self.b - back)))
        price = float(problem.penalty_value(coef, alpha))
        optimality = Optimality(
            objective=loss + price,
            loss=loss,
            penalty=price,
            gap=float(gap),
            violation=float(violation),
            null_loss=float(problem.null_loss),
            tol=tol,
            converged=True,
            kind="global",
        )
        return Solution(alpha, coef, problem.null_intercept, 1, optimality)
