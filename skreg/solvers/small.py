"""Newton's method for problems that are small: on a copy of X in the cache, with as few calls as it takes.

The arithmetic of a model of some hundred rows is done in less time than Python needs to look at what a
large problem has to be careful about. Here the intercept is one more column, the layout of X is forgotten, and nothing is
certified: the solver that asked does that once, at the point that it gets, and goes on from there if it must.
"""

import math

import numpy as np
from scipy.linalg.blas import dsyrk

from skreg import _kernels, _passes
from skreg.design import BLOCK_SIZE
from skreg.solvers.base import sharp
from skreg.solvers.direct import spd_solver
from skreg.solvers.quadratic import Quadratic
from skreg.sums import inner

__all__ = ["SmallNewton", "SmallQuadratic", "SmallRidge"]

# Newton's method takes no more models, or more care than there is here.
MOST = 50

# The shortest step of a line search.
SHORTEST = 1e-4


class SmallNewton:
    """Newton models of all coefficients of one output, with a line search.

    Parameters
    ----------
    problem : Problem
        With a convex penalty, and `fits`.
    model : SmallQuadratic or SmallRidge
        Solves the models, as the penalty wants it.
    """

    def __init__(self, problem, model):
        self.problem, self.model = problem, model
        n_samples, self._size = problem.design.shape
        self._columns = np.ones((n_samples, self._size + problem.fit_intercept), order="F")
        self._columns[:, : self._size] = problem.design.columns(slice(None))
        self._weighted = np.empty_like(self._columns)

    @staticmethod
    def fits(problem):
        """Whether X stays in the cache, and the loss is one for models of one output."""
        n_samples, n_features = problem.design.shape
        cached = n_samples * n_features <= BLOCK_SIZE
        return cached and problem.y.ndim == 1 and problem.loss.convex and not problem.loss.quadratic

    def minimise(self, coef, intercept, alpha, tol, max_iter):
        """Models until the coefficients are sharp, or rounding allows no more.

        Parameters
        ----------
        coef : ndarray of shape (n_features,)
        intercept : float
            Where to start.
        alpha : float
        tol : float
            Tolerance of the certificate that is wanted.
        max_iter : int
            Number of models at most.

        Returns
        -------
        coef : ndarray of shape (n_features,)
        intercept : float
        promised : float
            The decrease that the last model promised.
        n_iter : int
            How many models there were.
        """
        problem, model, columns, size = self.problem, self.model, self._columns, self._size
        # A certificate is made with curvatures of the point itself: half is near enough.
        goal = max(0.5 * sharp(tol), 1e-15) * math.sqrt(2.0 * problem.null_loss)
        model.charge(alpha, 0.1 * goal)
        may_diverge = problem.unpenalised(alpha).size > 0
        point = np.full(columns.shape[1], intercept, dtype=np.float64)
        point[:size] = coef
        eta, price = columns @ point, problem.penalty_value(coef, alpha)
        loss, slopes, curvatures = self._expand(eta)
        promised, diagonal, n_iter = np.inf, None, 0
        while n_iter < min(max_iter, MOST) and not (may_diverge and problem.diverges(*self._split(point), alpha)):
            gradient = columns.T @ slopes
            if diagonal is not None and model.violation(diagonal, gradient, point) <= goal:
                break
            hessian = self._hessian(curvatures)
            diagonal = hessian.diagonal()
            move = model.solve(hessian, gradient, point) - point
            n_iter += 1
            before, noise = loss + price, 4e-16 * abs(loss + price)
            reached, forward, length = point + move, columns @ move, 1.0
            reached_price = problem.penalty_value(reached[:size], alpha)
            change = float(gradient @ move) + reached_price - price
            promised = max(-change, 0.0)
            if not change <= noise:
                break
            while True:
                reached_eta = eta + length * forward
                loss, slopes, curvatures = self._expand(reached_eta)
                # A decrease that rounding hides is still one.
                if loss + reached_price <= before + 1e-4 * length * change + noise:
                    break
                length *= 0.5
                if length < SHORTEST:
                    return *self._split(point), promised, n_iter
                reached = point + length * move
                reached_price = problem.penalty_value(reached[:size], alpha)
            point, eta, price = reached, reached_eta, reached_price
            if promised <= 1e-15 * before:
                break
        return *self._split(point), promised, n_iter

    def _split(self, point):
        return point[: self._size], float(point[-1]) if self.problem.fit_intercept else 0.0

    def _expand(self, eta):
        """Mean loss at a linear predictor, first and second derivatives of the rows."""
        problem = self.problem
        value, gradient, curvature = problem.loss.expansion(problem.y, eta)
        return float(inner(problem.weights, value)), problem.weights * gradient, problem.weights * curvature

    def _hessian(self, curvatures):
        np.multiply(self._columns.T, np.sqrt(curvatures), out=self._weighted.T)
        lower = dsyrk(1.0, self._weighted, trans=1, lower=1)
        _passes.mirror(lower, lower)
        return lower.T


class SmallQuadratic:
    """The models of a penalty with a compiled prox: one active set, in one place for all of them.

    Points, gradients and Hessians hold the coefficients and, if there is one, the intercept at their end.

    Parameters
    ----------
    problem : Problem
        With a twin.
    """

    def __init__(self, problem):
        self.problem, self._size = problem, problem.n_features
        self._gram, self._outer = np.empty((2, self._size, self._size))
        self._coef, self._grad, self._step, self._alpha, *self._scratch = np.empty((7, self._size))
        self._active = _kernels.ActiveSet(self._size)
        self._active.bind(self._gram, self._coef, self._grad, self._step, self._alpha, *problem.twin)

    def charge(self, alpha, enough):
        """Set the strength, and the violation up to which models are solved."""
        self._alpha[:], self._enough = self.problem.strength(alpha), enough

    def violation(self, curvature, gradient, point):
        """As `Point.violation`, before it is divided by its unit; the curvature may be that of a point nearby."""
        size = self._size
        curvature = np.where(curvature > 0, curvature, 1.0)
        violations = _kernels.residuals(
            point[:size], gradient[:size], curvature[:size], self._alpha, *self.problem.twin
        )
        largest = float(violations.max(initial=0.0))
        return largest if point.size == size else max(largest, abs(gradient[-1]) / math.sqrt(curvature[-1]))

    def solve(self, hessian, gradient, point):
        """The point at which the model and the penalty are lowest together."""
        size = self._size
        gram, coef, grad = self._gram, self._coef, self._grad
        if point.size == size:
            gram[:], grad[:], offset, response = hessian, gradient, 0.0, None
        else:
            # At its best for every move, the intercept takes its share of curvature and slope.
            cross, total = hessian[-1, :-1], hessian[-1, -1]
            response, offset = cross / total, gradient[-1] / total
            np.subtract(hessian[:-1, :-1], np.multiply.outer(cross, response, out=self._outer), out=gram)
            np.subtract(gradient[:-1], cross * offset, out=grad)
        diagonal = gram.diagonal()
        np.divide(1.0, np.where(diagonal > 0, diagonal, 1.0), out=self._step)
        coef[:] = point[:size]
        self._active.reset()
        violation, _ = self._active.solve(self._enough, 10 * size + 100, *self._scratch)
        if not violation <= self._enough:
            # A kink elsewhere than at zero, say.
            problem = self.problem
            self._active.reset()
            rest = Quadratic(gram, coef, grad, problem.penalty, self._alpha, problem.twin, self._active)
            rest.minimise(self._enough)
            self._active.bind(gram, coef, grad, self._step, self._alpha, *problem.twin)
        if response is None:
            return coef.copy()
        return np.append(coef, point[-1] - offset - response @ (coef - point[:-1]))


class SmallRidge:
    """The models of a quadratic penalty: linear systems.

    Points, gradients and Hessians hold the coefficients and, if there is one, the intercept at their end.

    Parameters
    ----------
    problem : Problem
    """

    def __init__(self, problem):
        self.problem = problem

    def charge(self, alpha, enough):
        """Set the strength; models are solved exactly."""
        problem = self.problem
        self._weights = np.zeros(problem.n_features + problem.fit_intercept)
        self._weights[: problem.n_features] = problem.penalty.quadratic(problem.strength(alpha))

    def violation(self, curvature, gradient, point):
        """As `Point.violation`, before it is divided by its unit; the curvature may be that of a point nearby."""
        curvature = np.where(curvature > 0, curvature, 1.0)
        pull = np.abs(gradient + self._weights * point)
        return float(np.max(np.sqrt(curvature) * pull / (curvature + self._weights), initial=0.0))

    def solve(self, hessian, gradient, point):
        """The point at which the model and the penalty are lowest together; the nearest where there are many."""
        return point - spd_solver(hessian, self._weights)(gradient + self._weights * point)
