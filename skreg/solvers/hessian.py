"""One Hessian for many inner problems: kept while alpha, the point and the working set change."""

from copy import copy

import numpy as np

from skreg._active import ActiveSet
from skreg.pages import in_large_pages
from skreg.solvers.copies import Copies
from skreg.solvers.quadratic import MAX_NEWTON

__all__ = ["TRACE", "KeptHessian", "KeptModel", "leaves_much", "near", "seven_digits_pay"]

# Columns for which there is room at once; no power of two, whose rows would compete for the same places in the cache.
ROOM = 508

# As long as it is no more than one column in so many, what enters a working set is copied.
MOST_COPIED = 10

# Where X has so many numbers, seven digits of a Hessian save more than another step would cost.
MANY = 1e6

# So many rows are summed in single precision, and those sums in double.
RUN = 4096

# What joins the diagonal of a Hessian of seven digits, relative to it: more than rounding takes from its eigenvalues.
TRACE = 1e-6

# A step on a Hessian that is near enough, and has enough digits, leaves no more than this share of a violation.
MUCH = 0.2

# Share of the weights of the rows that may have changed since: so much of a violation a step then leaves.
STALE = 0.05


class KeptHessian:
    """Second derivatives of the mean loss on a working set, at weights of the rows that stay as they are.

    For the squared loss these are the Hessian everywhere; for other losses it is that of one point, and near
    enough in its neighbourhood: with exact gradients it leads to the same solution.

    Parameters
    ----------
    problem : Problem
        With one output.
    row_weights : ndarray of shape (n_samples,)
        Curvature of the mean loss with respect to ``eta``.
    single : bool
        Whether seven digits are enough, because exact gradients see to the others.

    Attributes
    ----------
    active : ActiveSet
        Holds the factor of the support from one inner problem to the next.
    """

    def __init__(self, problem, row_weights, single=False):
        self._design, self.row_weights, self.single = problem.design, row_weights, single
        self._gram, self._known = np.empty((0, 0)), 0
        if problem.moments is not None:
            self._gram, self._known = problem.moments.gram, problem.n_features
        self._cross = self._matrix = None
        self._copies = None
        if problem.design.stores_zeros and row_weights.min() >= 0:
            self._copies = Copies(
                problem.design, row_weights, problem.n_features // MOST_COPIED, np.float32 if single else np.float64
            )
        # A centred design has seen to the intercept of the squared loss.
        if problem.fit_intercept and not problem.loss.quadratic:
            self._total = float(row_weights.sum())
            self._cross = problem.design.dot_t(row_weights)
        self.active = ActiveSet(MAX_NEWTON)

    def on(self, entries):
        """The matrix of ``entries``, of which those of the last call come first; the intercept eliminated."""
        if self._matrix is None or len(self._matrix) != entries.size:
            self._extend(entries)
            self._matrix = self._gram[: entries.size, : entries.size]
            if self._cross is not None:
                cross = self._cross[entries]
                self._matrix = self._matrix - np.multiply.outer(cross, cross / self._total)
        return self._matrix

    def towards(self, other, share, entries):
        """The Hessian so far on the way to another one of the same problem."""
        between = copy(self)
        between._gram = (1.0 - share) * self._known_of(entries) + share * other._known_of(entries)
        between._known, between._matrix, between.active = entries.size, None, ActiveSet(MAX_NEWTON)
        between._copies = None
        if self._cross is not None:
            between._total = (1.0 - share) * self._total + share * other._total
            between._cross = (1.0 - share) * self._cross + share * other._cross
        return between

    def _known_of(self, entries):
        self._extend(entries)
        return self._gram[: entries.size, : entries.size]

    def gradient(self, point, entries):
        """First derivatives at a point, with the intercept at its best."""
        gradient = point.gradient[entries]
        return gradient if self._cross is None else gradient + self._cross[entries] * self._offset(point)

    def intercept_move(self, point, move, entries):
        """The best move of the intercept beside a move of the coefficients."""
        return 0.0 if self._cross is None else self._offset(point) - self._cross[entries] @ move / self._total

    def _offset(self, point):
        return -float(point.row_gradient.sum()) / self._total

    def _extend(self, entries):
        known, size = self._known, entries.size
        if known == size:
            return
        if size > len(self._gram):
            # Room for many more: what is not touched costs nothing, and moving costs more than any of it.
            room = min(max(2 * size, ROOM), self._design.shape[1])
            gram = in_large_pages((room, room))
            gram[:known, :known] = self._gram[:known, :known]
            self._gram = gram
        if MOST_COPIED * size > self._design.shape[1]:
            self._copies = None
        border = self._gram[known:size, :size]
        if self._copies is None:
            border[:] = self._design.gram_border(entries[:known], entries[known:], self.row_weights, self.single)
        else:
            before, new = self._copies.rows, self._copies.take_in(entries[known:])
            border[:, :known], border[:, known:] = _product(new, before), _product(new, new)
        self._gram[:known, known:size] = border[:, :known].T
        if self.single:
            fresh = np.arange(known, size)
            self._gram[fresh, fresh] *= 1.0 + TRACE
        self._known = size


def _product(left, right):
    """``left @ right.T``, float64."""
    n = left.shape[1]
    if left.dtype == np.float64 or n <= RUN:
        return left @ right.T
    runs = (slice(start, start + RUN) for start in range(0, n, RUN))
    return sum((left[:, run] @ right[:, run].T).astype(np.float64) for run in runs)


def seven_digits_pay(problem):
    """Whether a Hessian in single precision is worth its missing digits, which exact gradients make up for."""
    return problem.design.stores_zeros and problem.design.X.size >= MANY


def leaves_much(left, before):
    """Whether a step has left so much of a violation that its Hessian has too few digits, if it is near enough, or is not near."""
    return left > MUCH * before


def near(before, after):
    """Whether weights of rows have changed by a share that costs Newton's method little."""
    return np.abs(after - before).sum() <= STALE * before.sum()


class KeptModel:
    """The model that a kept Hessian makes around a point; the counterpart of `QuadraticModel`.

    Parameters
    ----------
    kept : KeptHessian
    point : Point
    entries : ndarray of int

    Attributes
    ----------
    hessian : ndarray of shape (n_entries, n_entries)
        That of another point.
    gradient : ndarray of shape (n_entries,)
        That of this one, with the intercept at its best for the Hessian.
    """

    def __init__(self, kept, point, entries):
        self.hessian, self.gradient = kept.on(entries), kept.gradient(point, entries)
        self._kept, self._point, self._entries = kept, point, entries

    def intercept_move(self, move):
        """The best move of the intercept beside a move of the coefficients."""
        return self._kept.intercept_move(self._point, move, self._entries)
