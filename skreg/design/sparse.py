"""X is a sparse matrix or array, CSR or CSC."""

import numpy as np
from sklearn.utils import gen_batches

from skreg import _passes
from skreg.design.base import NOTHING, Design
from skreg.lazy import cached_property
from skreg.pages import in_large_pages

__all__ = ["SparseDesign"]

# Up to this many entries a sparse Gram matrix is added up where it is, row by row: cutting blocks out of X would take longer.
SMALL = 65_536

# So many vectors meet the stored numbers of a sparse X at once.
WIDE = 8


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
            out = in_large_pages((vector.shape[1], size))
            for k in range(0, len(out), WIDE):
                self._wide_product(vector[:, k : k + WIDE], out[k : k + WIDE], gather, chosen)
            return out.T
        if vector.ndim > 1:
            return self._product(vector[:, 0], size, gather, chosen)[:, None]
        out, vector = np.zeros(size), np.ascontiguousarray(vector, dtype=np.float64)
        if gather:
            _passes.sparse_gather(*self._arrays, vector, out, chosen)
        else:
            _passes.sparse_scatter(*self._arrays, vector, out, chosen)
        return out

    def _wide_product(self, vectors, out, gather, chosen):
        """With some vectors at once, each into a row of ``out``, so that what X stores is read once for all of them."""
        if gather:
            rows = np.zeros((len(vectors), WIDE))
            rows[:, : vectors.shape[1]] = vectors
            _passes.sparse_gather_rows(*self._arrays, rows, out, chosen)
        else:
            rows = np.zeros((out.shape[1], WIDE))
            _passes.sparse_scatter_rows(*self._arrays, vectors, rows, chosen)
            out[:] = rows[:, : len(out)].T

    def _times(self, coef):
        return self._product(coef, self.shape[0], gather=not self._by_column)

    def _some_times(self, index, coef):
        if not self._by_column:
            return super()._some_times(index, coef)
        return self._product(coef, self.shape[0], False, np.ascontiguousarray(index, dtype=np.intp))

    def _times_t(self, residual):
        return self._product(residual, self.shape[1], gather=self._by_column)

    def _some_times_t(self, index, residual):
        if self._by_column:
            return self._product(residual, len(index), True, np.ascontiguousarray(index, dtype=np.intp))
        return self.X[:, index].astype(np.float64, copy=False).T @ residual

    def _squares(self, row_weights):
        return self._spread(row_weights, self.shifts)

    def _some_squares(self, index, row_weights):
        if self._by_column and row_weights.ndim == 1:
            squares, shift = np.empty(index.size), self.shifts[index]
            _passes.sparse_some_squares(*self._arrays, index, np.ascontiguousarray(row_weights), shift, squares)
            return squares
        part, shift = self.X[:, index], self.shifts[index]
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
        _passes.sparse_pass(*self._arrays, *rows, self.shifts, product, squares, stored)
        squares += np.maximum(row_weights.sum() - stored, 0.0) * self.shifts**2
        return self.shifted(product, residual), self._norms(squares, row_weights)

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

    def gram_border(self, old, fresh, row_weights, single=False):
        columns, weights = np.concatenate([old, fresh]).astype(np.intp, copy=False), np.ascontiguousarray(row_weights)
        full = self._full[columns]
        if not self._by_column or 4 * np.count_nonzero(full) > columns.size:
            return super().gram_border(old, fresh, row_weights, single)
        # X is read where it is: what is new by rows, and all that it meets by columns.
        border, k = np.empty((fresh.size, columns.size)), old.size
        known, new = (~full[:k]).nonzero()[0], (~full[k:]).nonzero()[0]
        thin = self._thin_border(old[known], fresh[new], weights)
        border[np.ix_(new, known)], border[np.ix_(new, k + new)] = thin[: known.size].T, thin[known.size :]
        for place in _batches(full.nonzero()[0]):
            border[:, place] = self.dot_t(weights[:, None] * self.columns(columns[place]), fresh)
        for place in _batches(full[k:].nonzero()[0]):
            border[place] = self.dot_t(weights[:, None] * self.columns(fresh[place]), columns).T
        _passes.mirror(border[:, k:], border[:, k:])
        return border

    def _thin_border(self, old, fresh, weights):
        """Columns ``fresh`` of the Gram matrix of columns with many zeros; where they meet each other its lower triangle."""
        columns, new, (data, indices, indptr) = np.concatenate([old, fresh]), self.X[:, fresh].tocsr(), self._arrays
        rows, ends = (own.astype(indices.dtype, copy=False) for own in (new.indices, new.indptr))
        left, total = (new.data.astype(np.float64, copy=False), rows, ends), np.zeros((columns.size, fresh.size))
        _passes.sparse_gram(*left, data, indices, indptr, weights, total, old.size, columns)
        if self.shift is not None:
            sums = self._some_times_t(columns, weights)
            self._centre(total, columns, fresh, sums, sums[old.size :], weights.sum())
        if self.scale is not None:
            total /= np.outer(self.scale[columns], self.scale[fresh])
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
            _passes.sparse_gram(*meet, 0)
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


def _batches(index):
    """As many at once as X meets."""
    return (index[start : start + WIDE] for start in range(0, index.size, WIDE))
