"""Newton's method for problems that are small: on a copy of X in the cache, with as few calls as it takes.

The arithmetic of a model of some hundred rows is done in less time than Python needs to look at what a
large problem has to be careful about. Here the intercept is one more column, the layout of X is forgotten, and nothing is
certified: the solver that asked does that once, at the point that it gets, and goes on from there if it must.
"""

import math

import numpy as np
from scipy.linalg.blas import dsyrk
from scipy.linalg.lapack import dposv

from skreg._kernels import ActiveSet
from skreg._small import SmallLoops
from skreg.design import BLOCK_SIZE
from skreg.solvers.base import sharp
from skreg.solvers.compiled import compiled_prox, compiled_prox_in_use
from skreg.solvers.direct import spd_solver
from skreg.solvers.quadratic import Quadratic

__all__ = ["SmallNewton"]

# Newton's method takes no more models, or more care than there is here.
MOST = 50

# The shortest step of a line search.
SHORTEST = 1e-4

# A pivot of less than this share of the diagonal is rounding.
PIVOT = 1e-12


class SmallNewton:
    """Newton models of all coefficients of one output, with a line search.

    Parameters
    ----------
    problem : Problem
        One that `fits`.
    """

    def __init__(self, problem):
        self.problem, self._twin = problem, problem.twin or compiled_prox(problem.penalty)
        n_samples, size = problem.design.shape
        columns = np.ones((n_samples, size + problem.fit_intercept), order="F")
        columns[:, :size] = problem.design.columns(slice(None))
        self._loops = SmallLoops(columns, problem.weights, size)
        self._active = None

    @staticmethod
    def fits(problem):
        """Whether X stays in the cache, and loss and penalty are for models of one output that stand in C."""
        n_samples, n_features = problem.design.shape
        return (
            n_samples * n_features <= BLOCK_SIZE
            and problem.y.ndim == 1
            and problem.loss.convex
            and not problem.loss.quadratic
            and problem.penalty.convex
            and problem.penalty.separable
            and (problem.twin is not None or compiled_prox_in_use(problem.penalty, n_features))
        )

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
        problem, loops = self.problem, self._loops
        # A certificate is made with curvatures of the point itself: half is near enough.
        goal = max(0.5 * sharp(tol), 1e-15) * math.sqrt(2.0 * problem.null_loss)
        strength = problem.strength(alpha)
        loops.alpha[:], weights = strength, problem.penalty.quadratic(strength)
        solve = self._by_active_set if weights is None else self._by_system
        may_diverge = problem.unpenalised(alpha).size > 0
        loops.begin(coef, intercept)
        promised, reached = np.inf, loops.reached[: coef.size]
        loss, price = self._expand(), problem.penalty_value(coef, alpha)
        for n_iter in range(min(max_iter, MOST) + 1):
            loops.arrive()
            if (
                n_iter == min(max_iter, MOST)
                or (may_diverge and problem.diverges(*self._here(), alpha))
                or (n_iter and loops.violation(*self._twin) <= goal)
                or promised <= 1e-15 * abs(loss + price)
            ):
                break
            loops.weigh()
            dsyrk(1.0, loops.weighted, trans=1, lower=1, beta=0.0, c=loops.hessian, overwrite_c=1)
            solve(0.1 * goal if weights is None else weights)
            before, noise, length = loss + price, 4e-16 * abs(loss + price), 1.0
            change = loops.depart() - price
            price = problem.penalty_value(reached, alpha)
            change += price
            if not change <= noise:
                break
            promised = max(-change, 0.0)
            loss = self._expand()
            # A decrease that rounding hides is still one.
            while not loss + price <= before + 1e-4 * length * change + noise:
                length *= 0.5
                if length < SHORTEST:
                    return *self._here(), promised, n_iter + 1
                loops.reach(length)
                loss, price = self._expand(), problem.penalty_value(reached, alpha)
        return *self._here(), promised, n_iter

    def _here(self):
        loops = self._loops
        size = loops.coef.size
        return loops.point[:size].copy(), float(loops.point[-1]) if self.problem.fit_intercept else 0.0

    def _expand(self):
        """The loss where the way has led to."""
        return self._loops.take(*self.problem.loss.expansion(self.problem.y, self._loops.eta))

    def _by_active_set(self, enough):
        """Solve the model until its violation is ``enough``."""
        loops = self._loops
        arrays = loops.gram, loops.coef, loops.grad, loops.step, loops.alpha
        if self._active is None:
            self._active, self._scratch = ActiveSet(loops.coef.size), np.empty((3, loops.coef.size))
            self._active.bind(*arrays, *self._twin)
        loops.eliminate()
        self._active.reset()
        violation, _ = self._active.solve(enough, 10 * loops.coef.size + 100, *self._scratch)
        if not violation <= enough:
            # A kink elsewhere than at zero, say.
            Quadratic(*arrays[:3], self.problem.penalty, loops.alpha, self._twin, self._active).minimise(enough)
            self._active.bind(*arrays, *self._twin)
        loops.complete()

    def _by_system(self, weights):
        """Solve the model of a quadratic penalty; the shortest move where there are many."""
        loops = self._loops
        size, system = loops.coef.size, loops.hessian.copy(order="F")
        diagonal = system.ravel(order="K")[:: len(system) + 1]
        diagonal[:size] += weights
        wanted = -loops.gradient
        wanted[:size] -= weights * loops.point[:size]
        largest = diagonal.copy()
        factor, move, failed = dposv(system, wanted, lower=1, overwrite_a=1)
        if failed or np.min(factor.diagonal() ** 2 - PIVOT * largest) <= 0.0:
            lower = np.tril(loops.hessian)
            every = np.zeros(len(system))
            every[:size] = weights
            move = spd_solver(lower + np.tril(lower, -1).T, every)(wanted)
        loops.move[:] = move
