# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The compiled passes over X: each reads X once, whatever it computes; sums are float64 whatever X is.

Dense X is contiguous along columns or along rows. What a pass keeps beside X stays in the cache: columns are
read in pieces of `PIECE` rows, rows in blocks.
"""

import numpy as np

from libc.stdint cimport int32_t, int64_t

from skreg._signals cimport look
from skreg._columns cimport all_equal, dot, gathered, gathered_with_moments, index, real, squares, wanted

cdef extern from "_simd.h" nogil:
    void skreg_axpy_d(long n, double a, const double *x, double *y)
    void skreg_axpy_f(long n, double a, const float *x, double *y)
    void skreg_add_squares_d(long n, double a, const double *x, const double *shift, double *out)
    void skreg_add_squares_f(long n, double a, const float *x, const double *shift, double *out)
    void skreg_moments_d(long n, const double *x, long ahead, const double *w, const double *r, double c, double *out)
    void skreg_moments_f(long n, const float *x, long ahead, const double *w, const double *r, double c, double *out)
    void skreg_row_moments_d(long n, const double **x, long ahead, const double *w, const double *r, const double *c, double *first,
                             double *second, double *product)
    void skreg_row_moments_f(long n, const float **x, long ahead, const double *w, const double *r, const double *c, double *first,
                             double *second, double *product)
    double skreg_product_d(long n, const double *x, long ahead, const double *r)
    double skreg_product_f(long n, const float *x, long ahead, const double *r)
    void skreg_row_products_d(long n, const double **x, long ahead, const double *r, double *product)
    void skreg_row_products_f(long n, const float **x, long ahead, const double *r, double *product)
    void skreg_wide_products_d(long n, const double **x, long ahead, const double *rows, double *out)
    void skreg_wide_products_f(long n, const float **x, long ahead, const double *rows, double *out)
    void skreg_wide_row_products_d(long n, const double **x, long ahead, const double *rows, double *out, long apart)
    void skreg_wide_row_products_f(long n, const float **x, long ahead, const double *rows, double *out, long apart)
    void skreg_gather_rows_d32(long n, const double *data, const int32_t *indices, const double *rows, double *out)
    void skreg_gather_rows_d64(long n, const double *data, const int64_t *indices, const double *rows, double *out)
    void skreg_gather_rows_f32(long n, const float *data, const int32_t *indices, const double *rows, double *out)
    void skreg_gather_rows_f64(long n, const float *data, const int64_t *indices, const double *rows, double *out)
    void skreg_scatter_rows_d32(long n, const double *data, const int32_t *indices, const double *row, double *out)
    void skreg_scatter_rows_d64(long n, const double *data, const int64_t *indices, const double *row, double *out)
    void skreg_scatter_rows_f32(long n, const float *data, const int32_t *indices, const double *row, double *out)
    void skreg_scatter_rows_f64(long n, const float *data, const int64_t *indices, const double *row, double *out)
    void skreg_gather(long n, const double *w, const double *a, const double *b, const double *c, const double *d, double *y)
    void skreg_combine_d(long n, const double *w, const double **x, const double **next, double *y)
    void skreg_combine_f(long n, const double *w, const float **x, const float **next, double *y)
    void skreg_copy_d_d(long n, const double *x, const double *next, double shift, const double *scale, double *out)
    void skreg_copy_d_f(long n, const double *x, const double *next, double shift, const double *scale, float *out)
    void skreg_copy_f_d(long n, const float *x, const float *next, double shift, const double *scale, double *out)
    void skreg_copy_f_f(long n, const float *x, const float *next, double shift, const double *scale, float *out)

cdef double EPS = 2.0 ** -52

cdef enum:
    PIECE = 2048
    # Of columns that are read beside two vectors; rows and columns of what is read by rows.
    LONG_PIECE = 8192
    ROWS = 1024
    TILE = 512
    # Rows whose mean is near enough to that of all.
    FIRST = 64
    # Beside columns of so many rows the vectors stay in the first-level cache, and processors foresee which comes next.
    SHORT = 1000

# Squares around a centre may be so much smaller than those around zero, from which they are subtracted.
cdef double TWO_DIGITS = 1e-2


cdef inline void axpy(Py_ssize_t n, double a, const real *x, double *y) noexcept nogil:
    if real is float:
        skreg_axpy_f(n, a, x, y)
    else:
        skreg_axpy_d(n, a, x, y)


cdef inline void add_squares(Py_ssize_t n, double a, const real *x, const double *shift, double *out) noexcept nogil:
    if real is float:
        skreg_add_squares_f(n, a, x, shift, out)
    else:
        skreg_add_squares_d(n, a, x, shift, out)


cdef inline void moments(Py_ssize_t n, const real *x, Py_ssize_t ahead, const double *w, const double *r, double c,
                         double *out) noexcept nogil:
    if real is float:
        skreg_moments_f(n, x, ahead, w, r, c, out)
    else:
        skreg_moments_d(n, x, ahead, w, r, c, out)


cdef inline void row_moments(Py_ssize_t n, const real **x, Py_ssize_t ahead, const double *w, const double *r, const double *c,
                             double *first, double *second, double *product) noexcept nogil:
    if real is float:
        skreg_row_moments_f(n, x, ahead, w, r, c, first, second, product)
    else:
        skreg_row_moments_d(n, x, ahead, w, r, c, first, second, product)


cdef inline double product_with(Py_ssize_t n, const real *x, Py_ssize_t ahead, const double *r) noexcept nogil:
    if real is float:
        return skreg_product_f(n, x, ahead, r)
    else:
        return skreg_product_d(n, x, ahead, r)


cdef inline void row_products(Py_ssize_t n, const real **x, Py_ssize_t ahead, const double *r, double *product) noexcept nogil:
    if real is float:
        skreg_row_products_f(n, x, ahead, r, product)
    else:
        skreg_row_products_d(n, x, ahead, r, product)


cdef inline void combine(Py_ssize_t n, const double *w, const real **x, const real **following, double *y) noexcept nogil:
    if real is float:
        skreg_combine_f(n, w, x, following, y)
    else:
        skreg_combine_d(n, w, x, following, y)


cdef inline void copy(Py_ssize_t n, const real *x, const real *following, double shift, const double *scale, wanted *out) noexcept nogil:
    if real is float and wanted is float:
        skreg_copy_f_f(n, x, following, shift, scale, out)
    elif real is float:
        skreg_copy_f_d(n, x, following, shift, scale, out)
    elif wanted is float:
        skreg_copy_d_f(n, x, following, shift, scale, out)
    else:
        skreg_copy_d_d(n, x, following, shift, scale, out)


# -- dense ------------------------------------------------------------------------

def dense_moments(const real[:, :] X, const double[::1] weights, const double[::1] residual, double[::1] means,
                  double[::1] variances, double[::1] product):
    """Weighted means, weighted sums of squares around them, and ``X.T @ residual`` (if it is not empty), in one pass.

    Pieces are merged as Chan et al. (1979) do; each is summed around the mean of the rows before. What that is off by
    is no more than what the rows differ.
    """
    cdef:
        Py_ssize_t n = X.shape[0], p = X.shape[1], block, start, size, height, few, j, ahead = next_column(X)
        bint by_column = X.strides[0] == sizeof(real)
        double[::1] first, second
        double[3] sums
        const double *rows = &residual[0] if residual.shape[0] > 0 else &weights[0]
        double lead, total = 0.0, part, share, distance, work = 0.0
    height = LONG_PIECE if by_column else ROWS
    first, second = np.empty((2, p))
    means[:] = 0.0
    variances[:] = 0.0
    product[:] = 0.0
    with nogil:
        # Columns that are looked at before are in the cache then; rows would be read twice.
        few = leading(weights, min(FIRST, n if by_column else (n + 7) // 8), &lead)
        for j in range(0 if by_column else few):
            axpy(p, weights[j] / lead, &X[j, 0], &means[0])
        for block in range((n + height - 1) // height):
            start = block * height
            size = min(height, n - start)
            look(&work, 3.0 * size * p)
            part = 0.0
            for j in range(start, start + size):
                part += weights[j]
            if part <= 0.0:
                continue
            if by_column:
                for j in range(p):
                    if total == 0.0:
                        means[j] = dot(few, &X[0, j], &weights[0]) / lead
                    moments(size, &X[start, j], ahead, &weights[start], rows + start, means[j], sums)
                    first[j] = sums[0]
                    second[j] = sums[1]
                    product[j] += sums[2]
            else:
                moments_of_rows(X, start, size, &weights[start], rows + start, means, first, second, product)
            share = part / (total + part)
            for j in range(p):
                distance = first[j] / part
                means[j] += share * distance
                variances[j] += max(second[j] - first[j] * distance, 0.0) + share * total * (distance * distance)
            total += part


def judge_columns(const double[::1] means, const double[::1] variances, Py_ssize_t n_samples, unsigned char[::1] constant,
                  double[::1] norms):
    """Mark columns that are as constant as rounding lets one be (scikit-learn's rule); ``norms`` are variances without rounding.

    Returns whether there are constant ones that are not zero, and whether all moments are finite.
    """
    cdef Py_ssize_t j
    cdef double noise = n_samples * EPS, rounding = 10 * EPS, mean, variance
    cdef bint some = False, finite = True, still
    # No branches: the compiler makes vectors of it.
    for j in range(means.shape[0]):
        mean, variance = means[j], variances[j]
        still = variance <= noise * variance + (noise * mean) * (noise * mean)
        constant[j] = still
        some |= still & (mean != 0.0)
        norms[j] = 0.0 if variance <= (rounding * mean) * (rounding * mean) else variance
        # A number less itself is 0 if it is finite, else NaN.
        finite &= (mean - mean == 0.0) & (variance - variance == 0.0)
    return some, finite


def all_finite(const double[::1] numbers):
    """Whether all are; no sum that may overflow tells."""
    cdef Py_ssize_t i
    cdef bint finite = True
    for i in range(numbers.shape[0]):
        # A number less itself is 0 if it is finite, else NaN.
        finite &= numbers[i] - numbers[i] == 0.0
    return finite


def means_are_small(const double[::1] weights, const double[::1] means, const double[::1] variances, double most):
    """Whether all rows weigh the same and no squared mean is more than so many times the variance."""
    cdef Py_ssize_t j
    for j in range(means.shape[0]):
        if not means[j] * means[j] <= most * variances[j]:
            return False
    return bool(all_equal(weights))


cdef Py_ssize_t leading(const double[::1] weights, Py_ssize_t few, double *lead) noexcept nogil:
    """How many rows come first whose mean is near enough to that of all: all where ``few`` have little weight; their weight."""
    cdef Py_ssize_t n = weights.shape[0], i
    cdef double total = 0.0
    lead[0] = 0.0
    for i in range(n):
        total += weights[i]
        if i < few:
            lead[0] += weights[i]
    if 2.0 * lead[0] * n < total * few:
        few, lead[0] = n, total
    return few


cdef inline Py_ssize_t next_column(const real[:, :] X) noexcept nogil:
    """How far ahead a reader of columns asks for X; 0: not at all."""
    return X.strides[1] // sizeof(real) if X.shape[0] > SHORT else 0


cdef void moments_of_rows(const real[:, :] X, Py_ssize_t start, Py_ssize_t size, const double *weights,
                          const double *residual, const double[::1] centres, double[::1] first, double[::1] second,
                          double[::1] product) noexcept nogil:
    """Sums of weighted distances from the centres, of their squares, and products with the residual, for some rows of X.

    X is contiguous along rows, of which eight are read together; the sums of a tile of columns stay in the cache.
    """
    cdef:
        Py_ssize_t p = X.shape[1], tile, i, j, k
        double[8] shares, factors
        const real *rows[8]
    first[:] = 0.0
    second[:] = 0.0
    for tile in range((p + TILE - 1) // TILE):
        j = tile * TILE
        for i in range(0, size, 8):
            for k in range(8):
                # What is beyond the last row is that once more, and counts nothing.
                rows[k] = &X[start + min(i + k, size - 1), j]
                shares[k] = weights[i + k] if i + k < size else 0.0
                factors[k] = residual[i + k] if i + k < size else 0.0
            row_moments(min(TILE, p - j), rows, 8 * (X.strides[0] // sizeof(real)), shares, factors, &centres[j], &first[j], &second[j], &product[j])


def dense_times(const real[:, :] X, const Py_ssize_t[::1] columns, const double[::1] coef, double[::1] out):
    """out += X[:, columns] @ coef, for X contiguous along columns; along rows, all columns: out += X @ coef."""
    cdef:
        Py_ssize_t n = X.shape[0], p = X.shape[1], m = columns.shape[0], i, j, k, block, start, size, ahead
        const real *four[4]
        const real *next_four[4]
    with nogil:
        if X.strides[0] == sizeof(real):
            for block in range((n + PIECE - 1) // PIECE):
                start = block * PIECE
                size = min(PIECE, n - start)
                for k in range(0, m - 3, 4):
                    for j in range(4):
                        four[j] = &X[start, columns[k + j]]
                        # Beyond the last column begins the next piece.
                        next_four[j] = &X[start, columns[k + 4 + j]] if k + 4 + j < m else four[j] + size
                    combine(size, &coef[k], four, next_four, &out[start])
                for k in range(m - m % 4, m):
                    axpy(size, coef[k], &X[start, columns[k]], &out[start])
        else:
            ahead = next_column(X.T)
            for i in range(n):
                out[i] += product_with(p, &X[i, 0], ahead, &coef[0])


def dense_pass(const real[:, :] X, const double[::1] residual, const double[::1] weights, const double[::1] shift,
               double[::1] product, double[::1] norms):
    """product += X.T @ residual, and norms += sum of weights * (X - shift)^2 over the rows, in one pass.

    Either may be empty (with what only it needs): it is left out then.
    """
    cdef:
        Py_ssize_t n = X.shape[0], p = X.shape[1], i, j, k, block, start, size, ahead = next_column(X)
        bint multiply = product.shape[0] > 0, square = norms.shape[0] > 0
        const real *rows[8]
    with nogil:
        if X.strides[0] == sizeof(real):
            for block in range((n + LONG_PIECE - 1) // LONG_PIECE):
                start = block * LONG_PIECE
                size = min(LONG_PIECE, n - start)
                for j in range(p):
                    if multiply:
                        product[j] += product_with(size, &X[start, j], ahead, &residual[start])
                    if square:
                        norms[j] += squares(size, &X[start, j], &weights[start], shift[j])
        else:
            ahead = 8 * (X.strides[0] // sizeof(real))
            for i in range(0, n, 8):
                if multiply and i + 8 <= n:
                    for k in range(8):
                        rows[k] = &X[i + k, 0]
                    row_products(p, rows, ahead, &residual[i], &product[0])
                for k in range(i, min(i + 8, n)):
                    if multiply and i + 8 > n:
                        axpy(p, residual[k], &X[k, 0], &product[0])
                    if square:
                        add_squares(p, weights[k], &X[k, 0], &shift[0], &norms[0])


def dense_wide_products(const real[:, :] X, const double[:, ::1] rows, double[:, ::1] out):
    """out += rows.T @ X, both eight numbers wide; X in blocks of rows if it is contiguous along columns, else eight rows."""
    cdef:
        Py_ssize_t n = X.shape[0], p = X.shape[1], j, k, m, block, start, size, ahead
        double work = 0.0
        double[32] sums
        const real *four[4]
        const real *eight[8]
    with nogil:
        if X.strides[0] == sizeof(real):
            ahead = 4 * (X.strides[1] // sizeof(real))
            for block in range((n + PIECE - 1) // PIECE):
                start = block * PIECE
                size = min(start + PIECE, n) - start
                for j in range(0, p, 4):
                    look(&work, 32.0 * size)
                    for k in range(4):
                        # What is beyond the last column is that once more.
                        four[k] = &X[start, min(j + k, p - 1)]
                    if real is float:
                        skreg_wide_products_f(size, four, ahead, &rows[start, 0], sums)
                    else:
                        skreg_wide_products_d(size, four, ahead, &rows[start, 0], sums)
                    for k in range(min(4, p - j)):
                        for m in range(8):
                            out[m, j + k] += sums[8 * k + m]
        else:
            # As many columns as let the products stay in the cache.
            ahead = 8 * (X.strides[0] // sizeof(real))
            for block in range((p + PIECE - 1) // PIECE):
                start = block * PIECE
                size = min(start + PIECE, p) - start
                for j in range(0, n, 8):
                    look(&work, 64.0 * size)
                    for k in range(8):
                        # What is beyond the last row meets zeros.
                        eight[k] = &X[min(j + k, n - 1), start]
                    if real is float:
                        skreg_wide_row_products_f(size, eight, ahead, &rows[j, 0], &out[0, start], p)
                    else:
                        skreg_wide_row_products_d(size, eight, ahead, &rows[j, 0], &out[0, start], p)


def dense_some_products(const real[:, :] X, const Py_ssize_t[::1] columns, const double[::1] residual, double[::1] out):
    """out = X[:, columns].T @ residual, for X contiguous along columns."""
    cdef:
        Py_ssize_t n = X.shape[0], m = columns.shape[0], j, block, start, size
        const real *column
        const real *following
    out[:] = 0.0
    with nogil:
        for block in range((n + LONG_PIECE - 1) // LONG_PIECE):
            start = block * LONG_PIECE
            size = min(LONG_PIECE, n - start)
            for j in range(m):
                column, following = &X[start, columns[j]], &X[start, columns[min(j + 1, m - 1)]]
                out[j] += product_with(size, column, following - column, &residual[start])


def dense_there_and_back(const double[:, :] X, const double[::1] residual, const double[::1] shift,
                         const double[::1] factor, double[::1] product, double[::1] out):
    """product = (X - shift).T @ residual and out += (X - shift) @ (factor * product), for X contiguous along columns.

    Four columns at a time, which are in the first-level cache on the way back.
    """
    cdef:
        Py_ssize_t n = X.shape[0], p = X.shape[1], i, j, k, few, ahead = 4 * next_column(X)
        double total = 0.0, back = 0.0, work = 0.0
        double[4] sizes
        const double *x[4]
    with nogil:
        for i in range(n):
            total += residual[i]
        for j in range(0, p, 4):
            look(&work, 8.0 * n)
            few = min(4, p - j)
            for k in range(4):
                # What is beyond the last column is that once more, and counts nothing.
                x[k] = &X[0, j + min(k, few - 1)]
            for k in range(4):
                sizes[k] = 0.0
                if k < few:
                    product[j + k] = skreg_product_d(n, x[k], ahead, &residual[0]) - shift[j + k] * total
                    sizes[k] = factor[j + k] * product[j + k]
                    back += sizes[k] * shift[j + k]
            skreg_gather(n, sizes, x[0], x[1], x[2], x[3], &out[0])
        for i in range(n):
            out[i] -= back


def dense_gather(const real[:, :] X, Py_ssize_t start, const Py_ssize_t[::1] columns, const double[::1] shift,
                 const double[::1] scale, wanted[:, :] out):
    """out[i, k] = scale[start + i] * (X[start + i, columns[k]] - shift[k]); out is ordered as X is, of either type."""
    cdef:
        Py_ssize_t size = out.shape[0], m = columns.shape[0], i, k
        double factor
        const real *row
    with nogil:
        if X.strides[0] == sizeof(real):
            for k in range(m):
                copy(size, &X[start, columns[k]], &X[start, columns[min(k + 1, m - 1)]], shift[k], &scale[start], &out[0, k])
        else:
            for i in range(size):
                row = &X[start + i, 0]
                factor = scale[start + i]
                for k in range(columns.shape[0]):
                    out[i, k] = <wanted> (factor * (row[columns[k]] - shift[k]))


def dense_some_squares(const real[:, :] X, const Py_ssize_t[::1] columns, const double[::1] weights,
                       const double[::1] shift, double[::1] out):
    """out[k] = sum of weights * (X[:, columns[k]] - shift[k])^2."""
    cdef Py_ssize_t n = X.shape[0], i, k
    cdef double distance
    with nogil:
        if X.strides[0] == sizeof(real):
            for k in range(columns.shape[0]):
                out[k] = squares(n, &X[0, columns[k]], &weights[0], shift[k])
        else:
            out[:] = 0.0
            for i in range(n):
                for k in range(columns.shape[0]):
                    distance = X[i, columns[k]] - shift[k]
                    out[k] += weights[i] * distance * distance


def mirror(double[:, :] lower, double[:, :] out, const double[::1] less=None):
    """out = the symmetric matrix whose lower triangle is given, also in place; in squares, as one side is read across.

    Less the square of a vector, where there is one.
    """
    cdef Py_ssize_t n = lower.shape[0], i, j, top, left
    cdef bint whole = less is None
    cdef double value
    with nogil:
        for top in range(0, n, 32):
            for left in range(0, top + 1, 32):
                for i in range(top, min(top + 32, n)):
                    for j in range(left, min(left + 32, i + 1)):
                        value = lower[i, j] if whole else lower[i, j] - less[i] * less[j]
                        out[i, j] = value
                        out[j, i] = value


# -- sparse matrices, float64 sums whatever the storage ---------------------------
# `major` is the compressed axis: columns of CSC, rows of CSR.

def sparse_gather(const real[::1] data, const index[::1] indices, const index[::1] indptr,
                  const double[::1] vector, double[::1] out, const Py_ssize_t[::1] chosen=None):
    """out[major] = sum over minor of data * vector[minor]; of those ``chosen`` only, one after the other."""
    cdef Py_ssize_t i, major, first
    with nogil:
        for i in range(out.shape[0]):
            major = i if chosen is None else chosen[i]
            first = indptr[major]
            if indptr[major + 1] > first:
                out[i] = gathered(&data[first], &indices[first], indptr[major + 1] - first, &vector[0])


def sparse_gather_rows(const real[::1] data, const index[::1] indices, const index[::1] indptr,
                       const double[:, ::1] rows, double[:, ::1] out, const Py_ssize_t[::1] chosen=None):
    """out[:, major] = sum over minor of data * rows[minor], rows being eight numbers wide and out no higher; ``chosen`` as above."""
    cdef Py_ssize_t i, k, major, first, n
    cdef double[8] sums
    with nogil:
        for i in range(out.shape[1]):
            major = i if chosen is None else chosen[i]
            first = indptr[major]
            n = indptr[major + 1] - first
            if n == 0:
                out[:, i] = 0.0
                continue
            if real is float and index is int32_t:
                skreg_gather_rows_f32(n, &data[first], &indices[first], &rows[0, 0], sums)
            elif real is float:
                skreg_gather_rows_f64(n, &data[first], &indices[first], &rows[0, 0], sums)
            elif index is int32_t:
                skreg_gather_rows_d32(n, &data[first], &indices[first], &rows[0, 0], sums)
            else:
                skreg_gather_rows_d64(n, &data[first], &indices[first], &rows[0, 0], sums)
            for k in range(out.shape[0]):
                out[k, i] = sums[k]


def sparse_scatter(const real[::1] data, const index[::1] indices, const index[::1] indptr,
                   const double[::1] vector, double[::1] out, const Py_ssize_t[::1] chosen=None):
    """out[minor] += data * vector[major]; the vector is of the ``chosen`` only, one after the other."""
    cdef Py_ssize_t i, k, major
    cdef double factor
    with nogil:
        for i in range(vector.shape[0]):
            factor = vector[i]
            if factor != 0.0:
                major = i if chosen is None else chosen[i]
                for k in range(indptr[major], indptr[major + 1]):
                    out[indices[k]] += factor * data[k]


def sparse_scatter_rows(const real[::1] data, const index[::1] indices, const index[::1] indptr,
                        const double[:, :] rows, double[:, ::1] out, const Py_ssize_t[::1] chosen=None):
    """out[minor] += data * rows[major], out being eight numbers wide and rows no more; ``chosen`` as above."""
    cdef Py_ssize_t i, k, major, first, n, width = rows.shape[1]
    cdef double[8] row
    cdef bint used
    for k in range(8):
        row[k] = 0.0
    with nogil:
        for i in range(rows.shape[0]):
            used = False
            for k in range(width):
                row[k] = rows[i, k]
                used = used or row[k] != 0.0
            major = i if chosen is None else chosen[i]
            first = indptr[major]
            n = indptr[major + 1] - first
            if not used or n == 0:
                continue
            if real is float and index is int32_t:
                skreg_scatter_rows_f32(n, &data[first], &indices[first], row, &out[0, 0])
            elif real is float:
                skreg_scatter_rows_f64(n, &data[first], &indices[first], row, &out[0, 0])
            elif index is int32_t:
                skreg_scatter_rows_d32(n, &data[first], &indices[first], row, &out[0, 0])
            else:
                skreg_scatter_rows_d64(n, &data[first], &indices[first], row, &out[0, 0])


def sparse_moments(const real[::1] data, const index[::1] indices, const index[::1] indptr,
                   const double[::1] weights, const double[::1] rows,
                   double[::1] means, double[::1] variances, double[::1] product):
    """Of every column (CSC): mean and variance under weights of sum 1, the zeros included; product with ``rows``, if there are any."""
    cdef Py_ssize_t j, k, first, last
    cdef double mean, stored, square, variance, weight, distance, met
    cdef bint uniform = all_equal(weights)
    cdef const double[::1] vector = rows if rows.shape[0] else weights
    with nogil:
        for j in range(means.shape[0]):
            first, last = indptr[j], indptr[j + 1]
            if last == first:
                means[j] = variances[j] = 0.0
                continue
            met = mean = square = stored = 0.0
            if uniform:
                met = gathered_with_moments(&data[first], &indices[first], last - first, &vector[0], &mean, &square)
                mean, square, stored = weights[0] * mean, weights[0] * square, weights[0] * (last - first)
            else:
                for k in range(first, last):
                    weight = weights[indices[k]]
                    mean += weight * data[k]
                    square += weight * data[k] * data[k]
                    stored += weight
                    met += vector[indices[k]] * data[k]
            variance = square - mean * mean
            if not variance >= TWO_DIGITS * square:
                # Too much of the column is its mean: first centred, then squared.
                square = 0.0
                for k in range(first, last):
                    distance = data[k] - mean
                    square += weights[indices[k]] * distance * distance
                # A full column has no zeros, though rounding may leave some weight for them.
                variance = square
                if last - first < weights.shape[0] and stored < 1.0:
                    variance += (1.0 - stored) * mean * mean
            means[j], variances[j] = mean, variance
            if rows.shape[0]:
                product[j] = met


def sparse_spread(const real[::1] data, const index[::1] indices, const index[::1] indptr,
                  const double[::1] weights, const double[::1] shift, bint columns_are_major,
                  double[::1] squares, double[::1] stored):
    """Per column: sum of weight * (x - shift)^2 and of weight, over the stored entries."""
    cdef Py_ssize_t i, k, row, column
    cdef double distance
    with nogil:
        for i in range(indptr.shape[0] - 1):
            for k in range(indptr[i], indptr[i + 1]):
                row = indices[k] if columns_are_major else i
                column = i if columns_are_major else indices[k]
                distance = data[k] - shift[column]
                squares[column] += weights[row] * distance * distance
                stored[column] += weights[row]


def sparse_pass(const real[::1] data, const index[::1] indices, const index[::1] indptr,
                const double[::1] residual, const double[::1] weights, const double[::1] shift,
                double[::1] product, double[::1] squares, double[::1] stored):
    """Of every column (CSC) what `sparse_gather` tells of ``residual`` and `sparse_spread` of ``weights``, in one pass."""
    cdef Py_ssize_t j, k, last
    cdef double a, b, one, two, here, there, distance, centre
    with nogil:
        for j in range(product.shape[0]):
            k, last, centre = indptr[j], indptr[j + 1], shift[j]
            # Two sums of each, as one would wait for itself.
            a = b = one = two = here = there = 0.0
            while k + 2 <= last:
                a += data[k] * residual[indices[k]]
                b += data[k + 1] * residual[indices[k + 1]]
                distance = data[k] - centre
                one += weights[indices[k]] * distance * distance
                here += weights[indices[k]]
                distance = data[k + 1] - centre
                two += weights[indices[k + 1]] * distance * distance
                there += weights[indices[k + 1]]
                k += 2
            if k < last:
                a += data[k] * residual[indices[k]]
                distance = data[k] - centre
                one += weights[indices[k]] * distance * distance
                here += weights[indices[k]]
            product[j] = a + b
            squares[j] = one + two
            stored[j] = here + there


def sparse_some_squares(const real[::1] data, const index[::1] indices, const index[::1] indptr,
                        const Py_ssize_t[::1] columns, const double[::1] weights, const double[::1] shift, double[::1] out):
    """out[k] = sum of weights * (column - shift[k])^2 of some columns (CSC), the zeros included."""
    cdef Py_ssize_t i, j, k, first, last
    cdef double total = 0.0, one, two, here, there, weighted, distance, centre, stored
    with nogil:
        for i in range(weights.shape[0]):
            total += weights[i]
        for j in range(columns.shape[0]):
            first, last, centre = indptr[columns[j]], indptr[columns[j] + 1], shift[j]
            one = two = here = there = 0.0
            k = first
            while k + 2 <= last:
                weighted = weights[indices[k]] * data[k]
                one += weighted * data[k]
                here += weighted
                weighted = weights[indices[k + 1]] * data[k + 1]
                two += weighted * data[k + 1]
                there += weighted
                k += 2
            if k < last:
                weighted = weights[indices[k]] * data[k]
                one += weighted * data[k]
                here += weighted
            out[j] = (one + two) - 2.0 * centre * (here + there) + total * centre * centre
            if out[j] >= TWO_DIGITS * (one + two):
                continue
            # Too much of the column is its mean: first centred, then squared.
            one = stored = 0.0
            for k in range(first, last):
                distance = data[k] - centre
                one += weights[indices[k]] * distance * distance
                stored += weights[indices[k]]
            # Rounding may leave nothing for the zeros of a full column.
            out[j] = one + max(total - stored, 0.0) * centre * centre


def sparse_gram(const double[::1] left_data, const index[::1] left_indices, const index[::1] left_indptr,
                const real[::1] right_data, const index[::1] right_indices, const index[::1] right_indptr,
                const double[::1] weights, double[:, ::1] out, Py_ssize_t others=-1, const Py_ssize_t[::1] chosen=None):
    """out += right.T @ diag(weights) @ left: the left by rows, the right by columns, so that only what meets is touched.

    If the right has so many ``others`` before the columns of the left, whose rows are in order, then of these only the
    lower triangle. ``chosen``: those columns of the right.
    """
    cdef Py_ssize_t j, k, m, row, column, last
    cdef double factor
    with nogil:
        for j in range(out.shape[0]):
            column = j if chosen is None else chosen[j]
            last = out.shape[1] if others < 0 or j < others else j - others
            for k in range(right_indptr[column], right_indptr[column + 1]):
                row = right_indices[k]
                factor = weights[row] * right_data[k]
                for m in range(left_indptr[row], left_indptr[row + 1]):
                    if left_indices[m] > last:
                        break
                    out[j, left_indices[m]] += factor * left_data[m]


def sparse_small_gram(const real[::1] data, const index[::1] indices, const index[::1] indptr,
                      const Py_ssize_t[::1] left, const Py_ssize_t[::1] right, const double[::1] weights,
                      double[:, ::1] out):
    """out[left[j], right[l]] += sum over rows of weight * x[row, j] * x[row, l]; columns of which the place is -1 stay out."""
    cdef Py_ssize_t i, k, m, here, found
    cdef double factor
    cdef Py_ssize_t[::1] places = np.empty(right.shape[0], dtype=np.intp)
    cdef double[::1] values = np.empty(right.shape[0])
    with nogil:
        for i in range(indptr.shape[0] - 1):
            found = 0
            for k in range(indptr[i], indptr[i + 1]):
                if right[indices[k]] >= 0:
                    places[found] = right[indices[k]]
                    values[found] = weights[i] * data[k]
                    found += 1
            if found == 0:
                continue
            for k in range(indptr[i], indptr[i + 1]):
                here = left[indices[k]]
                if here >= 0:
                    factor = data[k]
                    for m in range(found):
                        out[here, places[m]] += factor * values[m]
