# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The compiled twins of the shipped proximal operators.

A proximal operator of one coefficient is a C function

    double prox(double coef, double step, double alpha, const double *params)

called through its address, so that a shipped twin and a function compiled by
numba from a user's text cost the same. Twins repeat the operations of the NumPy
text in the same order: results are equal to the last bit, where logarithms and powers
are.
"""

from libc.math cimport copysign, fabs, log1p, pow, sqrt
from libc.stdint cimport uintptr_t

from skreg._prox cimport prox_elasticnet, prox_function, soft


cdef double prox_none(double coef, double step, double alpha, const double *params) noexcept nogil:
    return coef


cdef double prox_l1(double coef, double step, double alpha, const double *params) noexcept nogil:
    # params: positive
    return soft(coef, step * alpha, params[0] != 0)


cdef double prox_l2(double coef, double step, double alpha, const double *params) noexcept nogil:
    # params: positive
    cdef double shrunk = coef / (1.0 + step * alpha)
    return 0.0 if params[0] != 0 and shrunk < 0 else shrunk


cdef double prox_mcp(double coef, double step, double alpha, const double *params) noexcept nogil:
    # params: gamma
    cdef double gamma = params[0], size = fabs(coef)
    if step < gamma:
        return coef if size > gamma * alpha else soft(coef, step * alpha, False) / (1.0 - step / gamma)
    return coef if size > alpha * sqrt(gamma * step) else 0.0


cdef double prox_scad(double coef, double step, double alpha, const double *params) noexcept nogil:
    # params: gamma
    cdef double gamma = params[0], size = fabs(coef), width = gamma - 1.0, jump
    if step < width:
        if size > gamma * alpha:
            return coef
        if size > alpha * (1.0 + step):
            return (coef - copysign(step * gamma * alpha / width, coef)) / (1.0 - step / width)
    else:
        jump = 0.5 * alpha * (gamma + 1.0 + step) if step <= gamma + 1.0 else alpha * sqrt(step * (gamma + 1.0))
        if size > jump:
            return coef
    return soft(coef, step * alpha, False)


cdef double prox_logsum(double coef, double step, double alpha, const double *params) noexcept nogil:
    # params: eps
    cdef double eps = params[0], size = fabs(coef), strength = step * alpha, root, larger
    root = (size + eps) * (size + eps) - 4.0 * strength
    if root < 0.0:
        return 0.0
    root = sqrt(root)
    larger = 2.0 * (eps * size - strength) / (eps - size + root) if size < eps else 0.5 * (size - eps + root)
    if larger <= 0.0 or not strength * log1p(larger / eps) < larger * (size - 0.5 * larger):
        return 0.0
    return copysign(larger, coef)


cdef double prox_lq(double coef, double step, double alpha, const double *params) noexcept nogil:
    # params: q
    cdef double q = params[0], size = fabs(coef), strength = step * alpha, root = size, pull, move
    cdef int i
    if not size > (2.0 - q) / (2.0 - 2.0 * q) * pow(2.0 * strength * (1.0 - q), 1.0 / (2.0 - q)):
        return 0.0
    for i in range(50):
        pull = strength * q * pow(root, q - 1.0)
        move = (root - size + pull) / (1.0 - (1.0 - q) * pull / root)
        root -= move
        if fabs(move) <= 1e-16 * root:
            break
    return copysign(root, coef)


cdef double prox_l0(double coef, double step, double alpha, const double *params) noexcept nogil:
    return coef if fabs(coef) > sqrt(2.0 * step * alpha) else 0.0


ADDRESS = {
    "none": <uintptr_t> &prox_none,
    "l1": <uintptr_t> &prox_l1,
    "l2": <uintptr_t> &prox_l2,
    "elasticnet": <uintptr_t> &prox_elasticnet,
    "mcp": <uintptr_t> &prox_mcp,
    "scad": <uintptr_t> &prox_scad,
    "logsum": <uintptr_t> &prox_logsum,
    "lq": <uintptr_t> &prox_lq,
    "l0": <uintptr_t> &prox_l0,
}


def apply_prox(uintptr_t address, const double[:, ::1] params, const double[::1] coef,
               const double[::1] step, const double[::1] alpha, double[::1] out):
    """Write the compiled prox of every coefficient to ``out``."""
    cdef:
        prox_function prox = <prox_function> address
        Py_ssize_t j, stride = params.shape[1] if params.shape[0] > 1 else 0
    with nogil:
        for j in range(coef.shape[0]):
            out[j] = prox(coef[j], step[j], alpha[j], &params[0, 0] + j * stride)
