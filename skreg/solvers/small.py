"""Newton's method on a few columns: on a copy of them in the cache, with as few calls as it takes.

The arithmetic of a model of some hundred rows is done in less time than Python needs to look at what a
large problem has to be careful about. Here the intercept is one more column, the layout of X is forgotten, and nothing is
certified: the solver that asked does that once, at the point that it gets, and goes on from there if it must.
The columns are all of a small problem, or the working set of a large one: several models then cost less than one pass
over X, and what it is read for is a solution.
"""

import math

import numpy as np
from scipy.linalg.blas import dsyrk, ssyrk
from scipy.linalg.lapack import dposv

from skreg._active import ActiveSet
from skreg._small import SmallLoops
from skreg.design import BLOCK_SIZE
from skreg.divergence import diverges
from skreg.intercept import BALANCING
from skreg.solvers.compiled import compiled_prox, compiled_prox_in_use
from skreg.solvers.direct import spd_solver
from skreg.solvers.hessian import TRACE, leaves_much, seven_digits_pay
from skreg.solvers.quadratic import Quadratic

__all__ = ["SmallNewton"]

# Newton's method takes no more models, or more care than there is here.
MOST = 50

# The shortest step of a line search.
SHORTEST = 1e-4

# A pivot of less than this share of the diagonal is rounding.
PIVOT = 1e-12

# So many numbers of a working set may be copied, and such a share of X where that is more than a block of it; with more
# rows for each column a pass over X is cheap beside a Hessian.
MOST_COPIED, SHARE, TALL = 2_000_000, 0.15, 10

# A Hessian of so many products is made at every model.
EVERY_TIME = 2e6

# The rest of a model is dearer than a Hessian of so many coefficients and rows, unless that stays as it is
# while the weights of the rows change by no more than this share, and a model does not leave much.
STALE = 0.1

# A model has so many more columns than are in use, or one in so many of all that there are, or twice as many as are in use.
FEW, ONE_IN = 8, 8

# Larger models are for BLAS and LAPACK, which take some time to begin.
LARGE = 64


class SmallNewton:
    """Newton models of some coefficients of one output, with a line search.

    Parameters
    ----------
    problem : Problem
        One that `fits`.
    entries : ndarray of int, optional
        The features that may have coefficients which are not zero; all by default.
    before : SmallNewton, optional
        Of other features, the first of which are among these: what it has copied is not read from X again.

    Attributes
    ----------
    eta : ndarray of shape (n_samples,)
        Linear predictor where the last way ended.
    """

    def __init__(self, problem, entries=None, before=None):
        self.problem, self.entries = problem, entries
        self._penalty = problem.penalty if entries is None else problem.penalty.restrict(entries)
        self._twin = problem.twin if entries is None else None
        self._twin = self._twin or compiled_prox(self._penalty)
        wanted = np.arange(problem.n_features) if entries is None else entries
        n_samples, size = len(problem.weights), wanted.size
        columns = np.empty((n_samples, size + problem.fit_intercept), order="F")
        columns[:, size:] = 1.0
        known = 0 if before is None else before.hand_over(wanted, columns)
        if known < size:
            problem.design.copy_columns(wanted[known:], np.ones(n_samples), columns.T[known:size])
        self._loops = SmallLoops(columns, problem.weights, size)
        self._active = ActiveSet(max(size, 1))
        self._every_time = columns.size * size <= EVERY_TIME
        self._single = not self._every_time and seven_digits_pay(problem)

    def hand_over(self, wanted, columns):
        """Copy those of the wanted columns that are here, up to the first that is not; returns how many they are."""
        place = np.empty(self.problem.n_features, dtype=np.intp)
        place[wanted] = -1
        place[self.entries] = np.arange(self.entries.size)
        place = place[wanted]
        known = place.size if place.min(initial=0) >= 0 else int(np.argmax(place < 0))
        # Any other mode would copy twice.
        np.take(self._loops.columns.T, place[:known], axis=0, out=columns.T[:known], mode="clip")
        return known

    @staticmethod
    def fits(problem, size=None):
        """Whether X, or ``size`` columns of it, stay in the cache, and loss and penalty are for models of one output in C."""
        n_samples, n_features = problem.design.shape
        if size is None:
            few = n_samples * n_features <= BLOCK_SIZE
        else:
            share = SHARE if n_samples <= TALL * n_features else 0.0
            few = n_samples * size <= min(MOST_COPIED, max(BLOCK_SIZE, share * problem.design.X.size))
        return (
            few
            and problem.y.ndim == 1
            and problem.loss.convex
            and not problem.loss.quadratic
            and problem.penalty.convex
            and problem.penalty.separable
            and (problem.twin is not None or compiled_prox_in_use(problem.penalty, n_features))
        )

    @property
    def eta(self):
        return self._loops.eta

    def minimise(self, coef, intercept, alpha, wanted, max_iter):
        """Models until the violation is as wanted, or rounding allows no more.

        Parameters
        ----------
        coef : ndarray of shape (n_entries,)
        intercept : float
            Where to start.
        alpha : float
        wanted : float
            The violation, intercept included, in units of ``sqrt(2 * null_loss)``.
        max_iter : int
            Number of models at most.

        Returns
        -------
        coef : ndarray of shape (n_entries,)
        intercept : float
        promised : float
            The decrease that the last model promised.
        n_iter : int
            How many models there were.
        """
        problem, loops = self.problem, self._loops
        goal = max(wanted, 1e-15) * math.sqrt(2.0 * problem.null_loss)
        strength = self._strength(alpha)
        loops.alpha[:], weights = strength, self._penalty.quadratic(strength)
        may_diverge = problem.unpenalised(alpha).size > 0
        loops.begin(coef, intercept)
        promised, violation, reached, fresh = np.inf, np.inf, loops.reached[: coef.size], True
        loss, price = self._expand(), self._penalty.value(coef, strength)
        for n_iter in range(min(max_iter, MOST) + 1):
            last, violation = violation, loops.arrive(*self._twin)
            if (
                n_iter == min(max_iter, MOST)
                or (may_diverge and diverges(problem, *self._everywhere(), alpha))
                or (n_iter and violation <= goal)
                or promised <= 1e-15 * abs(loss + price)
            ):
                break
            if weights is None:
                others, lags = loops.choose(max(FEW, coef.size // ONE_IN)), leaves_much(violation, last)
                fresh = others or self._every_time or n_iter == 0 or lags or not loops.near(STALE)
                if n_iter and lags and loops.near(STALE):
                    # It may be for want of digits.
                    self._single = False
                self._by_active_set(0.1 * goal, fresh)
            else:
                loops.choose_all()
                self._by_system(weights)
            before, noise, length = loss + price, 4e-16 * abs(loss + price), 1.0
            change = loops.depart() - price
            price = self._penalty.value(reached, strength)
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
                loss, price = self._expand(), self._penalty.value(reached, strength)
        return *self._here(), promised, n_iter

    def best_point(self, coef, intercept, alpha, wanted, max_iter):
        """The point where `minimise` leads to, with what the copies tell of it: X need not be read for that.

        Its intercept is the best one for the coefficients: the residual is then a dual point as it is.

        Returns
        -------
        point : Point
        promised : float
            The decrease that the last model promised.
        n_models : int
            How many there were.
        """
        problem, loops, every = self.problem, self._loops, self.entries is None
        coef, _, promised, n_models = self.minimise(coef, intercept, alpha, wanted, max_iter)
        # Moves have added up in the linear predictor.
        loops.begin(*self._here())
        self._expand()
        if problem.fit_intercept:
            self._balance()
        intercept = float(loops.reached[-1]) if problem.fit_intercept else 0.0
        point = problem.point(self._of_all(coef), intercept, alpha, self.eta.copy())
        point.expansion = self._expansion
        if every:
            point.violation = self.violation()
            size = coef.size
            point.gradient, point.violations = loops.gradient[:size].copy(), loops.scores[:size].copy()
        return point, promised, n_models

    def lend_curvature(self, point):
        """Tell the point where `best_point` has led to the curvatures of these columns: X need not be read for them."""
        squares = self._loops.squares()
        point.some_curvature[self.entries] = np.where(squares > 0.0, squares, np.nan)

    def _balance(self):
        """Make the intercept the best one for the coefficients that were reached."""
        for _ in range(BALANCING):
            if self._loops.balance() <= 1e-15:
                break
            self._expand()

    def violation(self):
        """As `Point.violation` where `best_point` has led to, of these columns and the intercept."""
        return self._loops.arrive(*self._twin) / self.problem.unit

    def _here(self):
        loops = self._loops
        size = loops.alpha.size
        return loops.point[:size].copy(), float(loops.point[-1]) if self.problem.fit_intercept else 0.0

    def _everywhere(self):
        """The coefficients of all features, and the intercept."""
        coef, intercept = self._here()
        return self._of_all(coef), intercept

    def _of_all(self, coef):
        """The coefficients of all features."""
        if self.entries is None:
            return coef
        every = np.zeros(self.problem.n_features)
        every[self.entries] = coef
        return every

    def _strength(self, alpha):
        strength = self.problem.strength(alpha)
        return strength if self.entries is None or np.ndim(strength) == 0 else strength[self.entries]

    def _expand(self):
        """The loss where the way has led to."""
        self._expansion = self.problem.loss.expansion(self.problem.y, self._loops.eta)
        return self._loops.take(*self._expansion)

    def _hessian(self, single=False):
        """Second derivatives of the columns of the model, and of the intercept: the lower triangle."""
        loops, n_samples = self._loops, len(self.problem.weights)
        loops.take_roots()
        height = max(BLOCK_SIZE // (loops.chosen.size + 1), 16)
        if single:
            # What a block adds up in single precision is added up in double.
            blocks = (loops.weighted(start, start + height, True) for start in range(0, n_samples, height))
            total = np.asfortranarray(sum(ssyrk(1.0, block, trans=1, lower=1).astype(np.float64) for block in blocks))
            total.ravel(order="K")[:: len(total) + 1][: loops.chosen.size] *= 1.0 + TRACE
            return total
        if loops.chosen.size <= LARGE and n_samples <= height:
            return loops.products(loops.weighted(0, n_samples))
        total = dsyrk(1.0, loops.weighted(0, height), trans=1, lower=1)
        for start in range(height, n_samples, height):
            block = loops.weighted(start, start + height)
            total = dsyrk(1.0, block, trans=1, lower=1, beta=1.0, c=total, overwrite_c=1)
        return total

    def _by_active_set(self, enough, fresh):
        """Solve the model until its violation is ``enough``."""
        loops, active = self._loops, self._active
        if fresh:
            loops.eliminate(self._hessian(self._single))
            params = self._twin.params
            self._own = self._twin._replace(params=params[loops.chosen] if len(params) > 1 else params)
            self._scratch = np.empty((3, loops.coef.size))
            active.reset()
            active.bind(loops.gram, loops.coef, loops.grad, loops.step, loops.strength, *self._own)
        loops.place()
        violation = np.inf
        if loops.coef.size <= LARGE or not fresh:
            violation, _ = active.solve(enough, 10 * loops.coef.size + 100, *self._scratch)
        if not violation <= enough:
            # Many are factorised by LAPACK; or there is a kink elsewhere than at zero, say.
            penalty = self._penalty.restrict(loops.chosen)
            Quadratic(loops.gram, loops.coef, loops.grad, penalty, loops.strength, self._own, active).minimise(enough)
        loops.complete()

    def _by_system(self, weights):
        """Solve the model of a quadratic penalty; the shortest move where there are many."""
        loops = self._loops
        hessian, size = self._hessian(), loops.chosen.size
        system = hessian.copy(order="F")
        diagonal = system.ravel(order="K")[:: len(system) + 1]
        diagonal[:size] += weights
        wanted = -loops.gradient
        wanted[:size] -= weights * loops.point[:size]
        largest = diagonal.copy()
        factor, move, failed = dposv(system, wanted, lower=1, overwrite_a=1)
        if failed or (factor.diagonal() ** 2 - PIVOT * largest).min() <= 0.0:
            lower = np.tril(hessian)
            every = np.zeros(len(system))
            every[:size] = weights
            move = spd_solver(lower + np.tril(lower, -1).T, every)(wanted)
        loops.move[:] = move
