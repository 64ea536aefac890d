# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The compiled loops of coordinate descent, of violations and prices, and of losses."""

import numpy as np

from libc.math cimport INFINITY, fabs, log1p, sqrt
from libc.stdint cimport uintptr_t

from skreg._prox cimport prox_elasticnet, prox_function, residual
from skreg._signals cimport look
from skreg._columns cimport all_equal, dot, gathered, index, real
from skreg._columns cimport squares as column_squares

cdef extern from "_simd.h" nogil:
    void skreg_axpy "skreg_axpy_d"(long n, double a, const double *x, double *y)
    void skreg_soon(const void *place)
    long skreg_pulled(long n, const double *coef, const double *grad, const double *strength, bint own, double share,
                      bint positive, Py_ssize_t *out)
    void skreg_exceeds(long n, const double *shares, const double *products, long apart, double lost, const double *norms,
                       const double *limits, long step, unsigned char *out)

cdef extern from "_exp.h" nogil:
    void skreg_logistic(long n, const double *y, const double *eta, double *value, double *gradient, double *curvature)
    void skreg_logistic_conjugate(long n, const double *y, const double *dual, double *out)
    void skreg_exps(long n, double *x)

cdef enum:
    # So many exponentials are taken together, while they are in the cache.
    EXPONENTIALS = 512
    # So many columns are looked at together.
    SPAN = 512
    # Memory of the sparse column that comes so many later is asked for: the processor does not foresee it.
    AHEAD = 4


# -- coordinate descent on a Gram matrix ----------------------------------------

def gram_descent(const double[:, :] gram, double[::1] coef, double[::1] grad, const double[::1] step,
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
        Py_ssize_t j
        int epoch = 0, inner
        double move, size, largest = 0.0, largest_inner, work = 0.0
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
                    skreg_axpy(k, move, row, &grad[0])
                    size = fabs(move) / sqrt(step[j])
                    if size > largest:
                        largest = size
            epoch += 1
            look(&work, <double> k * k)
            if largest <= tol:
                break
            for inner in range(10):
                if epoch >= max_epochs:
                    break
                look(&work, <double> k * k)
                largest_inner = 0.0
                for j in range(k):
                    if coef[j] == 0.0:
                        continue
                    move = prox(coef[j] - step[j] * grad[j], step[j], alpha[j], &params[0, 0] + j * stride) - coef[j]
                    if move != 0.0:
                        coef[j] += move
                        row = &gram[j, 0]
                        skreg_axpy(k, move, row, &grad[0])
                        size = fabs(move) / sqrt(step[j])
                        if size > largest_inner:
                            largest_inner = size
                epoch += 1
                if largest_inner <= 0.3 * tol:
                    break
    return epoch, largest


# -- coordinate descent on the columns of a matrix ---------------------------------

def weigh_columns(const real[::1] data, const index[::1] indices, const index[::1] indptr, const Py_ssize_t[::1] columns,
                  const double[::1] roots, double[::1] out, double[::1] sums, double[::1] squares):
    """Copy the chosen columns (CSC), one after the other, each number times the root of the weight of its row.

    Also weighted sums of the columns, and of their squares, as `column_sums`.
    """
    cdef Py_ssize_t j, k, at = 0
    cdef double root, value, total, square
    with nogil:
        for j in range(columns.shape[0]):
            total = square = 0.0
            for k in range(indptr[columns[j]], indptr[columns[j] + 1]):
                root = roots[indices[k]]
                value = root * data[k]
                out[at] = value
                at += 1
                total += root * value
                square += value * value
            sums[j] = total
            squares[j] = square


def column_sums(const real[::1] data, const index[::1] indices, const index[::1] indptr, const Py_ssize_t[::1] columns,
                const double[::1] weights, double[::1] sums, double[::1] squares):
    """Weighted sums of the chosen columns (CSC, or dense if there are no indices), and of their squares."""
    cdef Py_ssize_t j, k, n_rows = weights.shape[0]
    cdef double total, square
    with nogil:
        for j in range(columns.shape[0]):
            if indptr.shape[0] == 0:
                k = columns[j] * n_rows
                sums[j] = dot(n_rows, &data[k], &weights[0])
                squares[j] = column_squares(n_rows, &data[k], &weights[0], 0.0)
                continue
            total = square = 0.0
            for k in range(indptr[columns[j]], indptr[columns[j] + 1]):
                total += weights[indices[k]] * data[k]
                square += weights[indices[k]] * (data[k] * data[k])
            sums[j] = total
            squares[j] = square


def column_descent(const real[::1] data, const Py_ssize_t[::1] starts, const index[::1] indices, const index[::1] indptr,
                   const Py_ssize_t[::1] columns, const double[::1] inverse_scale, const double[::1] weights,
                   double[::1] forward, double answer, const double[::1] cross, double total, double[::1] coef,
                   const double[::1] grad, const double[::1] step, const double[::1] alpha, uintptr_t address,
                   const double[:, ::1] params, double tol, int max_epochs):
    """As `gram_descent`, with the Gram matrix of the chosen columns never formed.

    Column j begins at ``starts[j]`` of the data; its rows are those of the chosen column of a CSC matrix, or
    all if there are no indices. ``forward`` holds the weighted change of the linear predictor since ``grad`` was the
    gradient, ``answer`` is its sum, and ``answer / total * cross`` what the intercept, at its best, answers with.
    Without ``weights`` the data are times the roots of them (`weigh_columns`), and so is ``forward``.
    Returns epochs and the largest move of the last full sweep.
    """
    cdef:
        prox_function prox = <prox_function> address
        Py_ssize_t n = columns.shape[0], stride = params.shape[1] if params.shape[0] > 1 else 0
        Py_ssize_t j, k, first, here, size, n_rows = forward.shape[0]
        int epoch = 0, sweep = 0
        double move, moved, largest = INFINITY, slope, work = 0.0, met, used, common = 1.0
        bint full, uniform = True, dense = indptr.shape[0] == 0
    if weights.shape[0]:
        uniform, common = all_equal(weights), weights[0]
    with nogil:
        while epoch < max_epochs:
            # A sweep over all, then up to ten over those that are not zero, if that is a fifth less work.
            full = sweep == 0
            moved = met = used = 0.0
            for j in range(n):
                if not full and coef[j] == 0.0:
                    continue
                first = starts[j]
                if not dense and j + AHEAD < n:
                    skreg_soon(&data[starts[j + AHEAD]])
                    skreg_soon(&indices[indptr[columns[j + AHEAD]]])
                if dense:
                    size = n_rows
                    slope = dot(size, &data[first], &forward[0])
                else:
                    here = indptr[columns[j]]
                    size = indptr[columns[j] + 1] - here
                    slope = gathered(&data[first], &indices[here], size, &forward[0])
                look(&work, size)
                met += size
                if coef[j] != 0.0:
                    used += size
                slope = grad[j] + inverse_scale[j] * slope
                if total > 0.0:
                    slope -= answer / total * cross[j]
                move = prox(coef[j] - step[j] * slope, step[j], alpha[j], &params[0, 0] + j * stride) - coef[j]
                if move != 0.0:
                    coef[j] += move
                    moved = max(moved, fabs(move) / sqrt(step[j]))
                    answer += move * cross[j]
                    move *= inverse_scale[j]
                    if dense:
                        for k in range(size):
                            forward[k] += move * (weights[k] * data[first + k])
                    elif uniform:
                        move *= common
                        for k in range(size):
                            forward[indices[here + k]] += move * data[first + k]
                    else:
                        for k in range(size):
                            forward[indices[here + k]] += move * (weights[indices[here + k]] * data[first + k])
            epoch += 1
            if full:
                largest = moved
                if largest <= tol:
                    break
                sweep = 1 if 1.25 * used <= met else 0
            else:
                sweep = 0 if moved <= 0.3 * tol or sweep == 10 else sweep + 1
    return epoch, largest


def residuals(const double[:] coef, const double[:] grad, const double[:] curvature, const double[::1] alpha,
              uintptr_t address, const double[:, ::1] params):
    """``sqrt(curvature) * |coef - prox(coef - grad / curvature)|``; ``alpha`` and ``params`` for all or for each."""
    cdef prox_function prox = <prox_function> address
    cdef Py_ssize_t j, own = alpha.shape[0] > 1, stride = params.shape[1] if params.shape[0] > 1 else 0
    cdef double[::1] out = np.empty(coef.shape[0])
    with nogil:
        for j in range(coef.shape[0]):
            out[j] = residual(prox, &params[0, 0] + j * stride, coef[j], grad[j], curvature[j], alpha[j * own])
    return np.asarray(out)


def some_residuals(const Py_ssize_t[::1] some, const double[:] coef, const double[:] grad, const double[:] curvature,
                   const double[::1] alpha, uintptr_t address, const double[:, ::1] params):
    """`residuals` of some coefficients, and 0 for the others; ``curvature`` is that of those alone."""
    cdef prox_function prox = <prox_function> address
    cdef Py_ssize_t i, j, own = alpha.shape[0] > 1, stride = params.shape[1] if params.shape[0] > 1 else 0
    result = np.zeros(coef.shape[0])
    cdef double[::1] out = result
    with nogil:
        for i in range(some.shape[0]):
            j = some[i]
            out[j] = residual(prox, &params[0, 0] + j * stride, coef[j], grad[j], curvature[i], alpha[j * own])
    return result


def restless(const double[:] coef, const double[:] grad, const double[::1] alpha, uintptr_t address,
             const double[:, ::1] params):
    """Coefficients that are not zero, or would not stay it; `residuals` of the others are 0 at any curvature if P is convex."""
    cdef prox_function prox = <prox_function> address
    cdef Py_ssize_t j, k = 0, own = alpha.shape[0] > 1, stride = params.shape[1] if params.shape[0] > 1 else 0
    cdef Py_ssize_t[::1] out = np.empty(coef.shape[0], dtype=np.intp)
    with nogil:
        for j in range(coef.shape[0]):
            if coef[j] != 0.0 or prox(-grad[j], 1.0, alpha[j * own], &params[0, 0] + j * stride) != 0.0:
                out[k] = j
                k += 1
    return np.asarray(out)[:k].copy()


def elastic_restless(const double[::1] coef, const double[::1] grad, const double[::1] strength, double share,
                     bint positive):
    """`restless` where the penalty is the elastic net with this share of L1."""
    cdef Py_ssize_t k = 0
    out = np.empty(coef.shape[0] + 1, dtype=np.intp)
    cdef Py_ssize_t[::1] o = out
    if coef.shape[0]:
        k = skreg_pulled(coef.shape[0], &coef[0], &grad[0], &strength[0], strength.shape[0] > 1, share, positive, &o[0])
    return out[:k].copy()


def elastic_sums(const double[:, ::1] coefs, const double[:, ::1] grads, const double[:, ::1] strengths, double share,
                 bint positive, const double[::1] curvature=None, double[:, ::1] residuals=None):
    """What the elastic net with this share of L1 makes of each row of ``coefs``.

    Price, largest correlation in units of the strength (1 if none is larger), conjugate, and largest of `residuals` (0
    without ``curvature``); ``strengths`` has one column, or one for each coefficient. The residuals themselves go to
    an array of zeros, where there is one.
    """
    cdef Py_ssize_t b, i, j, k, own = strengths.shape[1] > 1, n = coefs.shape[1]
    cdef double strength, coef, size, pull, price, largest, conjugate, worst, rest = 1.0 - share
    cdef double[2] params = [positive, share]
    cdef bint curved = curvature is not None, kept = residuals is not None
    cdef Py_ssize_t[::1] moving = np.empty(n + 1, dtype=np.intp)
    result = np.empty((4, coefs.shape[0]))
    cdef double[:, ::1] out = result
    with nogil:
        for b in range(coefs.shape[0]):
            price, largest, conjugate, worst = 0.0, 1.0, 0.0, 0.0
            # A zero that is pulled by no more stays.
            k = skreg_pulled(n, &coefs[b, 0], &grads[b, 0], &strengths[b, 0], own, share, positive, &moving[0]) if n else 0
            for i in range(k):
                j = moving[i]
                strength, coef, pull = strengths[b, j * own], coefs[b, j], -grads[b, j]
                pull = pull if positive else fabs(pull)
                if not pull <= largest * strength:
                    largest = pull / strength
                pull -= share * strength
                if curved:
                    size = residual(prox_elasticnet, params, coef, grads[b, j], curvature[j], strength)
                    if not size <= worst:
                        worst = size
                    if kept:
                        residuals[b, j] = size
                if positive and coef < 0.0:
                    price = INFINITY
                size = fabs(coef)
                price += strength * size * (share + 0.5 * rest * size)
                if rest > 0.0 and pull > 0.0:
                    conjugate += pull * (pull / (2.0 * rest * strength))
            out[0, b], out[1, b], out[2, b], out[3, b] = price, largest, conjugate, worst
    return result


def may_exceed(const double[:, ::1] shares, const double[:, ::1] products, const double[::1] norms,
               const double[::1] lost, const double[:, ::1] limits):
    """Whether ``|shares @ products| + lost * norms`` is not surely within ``limits``, in any row, for each column.

    There are eight products; ``lost`` has a number for each row, and ``limits`` one column, or one for each.
    """
    cdef Py_ssize_t b, block, start, n = norms.shape[0], own = limits.shape[1] > 1
    cdef unsigned char[::1] out
    found = np.zeros(n, dtype=bool)
    out = found.view(np.uint8)
    with nogil:
        for block in range((n + SPAN - 1) // SPAN):
            start = block * SPAN
            for b in range(shares.shape[0]):
                skreg_exceeds(min(start + SPAN, n) - start, &shares[b, 0], &products[0, start], n, lost[b], &norms[start],
                              &limits[b, start * own], own, &out[start])
    return found


def moment_sums(const double[:, :] gram, const double[::1] product, double square, const double[:, ::1] coefs,
                const double[:, ::1] gradients):
    """Of the squared loss in moments, for each row of ``coefs`` and the gradient there.

    Losses, weighted means of the products of residuals with y, and how far coefficients reach together.
    """
    cdef Py_ssize_t b, j
    cdef double own, met, reach
    cdef double[:, ::1] out = np.empty((3, coefs.shape[0]))
    with nogil:
        for b in range(coefs.shape[0]):
            own, met, reach = 0.0, 0.0, 0.0
            for j in range(coefs.shape[1]):
                if coefs[b, j] != 0.0:
                    own += coefs[b, j] * gradients[b, j]
                    met += coefs[b, j] * product[j]
                    reach += fabs(coefs[b, j]) * sqrt(gram[j, j])
            out[0, b], out[1, b], out[2, b] = max(0.5 * (square + own - met), 0.0), square - met, reach
    return np.asarray(out)


def ridge_sums(const double[:, :] b, const double[:, :, :] x, const double[:, :, :] product, const double[:, :, :] error,
               const double[::1] diagonal, const double[::1] strengths, const double[::1] squares):
    """What the certificates of ridge are made of: systems ``A x = b``, with the outputs in the second axis and strengths in the last.

    ``product`` is ``A x``, ``error`` what is left of the system, ``diagonal`` that of A, and ``squares`` the mean squares of y.
    Returns losses, prices, gaps and violations, how far ``x`` and y reach together if nothing cancels (the largest output),
    and the squares of that (all outputs).
    """
    cdef Py_ssize_t a, j, k
    cdef double loss, price, gap, violation, reach, own, far, strength
    result = np.zeros((6, strengths.shape[0]))
    cdef double[:, ::1] out = result
    with nogil:
        for a in range(strengths.shape[0]):
            strength = strengths[a]
            loss = price = gap = violation = 0.0
            for k in range(b.shape[1]):
                own, reach = squares[k], sqrt(squares[k])
                for j in range(b.shape[0]):
                    own -= x[j, k, a] * (2.0 * b[j, k] - product[j, k, a])
                    price += x[j, k, a] * x[j, k, a]
                    gap += error[j, k, a] * error[j, k, a]
                    reach += sqrt(diagonal[j]) * fabs(x[j, k, a])
                    far = sqrt(diagonal[j]) * fabs(error[j, k, a]) / (diagonal[j] + strength)
                    if not far <= violation:
                        violation = far
                loss += max(own, 0.0)
                out[4, a] = max(out[4, a], reach)
                out[5, a] += reach * reach
            out[0, a], out[1, a], out[2, a], out[3, a] = 0.5 * loss, 0.5 * strength * price, gap / (2.0 * strength), violation
    return result


def largest_residuals(const double[:, :] coefs, const double[:, :] grads, const double[:, ::1] strengths,
                      const double[::1] curvature, uintptr_t address, const double[:, ::1] params):
    """The largest of `residuals` for each row of ``coefs``; ``strengths`` has one column, or one for each coefficient."""
    cdef prox_function prox = <prox_function> address
    cdef Py_ssize_t b, j, own = strengths.shape[1] > 1, stride = params.shape[1] if params.shape[0] > 1 else 0
    cdef double size
    cdef double[::1] out = np.zeros(coefs.shape[0])
    with nogil:
        for b in range(coefs.shape[0]):
            for j in range(coefs.shape[1]):
                size = residual(prox, &params[0, 0] + j * stride, coefs[b, j], grads[b, j], curvature[j],
                                strengths[b, j * own])
                if not size <= out[b]:
                    out[b] = size
    return np.asarray(out)


# -- losses: value, gradient and curvature from one exponential -------------------

def logistic_expansion(const double[::1] y, const double[::1] eta,
                       double[::1] value, double[::1] gradient, double[::1] curvature):
    """Of ``log(1 + exp(eta)) - y * eta`` for ``y`` in {0, 1}; exact in both tails."""
    if y.shape[0]:
        with nogil:
            skreg_logistic(y.shape[0], &y[0], &eta[0], &value[0], &gradient[0], &curvature[0])


def logistic_conjugate(const double[::1] y, const double[::1] dual, double[::1] out):
    """Minus the entropy of ``dual + y``; infinite outside [0, 1]."""
    if y.shape[0]:
        with nogil:
            skreg_logistic_conjugate(y.shape[0], &y[0], &dual[0], &out[0])


def softmax_expansion(const double[:, ::1] y, const double[:, ::1] eta,
                      double[::1] value, double[:, ::1] gradient, double[:, ::1] curvature):
    """Of ``log(sum(exp(eta))) - eta[own]`` for one-hot ``y``; exact in all tails."""
    cdef:
        Py_ssize_t i, k, best, own, block, start, stop, n = y.shape[0], n_classes = y.shape[1]
        Py_ssize_t height = max(EXPONENTIALS // n_classes, 1)
        double rest, others, share, largest
    with nogil:
        for block in range((n + height - 1) // height):
            start = block * height
            stop = min(start + height, n)
            for i in range(start, stop):
                largest = eta[i, 0]
                for k in range(1, n_classes):
                    largest = max(largest, eta[i, k])
                for k in range(n_classes):
                    gradient[i, k] = eta[i, k] - largest
            skreg_exps((stop - start) * n_classes, &gradient[start, 0])
            for i in range(start, stop):
                best = own = 0
                for k in range(1, n_classes):
                    if eta[i, k] > eta[i, best]:
                        best = k
                    if y[i, k] == 1.0:
                        own = k
                # All but the largest; all but the own.
                rest = others = 0.0
                for k in range(n_classes):
                    if k != best:
                        rest += gradient[i, k]
                    if k != own:
                        others += gradient[i, k]
                # One division a row: they take longer than all else but the exponentials.
                share = 1.0 / (1.0 + rest)
                value[i] = log1p(rest) + (eta[i, best] - eta[i, own])
                for k in range(n_classes):
                    gradient[i, k] *= share
                    curvature[i, k] = gradient[i, k] * (1.0 - gradient[i, k])
                curvature[i, best] = gradient[i, best] * (rest * share)
                gradient[i, own] = -others * share
