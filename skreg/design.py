"""The only room that touches X.

A `Design` is ``Z = (X - shift) / scale`` without ever forming it: shift and
scale are applied to blocks of rows, in float64, or to the short side of a
product. Solvers see nothing of X but these methods.
"""

from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.linalg.blas import dsyrk
from sklearn.utils import gen_batches

from skreg import _kernels

__all__ = ["DenseDesign", "Design", "SparseDesign", "make_design"]

# Elements of a block of rows: 1 MiB of float64 stays in the second-level cache.
BLOCK_SIZE = 131_072


def make_design(X, weights, center, standardize):
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

    Returns
    -------
    Design
    """
    return (SparseDesign if sparse.issparse(X) else DenseDesign)(X, weights, center, standardize)


class Design:
    """``Z = (X - shift) / scale``, and all that a solver may ask of it.

    Attributes
    ----------
    shape : tuple
        (n_samples, n_features).
    shift, scale : ndarray of shape (n_features,) or None
        What is subtracted, what is divided by: inf makes a constant column absent.
    """

    def __init__(self, X, weights, center, standardize):
        self.X = X
        self.shape = X.shape
        self.shift = self.scale = None
        means = self.dot_t(weights) if center or standardize else None
        self.shift = means
        if means is not None:
            variance = self.squared_norms(weights)
            # As constant as rounding lets a column be (scikit-learn's rule).
            eps = np.finfo(np.float64).eps
            n = X.shape[0]
            constant = variance <= n * eps * variance + (n * means * eps) ** 2
            if standardize:
                self.scale = np.sqrt(np.where(constant, 1.0, variance))
            if center and constant.any():
                # The intercept is such a column already: beside it, what rounding leaves of one is absent.
                self.scale = np.where(constant, np.inf, 1.0 if self.scale is None else self.scale)
        if not center:
            self.shift = None

    def dot(self, coef):
        """``Z @ coef``, float64, shape (n_samples,) or (n_samples, n_outputs)."""
        coef = coef if self.scale is None else (coef.T / self.scale).T
        product = self._times(coef)
        if self.shift is not None:
            product -= self.shift @ coef
        return product

    def dot_t(self, residual, index=None):
        """``Z.T @ residual``, float64, shape (n_features,) or (n_features, n_outputs); of some columns only."""
        if index is not None and 4 * len(index) > self.shape[1]:
            return self.dot_t(residual)[index]
        product = self._times_t(residual) if index is None else self._some_times_t(index, residual)
        if self.shift is not None:
            shift = self.shift if index is None else self.shift[index]
            total = residual.sum(axis=0)
            product -= np.multiply.outer(shift, total) if residual.ndim > 1 else shift * total
        if self.scale is not None:
            product = (product.T / (self.scale if index is None else self.scale[index])).T
        return product

    def squared_norms(self, row_weights):
        """``sum_i weight_i * Z_ij ** 2`` for every column."""
        squares = self._squares(row_weights)
        if self.shift is not None:
            # Rounding must not make a constant column look alive.
            floor = (10 * np.finfo(np.float64).eps * self.shift) ** 2 * row_weights.sum()
            squares[squares <= floor] = 0.0
        return squares if self.scale is None else squares / self.scale**2

    def gram(self, left, right=None, row_weights=None):
        """``Z[:, left].T @ diag(row_weights) @ Z[:, right]``; ``right=None`` means ``left``.

        ``left`` and ``right`` are index arrays, or slices.
        """
        raise NotImplementedError

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


class DenseDesign(Design):
    """X is a NumPy array of any memory order."""

    def _blocks(self, columns=slice(None)):
        """Yield (rows, float64 block of Z) over blocks of rows that fit the cache."""
        X = self.X
        width = X.shape[1] if isinstance(columns, slice) else len(columns)
        height = max(BLOCK_SIZE // max(width, 1), 16)
        shift = None if self.shift is None else self.shift[columns]
        scale = None if self.scale is None else self.scale[columns]
        for rows in gen_batches(X.shape[0], height):
            block = X[rows, columns]
            if shift is not None:
                block = np.subtract(block, shift, dtype=np.float64)
            elif block.dtype != np.float64:
                block = block.astype(np.float64)
            if scale is not None:
                block = np.divide(block, scale)
            yield rows, block

    def _times(self, coef):
        X = self.X
        if coef.ndim == 1:
            used = np.flatnonzero(coef)
            if 5 * used.size < coef.size:
                X, coef = X[:, used], coef[used]
        if X.dtype == np.float64:
            return X @ coef
        return np.concatenate([block.astype(np.float64) @ coef for _, block in _row_blocks(X)])

    def _times_t(self, residual):
        X = self.X
        if X.dtype == np.float64:
            return X.T @ residual
        return sum(block.astype(np.float64).T @ residual[rows] for rows, block in _row_blocks(X))

    def _some_times_t(self, index, residual):
        return self.X[:, index].astype(np.float64, copy=False).T @ residual

    def _squares(self, row_weights):
        shift = self.shift
        squares = np.zeros(self.shape[1])
        for rows, block in _row_blocks(self.X):
            block = block.astype(np.float64) if shift is None else np.subtract(block, shift, dtype=np.float64)
            squares += np.einsum("ij,ij,i->j", block, block, row_weights[rows])
        return squares

    def gram(self, left, right=None, row_weights=None):
        if right is not None:
            every = np.arange(self.shape[1])
            left, right = every[left], every[right]
            total = np.zeros((left.size, right.size))
            for rows, block in self._blocks(np.concatenate([left, right])):
                a, b = block[:, : left.size], block[:, left.size :]
                total += a.T @ (b if row_weights is None else b * row_weights[rows, None])
            return total
        root = None if row_weights is None else np.sqrt(row_weights)
        width = np.arange(self.shape[1])[left].size
        if width == 0:
            return np.zeros((0, 0))
        total = np.zeros((width, width), order="F")
        for rows, block in self._blocks(left):
            if root is not None:
                block = block * root[rows, None]
            # syrk adds to one triangle in place; a C-ordered block is the transpose of a Fortran one.
            if block.flags.c_contiguous:
                total = dsyrk(1.0, block.T, beta=1.0, c=total, lower=1, overwrite_c=1)
            else:
                total = dsyrk(1.0, block, trans=1, beta=1.0, c=total, lower=1, overwrite_c=1)
        return _mirror(total)

    def columns(self, index):
        block = np.asarray(self.X[:, index], dtype=np.float64, order="F")
        if self.shift is not None:
            block = block - self.shift[index]
        return block if self.scale is None else block / self.scale[index]


class SparseDesign(Design):
    """X is CSR or CSC; shift and scale stay implicit, so it stays sparse."""

    def __init__(self, X, weights, center, standardize):
        self._arrays = (X.data, X.indices, X.indptr)
        if X.indices.dtype != X.indptr.dtype:
            self._arrays = (X.data, X.indices, X.indptr.astype(X.indices.dtype))
        self._by_column = X.format == "csc"
        super().__init__(X, weights, center, standardize)

    def _product(self, vector, size, gather):
        if vector.ndim > 1:
            return np.column_stack([self._product(column, size, gather) for column in vector.T])
        out = np.zeros(size)
        kernel = _kernels.sparse_gather if gather else _kernels.sparse_scatter
        kernel(*self._arrays, np.ascontiguousarray(vector, dtype=np.float64), out)
        return out

    def _times(self, coef):
        return self._product(coef, self.shape[0], gather=not self._by_column)

    def _times_t(self, residual):
        return self._product(residual, self.shape[1], gather=self._by_column)

    def _some_times_t(self, index, residual):
        return self.X[:, index].astype(np.float64, copy=False).T @ residual

    def _squares(self, row_weights):
        n_features = self.shape[1]
        shift = np.zeros(n_features) if self.shift is None else self.shift
        squares, stored = np.zeros(n_features), np.zeros(n_features)
        _kernels.sparse_spread(*self._arrays, row_weights, shift, self._by_column, squares, stored)
        return squares + np.maximum(row_weights.sum() - stored, 0.0) * shift**2

    @cached_property
    def _full(self):
        """Columns that are sparse by name only.

        In a column of zeros the mean is small beside the values, so what centring
        subtracts from a product costs no digits. In a full one it may cost all.
        """
        squares, stored = np.zeros(self.shape[1]), np.zeros(self.shape[1])
        ones = np.ones(self.shape[0])
        _kernels.sparse_spread(*self._arrays, ones, squares, self._by_column, squares, stored)
        return stored > 0.5 * self.shape[0]

    def gram(self, left, right=None, row_weights=None):
        every = np.arange(self.shape[1])
        left = every[left]
        right = left if right is None else every[right]
        weights = np.ones(self.shape[0]) if row_weights is None else row_weights
        total = np.zeros((left.size, right.size))
        if total.size == 0:
            return total
        # In blocks, so that X is not copied as a whole.
        if self._by_column:
            width = max(16, self.X.nnz // (8 * self.shape[0]))
            if left.size + right.size <= self.shape[1] // 16:
                width = max(left.size, right.size, 1)
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
        total = (a.T @ b.multiply(weights[:, None])).toarray()
        if self.shift is not None:
            total -= np.outer(a.T @ weights, self.shift[right]) + np.outer(self.shift[left], b.T @ weights)
            total += weights.sum() * np.outer(self.shift[left], self.shift[right])
        return total

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


def _row_blocks(X):
    """Yield (rows, X[rows]) over blocks of rows that fit the cache."""
    for rows in gen_batches(X.shape[0], max(BLOCK_SIZE // max(X.shape[1], 1), 16)):
        yield rows, X[rows]


def _mirror(lower):
    """A symmetric C-ordered matrix from its lower triangle (given in Fortran order)."""
    upper = np.triu(lower.T)
    return upper + np.triu(upper, 1).T
