# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Dense X in twelve bits, held in sixteen: a quarter of what float64 takes, and products that are exact (see `skreg.screen`)."""

import numpy as np

from libc.math cimport sqrt
from libc.stdint cimport int16_t

from skreg._columns cimport dot, real
from skreg._signals cimport look

cdef extern from "_coarse.h" nogil:
    float skreg_distances_d(long n, const double *x, double shift, float *out)
    float skreg_distances_f(long n, const float *x, double shift, float *out)
    double skreg_coarsen(long n, const float *distances, float scale, int16_t *codes)
    double skreg_coarse_dot(long n, const int16_t *codes, const int16_t *rows)

cpdef enum:
    # The largest code, of columns and of rows: `SKREG_SHORT_SUM` products of two of them add up in 32 bits.
    LARGEST = 2047

# Distances that single precision holds with all of its digits, and those that it may take for nothing.
cdef double LEAST = 1e-30, MOST = 1e30, NONE = 1e-37

# What rounding in single precision may hide: of each entry, in codes, and of the sum of their squares, as a share.
cdef double OF_ENTRY = 2.5e-4, OF_SUM = 1e-3


def coarsen(const real[:, :] X, const double[::1] shift, const double[::1] residual, int16_t[:, ::1] codes,
            double[::1] steps, double[::1] errors, double[::1] product):
    """Each column of ``X - shift`` as ``step * codes``, in a row of ``codes``; what is lost has no norm above ``error``.

    In the same reading of X, which is contiguous along columns: ``product = X.T @ residual``.
    """
    cdef:
        Py_ssize_t n = X.shape[0], j
        float[::1] distances = np.empty(n, dtype=np.float32)
        float scale
        double reach, root = sqrt(<double> n), work = 0.0
    with nogil:
        for j in range(X.shape[1]):
            look(&work, 4.0 * n)
            if real is float:
                reach = skreg_distances_f(n, &X[0, j], shift[j], &distances[0])
            else:
                reach = skreg_distances_d(n, &X[0, j], shift[j], &distances[0])
            product[j] = dot(n, &X[0, j], &residual[0])
            if LEAST <= reach <= MOST:
                scale = LARGEST / reach
                steps[j] = 1.0 / scale
                errors[j] = steps[j] * ((1.0 + OF_SUM) * sqrt(skreg_coarsen(n, &distances[0], scale, &codes[j, 0])) + OF_ENTRY * root)
            else:
                codes[j, :] = 0
                steps[j], errors[j] = 0.0, max(2.0 * reach, NONE) * root


def coarse_products(const int16_t[:, ::1] codes, const int16_t[::1] rows, double[::1] out):
    """out = codes @ rows, exactly."""
    cdef Py_ssize_t j
    with nogil:
        for j in range(codes.shape[0]):
            out[j] = skreg_coarse_dot(rows.shape[0], &codes[j, 0], &rows[0])
