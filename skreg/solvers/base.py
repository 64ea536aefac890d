"""What a solver is, and what it returns."""

from typing import NamedTuple

import numpy as np

from skreg.certificate import Optimality
from skreg.elastic import costs_nothing_at_zero
from skreg.progress import LISTENER

__all__ = ["Progress", "Solution", "Solver", "sharp", "sharp_enough", "starting_point"]

# A violation of this share of the tolerance is a suboptimality far below it, as long as the tolerance is no more than 1.
SHARPNESS = 1e-2


class Solution(NamedTuple):
    """One solved alpha.

    Attributes
    ----------
    alpha : float
    coef : ndarray of shape (n_features,) or (n_features, n_outputs)
        In the units of the design (shifted, scaled).
    intercept : float or ndarray of shape (n_outputs,)
        Value of the linear predictor at the shift.
    n_iter : int
        Iterations, at least 1.
    optimality : Optimality
    stalled : bool
        Whether it stopped because rounding allows no further progress, or `slow` steps do not.
    slow : bool
        Whether that was because steps gain too little.
    diverges : bool
        Whether it stopped because there is no finite solution (`skreg.divergence`).
    gradient : ndarray shaped like coef, or None
        Derivative of the mean loss, where only one alpha was asked for: a path would keep too many.
    """

    alpha: float
    coef: np.ndarray
    intercept: float | np.ndarray
    n_iter: int
    optimality: Optimality
    stalled: bool = False
    slow: bool = False
    diverges: bool = False
    gradient: np.ndarray | None = None


class Solver:
    """Base class of solvers: stateless, they keep what they learn inside `solve`.

    Attributes
    ----------
    name : str
        What ``solver=`` calls it.
    """

    name = ""

    def refuses(self, problem):
        """Why this solver cannot fit a problem, as a sentence, or None.

        Parameters
        ----------
        problem : Problem

        Returns
        -------
        None or str
        """
        raise NotImplementedError

    def prepared(self, problem, alphas):
        """The problem with what a path of so many alphas is worth knowing beforehand.

        Parameters
        ----------
        problem : Problem
        alphas : sequence of float

        Returns
        -------
        Problem
            The same one, unless the solver has something to add.
        """
        return problem

    def solve(self, problem, alphas, start=None, tol=1e-6, max_iter=10_000):
        """Solve for every alpha in turn, each from the solution before.

        Parameters
        ----------
        problem : Problem
        alphas : iterable of float
            Strengths, in the order in which they are to be solved.
        start : tuple (coef, intercept), optional
            Where to begin; the null model by default.
        tol : float
            Tolerance of the certificate.
        max_iter : int
            Limit on the iterations for each alpha.

        Yields
        ------
        Solution
            One per alpha. The caller may stop at any time.
        """
        raise NotImplementedError


def sharp(tol):
    """The violation beyond which coefficients are not worth another model."""
    return 1e-5 * np.sqrt(tol)


def sharp_enough(tol):
    """The same where a model costs as much as those before: who wants some digits only is not made to wait for others."""
    return max(sharp(tol), SHARPNESS * tol)


def starting_point(problem, start, alpha):
    """A feasible copy of ``start``, or the null model."""
    if start is None:
        coef = np.zeros(problem.coef_shape)
        intercept = problem.null_intercept
        if costs_nothing_at_zero(problem.penalty):
            return coef, intercept
    else:
        coef, intercept = np.array(start[0], dtype=np.float64), start[1]
    if not np.isfinite(problem.penalty_value(coef, alpha)):
        coef = problem.prox(coef, 1.0, alpha)
    return coef, intercept


class Progress:
    """Counts iterations in which nothing got better.

    Attributes
    ----------
    stalled : int
        Iterations since measure or violation fell by a tenth, or the objective by
        a thousandth of the tolerance; inf once somebody who listens wants an end.
    """

    def __init__(self):
        self.stalled = 0
        self._listener = LISTENER.get()
        self._measure = self._violation = self._objective = np.inf

    def update(self, optimality, solved=True):
        """Take note of an iterate; a lower objective only counts if its model was ``solved``."""
        slack = 1e-3 * optimality.tol * optimality.null_loss
        better = (
            optimality.measure < 0.9 * self._measure
            or optimality.violation < 0.9 * self._violation
            or (solved and optimality.objective < self._objective - slack)
        )
        self.stalled = 0 if better else self.stalled + 1
        self._measure = min(self._measure, optimality.measure)
        self._violation = min(self._violation, optimality.violation)
        self._objective = min(self._objective, optimality.objective)
        self.listen()

    def listen(self):
        """Whoever listens may want an end."""
        if self._listener is not None and self._listener():
            self.stalled = np.inf
