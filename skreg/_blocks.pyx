# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The compiled loop of block coordinate descent, and the compiled prox of blocks.

The shipped penalties on groups have one form: the coefficients of a block are soft-thresholded, and their norm
then becomes what the prox of one coefficient makes of it:

    alpha * (l1 * |w|_1 + 0.5 * square * |w|_2^2) + p(|w|_2; weight * alpha)

``p`` is a C function as in `_twins`, called through its address.
"""

import numpy as np

from libc.math cimport sqrt
from libc.stdint cimport uintptr_t

from skreg._prox cimport prox_function
from skreg._signals cimport look

cdef extern from "_simd.h" nogil:
    void skreg_axpy "skreg_axpy_d"(long n, double a, const double *x, double *y)
    double skreg_dot "skreg_dot_d"(long n, const double *x, const double *y)
    void skreg_dots(long n, const double *x, const double *a, const double *b, const double *c, const double *d,
                    double *out)
    void skreg_gather(long n, const double *w, const double *a, const double *b, const double *c, const double *d,
                      double *y)
    void skreg_spread(long n, const double *w, const double *x, double *a, double *b, double *c, double *d)

# Steps on one block before the next one has its turn, while they shrink by less than this.
cdef int MAX_STEPS = 20
cdef double SHRINK = 0.1


# What is read: pointers to vectors lie side by side.
ctypedef const double *vector


cdef void dots(Py_ssize_t n, Py_ssize_t count, const double *x, const vector *others, double *out) noexcept nogil:
    """The products of one vector with others."""
    cdef Py_ssize_t i = 0
    while i + 4 <= count:
        skreg_dots(n, x, others[i], others[i + 1], others[i + 2], others[i + 3], out + i)
        i += 4
    for i in range(i, count):
        out[i] = skreg_dot(n, x, others[i])


cdef void gather(Py_ssize_t n, Py_ssize_t count, const double *factors, const vector *others, double *to) noexcept nogil:
    """Add multiples of several vectors to one."""
    cdef Py_ssize_t i = 0
    while i + 4 <= count:
        skreg_gather(n, factors + i, others[i], others[i + 1], others[i + 2], others[i + 3], to)
        i += 4
    for i in range(i, count):
        skreg_axpy(n, factors[i], others[i], to)


cdef void spread(Py_ssize_t n, Py_ssize_t count, const double *factors, const double *x, double **to) noexcept nogil:
    """Add multiples of one vector to several."""
    cdef Py_ssize_t i = 0
    while i + 4 <= count:
        skreg_spread(n, factors + i, x, to[i], to[i + 1], to[i + 2], to[i + 3])
        i += 4
    for i in range(i, count):
        skreg_axpy(n, factors[i], x, to[i])


cdef void prox_in_place(Py_ssize_t size, double *coef, double step, double alpha, double l1, double square,
                        prox_function prox, const double *params) noexcept nogil:
    """The prox of one block; ``alpha``, ``l1`` and ``square`` are strengths."""
    cdef double shrink = 1.0 + step * square, threshold, norm = 0.0, factor
    cdef Py_ssize_t i
    step /= shrink
    threshold = step * l1
    for i in range(size):
        coef[i] /= shrink
        if threshold > 0.0:
            if coef[i] > threshold:
                coef[i] -= threshold
            elif coef[i] < -threshold:
                coef[i] += threshold
            else:
                coef[i] = 0.0
        norm += coef[i] * coef[i]
    norm = sqrt(norm)
    factor = prox(norm, step, alpha, params) / norm if norm > 0.0 else 0.0
    for i in range(size):
        coef[i] *= factor


def block_prox(double[:, ::1] coef, const Py_ssize_t[::1] members, const Py_ssize_t[::1] start,
               const double[::1] step, const double[::1] alpha, const double[::1] l1, const double[::1] square,
               uintptr_t address, const double[:, ::1] params):
    """The prox of every block of ``coef``, shape (n_outputs, k), in place; arrays as in `block_descent`."""
    cdef:
        prox_function prox = <prox_function> address
        Py_ssize_t b, i, c, n_outputs = coef.shape[0], size, stride = params.shape[1] if params.shape[0] > 1 else 0
        double[::1] block = np.empty(coef.shape[0] * coef.shape[1])
    with nogil:
        for b in range(start.shape[0] - 1):
            size = start[b + 1] - start[b]
            for c in range(n_outputs):
                for i in range(size):
                    block[c * size + i] = coef[c, members[start[b] + i]]
            prox_in_place(n_outputs * size, &block[0], step[b], alpha[b], l1[b], square[b], prox,
                          &params[0, 0] + b * stride)
            for c in range(n_outputs):
                for i in range(size):
                    coef[c, members[start[b] + i]] = block[c * size + i]


def block_residuals(const double[:, ::1] coef, const double[:, ::1] gradient, const Py_ssize_t[::1] members,
                    const Py_ssize_t[::1] start, const double[::1] curvature, const double[::1] alpha,
                    const double[::1] l1, const double[::1] square, uintptr_t address, const double[:, ::1] params):
    """``sqrt(curvature) * |w - prox(w - gradient / curvature)|`` of every block; arrays as in `block_descent`."""
    cdef:
        prox_function prox = <prox_function> address
        Py_ssize_t b, i, j, c, n_outputs = coef.shape[0], first, size, most = 0
        Py_ssize_t n_blocks = start.shape[0] - 1, stride = params.shape[1] if params.shape[0] > 1 else 0
        double step, total, move
        double[::1] block, residuals = np.empty(n_blocks)
    for b in range(n_blocks):
        most = max(most, start[b + 1] - start[b])
    block = np.empty(max(n_outputs * most, 1))
    with nogil:
        for b in range(n_blocks):
            first, size, step, total = start[b], start[b + 1] - start[b], 1.0 / curvature[b], 0.0
            for c in range(n_outputs):
                for i in range(size):
                    j = members[first + i]
                    block[c * size + i] = coef[c, j] - step * gradient[c, j]
            prox_in_place(n_outputs * size, &block[0], step, alpha[b], l1[b], square[b], prox,
                          &params[0, 0] + b * stride)
            for c in range(n_outputs):
                for i in range(size):
                    move = block[c * size + i] - coef[c, members[first + i]]
                    total += move * move
            residuals[b] = sqrt(curvature[b] * total)
    return np.asarray(residuals)


def block_parts(const double[:, ::1] columns, const Py_ssize_t[::1] members, const Py_ssize_t[::1] start):
    """Of ``columns @ columns.T`` what belongs to each block, row by row, one block after the other."""
    cdef:
        Py_ssize_t b, i, j, size, place = 0, n = columns.shape[1], n_blocks = start.shape[0] - 1, total = 0, most = 1
        double[::1] own
        uintptr_t[::1] pointers
        vector *rows
    for b in range(n_blocks):
        size = start[b + 1] - start[b]
        total += size * size
        most = max(most, size)
    own, pointers = np.empty(total), np.empty(most, dtype=np.uintp)
    rows = <vector *> &pointers[0]
    with nogil:
        for b in range(n_blocks):
            size = start[b + 1] - start[b]
            for i in range(size):
                rows[i] = &columns[members[start[b] + i], 0]
            for i in range(size):
                dots(n, i + 1, rows[i], rows, &own[place + i * size])
            for i in range(size):
                for j in range(i):
                    own[place + j * size + i] = own[place + i * size + j]
            place += size * size
    return np.asarray(own)


cdef double move_block(Py_ssize_t size, Py_ssize_t n_outputs, double *at, double *slope, double *new, const double *own,
                       double step, double alpha, double l1, double square, prox_function prox, const double *params,
                       double tol) noexcept nogil:
    """Proximal steps on one block's part ``own`` of the Gram matrix until they shrink; the length of the first.

    ``at`` and ``slope`` have ``size`` numbers for one output after the other, and follow.
    """
    cdef double length, before = 0.0, one, pull
    cdef Py_ssize_t i, j, c, entries = n_outputs * size
    cdef int n_steps
    for n_steps in range(MAX_STEPS):
        for i in range(entries):
            new[i] = at[i] - step * slope[i]
        prox_in_place(entries, new, step, alpha, l1, square, prox, params)
        length = 0.0
        for i in range(entries):
            one = new[i] - at[i]
            length += one * one
        length = sqrt(length / step)
        if n_steps == 0:
            before = length
        if length == 0.0:
            break
        if size > 1:
            for c in range(n_outputs):
                for i in range(size):
                    pull = new[c * size + i] - at[c * size + i]
                    if pull != 0.0:
                        for j in range(size):
                            slope[c * size + j] += pull * own[i * size + j]
        for i in range(entries):
            at[i] = new[i]
        if size == 1 or length <= SHRINK * before or length <= 0.1 * tol:
            break
    return before


def block_descent(const double[:, :] gram, const double[:, ::1] columns, double[:, ::1] coef, double[:, ::1] state,
                  const Py_ssize_t[::1] members, const Py_ssize_t[::1] start, const double[::1] own,
                  const double[::1] step, const double[::1] alpha, const double[::1] l1, const double[::1] square,
                  uintptr_t address, const double[:, ::1] params, double tol, int max_epochs, bint used=False):
    """Cyclic descent over blocks of ``sum_c (0.5 w_c'G w_c - q_c'w_c) + P(w)``, in place.

    ``coef`` and ``state`` have one row per output. The state is ``G w - q`` where ``gram`` is given. Where ``columns``,
    shape (k, n), with ``G = columns @ columns.T`` stand for it (one of the two is None), the state is what is left of n residuals.
    Block ``b`` has the columns ``members[start[b]:start[b + 1]]``, its part of ``G`` in ``own``, where one after the other
    lies row by row, and a ``step`` of one over the largest eigenvalue of that. A block is moved by proximal steps on
    its own part of ``G`` until they shrink; then the rest hears of it. Sweeps over all blocks alternate with sweeps over those
    that are not zero; only those are swept if ``used``. Ends when no block moves by more than ``tol`` in units of
    ``|move| / sqrt(step)``. Returns the number of epochs, and the largest move of the last full sweep (if ``used``, of the last).
    """
    cdef:
        prox_function prox = <prox_function> address
        Py_ssize_t n_blocks = start.shape[0] - 1, k = coef.shape[1], n_outputs = coef.shape[0], n = state.shape[1]
        Py_ssize_t stride = params.shape[1] if params.shape[0] > 1 else 0
        Py_ssize_t b, c, i, j, size, first, place, most = 0
        int epoch = 0, sweep
        bint active, zero, by_column = gram is None
        double largest = 0.0, length, total, unseen = 0.0
        double[::1] work
        uintptr_t[::1] pointers
        double *new
        double *at
        double *slope
        vector *rows
        double **states
    for b in range(n_blocks):
        most = max(most, start[b + 1] - start[b])
    if most == 0:
        return 0, 0.0
    work = np.empty(3 * most * n_outputs)
    pointers = np.empty(most + n_outputs, dtype=np.uintp)
    new, at, slope = &work[0], &work[most * n_outputs], &work[2 * most * n_outputs]
    rows, states = <vector *> &pointers[0], <double **> &pointers[most]
    for c in range(n_outputs):
        states[c] = &state[c, 0]
    with nogil:
        while epoch < max_epochs:
            # One sweep over all blocks, then some over the active ones.
            for sweep in range(11):
                active = used or sweep > 0
                if epoch >= max_epochs:
                    break
                total = 0.0
                place = 0
                for b in range(n_blocks):
                    first, size = start[b], start[b + 1] - start[b]
                    place += size * size
                    zero = True
                    for c in range(n_outputs):
                        for i in range(size):
                            at[c * size + i] = coef[c, members[first + i]]
                            zero = zero and at[c * size + i] == 0.0
                    if active and zero:
                        continue
                    for i in range(size):
                        j = members[first + i]
                        rows[i] = &columns[j, 0] if by_column else &gram[j, 0]
                        if not by_column:
                            for c in range(n_outputs):
                                slope[c * size + i] = state[c, j]
                    if by_column:
                        pull_of_columns(n, size, n_outputs, rows, states, new, slope)
                    length = move_block(size, n_outputs, at, slope, new, &own[place - size * size], step[b], alpha[b],
                                        l1[b], square[b], prox, &params[0, 0] + b * stride, tol)
                    if length > total:
                        total = length
                    if length == 0.0:
                        continue
                    for c in range(n_outputs):
                        for i in range(size):
                            j = members[first + i]
                            new[i * n_outputs + c] = at[c * size + i] - coef[c, j]
                            coef[c, j] = at[c * size + i]
                    follow(n, size, n_outputs, -1.0 if by_column else 1.0, rows, states, new)
                epoch += 1
                look(&unseen, <double> k * n * n_outputs)
                if not active or used:
                    largest = total
                    if largest <= tol:
                        break
                elif total <= 0.3 * tol:
                    break
            if largest <= tol:
                break
    return epoch, largest


cdef void pull_of_columns(Py_ssize_t n, Py_ssize_t size, Py_ssize_t n_outputs, const vector *columns, double **rests,
                          double *work, double *slope) noexcept nogil:
    """``slope = -columns . rests``, the ``size`` numbers of one output after those of the other."""
    cdef Py_ssize_t c, i
    if n_outputs == 1:
        dots(n, size, rests[0], columns, slope)
        for i in range(size):
            slope[i] = -slope[i]
        return
    for i in range(size):
        dots(n, n_outputs, columns[i], <vector *> rests, work)
        for c in range(n_outputs):
            slope[c * size + i] = -work[c]


cdef void follow(Py_ssize_t n, Py_ssize_t size, Py_ssize_t n_outputs, double sign, const vector *rows, double **states,
                 double *moves) noexcept nogil:
    """Add to the states what moves of a block do to them; ``moves`` has the outputs of one column after those of the other."""
    cdef Py_ssize_t i
    for i in range(size * n_outputs):
        moves[i] *= sign
    if n_outputs == 1:
        gather(n, size, moves, rows, states[0])
        return
    for i in range(size):
        spread(n, n_outputs, moves + i * n_outputs, rows[i], states)
