# cython: language_level=3
"""Columns (or rows) as they are stored, dense and sparse, for the loops of several modules."""

from libc.stdint cimport int32_t, int64_t

cdef extern from "_simd.h" nogil:
    double skreg_dot_d(long n, const double *x, const double *y)
    double skreg_dot_f(long n, const float *x, const double *y)
    double skreg_squares_d(long n, const double *x, const double *w, double shift)
    double skreg_squares_f(long n, const float *x, const double *w, double shift)

ctypedef fused real:
    float
    double

ctypedef fused wanted:
    float
    double

ctypedef fused index:
    int32_t
    int64_t


cdef inline double dot(Py_ssize_t n, const real *x, const double *y) noexcept nogil:
    if real is float:
        return skreg_dot_f(n, x, y)
    else:
        return skreg_dot_d(n, x, y)


cdef inline double squares(Py_ssize_t n, const real *x, const double *w, double shift) noexcept nogil:
    if real is float:
        return skreg_squares_f(n, x, w, shift)
    else:
        return skreg_squares_d(n, x, w, shift)


cdef inline bint all_equal(const double[::1] weights) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(weights.shape[0]):
        if weights[k] != weights[0]:
            return False
    return True


cdef inline double gathered(const real *data, const index *indices, Py_ssize_t n, const double *vector) noexcept nogil:
    """Product of ``n`` stored numbers with a vector; four sums, as one would wait for itself."""
    cdef Py_ssize_t k = 0
    cdef double a = 0.0, b = 0.0, c = 0.0, d = 0.0
    while k + 4 <= n:
        a += data[k] * vector[indices[k]]
        b += data[k + 1] * vector[indices[k + 1]]
        c += data[k + 2] * vector[indices[k + 2]]
        d += data[k + 3] * vector[indices[k + 3]]
        k += 4
    while k < n:
        a += data[k] * vector[indices[k]]
        k += 1
    return (a + b) + (c + d)


cdef inline double gathered_with_moments(const real *data, const index *indices, Py_ssize_t n, const double *vector,
                                         double *total, double *square) noexcept nogil:
    """As `gathered`; also the sum of the stored numbers, and of their squares."""
    cdef Py_ssize_t k = 0
    cdef double a = 0.0, b = 0.0, first = 0.0, second = 0.0, one = 0.0, two = 0.0
    while k + 2 <= n:
        a += data[k] * vector[indices[k]]
        first += data[k]
        one += <double> data[k] * data[k]
        b += data[k + 1] * vector[indices[k + 1]]
        second += data[k + 1]
        two += <double> data[k + 1] * data[k + 1]
        k += 2
    if k < n:
        a += data[k] * vector[indices[k]]
        first += data[k]
        one += <double> data[k] * data[k]
    total[0], square[0] = first + second, one + two
    return a + b
