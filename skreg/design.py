"""The only room that touches X.

A `Design` is ``Z = (X - shift) / scale`` without ever forming it: shift and
scale are applied to blocks of rows, in float64, or to the short side of a
product. Solvers see nothing of X but these methods.
"""

from copy import copy

import numpy as np
from scipy.linalg.blas import dgemm, dger, dsyrk, sgemm, ssyrk
from sklearn.utils import assert_all_finite, gen_batches

from skreg import _passes
from skreg.lazy import cached_property
from skreg.sums import inner

__all__ = ["DenseDesign", "Design", "SparseDesign", "make_design"]

# Elements of a block of rows: 1 MiB of float64 stays in the second-level cache.
BLOCK_SIZE = 131_072

# Where X has so many numbers, it does not stay in the cache from one product to the next; so many do.
MANY, LARGE_BLOCK = 4e6, 524_288

# Up to this many entries a sparse Gram matrix is added up where it is, row by row: cutting blocks out of X would take longer.
SMALL = 65_536

# So many products are about a second of BLAS, which no Ctrl-C ends.
UNBROKEN = 3e10

EPS = float(np.finfo(np.float64).eps)

# Squares of means may be so many times the variances.
A_DIGIT = 10

# One column in so many is picked out of rows faster than all of them are read.
MOST_SCATTERED = 40

# So many vectors meet the stored numbers of a sparse X at once.
WIDE = 8

# What a pass over X is given for a result that is not wanted.
NOTHING = np.empty(0)
NO_INDICES = np.empty(0, dtype=np.int32)


def make_design(X, weights, center, standardize, rows=None):
    """Wrap X for the solvers.

    Parameters
    ----------
    X : ndarray or sparse matrix or array, shape (n_samples, n_features)
        float64 or float32; CSR or CSC when sparse. Used as it is.
    weights : ndarray of shape (n_samples,)
        Sample weights with sum 1.
    center : bool
        Subtract the weighted means (there is an intercept).
    standardize : bool
        Divide by the weighted population standard deviations.
    rows : ndarray of shape (n_samples,), optional
        What `Design.dot_t` will be asked for first: where X is read to centre it, that pass takes it along.

    Returns
    -------
    Design
    """
    return (DenseDesign if isinstance(X, np.ndarray) else SparseDesign)(X, weights, center, standardize, rows)


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
        constant, norms = np.empty(means.size, dtype=bool), np.empty(means.size)
        some, finite = _passes.judge_columns(means, variance, X.shape[0], constant, norms)
        if not finite:
            assert_all_finite(X, input_name="X")
        if standardize:
            self.scale = np.sqrt(np.where(constant, 1.0, variance))
        if center:
            self.shift, self._moments = means, norms
            if some:
                # The intercept is such a column already: beside it, what rounding leaves of one is absent.
                self.scale = np.where(constant, np.inf, 1.0 if self.scale is None else self.scale)
        if product is not None:
            self.first = self._shifted(product, rows)

    @property
    def _shift(self):
        """The shift, zeros where there is none."""
        return np.zeros(self.shape[1]) if self.shift is None else self.shift

    def dot(self, coef):
        """``Z @ coef``, float64, shape (n_samples,) or (n_samples, n_outputs); ordered as coef is where X is dense."""
        coef = coef if self.scale is None else (coef.T / self.scale).T
        product = self._times(coef)
        if self.shift is not None:
            product -= inner(self.shift, coef)
        return product

    def dot_t(self, residual, index=None):
        """``Z.T @ residual``, float64, shape (n_features,) or (n_features, n_outputs); of some columns only."""
        if index is not None and 4 * len(index) > self.shape[1]:
            return self.dot_t(residual)[index]
        product = self._times_t(residual) if index is None else self._some_times_t(index, residual)
        return self._shifted(product, residual, index)

    def _shifted(self, product, residual, index=None):
        """``Z.T @ residual`` from ``X.T @ residual``."""
        if self.shift is not None:
            shift = self.shift if index is None else self.shift[index]
            total = residual.sum(axis=0)
            if product.ndim > 1 and product.size and product.flags.f_contiguous:
                product = dger(-1.0, shift, total, a=product, overwrite_a=1)
            else:
                product -= np.multiply.outer(shift, total) if residual.ndim > 1 else shift * total
        if self.scale is not None:
            product = (product.T / (self.scale if index is None else self.scale[index])).T
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


class DenseDesign(Design):
    """X is a NumPy array of any memory order."""

    stores_zeros = True

    def __init__(self, X, weights, center, standardize, rows=None):
        if X.itemsize not in X.strides:
            # A view that is contiguous along neither axis.
            X = np.ascontiguousarray(X)
        self._by_column = X.strides[0] == X.itemsize
        super().__init__(X, weights, center, standardize, rows)

    def _centred_moments(self, weights, rows):
        means, variances, product = np.empty((3, self.shape[1]))
        _passes.dense_moments(self.X, weights, NOTHING if rows is None else rows, means, variances, product)
        return means, variances, None if rows is None else product

    def _times(self, coef):
        # What compares is quicker to count than numbers are.
        X, used = self.X, coef != 0
        if not used.any():
            return np.zeros((X.shape[0], *coef.shape[1:]))
        if coef.ndim == 1:
            used = used.nonzero()[0]
            few = (2 if self._by_column else MOST_SCATTERED) * used.size < coef.size
            if few and not self._by_column:
                return X[:, used].astype(np.float64, copy=False) @ coef[used]
            if few or X.dtype != np.float64:
                out = np.zeros(X.shape[0])
                _passes.dense_times(X, used, np.ascontiguousarray(coef[used] if self._by_column else coef), out)
                return out
        else:
            used = used.any(axis=1).nonzero()[0]
            if 5 * used.size < len(coef):
                # Columns that are contiguous are copied as rows.
                some = X.T[used].T if self._by_column else X[:, used]
                return _product(some.astype(np.float64, copy=False), coef[used], coef)
        if X.dtype == np.float64:
            return _product(X, coef)
        return np.concatenate([block.astype(np.float64) @ coef for _, block in _row_blocks(X)])

    def _times_t(self, residual):
        X = self.X
        if X.dtype == np.float64:
            return _product(X.T, residual)
        if residual.ndim == 1:
            out = np.zeros(X.shape[1])
            _passes.dense_pass(X, np.ascontiguousarray(residual), NOTHING, NOTHING, out, NOTHING)
            return out
        return sum(block.astype(np.float64).T @ residual[rows] for rows, block in _row_blocks(X))

    def _some_times_t(self, index, residual):
        return self.X[:, index].astype(np.float64, copy=False).T @ residual

    def dot_t_and_back(self, residual, feature_weights):
        if not self._by_column or self.X.dtype != np.float64:
            return super().dot_t_and_back(residual, feature_weights)
        product, out, scale = np.empty(self.shape[1]), np.zeros(self.shape[0]), self.scale
        factor = np.ascontiguousarray(feature_weights if scale is None else feature_weights / scale**2)
        _passes.dense_there_and_back(self.X, np.ascontiguousarray(residual), self._shift, factor, product, out)
        return product if scale is None else product / scale, out

    def takes_both(self, coef):
        # Not where a few columns are picked out of the rows.
        large = not self._by_column and self.X.size >= MANY and coef.ndim == 1
        return large and MOST_SCATTERED * np.count_nonzero(coef) >= coef.size

    def dot_and_back(self, coef, pull):
        """``product = Z @ coef`` and ``Z.T @ pull(product, rows)``, for blocks of rows that are in the cache for both."""
        part, total, scaled = copy(self), 0.0, coef if self.scale is None else coef / self.scale
        offset = 0.0 if self.shift is None else inner(self.shift, scaled)
        products, pulls = np.empty((2, self.shape[0]))
        for rows in gen_batches(self.shape[0], max(LARGE_BLOCK // self.shape[1], 16)):
            part.X = self.X[rows]
            products[rows] = part._times(scaled) - offset
            pulls[rows] = pull(products[rows], rows)
            total = total + part._times_t(pulls[rows])
        return products, self._shifted(total, pulls)

    def _squares(self, row_weights):
        squares = np.zeros(self.shape[1])
        _passes.dense_pass(self.X, NOTHING, row_weights, self._shift, NOTHING, squares)
        return squares

    def _many_squares(self, row_weights):
        squares, start = np.zeros((row_weights.shape[1], self.shape[1])), 0
        every, height = np.arange(self.shape[1]), max(BLOCK_SIZE // max(self.shape[1], 1), 16)
        for block in self._gathered(every, np.ones(self.shape[0]), height):
            np.square(block, out=block)
            squares += row_weights[start : start + len(block)].T @ block
            start += len(block)
        return squares.T

    def _some_squares(self, index, row_weights):
        squares = np.empty((row_weights.size // self.shape[0], index.size))
        for weights, out in zip(np.atleast_2d(row_weights.T), squares, strict=True):
            _passes.dense_some_squares(self.X, index, np.ascontiguousarray(weights), self._shift[index], out)
        return squares.T.reshape(index.shape + row_weights.shape[1:])

    def dot_t_and_squared_norms(self, residual, row_weights):
        product, squares = np.zeros((2, self.shape[1]))
        _passes.dense_pass(self.X, np.ascontiguousarray(residual), row_weights, self._shift, product, squares)
        return self._shifted(product, residual), self._norms(squares, row_weights)

    def sample(self, rows, single=False):
        """The same design of some rows: shift and scale stay. ``single``: seven digits of them are enough."""
        part, dtype = copy(self), np.float32 if single else self.X.dtype
        breaks = np.flatnonzero(np.diff(rows) != 1) + 1
        if self._by_column and 8 * len(breaks) <= len(rows):
            part.X, done = np.empty((len(rows), self.shape[1]), dtype, order="F"), 0
            for run in np.split(rows, breaks):
                # As they lie in memory.
                part.X[done : done + len(run)] = self.X[run[0] : run[0] + len(run)]
                done += len(run)
        else:
            part.X = np.take(self.X.T, rows, axis=1).T if self._by_column else np.take(self.X, rows, axis=0)
            part.X = part.X.astype(dtype, copy=False)
        part.shape, part._weights, part._moments = part.X.shape, None, None
        return part

    def _gathered(self, columns, row_scale, height, dtype=np.float64):
        """Yield ``row_scale * (X - shift)`` of some columns in blocks of rows, ordered as X is."""
        n = self.shape[0]
        shift = self._shift[columns]
        buffer = np.empty((min(height, n), len(columns)), dtype, order="F" if self._by_column else "C")
        for start in range(0, n, height):
            block = buffer if n - start >= height else np.empty_like(buffer, shape=(n - start, len(columns)))
            _passes.dense_gather(self.X, start, columns, shift, row_scale, block)
            yield block

    def copy_columns(self, index, row_scale, out):
        """``row_scale * Z[:, index]``, each column into a row of ``out``, float64 or float32."""
        _passes.dense_gather(self.X, 0, index, self._shift[index], row_scale, out.T)
        if self.scale is not None:
            out /= self.scale[index][:, None]

    def gram(self, left, right=None, row_weights=None):
        if right is None and self._is_every(left) and self._may_shift_afterwards(row_weights):
            return self._gram_as_stored(row_weights[0])
        every = np.arange(self.shape[1])
        left = np.ascontiguousarray(every[left])
        right = None if right is None else np.ascontiguousarray(every[right])
        weights = np.ones(self.shape[0]) if row_weights is None else np.ascontiguousarray(row_weights)
        # Blocks of rows that fit the cache.
        height = max(BLOCK_SIZE // max(left.size + (0 if right is None else right.size), 1), 16)
        if left.size == 0 or (right is not None and right.size == 0):
            return np.zeros((left.size, left.size if right is None else right.size))
        if right is None and weights.min() >= 0:
            total = self._symmetric_gram(left, np.sqrt(weights), height)
        else:
            right = left if right is None else right
            total = np.zeros((left.size, right.size), order="F")
            ones = np.ones(self.shape[0])
            pairs = zip(self._gathered(left, ones, height), self._gathered(right, weights, height), strict=True)
            for a, b in pairs:
                total = dgemm(1.0, a, b, beta=1.0, c=total, trans_a=1, overwrite_c=1)
        if self.scale is not None:
            total /= np.outer(self.scale[left], self.scale[left if right is None else right])
        return total

    def coupled_gram(self, features, factors):
        """``Z'Z``: each group of columns of Z is some columns of the design times a column of ``factors``, the last ones are those.

        Parameters
        ----------
        features : list of ndarray
            For each column of ``factors`` the columns of the design.
        factors : ndarray of shape (n_samples, n_groups)

        Returns
        -------
        ndarray of shape (size + n_groups, size + n_groups)
            With as many columns as there are features in all groups; group by group.
        """
        n_samples, n_groups = factors.shape
        ends = np.cumsum([len(group) for group in features])
        size, factors = ends[-1], np.asfortranarray(factors)
        shifts = [self._shift[group] for group in features]
        total = np.zeros((size + n_groups, size + n_groups), order="F")
        height = max(BLOCK_SIZE // len(total), 16)
        for rows in gen_batches(n_samples, height):
            block = np.empty((rows.stop - rows.start, len(total)), order="F" if self._by_column else "C")
            block[:, size:] = factors[rows]
            for group, shift, end, factor in zip(features, shifts, ends, factors.T, strict=True):
                _passes.dense_gather(self.X, rows.start, group, shift, factor, block[:, end - len(group) : end])
            # A C-ordered block is the transpose of a Fortran one.
            part = block if self._by_column else block.T
            total = dsyrk(1.0, part, trans=self._by_column, beta=1.0, c=total, lower=1, overwrite_c=1)
        total = _mirror(total)
        if self.scale is not None:
            scale = np.concatenate([*(self.scale[group] for group in features), np.ones(n_groups)])
            total /= np.outer(scale, scale)
        return total

    def gram_border(self, old, fresh, row_weights, single=False):
        weights = np.ascontiguousarray(row_weights)
        if fresh.size == 0 or weights.min() < 0:
            return super().gram_border(old, fresh, weights)
        columns, k = np.concatenate([old, fresh]).astype(np.intp), old.size
        cross, own = np.zeros((k, fresh.size), order="F"), np.zeros((fresh.size, fresh.size), order="F")
        gemm, syrk, dtype = (sgemm, ssyrk, np.float32) if single else (dgemm, dsyrk, np.float64)
        # A C-ordered block is the transpose of a Fortran one.
        turned = not self._by_column
        for block in self._gathered(columns, np.sqrt(weights), max(BLOCK_SIZE // columns.size, 16), dtype):
            known, new = (block[:, :k].T, block[:, k:].T) if turned else (block[:, :k], block[:, k:])
            # What a block adds up in single precision is added up in double.
            if k:
                cross += gemm(1.0, known, new, trans_a=not turned, trans_b=turned)
            own += syrk(1.0, new, trans=not turned, lower=1)
        border = np.empty((fresh.size, columns.size))
        border[:, :k] = cross.T
        _passes.mirror(own, border[:, k:])
        return border if self.scale is None else border / np.outer(self.scale[fresh], self.scale[columns])

    def _symmetric_gram(self, columns, root_weights, height):
        total = np.zeros((columns.size, columns.size), order="F")
        for block in self._gathered(columns, root_weights, height):
            # syrk adds to one triangle in place; a C-ordered block is the transpose of a Fortran one.
            if self._by_column:
                total = dsyrk(1.0, block, trans=1, beta=1.0, c=total, lower=1, overwrite_c=1)
            else:
                total = dsyrk(1.0, block.T, beta=1.0, c=total, lower=1, overwrite_c=1)
        return _mirror(total)

    def _may_shift_afterwards(self, row_weights):
        """Whether X as it is stored may meet itself, since no mean is so large that its square costs more than a digit."""
        X, known = self.X, row_weights is self._weights and self._moments is not None
        if not known or X.dtype != np.float64 or not 0 < X.size * float(X.shape[1]) <= UNBROKEN:
            return False
        contiguous = X.flags.f_contiguous or X.flags.c_contiguous
        return contiguous and _passes.means_are_small(row_weights, self.shift, self._moments, A_DIGIT)

    def _is_every(self, columns):
        """Whether these are all columns, in their order."""
        if isinstance(columns, slice):
            return columns == slice(None)
        return len(columns) == self.shape[1] and np.array_equal(columns, np.arange(self.shape[1]))

    def _gram_as_stored(self, weight):
        X = self.X
        # A C-ordered X is the transpose of a Fortran one.
        turned = not X.flags.f_contiguous
        total = _mirror(dsyrk(weight, X.T if turned else X, trans=not turned, lower=1))
        total -= np.multiply.outer(weight * self.shape[0] * self.shift, self.shift)
        if self.scale is not None:
            total /= np.multiply.outer(self.scale, self.scale)
        return total

    def kernel(self, feature_weights):
        n_samples, n_features = self.shape
        # Weights and scale are one factor per column, and mostly all of them 1.
        root = np.sqrt(feature_weights) if self.scale is None else np.sqrt(feature_weights) / self.scale
        shift = self._shift
        total = np.zeros((n_samples, n_samples), order="F")
        for chosen in gen_batches(n_features, max(BLOCK_SIZE // n_samples, 16)):
            # Ordered as X is; a C-ordered block is the transpose of a Fortran one.
            block = np.subtract(self.X[:, chosen], shift[chosen], dtype=np.float64)
            if np.any(root[chosen] != 1.0):
                block *= root[chosen]
            if block.flags.f_contiguous:
                total = dsyrk(1.0, block, beta=1.0, c=total, lower=1, overwrite_c=1)
            else:
                total = dsyrk(1.0, block.T, trans=1, beta=1.0, c=total, lower=1, overwrite_c=1)
        return _mirror(total)

    def by_column(self, index):
        if self.X.flags.f_contiguous:
            return (self.X.T.reshape(-1), NO_INDICES, NO_INDICES), np.ascontiguousarray(index, dtype=np.intp)
        # Not `np.take` of the transpose, which would copy all of it.
        block = np.ascontiguousarray(self.X[:, index].T)
        return (block.reshape(-1), NO_INDICES, NO_INDICES), np.arange(len(index))

    def columns(self, index):
        index = np.arange(self.shape[1], dtype=np.intp)[index]
        block = np.empty((self.shape[0], index.size), order="F")
        _passes.dense_gather(self.X, 0, index, self._shift[index], np.ones(self.shape[0]), block)
        if self.scale is not None:
            block /= self.scale[index]
        return block


class SparseDesign(Design):
    """X is CSR or CSC; shift and scale stay implicit, so it stays sparse."""

    stores_zeros = False

    def __init__(self, X, weights, center, standardize, rows=None):
        self._arrays = (X.data, X.indices, X.indptr)
        if X.indices.dtype != X.indptr.dtype:
            self._arrays = (X.data, X.indices, X.indptr.astype(X.indices.dtype))
        self._by_column = X.format == "csc"
        super().__init__(X, weights, center, standardize, rows)

    def _centred_moments(self, weights, rows):
        if not self._by_column:
            means = self._times_t(weights)
            return means, self._spread(weights, means), None
        means, variances, product = np.zeros((3, self.shape[1]))
        _passes.sparse_moments(*self._arrays, weights, NOTHING if rows is None else rows, means, variances, product)
        return means, variances, None if rows is None else product

    def _product(self, vector, size, gather, chosen=None):
        if vector.ndim > 1 and vector.shape[1] > 1:
            parts = (vector[:, k : k + WIDE] for k in range(0, vector.shape[1], WIDE))
            return np.hstack([self._wide_product(part, size, gather, chosen) for part in parts])
        if vector.ndim > 1:
            return self._product(vector[:, 0], size, gather, chosen)[:, None]
        out, vector = np.zeros(size), np.ascontiguousarray(vector, dtype=np.float64)
        if gather:
            _passes.sparse_gather(*self._arrays, vector, out, chosen)
        else:
            _passes.sparse_scatter(*self._arrays, vector, out)
        return out

    def _wide_product(self, vectors, size, gather, chosen):
        """With some vectors at once, so that what X stores is read once for all of them."""
        out = np.zeros((size, WIDE))
        if gather:
            rows = np.zeros((len(vectors), WIDE))
            rows[:, : vectors.shape[1]] = vectors
            _passes.sparse_gather_rows(*self._arrays, rows, out, chosen)
        else:
            _passes.sparse_scatter_rows(*self._arrays, vectors, out)
        return out[:, : vectors.shape[1]]

    def _times(self, coef):
        return self._product(coef, self.shape[0], gather=not self._by_column)

    def _times_t(self, residual):
        return self._product(residual, self.shape[1], gather=self._by_column)

    def _some_times_t(self, index, residual):
        if self._by_column:
            return self._product(residual, len(index), True, np.ascontiguousarray(index, dtype=np.intp))
        return self.X[:, index].astype(np.float64, copy=False).T @ residual

    def _squares(self, row_weights):
        return self._spread(row_weights, self._shift)

    def _some_squares(self, index, row_weights):
        if self._by_column and row_weights.ndim == 1:
            squares, shift = np.empty(index.size), self._shift[index]
            _passes.sparse_some_squares(*self._arrays, index, np.ascontiguousarray(row_weights), shift, squares)
            return squares
        part, shift = self.X[:, index], self._shift[index]
        arrays = part.data, part.indices, part.indptr.astype(part.indices.dtype, copy=False)
        columns = [self._spread(weights, shift, arrays) for weights in np.atleast_2d(row_weights.T)]
        return np.stack(columns, axis=-1).reshape(index.shape + row_weights.shape[1:])

    def _spread(self, weights, shift, arrays=None):
        """Weighted sums of squares around ``shift``, the zeros included; of all columns, or those of a part of X."""
        squares, stored = np.zeros((2, shift.size))
        weights = np.ascontiguousarray(weights)
        _passes.sparse_spread(*(arrays or self._arrays), weights, shift, self._by_column, squares, stored)
        return squares + np.maximum(weights.sum() - stored, 0.0) * shift**2

    def dot_t_and_squared_norms(self, residual, row_weights):
        if not self._by_column:
            return super().dot_t_and_squared_norms(residual, row_weights)
        product, squares, stored = np.empty((3, self.shape[1]))
        rows = np.ascontiguousarray(residual), np.ascontiguousarray(row_weights)
        _passes.sparse_pass(*self._arrays, *rows, self._shift, product, squares, stored)
        squares += np.maximum(row_weights.sum() - stored, 0.0) * self._shift**2
        return self._shifted(product, residual), self._norms(squares, row_weights)

    def by_column(self, index):
        if self._by_column:
            return self._arrays, np.ascontiguousarray(index, dtype=np.intp)
        block = self.X[:, index].tocsc()
        indptr = block.indptr.astype(block.indices.dtype, copy=False)
        return (block.data, block.indices, indptr), np.arange(len(index))

    def stored(self, index):
        """How many entries the columns store."""
        return int(self._stored[index].sum())

    @cached_property
    def _stored(self):
        if self._by_column:
            return np.diff(self.X.indptr)
        stored, squares, shift = np.zeros((3, self.shape[1]))
        _passes.sparse_spread(*self._arrays, np.ones(self.shape[0]), shift, False, squares, stored)
        return stored

    @cached_property
    def _full(self):
        """Columns that are sparse by name only.

        In a column of zeros the mean is small beside the values, so what centring
        subtracts from a product costs no digits. In a full one it may cost all.
        """
        return self._stored > 0.5 * self.shape[0]

    def gram(self, left, right=None, row_weights=None):
        every = np.arange(self.shape[1])
        left = every[left]
        right = left if right is None else every[right]
        weights = np.ones(self.shape[0]) if row_weights is None else row_weights
        total = np.zeros((left.size, right.size))
        if total.size == 0:
            return total
        small = total.size <= SMALL and (self.X.nnz <= SMALL or not self._by_column)
        if small and not (self._full[left].any() or self._full[right].any()):
            place = np.full((2, self.shape[1]), -1)
            place[0, left], place[1, right] = np.arange(left.size), np.arange(right.size)
            _passes.sparse_small_gram(*self._by_row, *place, np.ascontiguousarray(weights), total)
            if self.shift is not None:
                sums = self._times_t(weights)
                self._centre(total, left, right, sums[left], sums[right], weights.sum())
        # In blocks, so that X is not copied as a whole.
        elif self._by_column:
            stored, counts, full = self.X.nnz, self._stored, self._full
            copied = sum(counts[side].sum() + full[side].sum() * self.shape[0] for side in (left, right))
            width = max(left.size, right.size)
            if copied > max(stored // 2, 4_000_000):
                width = max(16, stored // (8 * self.shape[0]) if full[left].any() else self.shape[1] // 16)
            for i in gen_batches(left.size, width):
                a = self.X[:, left[i]]
                for j in gen_batches(right.size, width):
                    b = self.X[:, right[j]]
                    total[i, j] = self._block_gram(a, b, left[i], right[j], weights)
        else:
            for rows in gen_batches(self.shape[0], max(self.shape[0] // 32, 512)):
                block = self.X[rows]
                total += self._block_gram(block[:, left], block[:, right], left, right, weights[rows])
        if self.scale is not None:
            total /= np.outer(self.scale[left], self.scale[right])
        return total

    def _block_gram(self, a, b, left, right, weights):
        """``(a - shift)' diag(weights) (b - shift)`` of two sparse blocks of the same rows."""
        a, b = a.astype(np.float64, copy=False), b.astype(np.float64, copy=False)
        full_a, full_b = self._full[left], self._full[right]
        if not (full_a.any() or full_b.any()):
            return self._thin_gram(a, b, left, right, weights)
        thin_a, thin_b = a[:, ~full_a], b[:, ~full_b]
        dense_a = self._centred(a[:, full_a], left[full_a]) * weights[:, None]
        dense_b = self._centred(b[:, full_b], right[full_b])
        total = np.empty((left.size, right.size))
        total[np.ix_(full_a, full_b)] = dense_a.T @ dense_b
        dense_b *= weights[:, None]
        total[np.ix_(full_a, ~full_b)] = self._thin_times(thin_b, right[~full_b], dense_a).T
        total[np.ix_(~full_a, full_b)] = self._thin_times(thin_a, left[~full_a], dense_b)
        total[np.ix_(~full_a, ~full_b)] = self._thin_gram(thin_a, thin_b, left[~full_a], right[~full_b], weights)
        return total

    def _thin_gram(self, a, b, left, right, weights):
        """Of columns with many zeros: the shift enters as a correction of rank two."""
        a, b = a.tocsr(), b.tocsc()
        transposed = np.zeros((b.shape[1], a.shape[1]))
        index = np.promote_types(a.indices.dtype, b.indices.dtype)
        arrays = [x.astype(index, copy=False) for x in (a.indices, a.indptr, b.indices, b.indptr)]
        meet = a.data, *arrays[:2], b.data, *arrays[2:], np.ascontiguousarray(weights), transposed
        if self._by_column and np.array_equal(left, right):
            # Rows made of columns are in order: half of them will do.
            _passes.sparse_gram(*meet, True)
            _passes.mirror(transposed, transposed)
        else:
            _passes.sparse_gram(*meet)
        total = transposed.T
        if self.shift is not None:
            self._centre(total, left, right, a.T @ weights, b.T @ weights, weights.sum())
        return total

    def _centre(self, total, left, right, left_sums, right_sums, weight):
        """Make ``a' diag(weights) b`` that of shifted columns, given their weighted sums and the sum of the weights."""
        here, there = self.shift[left], self.shift[right]
        total -= np.stack([left_sums, here], axis=1) @ np.stack([there, right_sums - weight * there])

    @cached_property
    def _by_row(self):
        """Arrays of X in CSR format."""
        if not self._by_column:
            return self._arrays
        X = self.X.tocsr()
        return X.data, X.indices, X.indptr.astype(X.indices.dtype, copy=False)

    def _centred(self, block, columns):
        """A block of full columns, dense and shifted."""
        block = block.toarray()
        return block if self.shift is None else block - self.shift[columns]

    def _thin_times(self, thin, columns, block):
        """``(thin - shift)' @ block``, without the dense left side."""
        product = thin.T @ block
        return product if self.shift is None else product - np.outer(self.shift[columns], block.sum(axis=0))

    def columns(self, index):
        block = np.asarray(self.X[:, index].toarray(), dtype=np.float64, order="F")
        if self.shift is not None:
            block -= self.shift[index]
        return block if self.scale is None else block / self.scale[index]


def _product(matrix, few, like=None):
    """``matrix @ few`` in the way in which BLAS is faster where ``few`` has some columns; ordered as ``like`` is, or ``few``."""
    if few.ndim == 1:
        return matrix @ few
    product, flags = (few.T @ matrix.T).T, (few if like is None else like).flags
    return product if flags.f_contiguous and not flags.c_contiguous else np.ascontiguousarray(product)


def _row_blocks(X):
    """Yield (rows, X[rows]) over blocks of rows that fit the cache."""
    for rows in gen_batches(X.shape[0], max(BLOCK_SIZE // max(X.shape[1], 1), 16)):
        yield rows, X[rows]


def _mirror(lower):
    """A symmetric C-ordered matrix from the lower triangle of a Fortran-ordered one, in its memory."""
    _passes.mirror(lower, lower)
    return lower.T
