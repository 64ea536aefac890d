# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The compiled loops, and the compiled twins of the shipped proximal operators.

A proximal operator of one coefficient is a C function

    double prox(double coef, double step, double alpha, const double *params)

called through its address, so that a shipped twin and a function compiled by
numba from a user's text cost the same. Twins repeat the operations of the NumPy
text in the same order: results are equal to the last bit.
"""

from libc.math cimport fabs, sqrt
from libc.stdint cimport int32_t, int64_t, uintptr_t

ctypedef double (*prox_function)(double, double, double, const double *) noexcept nogil

ctypedef fused real:
    float
    double

ctypedef fused index:
    int32_t
    int64_t


# -- twins --------------------------------------------------------------------

cdef inline double soft(double coef, double threshold, bint positive) noexcept nogil:
    if coef > threshold:
        return coef - threshold
    if coef < -threshold and not positive:
        return coef + threshold
    return 0.0


cdef double prox_none(double coef, double step, double alpha, const double *params) noexcept nogil:
    return coef


cdef double prox_l1(double coef, double step, double alpha, const double *params) noexcept nogil:
    # params: positive
    return soft(coef, step * alpha, params[0] != 0)


cdef double prox_l2(double coef, double step, double alpha, const double *params) noexcept nogil:
    # params: positive
    cdef double shrunk = coef / (1.0 + step * alpha)
    return 0.0 if params[0] != 0 and shrunk < 0 else shrunk


cdef double prox_elasticnet(double coef, double step, double alpha, const double *params) noexcept nogil:
    # params: positive, l1_ratio
    cdef double strength = step * alpha
    return soft(coef, strength * params[1], params[0] != 0) / (1.0 + strength * (1.0 - params[1]))


ADDRESS = {
    "none": <uintptr_t> &prox_none,
    "l1": <uintptr_t> &prox_l1,
    "l2": <uintptr_t> &prox_l2,
    "elasticnet": <uintptr_t> &prox_elasticnet,
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


# -- coordinate descent on a Gram matrix ----------------------------------------

def gram_descent(const double[:, ::1] gram, double[::1] coef, double[::1] grad, const double[::1] step,
                 const double[::1] alpha, uintptr_t address, const double[:, ::1] params,
                 double tol, int max_epochs):
    """Cyclic coordinate descent on ``0.5 w'Gw - q'w + P(w)``, in place.

    ``grad`` holds ``G w - q`` and is kept up to date; ``step`` is 1 / diag(G).
    Sweeps over all coordinates alternate with sweeps over those that moved or
    are not zero. Ends when no move of a full sweep, in units of
    ``sqrt(G_jj) * |move|``, exceeds ``tol``. Returns the number of epochs, and
    the largest move of the last full sweep.
    """
    cdef:
        prox_function prox = <prox_function> address
        Py_ssize_t k = coef.shape[0], stride = params.shape[1] if params.shape[0] > 1 else 0
        Py_ssize_t i, j
        int epoch = 0, inner
        double move, size, largest = 0.0, largest_inner
        const double *row
    if k == 0:
        return 0, 0.0
    with nogil:
        while epoch < max_epochs:
            largest = 0.0
            for j in range(k):
                move = prox(coef[j] - step[j] * grad[j], step[j], alpha[j], &params[0, 0] + j * stride) - coef[j]
                if move != 0.0:
                    coef[j] += move
                    row = &gram[j, 0]
                    for i in range(k):
                        grad[i] += move * row[i]
                    size = fabs(move) / sqrt(step[j])
                    if size > largest:
                        largest = size
            epoch += 1
            if largest <= tol:
                break
            for inner in range(10):
                if epoch >= max_epochs:
                    break
                largest_inner = 0.0
                for j in range(k):
                    if coef[j] == 0.0:
                        continue
                    move = prox(coef[j] - step[j] * grad[j], step[j], alpha[j], &params[0, 0] + j * stride) - coef[j]
                    if move != 0.0:
                        coef[j] += move
                        row = &gram[j, 0]
                        for i in range(k):
                            grad[i] += move * row[i]
                        size = fabs(move) / sqrt(step[j])
                        if size > largest_inner:
                            largest_inner = size
                epoch += 1
                if largest_inner <= 0.3 * tol:
                    break
    return epoch, largest


# -- sparse matrices, float64 sums whatever the storage ---------------------------
# `major` is the compressed axis: columns of CSC, rows of CSR.

def sparse_gather(const real[::1] data, const index[::1] indices, const index[::1] indptr,
                  const double[::1] vector, double[::1] out):
    """out[major] = sum over minor of data * vector[minor]."""
    cdef Py_ssize_t i, k
    cdef double total
    with nogil:
        for i in range(out.shape[0]):
            total = 0.0
            for k in range(indptr[i], indptr[i + 1]):
                total += data[k] * vector[indices[k]]
            out[i] = total


def sparse_scatter(const real[::1] data, const index[::1] indices, const index[::1] indptr,
                   const double[::1] vector, double[::1] out):
    """out[minor] += data * vector[major]."""
    cdef Py_ssize_t i, k
    cdef double factor
    with nogil:
        for i in range(vector.shape[0]):
            factor = vector[i]
            if factor != 0.0:
                for k in range(indptr[i], indptr[i + 1]):
                    out[indices[k]] += factor * data[k]


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
