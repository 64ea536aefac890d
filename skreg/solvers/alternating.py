"""Inner problems that descent and Newton steps solve in turns: one finds what is zero, the other ends the slow tail."""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

__all__ = ["Alternating", "solve_positive"]


class Alternating:
    """A penalised quadratic ``0.5 w'Gw - q'w + P(w; alpha)`` on a Gram matrix, as `Quadratic`.

    Subclasses say how to ``approach`` the solution, and take a ``newton`` step, which returns the violation that it found.

    Parameters
    ----------
    gram : ndarray of shape (k, k)
        Hessian.
    coef, grad : ndarray of shape (k,) or (k, n_outputs)
        The current point, and ``gram @ coef - q`` there.
    penalty : Penalty
        On the coefficients of the working set.
    alpha : float or ndarray
        Strengths.
    """

    def __init__(self, gram, coef, grad, penalty, alpha):
        self.gram, self.coef, self.grad = gram, coef, grad
        self.penalty, self.alpha = penalty, alpha

    def approach(self, tol):
        """Descend until moves are smaller than ``tol``, or for a while."""
        raise NotImplementedError

    def newton(self, tol):
        """A proximal step and a Newton step; returns the violation found on the way."""
        raise NotImplementedError

    def descend(self, tol, epochs=2):
        """A few rounds, whatever they reach."""
        self.minimise(tol, epochs)

    def follow(self, strengths, tol, ends):
        """As `Quadratic.follow`: nothing here is compiled for several alphas at once."""
        return 0

    def minimise(self, tol, max_rounds=300):
        """Until the violation is ``tol``; returns whether it got there."""
        best, stalled = np.inf, 0
        for _ in range(max_rounds):
            self.approach(tol)
            violation = self.newton(tol)
            if violation <= tol:
                return True
            stalled = 0 if violation < 0.9 * best else stalled + 1
            if stalled >= 30:
                return False
            best = min(best, violation)
        return False

    def search(self, coef, grad, move):
        """The longest of the steps 1, 1/2, 1/4, ... along ``move`` that lowers the objective, if one does."""
        forward = self.gram @ move
        slope, curvature = np.sum(grad * move), np.sum(move * forward)
        price = self.penalty.value(coef, self.alpha)
        size = 1.0
        while size > 1e-3:
            candidate = coef + size * move
            change = size * slope + 0.5 * size**2 * curvature + self.penalty.value(candidate, self.alpha) - price
            if change <= 1e-16 * abs(price):
                return candidate, grad + size * forward
            size *= 0.5
        return coef, grad


def solve_positive(system, wanted):
    """The solution of a positive definite system, with a trace on its diagonal; None if it is not. ``system`` is lost."""
    trace = 1e-13 * np.diagonal(system)
    system[np.diag_indices_from(system)] += np.where(trace > 0, trace, 1.0)
    try:
        return cho_solve(cho_factor(system, lower=True, overwrite_a=True), wanted)
    except LinAlgError:
        return None
