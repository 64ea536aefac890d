# cython: language_level=3, cdivision=True
"""A proximal operator of one coefficient, as a C function, and how far a coefficient is from its fixed point."""

from libc.math cimport fabs, sqrt

ctypedef double (*prox_function)(double, double, double, const double *) noexcept nogil


cdef inline double residual(prox_function prox, const double *params, double coef, double grad, double curvature,
                            double alpha) noexcept nogil:
    """``sqrt(curvature) * |coef - prox(coef - grad / curvature)|``."""
    cdef double step = 1.0 / curvature
    return sqrt(curvature) * fabs(coef - prox(coef - grad * step, step, alpha, params))


cdef inline double soft(double coef, double threshold, bint positive) noexcept nogil:
    if coef > threshold:
        return coef - threshold
    if coef < -threshold and not positive:
        return coef + threshold
    return 0.0


cdef inline double prox_elasticnet(double coef, double step, double alpha, const double *params) noexcept nogil:
    # params: positive, l1_ratio
    cdef double strength = step * alpha
    return soft(coef, strength * params[1], params[0] != 0) / (1.0 + strength * (1.0 - params[1]))
