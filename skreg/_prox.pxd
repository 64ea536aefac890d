# cython: language_level=3, cdivision=True
"""A proximal operator of one coefficient, as a C function, and how far a coefficient is from its fixed point."""

from libc.math cimport fabs, sqrt

ctypedef double (*prox_function)(double, double, double, const double *) noexcept nogil


cdef inline double residual(prox_function prox, const double *params, double coef, double grad, double curvature,
                            double alpha) noexcept nogil:
    """``sqrt(curvature) * |coef - prox(coef - grad / curvature)|``."""
    cdef double step = 1.0 / curvature
    return sqrt(curvature) * fabs(coef - prox(coef - grad * step, step, alpha, params))
