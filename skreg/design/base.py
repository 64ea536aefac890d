"""What a solver may ask of the data, and what follows from a few of these answers."""

import numpy as np
from scipy.linalg.blas import dger
from sklearn.utils import assert_all_finite, gen_batches

from skreg import _passes
from skreg.sums import column_sums, inner

__all__ = ["BLOCK_SIZE", "NOTHING", "Design"]

# Elements of a block of rows: 1 MiB of float64 stays in the second-level cache.
BLOCK_SIZE = 131_072

EPS = float(np.finfo(np.float64).eps)

# What a pass over X is given for a result that is not wanted.
NOTHING = np.empty(0)


class Design:
    """``Z = (X - shift) / scale``, and all that a solver may ask of it.

    Attributes
    ----------
    shape : tuple
        (n_samples, n_features).
    shift, scale : ndarray of shape (n_features,) or None
        What is subtracted, what is divided by: inf makes a constant column absent.
    first : ndarray of shape (n_features,) or None
        ``Z.T @ rows``, if ``rows`` were given and X had to be read.
    """

    def __init__(self, X, weights, center, standardize, rows=None):
        self.X = X
        self.shape = X.shape
        self.shift = self.scale = self.first = None
        self._weights, self._moments = weights, None
        if not (center or standardize):
            return
        means, variance, product = self._centred_moments(weights, rows)
        # Memory that is touched for the first time costs more than what is written to it.
        constant, norms = np.empty(means.size, dtype=bool), np.empty(means.size) if standardize else variance
        some, finite = _passes.judge_columns(means, variance, X.shape[0], constant, norms)
        if not finite:
            assert_all_finite(X, input_name="X")
        if standardize:
            self.scale = np.sqrt(np.where(constant, 1.0, variance))
        if center:
            self.shift, self._moments = means, norms
            if some:
                # The intercept is such a column already: beside it, what rounding leaves of one is absent. Of zeros it leaves none.
                self.scale = np.where(constant, np.inf, 1.0 if self.scale is None else self.scale)
        if product is not None:
            self.first = self.shifted(product, rows)

    # One column in so many is picked faster than all of them are read, for one vector and for several.
    _one_in = _one_in_for_several = 4

    @property
    def shifts(self):
        """The shift, zeros where there is none."""
        return np.zeros(self.shape[1]) if self.shift is None else self.shift

    def dot(self, coef, index=None):
        """``Z @ coef``, float64, shape (n_samples,) or (n_samples, n_outputs); of some columns only. Ordered as coef is where X is dense."""
        shift, scale = (own if own is None or index is None else own[index] for own in (self.shift, self.scale))
        coef = coef if scale is None else (coef.T / scale).T
        product = self._times(coef) if index is None else self._some_times(index, coef)
        if shift is not None:
            product -= inner(shift, coef)
        return product

    def _some_times(self, index, coef):
        every = np.zeros((self.shape[1], *coef.shape[1:]))
        every[index] = coef
        return self._times(every)

    def dot_t(self, residual, index=None):
        """``Z.T @ residual``, float64, shape (n_features,) or (n_features, n_outputs); of some columns only."""
        one_in = self._one_in if residual.ndim == 1 else self._one_in_for_several
        if index is not None and one_in * len(index) > self.shape[1]:
            return self.dot_t(residual)[index]
        product = self._times_t(residual) if index is None else self._some_times_t(index, residual)
        return self.shifted(product, residual, index)

    def shifted(self, product, residual, index=None):
        """``Z.T @ residual`` from ``X.T @ residual``."""
        if self.shift is not None:
            shift = self.shift if index is None else self.shift[index]
            total = column_sums(residual)
            if product.ndim > 1 and product.size and product.flags.f_contiguous:
                product = dger(-1.0, shift, total, a=product, overwrite_a=1)
            else:
                product -= np.multiply.outer(shift, total) if residual.ndim > 1 else shift * total
        if self.scale is not None:
            across = product.T
            across /= self.scale if index is None else self.scale[index]
        return product

    def takes_both(self, coef):
        """Whether ``Z @ coef`` and a product of ``Z.T`` that depends on it take less time together (`dot_and_back`)."""
        return False

    def dot_t_and_back(self, residual, feature_weights):
        """``Z.T @ residual`` and ``Z @ (feature_weights * Z.T @ residual)``, float64."""
        product = self.dot_t(residual)
        return product, self.dot(feature_weights * product)

    def squared_norms(self, row_weights, index=None):
        """``sum_i weight_i * Z_ij ** 2`` for every column, or some columns only (and every column of weights)."""
        if index is not None:
            return self._norms(self._some_squares(index, row_weights), row_weights, index)
        if row_weights.ndim > 1:
            return self._norms(self._many_squares(row_weights), row_weights)
        if row_weights is self._weights and self._moments is not None:
            # Centring has found those of the sample weights already.
            return self._moments.copy() if self.scale is None else self._moments / np.square(self.scale)
        return self._norms(self._squares(row_weights), row_weights)

    def dot_t_and_squared_norms(self, residual, row_weights):
        """`dot_t` and `squared_norms` together: one pass where both need one."""
        return self.dot_t(residual), self.squared_norms(row_weights)

    def _norms(self, squares, row_weights, index=slice(None)):
        if self.shift is not None:
            # Rounding must not make a constant column look alive.
            floor = np.square(10 * EPS * self.shift[index])
            total = row_weights.sum(axis=0)
            squares[squares <= (floor * total if row_weights.ndim == 1 else np.multiply.outer(floor, total))] = 0.0
        return squares if self.scale is None else (squares.T / self.scale[index] ** 2).T

    def _many_squares(self, row_weights):
        return np.column_stack([self._squares(np.array(weights)) for weights in row_weights.T])

    def gram(self, left, right=None, row_weights=None):
        """``Z[:, left].T @ diag(row_weights) @ Z[:, right]``; ``right=None`` means ``left``.

        ``left`` and ``right`` are index arrays, or slices.
        """
        raise NotImplementedError

    def weighted_grams(self, row_weights, single=False):
        """``[Z 1].T @ diag(weights) @ [Z 1]`` for every column of weights, shape (n_columns, n_features + 1, n_features + 1).

        ``single``: seven digits are enough, if they take less time.
        """
        totals = np.empty((row_weights.shape[1], self.shape[1] + 1, self.shape[1] + 1))
        for total, weights in zip(totals, row_weights.T, strict=True):
            weights = np.ascontiguousarray(weights)
            total[:-1, :-1] = self.gram(slice(None), row_weights=weights)
            total[-1, :-1] = total[:-1, -1] = self.dot_t(weights)
            total[-1, -1] = weights.sum()
        return totals

    def gram_border(self, old, fresh, row_weights, single=False):
        """Rows ``fresh`` of the `gram` of ``old`` and ``fresh``, in this order of columns.

        ``single``: seven digits are enough, if they take less time.
        """
        own = self.gram(fresh, row_weights=row_weights)
        return own if old.size == 0 else np.hstack([self.gram(fresh, old, row_weights), own])

    def kernel(self, feature_weights):
        """``Z @ diag(feature_weights) @ Z.T``, in blocks of columns."""
        n_samples, n_features = self.shape
        total = np.zeros((n_samples, n_samples))
        width = max(BLOCK_SIZE // n_samples, 16)
        for chosen in gen_batches(n_features, width):
            block = self.columns(chosen)
            total += (block * feature_weights[chosen]) @ block.T
        return total

    def columns(self, index):
        """``Z[:, index]`` as a float64 array in Fortran order."""
        raise NotImplementedError

    def copy_columns(self, index, row_scale, out):
        """``row_scale * Z[:, index]``, each column into a row of ``out``."""
        np.multiply(self.columns(index).T, row_scale, out=out)

    def by_column(self, index):
        """Columns as X stores them (no shift, no scale): data, indices, indptr of a CSC matrix, and where in it they are.

        Dense columns follow each other in the data; they need no indices, and the two arrays are empty.
        """
        raise NotImplementedError
