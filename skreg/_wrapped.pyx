# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Compiled twins of penalties that are made of others, and of bounds.

As in `_twins`; the first parameter of a wrapper is the address of the prox inside it, its bits in those of a double, and the
parameters of that one come last. Wrappers of wrappers, and of functions compiled from a user's text, need nothing else.
"""

from libc.stdint cimport uintptr_t
from libc.string cimport memcpy

from skreg._prox cimport prox_function


cdef inline double inner(double coef, double step, double alpha, const double *params, int own) noexcept nogil:
    cdef prox_function prox
    memcpy(&prox, params, sizeof(prox_function))
    return prox(coef, step, alpha, params + 1 + own)


cdef inline double clipped(double coef, const double *bounds) noexcept nogil:
    if coef < bounds[0]:
        return bounds[0]
    return bounds[1] if coef > bounds[1] else coef


cdef double prox_nonnegative(double coef, double step, double alpha, const double *params) noexcept nogil:
    return 0.0 if coef < 0.0 else coef


cdef double prox_box(double coef, double step, double alpha, const double *params) noexcept nogil:
    # params: lower, upper
    return clipped(coef, params)


cdef double prox_other(double coef, double step, double alpha, const double *params) noexcept nogil:
    # params: address
    return inner(coef, step, alpha, params, 0)


cdef double prox_scaled(double coef, double step, double alpha, const double *params) noexcept nogil:
    # params: address, factor
    return inner(coef, step, params[1] * alpha, params, 1)


cdef double prox_withsquare(double coef, double step, double alpha, const double *params) noexcept nogil:
    # params: address, square
    cdef double shrink = 1.0 + step * params[1] * alpha
    return inner(coef / shrink, step / shrink, alpha, params, 1)


cdef double prox_bounded(double coef, double step, double alpha, const double *params) noexcept nogil:
    # params: address, lower, upper
    return clipped(inner(coef, step, alpha, params, 2), params + 1)


ADDRESS = {
    "nonnegative": <uintptr_t> &prox_nonnegative,
    "box": <uintptr_t> &prox_box,
    "other": <uintptr_t> &prox_other,
    "scaled": <uintptr_t> &prox_scaled,
    "withsquare": <uintptr_t> &prox_withsquare,
    "bounded": <uintptr_t> &prox_bounded,
}
