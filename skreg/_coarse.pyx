# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Dense X in twelve bits, held in sixteen: a quarter of what float64 takes, and products that are exact (see `skreg.screen`)."""

import numpy as np

from libc.math cimport sqrt
from libc.stdint cimport int16_t

from skreg._columns cimport real
from skreg._signals cimport look

cdef extern from "_coarse.h" nogil:
    double skreg_reach_d(long n, const double *x, double shift, const double *r, double *product)
    double skreg_reach_f(long n, const float *x, double shift, const double *r, double *product)
    double skreg_coarsen_d(long n, const double *x, double shift, double step, int16_t *codes)
    double skreg_coarsen_f(long n, const float *x, double shift, double step, int16_t *codes)
    double skreg_coarse_dot(long n, const int16_t *codes, const int16_t *rows)

cpdef enum:
    # The largest code, of columns and of rows: `SKREG_SHORT_SUM` products of two of them add up in 32 bits.
    LARGEST = 2047


def coarsen(const real[:, :] X, const double[::1] shift, const double[::1] residual, int16_t[:, ::1] codes,
            double[::1] steps, double[::1] errors, double[::1] product):
    """Each column of ``X - shift`` as ``step * codes``, in a row of ``codes``; what is lost has the norm ``error``.

    In the same reading of X, which is contiguous along columns: ``product = X.T @ residual``.
    """
    cdef Py_ssize_t n = X.shape[0], j
    cdef double work = 0.0
    with nogil:
        for j in range(X.shape[1]):
            look(&work, 4.0 * n)
            if real is float:
                steps[j] = skreg_reach_f(n, &X[0, j], shift[j], &residual[0], &product[j]) / <double> LARGEST
                errors[j] = sqrt(skreg_coarsen_f(n, &X[0, j], shift[j], steps[j], &codes[j, 0]))
            else:
                steps[j] = skreg_reach_d(n, &X[0, j], shift[j], &residual[0], &product[j]) / <double> LARGEST
                errors[j] = sqrt(skreg_coarsen_d(n, &X[0, j], shift[j], steps[j], &codes[j, 0]))


def coarse_products(const int16_t[:, ::1] codes, const int16_t[::1] rows, double[::1] out):
    """out = codes @ rows, exactly."""
    cdef Py_ssize_t j
    with nogil:
        for j in range(codes.shape[0]):
            out[j] = skreg_coarse_dot(rows.shape[0], &codes[j, 0], &rows[0])
