"""X is a NumPy array."""

from copy import copy

import numpy as np
from scipy.linalg.blas import dgemm, dsyrk, sgemm, ssyrk
from sklearn.utils import gen_batches

from skreg import _passes
from skreg.design.base import BLOCK_SIZE, NOTHING, Design
from skreg.sums import inner

__all__ = ["DenseDesign"]

# Where X has so many numbers, it does not stay in the cache from one product to the next; so many do.
MANY, LARGE_BLOCK = 4e6, 524_288

# So many vectors meet a dense X at once.
WIDE = 8

# So many products are about a second of BLAS, which no Ctrl-C ends.
UNBROKEN = 3e10

# Squares of means may be so many times the variances.
A_DIGIT = 10

# As long as it is no more than one column in so many, some are copied for a product.
MOST_COPIED = 5

# One column in so many is picked out of rows faster than all of them are read.
MOST_SCATTERED = 40

NO_INDICES = np.empty(0, dtype=np.int32)


class DenseDesign(Design):
    """X is a NumPy array of any memory order."""

    stores_zeros = True

    def __init__(self, X, weights, center, standardize, rows=None):
        if X.itemsize not in X.strides or len(X) == 1:
            # A view that is contiguous along neither axis; of a single row NumPy may show other strides than it has.
            X = np.ascontiguousarray(X)
        self._by_column = X.strides[0] == X.itemsize and len(X) > 1
        if not self._by_column:
            self._one_in, self._one_in_for_several = MOST_SCATTERED, MOST_SCATTERED // 3
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
            if MOST_COPIED * used.size < len(coef):
                return self._copy_times(used, coef[used], coef)
        if X.dtype == np.float64:
            return _product(X, coef)
        return np.concatenate([block.astype(np.float64) @ coef for _, block in _row_blocks(X)])

    def _some_times(self, index, coef):
        if coef.ndim == 1 or MOST_COPIED * index.size >= self.shape[1]:
            return super()._some_times(index, coef)
        used = (coef != 0).any(axis=1).nonzero()[0]
        return self._copy_times(index[used], coef[used], coef)

    def _copy_times(self, index, coef, like):
        """The product of a copy of some columns; ordered as ``like`` is."""
        # Columns that are contiguous are copied as rows.
        some = self.X.T[index].T if self._by_column else self.X[:, index]
        return _product(some.astype(np.float64, copy=False), coef, like)

    def _times_t(self, residual):
        X = self.X
        if residual.ndim > 1 and 1 < residual.shape[1] <= 2 * WIDE and X.size > BLOCK_SIZE:
            return self._wide_times_t(residual)
        if X.dtype == np.float64:
            return _product(X.T, residual)
        if residual.ndim == 1:
            out = np.zeros(X.shape[1])
            _passes.dense_pass(X, np.ascontiguousarray(residual), NOTHING, NOTHING, out, NOTHING)
            return out
        return sum(block.astype(np.float64).T @ residual[rows] for rows, block in _row_blocks(X))

    def _wide_times_t(self, residual):
        """With a few vectors, which X then meets as it is read; ordered as they are."""
        n_samples, width = residual.shape
        product = np.zeros((-(-width // WIDE) * WIDE, self.shape[1]))
        for start in range(0, width, WIDE):
            # As many rows as are read at once.
            rows, some = np.zeros((-(-n_samples // WIDE) * WIDE, WIDE)), residual[:, start : start + WIDE]
            rows[:n_samples, : some.shape[1]] = some
            _passes.dense_wide_products(self.X, rows, product[start : start + WIDE])
        product = product[:width].T
        return product if residual.flags.f_contiguous else np.ascontiguousarray(product)

    def _some_times_t(self, index, residual):
        if self._by_column and residual.ndim == 1:
            out, index = np.empty(len(index)), np.ascontiguousarray(index, dtype=np.intp)
            _passes.dense_some_products(self.X, index, np.ascontiguousarray(residual), out)
            return out
        return self.X[:, index].astype(np.float64, copy=False).T @ residual

    def dot_t_and_back(self, residual, feature_weights):
        if not self._by_column or self.X.dtype != np.float64:
            return super().dot_t_and_back(residual, feature_weights)
        product, out, scale = np.empty(self.shape[1]), np.zeros(self.shape[0]), self.scale
        factor = np.ascontiguousarray(feature_weights if scale is None else feature_weights / scale**2)
        _passes.dense_there_and_back(self.X, np.ascontiguousarray(residual), self.shifts, factor, product, out)
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
        return products, self.shifted(total, pulls)

    def _squares(self, row_weights):
        squares = np.zeros(self.shape[1])
        _passes.dense_pass(self.X, NOTHING, row_weights, self.shifts, NOTHING, squares)
        return squares

    def _many_squares(self, row_weights, index=None):
        index = np.arange(self.shape[1]) if index is None else index
        squares, start = np.zeros((row_weights.shape[1], index.size)), 0
        for block in self._gathered(index, np.ones(self.shape[0]), max(BLOCK_SIZE // max(index.size, 1), 16)):
            np.square(block, out=block)
            squares += row_weights[start : start + len(block)].T @ block
            start += len(block)
        return squares.T

    def _some_squares(self, index, row_weights):
        if row_weights.ndim > 1:
            return self._many_squares(row_weights, np.ascontiguousarray(index, dtype=np.intp))
        squares = np.empty(index.size)
        _passes.dense_some_squares(self.X, index, np.ascontiguousarray(row_weights), self.shifts[index], squares)
        return squares

    def dot_t_and_squared_norms(self, residual, row_weights):
        product, squares = np.zeros((2, self.shape[1]))
        _passes.dense_pass(self.X, np.ascontiguousarray(residual), row_weights, self.shifts, product, squares)
        return self.shifted(product, residual), self._norms(squares, row_weights)

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

    @property
    def _order(self):
        """Of copies that are ordered as X is."""
        return "F" if self._by_column else "C"

    def _gathered(self, columns, row_scale, height, dtype=np.float64):
        """Yield ``row_scale * (X - shift)`` of some columns in blocks of rows, ordered as X is."""
        n = self.shape[0]
        shift = self.shifts[columns]
        buffer = np.empty((min(height, n), len(columns)), dtype, self._order)
        for start in range(0, n, height):
            block = buffer if n - start >= height else np.empty_like(buffer, shape=(n - start, len(columns)))
            _passes.dense_gather(self.X, start, columns, shift, row_scale, block)
            yield block

    def copy_columns(self, index, row_scale, out):
        """``row_scale * Z[:, index]``, each column into a row of ``out``, float64 or float32."""
        _passes.dense_gather(self.X, 0, index, self.shifts[index], row_scale, out.T)
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

    def coupled_gram(self, features, factors, single=False):
        """``Z'Z``: each group of columns of Z is some columns of the design times a column of ``factors``, the last ones are those.

        Parameters
        ----------
        features : list of ndarray
            For each column of ``factors`` the columns of the design.
        factors : ndarray of shape (n_samples, n_groups)
        single : bool
            Whether seven digits are enough.

        Returns
        -------
        ndarray of shape (size + n_groups, size + n_groups)
            With as many columns as there are features in all groups; group by group.
        """
        n_samples, n_groups = factors.shape
        ends = np.cumsum([len(group) for group in features])
        size, factors = ends[-1], np.asfortranarray(factors)
        shifts = [self.shifts[group] for group in features]
        total = np.zeros((size + n_groups, size + n_groups), order="F")
        syrk, dtype = (ssyrk, np.float32) if single else (dsyrk, np.float64)
        height = max(BLOCK_SIZE // len(total), 16)
        for start in range(0, n_samples, height):
            part = factors[start : start + height]
            block = np.empty((len(part), len(total)), dtype, self._order)
            block[:, size:] = part
            for group, shift, end, factor in zip(features, shifts, ends, factors.T, strict=True):
                _passes.dense_gather(self.X, start, group, shift, factor, block[:, end - len(group) : end])
            # A C-ordered block is the transpose of a Fortran one.
            block = block if self._by_column else block.T
            if single:
                # What a block adds up in single precision is added up in double.
                total += syrk(1.0, block, trans=self._by_column, lower=1)
            else:
                total = syrk(1.0, block, trans=self._by_column, beta=1.0, c=total, lower=1, overwrite_c=1)
        total = _mirror(total)
        if self.scale is not None:
            scale = np.concatenate([*(self.scale[group] for group in features), np.ones(n_groups)])
            total /= np.outer(scale, scale)
        return total

    def weighted_grams(self, row_weights, single=False):
        if not row_weights.min(initial=0.0) >= 0.0:
            return super().weighted_grams(row_weights, single)
        n_samples, size = self.shape[0], self.shape[1] + 1
        syrk, dtype = (ssyrk, np.float32) if single else (dsyrk, np.float64)
        columns, ones, roots = np.arange(size - 1), np.ones(n_samples), np.sqrt(row_weights).astype(dtype, copy=False)
        totals, height = np.zeros((row_weights.shape[1], size, size)), max(BLOCK_SIZE // size, 16)
        for start in range(0, n_samples, height):
            block = np.ones((min(height, n_samples - start), size), dtype, self._order)
            _passes.dense_gather(self.X, start, columns, self.shifts, ones, block[:, :-1])
            weighted = np.empty_like(block)
            # A C-ordered block is the transpose of a Fortran one.
            part = weighted if self._by_column else weighted.T
            for total, root in zip(totals, roots[start : start + height].T, strict=True):
                np.multiply(block, root[:, None], out=weighted)
                # What a block adds up in single precision is added up in double.
                total += syrk(1.0, part, trans=self._by_column, lower=1)
        for total in totals:
            _passes.mirror(total, total)
        if self.scale is not None:
            scale = np.append(self.scale, 1.0)
            totals /= np.multiply.outer(scale, scale)
        return totals

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
        total = dsyrk(weight, X.T if turned else X, trans=not turned, lower=1)
        total = _mirror(total, self.shift)
        if self.scale is not None:
            total /= np.multiply.outer(self.scale, self.scale)
        return total

    def kernel(self, feature_weights):
        n_samples, n_features = self.shape
        # Weights and scale are one factor per column, and mostly all of them 1.
        root = np.sqrt(feature_weights) if self.scale is None else np.sqrt(feature_weights) / self.scale
        shift = self.shifts
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
        _passes.dense_gather(self.X, 0, index, self.shifts[index], np.ones(self.shape[0]), block)
        if self.scale is not None:
            block /= self.scale[index]
        return block


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


def _mirror(lower, less=None):
    """A symmetric C-ordered matrix from the lower triangle of a Fortran-ordered one, in its memory; less the square of a vector."""
    _passes.mirror(lower, lower, less)
    return lower.T
