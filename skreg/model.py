"""The quadratic model of the loss around a point, in some of the coefficients."""

from copy import copy

import numpy as np
from scipy.linalg.blas import dger

from skreg.sums import column_sums

__all__ = ["NOTHING", "QuadraticModel", "scaled_inverse"]

# No columns, or no coefficients.
NOTHING = np.empty(0, dtype=np.intp)
NOTHING.setflags(write=False)


class QuadraticModel:
    """Second-order expansion of the mean loss in chosen coefficients, the intercept eliminated.

    Parameters
    ----------
    point : Point
        Where the loss is expanded.
    entries : ndarray of int
        Positions in ``coef.ravel()``: entry ``e`` is feature ``e // n_outputs`` of output ``e % n_outputs``.
    single : bool
        Whether seven digits of what couples several outputs are enough, if they take less time.

    Attributes
    ----------
    hessian : ndarray of shape (n_entries, n_entries)
        Second derivatives, with the intercept at its best for every move.
    gradient : ndarray of shape (n_entries,)
        First derivatives, likewise.
    """

    def __init__(self, point, entries, single=False):
        self._vector = point.eta.ndim > 1
        self._response = self._offset = None
        if self._vector:
            self._several(point, entries, single)
        else:
            self._one(point, entries)

    def _one(self, point, entries):
        """Of one output."""
        problem, rows = point.problem, point.row_curvature
        self.hessian = problem.design.gram(entries, None, rows)
        self.gradient = point.gradient[entries]
        if problem.fit_intercept:
            known = "cross" in vars(point) or 4 * len(entries) > problem.n_features
            cross = point.cross[entries] if known else problem.design.dot_t(rows, entries)
            total = rows.sum()
            inverse = 1.0 / total if total > 0 else 0.0
            self._response = -inverse * cross
            self._offset = -inverse * point.row_gradient.sum()
            # In place: a matrix as large as the Hessian costs more memory traffic than the sums.
            self.hessian = dger(-inverse, cross, cross, a=self.hessian.T, overwrite_a=1).T
            self.gradient += cross * self._offset

    def _several(self, point, entries, single):
        """Of several outputs, which the loss couples."""
        problem = point.problem
        outputs = entries % problem.n_outputs
        where = [np.flatnonzero(outputs == k) for k in range(problem.n_outputs)]
        features = [entries[place] // problem.n_outputs for place in where]
        coupling = problem.loss.coupling(problem.y, point.eta) if problem.design.stores_zeros else None
        if coupling is None:
            hessian, cross, total = _pair_by_pair(point, features)
        else:
            hessian, cross, total = _by_coupling(point, features, coupling, single)
        # So far output by output.
        back = np.empty(len(entries), dtype=np.intp)
        back[np.concatenate(where)] = np.arange(len(entries))
        self.hessian = hessian.take(back, axis=0).take(back, axis=1)
        if problem.fit_intercept:
            cross, inverse = cross[back], _pseudo_inverse(total)
            self._response = -inverse @ cross.T
            self.hessian += cross @ self._response
            self._cross, self._inverse = cross, inverse
        self._begin_at(point, entries)

    def _begin_at(self, point, entries):
        self.gradient = point.gradient.ravel()[entries]
        if self._response is not None:
            self._offset = -self._inverse @ np.atleast_1d(column_sums(point.row_gradient))
            self.gradient = self.gradient + self._cross @ self._offset

    def around(self, point, entries):
        """The model of several outputs that this Hessian makes around another point."""
        other = copy(self)
        other._begin_at(point, entries)
        return other

    def intercept_move(self, move, offset=True):
        """The best move of the intercept beside a move of the coefficients.

        ``offset=False`` leaves out the move that it would make on its own.
        """
        if self._response is None:
            return 0.0
        shift = self._response @ move
        if offset:
            shift = shift + self._offset
        return shift if self._vector else float(shift)


def _pair_by_pair(point, features):
    """Second derivatives in some features of each output, output by output; with those in the intercepts; in the intercepts."""
    problem, eta = point.problem, point.eta
    n_outputs, ends = problem.n_outputs, np.cumsum([len(group) for group in features])
    own = [slice(end - len(group), end) for end, group in zip(ends, features, strict=True)]
    # Column l of the Hessian of each row: what the gradient does when output l moves.
    columns = [problem.hessian_rows(eta, np.broadcast_to(unit, eta.shape)) for unit in np.eye(n_outputs)]
    hessian, cross = np.empty((ends[-1], ends[-1])), np.empty((ends[-1], n_outputs))
    for k in range(n_outputs):
        for m in range(k, n_outputs):
            rows = np.ascontiguousarray(columns[m][:, k])
            block = problem.design.gram(features[k], None if k == m else features[m], rows)
            hessian[own[k], own[m]], hessian[own[m], own[k]] = block, block.T
        cross[own[k]] = problem.design.dot_t(np.stack([c[:, k] for c in columns], axis=1), features[k])
    return hessian, cross, np.array([column_sums(c) for c in columns])


def _by_coupling(point, features, coupling, single):
    """As `_pair_by_pair`, from one product: what couples different outputs is one; those of one output are taken by their curvature."""
    problem, rows = point.problem, point.row_curvature
    products = -problem.design.coupled_gram(features, (coupling.T * np.sqrt(problem.weights)).T, single)
    size = len(products) - problem.n_outputs
    hessian, cross, total = products[:size, :size], products[:size, size:], products[size:, size:]
    sums, end = problem.design.dot_t(rows), 0
    for k, group in enumerate(features):
        own, end = slice(end, end + len(group)), end + len(group)
        hessian[own, own] = problem.design.gram_border(NOTHING, group, rows[:, k], single)
        cross[own, k] = sums[group, k]
    np.fill_diagonal(total, column_sums(rows))
    return hessian, cross, total


def scaled_inverse(hessian, share=1e-13):
    """Pseudo-inverse of a Hessian in units of its diagonal.

    Parameters
    ----------
    hessian : ndarray of shape (k, k)
    share : float
        Of the largest eigenvalue, which smaller ones are taken for rounding.

    Returns
    -------
    inverse : ndarray of shape (k, k)
        Of ``hessian / outer(scale, scale)``, without the directions that rounding hides.
    scale : ndarray of shape (k,)
        Roots of the diagonal; 1 where that is 0.
    complete : bool
        Whether no direction was left out.
    """
    scale = np.sqrt(np.maximum(np.diagonal(hessian), 0.0))
    scale = np.where(scale > 0, scale, 1.0)
    values, vectors = np.linalg.eigh(hessian / np.outer(scale, scale))
    kept = values > share * values[-1]
    vectors = vectors[:, kept]
    return (vectors / values[kept]) @ vectors.T, scale, bool(kept.all())


def _pseudo_inverse(matrix):
    return np.linalg.pinv(matrix, rcond=1e-12, hermitian=True)
