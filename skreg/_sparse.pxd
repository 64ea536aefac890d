# cython: language_level=3
"""Sparse columns (or rows) as they are stored, for the loops of several modules."""

from libc.stdint cimport int32_t, int64_t

ctypedef fused real:
    float
    double

ctypedef fused index:
    int32_t
    int64_t


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
