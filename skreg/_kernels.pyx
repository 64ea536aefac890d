# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The compiled loops, and the compiled twins of the shipped proximal operators.

A proximal operator of one coefficient is a C function

    double prox(double coef, double step, double alpha, const double *params)

called through its address, so that a shipped twin and a function compiled by
numba from a user's text cost the same. Twins repeat the operations of the NumPy
text in the same order: results are equal to the last bit, where logarithms and powers
are.
"""

import numpy as np

from libc.math cimport INFINITY, NAN, copysign, fabs, log1p, pow, sqrt
from libc.stdint cimport uintptr_t
from libc.string cimport memmove

from skreg._prox cimport prox_function, residual
from skreg._signals cimport look
from skreg._columns cimport all_equal, dot, gathered, index, real
from skreg._columns cimport squares as column_squares

cdef extern from "_simd.h" nogil:
    void skreg_axpy "skreg_axpy_d"(long n, double a, const double *x, double *y)
    double skreg_dot "skreg_dot_d"(long n, const double *x, const double *y)
    void skreg_rotate(long n, double c, double s, double *x, double *y)
    void skreg_dots(long n, const double *x, const double *a, const double *b, const double *c, const double *d, double *out)
    void skreg_gather(long n, const double *w, const double *a, const double *b, const double *c, const double *d, double *y)

cdef extern from "_exp.h" nogil:
    void skreg_logistic(long n, const double *y, const double *eta, double *value, double *gradient, double *curvature)
    void skreg_logistic_conjugate(long n, const double *y, const double *dual, double *out)
    void skreg_exps(long n, double *x)

cdef enum:
    # So many exponentials are taken together, while they are in the cache.
    EXPONENTIALS = 512


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


# A column of which less than this share is new is taken to depend on the others.
cdef double DEPENDENT = 1e-11

# With more changes than this LAPACK makes a factor anew in less time than it takes here.
cdef Py_ssize_t LARGE_FACTOR = 500
# A column stays in the factor while its curvature differs from that of the penalty by no more than this share.
cdef double NEAR = 0.4


# -- active set on a Gram matrix ------------------------------------------------

cdef bint penalty_slope(prox_function prox, const double *params, double coef, double alpha,
                        double *slope, double *curvature) noexcept nogil:
    """First and second derivative of the penalty at ``coef != 0``, from its prox.

    ``prox(coef + s * slope, s) = coef``: Newton's method for the argument, exact
    in one step where the prox is piecewise linear. False if it does not get there.
    """
    cdef double step = 0.5 * fabs(coef) / (alpha if alpha > 0 else 1.0)
    cdef double point = coef, value, width, rise, above, below
    cdef int i
    for i in range(4):
        width = 1e-5 * fabs(point)
        above, below = prox(point + width, step, alpha, params), prox(point - width, step, alpha, params)
        rise = (above - below) / (2.0 * width)
        if not rise > 1e-8:
            return False
        value = prox(point, step, alpha, params)
        if fabs(above - 2.0 * value + below) > 0.1 * (above - below):
            # At a kink, a bound say.
            return False
        if fabs(value - coef) <= 1e-14 * fabs(coef):
            slope[0] = (point - value) / step
            curvature[0] = (1.0 / rise - 1.0) / step
            # Differences of rounded numbers: what they cannot tell from 0 is 0.
            if fabs(curvature[0]) * step < 1e-9:
                curvature[0] = 0.0
            return True
        point += (coef - value) / rise
    return False


cdef class ActiveSet:
    """Newton's method on the support of ``0.5 w'Gw - q'w + P(w)``, one change of it at a time.

    Keeps the Cholesky factor of ``G + P''`` on the support, upper triangular in
    rows; a coefficient that enters appends a column, one that arrives at zero
    is rotated out: O(size^2) each.
    """

    cdef const double[:, :] gram
    cdef double[::1] coef, grad, change, wanted, slope, curvature, factored
    cdef const double[::1] step, alpha
    cdef const double[:, ::1] params
    cdef double[:, ::1] factor
    cdef Py_ssize_t[::1] members, queue
    cdef prox_function prox
    cdef Py_ssize_t size, room, known, stride, limit
    cdef double work, unseen

    def __init__(self, Py_ssize_t limit):
        self.limit = limit
        self.size = self.room = self.known = 0
        self.unseen = 0.0

    def bind(self, gram, coef, grad, step, alpha, uintptr_t address, params):
        """Look at a problem; the factor stays, as positions keep their meaning while the problem grows."""
        cdef Py_ssize_t k = coef.shape[0], room = min(k, self.limit), known = self.known
        cdef double[:, ::1] scratch = np.empty((4, k))
        cdef double[::1] factored
        self.gram, self.coef, self.grad, self.step, self.alpha = gram, coef, grad, step, alpha
        self.prox, self.params = <prox_function> address, params
        self.stride = self.params.shape[1] if self.params.shape[0] > 1 else 0
        self.change, self.wanted, self.slope, self.curvature = scratch[0], scratch[1], scratch[2], scratch[3]
        self.queue = np.empty(k, dtype=np.intp)
        if room > self.room:
            self.make_room(min(self.limit, 2 * room))
        if k > known:
            factored = np.empty(2 * k)
            factored[known:] = NAN
            if known:
                factored[:known] = self.factored
            self.factored, self.known = factored, 2 * k

    cdef make_room(self, Py_ssize_t room):
        """For a factor of so many columns."""
        cdef Py_ssize_t[::1] members = np.empty(room, dtype=np.intp)
        cdef double[:, ::1] factor = np.empty((room, room))
        if self.size:
            members[: self.size] = self.members[: self.size]
            factor[: self.size, : self.size] = self.factor[: self.size, : self.size]
        self.members, self.factor, self.room = members, factor, room

    def reset(self):
        """Forget the factor."""
        self.size = 0

    def changes(self):
        """How many columns stand between the factor and the support; -1 where the penalty has no slope there."""
        cdef Py_ssize_t i, j, common = 0, support = 0
        for j in range(self.coef.shape[0]):
            if self.coef[j] != 0.0:
                support += 1
                if not self.linearise(j):
                    return -1
        if support > self.room:
            return -1
        for i in range(self.size):
            j = self.members[i]
            common += self.coef[j] != 0.0 and self.near(j)
        return support - common + self.size - common

    def load(self, const Py_ssize_t[::1] support, const double[:, ::1] factor):
        """Take over a factor of ``G + P''`` on the support, upper triangular."""
        cdef Py_ssize_t i, n = support.shape[0]
        self.size = n
        for i in range(n):
            self.members[i] = support[i]
            self.factored[support[i]] = self.curvature[support[i]]
            self.factor[i, i:n] = factor[i, i:n]

    def curvatures(self):
        """Second derivatives of the penalty, where `changes` has found them."""
        return np.asarray(self.curvature)

    cdef const double *parameters(self, Py_ssize_t j) noexcept nogil:
        return &self.params[0, 0] + j * self.stride

    cdef double violation(self, Py_ssize_t j) noexcept nogil:
        cdef double target = self.prox(self.coef[j] - self.step[j] * self.grad[j], self.step[j], self.alpha[j],
                                       self.parameters(j))
        return fabs(target - self.coef[j]) / sqrt(self.step[j])

    cdef bint near(self, Py_ssize_t j) noexcept nogil:
        """Whether the factor, made with another curvature, leads to the solution in a few steps: each leaves this share."""
        return fabs(self.curvature[j] - self.factored[j]) <= NEAR * self.factored[j]

    cdef bint linearise(self, Py_ssize_t j) noexcept nogil:
        """Slope and curvature of the penalty at coef[j], or where an entering one is bound for."""
        cdef double at = self.coef[j]
        if at == 0.0:
            at = self.prox(-self.step[j] * self.grad[j], self.step[j], self.alpha[j], self.parameters(j))
            if at == 0.0:
                return False
        if not penalty_slope(self.prox, self.parameters(j), at, self.alpha[j], &self.slope[j], &self.curvature[j]):
            return False
        self.slope[j] += self.curvature[j] * (self.coef[j] - at)
        return True

    cdef void forward(self, double *vector, Py_ssize_t n) noexcept nogil:
        """Solve with the transpose of the first n rows and columns of the factor, four rows at a time."""
        cdef Py_ssize_t i, r, s
        cdef double[4] sizes
        for i in range(0, n - 3, 4):
            for r in range(4):
                vector[i + r] /= self.factor[i + r, i + r]
                sizes[r] = -vector[i + r]
                for s in range(r + 1, 4):
                    vector[i + s] += sizes[r] * self.factor[i + r, i + s]
            skreg_gather(n - i - 4, sizes, &self.factor[i, i] + 4, &self.factor[i + 1, i] + 4, &self.factor[i + 2, i] + 4,
                         &self.factor[i + 3, i] + 4, vector + i + 4)
        for i in range(n - n % 4, n):
            vector[i] /= self.factor[i, i]
            for s in range(i + 1, n):
                vector[s] -= vector[i] * self.factor[i, s]

    cdef void backward(self, double *vector, Py_ssize_t n) noexcept nogil:
        """Solve with the first n rows and columns of the factor, four rows at a time."""
        cdef Py_ssize_t i, r, s, whole = n - n % 4
        cdef double[4] sums
        for i in range(n - 1, whole - 1, -1):
            for s in range(i + 1, n):
                vector[i] -= vector[s] * self.factor[i, s]
            vector[i] /= self.factor[i, i]
        for i in range(whole - 4, -1, -4):
            skreg_dots(n - i - 4, vector + i + 4, &self.factor[i, i] + 4, &self.factor[i + 1, i] + 4,
                       &self.factor[i + 2, i] + 4, &self.factor[i + 3, i] + 4, sums)
            for r in range(3, -1, -1):
                vector[i + r] -= sums[r]
                for s in range(r + 1, 4):
                    vector[i + r] -= vector[i + s] * self.factor[i + r, i + s]
                vector[i + r] /= self.factor[i + r, i + r]

    cdef double append(self, Py_ssize_t j) noexcept nogil:
        """Append a column to the factor; returns what of its curvature the others do not explain, as a share."""
        self.work += <double> self.size * self.size
        cdef Py_ssize_t i, n = self.size
        cdef double pivot = self.gram[j, j] + self.curvature[j], entry
        cdef const double *row = &self.gram[j, 0]
        for i in range(n):
            self.wanted[i] = row[self.members[i]]
        self.forward(&self.wanted[0], n)
        for i in range(n):
            entry = self.wanted[i]
            self.factor[i, n] = entry
            pivot -= entry * entry
        # A trace keeps duplicates apart: they then push each other out.
        entry = 1e-13 / self.step[j]
        self.factor[n, n] = sqrt(pivot if pivot > entry else entry)
        self.factored[j] = self.curvature[j]
        self.members[n] = j
        self.size = n + 1
        return pivot / (self.gram[j, j] + self.curvature[j])

    cdef void exchange(self) noexcept nogil:
        """Take the last member, or another that it makes superfluous, out of the support.

        The others explain it, so there is a direction that leaves the fit as it is; along it the
        price of the support falls one way, up to the first coefficient that reaches zero.
        """
        cdef Py_ssize_t i, j, n = self.size - 1, first = n
        cdef double slope, nearest
        for i in range(n):
            self.change[i] = -self.factor[i, n]
        self.change[n] = 1.0
        self.backward(&self.change[0], n)
        slope = 0.0
        for i in range(n + 1):
            slope += self.slope[self.members[i]] * self.change[i]
        if slope > 0.0:
            for i in range(n + 1):
                self.change[i] = -self.change[i]
        nearest = INFINITY
        for i in range(n + 1):
            j = self.members[i]
            if self.change[i] * self.coef[j] < 0.0 and -self.coef[j] / self.change[i] < nearest:
                nearest = -self.coef[j] / self.change[i]
                first = i
        if nearest == INFINITY:
            return
        for i in range(n + 1):
            self.coef[self.members[i]] += nearest * self.change[i]
        self.coef[self.members[first]] = 0.0
        self.work += 4.0 * n * n
        self.remove(first)

    cdef void remove(self, Py_ssize_t position) noexcept nogil:
        """Take a column out of the factor and rotate it back to a triangle."""
        cdef Py_ssize_t i, n = self.size
        cdef double a, b, length
        for i in range(position, n - 1):
            self.members[i] = self.members[i + 1]
        for i in range(n):
            if i < position:
                memmove(&self.factor[i, position], &self.factor[i, position] + 1, (n - position - 1) * sizeof(double))
            elif i > position:
                # Row i has its first entry in column i - 1 now; it stands at i.
                memmove(&self.factor[i, i] - 1, &self.factor[i, i], (n - i) * sizeof(double))
            else:
                memmove(&self.factor[i, i], &self.factor[i, i] + 1, (n - i - 1) * sizeof(double))
        for i in range(position, n - 1):
            a, b = self.factor[i, i], self.factor[i + 1, i]
            length = sqrt(a * a + b * b)
            skreg_rotate(n - 1 - i, a / length, b / length, &self.factor[i, i], &self.factor[i + 1, i])
            self.factor[i, i] = length
        self.size = n - 1

    cdef void direction(self) noexcept nogil:
        """Newton direction of the members, into `change` by position."""
        cdef Py_ssize_t i, j, n = self.size
        for i in range(n):
            j = self.members[i]
            self.change[i] = -(self.grad[j] + self.slope[j])
        self.forward(&self.change[0], n)
        self.backward(&self.change[0], n)

    cdef bint settle(self, Py_ssize_t *budget, double tol, double share) except -1 nogil:
        """Newton steps, each up to the first coefficient that reaches zero, until one is full.

        And leaves a violation of no more than ``tol``, or no more than a ``share`` of what there was.

        Within a step the gradient of the members follows from the linear system;
        that of the others is left to `refresh`.
        """
        cdef Py_ssize_t i, j, first
        cdef double size, moved, arrival, left
        for i in range(self.size):
            j = self.members[i]
            tol = max(tol, share * fabs(self.grad[j] + self.slope[j]) * sqrt(self.step[j]))
        while budget[0] > 0 and self.size > 0:
            budget[0] -= 1
            self.work += 2.0 * self.size * self.size
            look(&self.unseen, 2.0 * self.size * self.size)
            self.direction()
            size, first = 1.0, -1
            for i in range(self.size):
                j = self.members[i]
                moved = self.coef[j] + self.change[i]
                if self.coef[j] == 0.0:
                    # An entering one whose way is not the way it was called for.
                    if self.change[i] * self.slope[j] < 0.0:
                        size, first = 0.0, i
                        break
                elif moved * self.coef[j] <= 0.0:
                    arrival = self.coef[j] / (self.coef[j] - moved)
                    if arrival < size:
                        size, first = arrival, i
            left = 0.0
            for i in range(self.size):
                j = self.members[i]
                # (G + factored) change = -(grad + slope)
                self.grad[j] -= size * (self.grad[j] + self.slope[j] + self.factored[j] * self.change[i])
                self.slope[j] += size * self.curvature[j] * self.change[i]
                self.coef[j] += size * self.change[i]
                moved = (self.curvature[j] - self.factored[j]) * self.change[i]
                left = max(left, fabs(moved) * sqrt(self.step[j]))
            if first < 0:
                if left <= tol:
                    return True
                continue
            self.coef[self.members[first]] = 0.0
            self.remove(first)
        return self.size == 0

    cdef void refresh(self, double[::1] base_coef, double[::1] base_grad) noexcept nogil:
        """The gradient of all, from a point where it was known."""
        self.work += 2.0 * self.size * self.coef.shape[0]
        cdef Py_ssize_t i, k = self.coef.shape[0]
        cdef int waiting = 0
        cdef double[4] sizes
        cdef const double *rows[4]
        self.grad[:] = base_grad
        for i in range(k):
            if self.coef[i] != base_coef[i]:
                sizes[waiting], rows[waiting] = self.coef[i] - base_coef[i], &self.gram[i, 0]
                waiting += 1
                if waiting == 4:
                    skreg_gather(k, sizes, rows[0], rows[1], rows[2], rows[3], &self.grad[0])
                    waiting = 0
        for i in range(waiting):
            skreg_axpy(k, sizes[i], rows[i], &self.grad[0])

    cdef bint start(self) except -1 nogil:
        """Bring the factor to the support, and thin that out to columns that are linearly independent."""
        cdef Py_ssize_t i, j, waiting = 0, stale = 0
        for j in range(self.coef.shape[0]):
            if self.coef[j] != 0.0 and not self.linearise(j):
                return False
        for i in range(self.size):
            j = self.members[i]
            stale += self.coef[j] == 0.0 or not self.near(j)
        if 12 * stale > self.size:
            # To make it anew is less work.
            self.size = 0
        for i in range(self.size - 1, -1, -1):
            j = self.members[i]
            if self.coef[j] == 0.0 or not self.near(j):
                look(&self.unseen, 3.0 * self.size * (self.size - i))
                self.remove(i)
        for j in range(self.coef.shape[0]):
            self.queue[j] = 0
        for i in range(self.size):
            self.queue[self.members[i]] = 1
        for j in range(self.coef.shape[0]):
            if self.coef[j] != 0.0 and self.queue[j] == 0:
                self.queue[waiting] = j
                waiting += 1
        for i in range(waiting):
            j = self.queue[i]
            if self.coef[j] == 0.0:
                # Exchanged meanwhile.
                continue
            if self.size == self.room:
                return False
            look(&self.unseen, <double> self.size * self.size)
            if self.append(j) < DEPENDENT:
                self.exchange()
        return True

    def solve(self, double tol, Py_ssize_t budget, double[::1] base_coef, double[::1] base_grad, double[::1] scores):
        """Until no coefficient violates by more than ``tol``; ``coef`` and ``grad`` stay consistent.

        Returns the violation reached (inf: it cannot be done) and the operations spent.
        """
        self.work = 0.0
        violation = self.run(tol, budget, base_coef, base_grad, scores, False)
        return violation, self.work

    def follow(self, const double[:, ::1] strengths, double tol, Py_ssize_t budget, double[:, ::1] ends,
               double[:, ::1] scratch):
        """Solve at one row of ``strengths`` after the other, each from where the two before lead.

        Solutions go to the rows of ``ends``. Ends before the first alpha that it does not solve, where ``coef`` and
        ``grad`` stay; returns how many were solved, and the operations spent. ``scratch`` has seven rows.
        """
        cdef Py_ssize_t done = 0, changes
        cdef double spent = 0.0
        cdef bint foretold
        cdef const double[::1] bound = self.alpha
        cdef double[::1] coef = scratch[3], grad = scratch[4], coef_before = scratch[5], grad_before = scratch[6]
        try:
            while done < strengths.shape[0]:
                coef[:], grad[:] = self.coef, self.grad
                foretold = done > 1 and self.extrapolate(strengths[done - 2 : done + 1], coef_before, grad_before)
                self.alpha = strengths[done]
                changes = self.changes()
                self.work = 0.0
                # A large factor is made anew by LAPACK.
                if (changes < 0 or (changes > self.size and changes > LARGE_FACTOR)
                        or not self.run(tol, budget, scratch[0], scratch[1], scratch[2], foretold) <= tol):
                    self.coef[:], self.grad[:] = coef, grad
                    break
                spent += self.work
                ends[done, :] = self.coef
                coef_before[:], grad_before[:] = coef, grad
                done += 1
        finally:
            self.alpha = bound
        return done, spent

    cdef bint extrapolate(self, const double[:, ::1] strengths, const double[::1] coef_before,
                          const double[::1] grad_before) noexcept nogil:
        """Go on along the line from the solution before, at the first of three ``strengths``, through this one to the third.

        Up to the first coefficient that reaches zero. Not where one has reached it since: the line has a kink there.
        """
        cdef Py_ssize_t j, k = self.coef.shape[0], first = -1
        cdef double size = 0.0, largest = 0.0, move
        for j in range(k):
            if self.coef[j] == 0.0 and coef_before[j] != 0.0:
                return False
            move = fabs(strengths[1, j] - strengths[0, j])
            if move > largest:
                largest, size = move, (strengths[2, j] - strengths[1, j]) / (strengths[1, j] - strengths[0, j])
        if not 0.0 < size <= 2.0:
            return False
        for j in range(k):
            move = self.coef[j] - coef_before[j]
            if move * self.coef[j] < 0.0 and size * fabs(move) >= fabs(self.coef[j]):
                size, first = fabs(self.coef[j] / move), j
        for j in range(k):
            self.coef[j] += size * (self.coef[j] - coef_before[j])
            self.grad[j] += size * (self.grad[j] - grad_before[j])
        if first >= 0:
            self.coef[first] = 0.0
        return True

    cdef double run(self, double tol, Py_ssize_t budget, double[::1] base_coef, double[::1] base_grad,
                    double[::1] scores, bint foretold) except -1.0:
        """As `solve`; where the point is ``foretold``, who is to enter can be seen before any step."""
        cdef Py_ssize_t i, j, k = self.coef.shape[0], entering, best
        cdef double worst, outside, inside, previous = INFINITY, share = 0.1
        with nogil:
            base_coef[:] = self.coef
            base_grad[:] = self.grad
            if not self.start():
                return INFINITY
            while True:
                if not foretold:
                    if not self.settle(&budget, 0.1 * tol, share):
                        self.refresh(base_coef, base_grad)
                        return INFINITY
                    self.refresh(base_coef, base_grad)
                    look(&self.unseen, 2.0 * self.size * k)
                outside = inside = 0.0
                for j in range(k):
                    scores[j] = self.violation(j)
                for i in range(self.size):
                    j = self.members[i]
                    inside = max(inside, scores[j])
                    scores[j] = 0.0
                for j in range(k):
                    outside = max(outside, scores[j])
                worst = max(inside, outside)
                if worst <= tol or budget <= 0:
                    return worst
                base_coef[:] = self.coef
                base_grad[:] = self.grad
                if inside > 0.1 * worst and not foretold:
                    # The penalty is no parabola here: linearise anew, while that helps.
                    if inside > 0.5 * previous:
                        return worst
                    previous = inside
                    if not self.start():
                        return INFINITY
                    continue
                previous, share, foretold = INFINITY, 0.0, False
                # The worst of the others enter, few at a time.
                for entering in range(1 + self.size // 10):
                    best = 0
                    for j in range(1, k):
                        if scores[j] > scores[best]:
                            best = j
                    if scores[best] <= 0.1 * outside or self.size == self.room:
                        break
                    scores[best] = 0.0
                    if not self.linearise(best):
                        return INFINITY
                    self.append(best)


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


def elastic_sums(const double[:, :] coefs, const double[:, :] grads, const double[:, ::1] strengths, double share,
                 bint positive, const double[::1] curvature=None, uintptr_t address=0, const double[:, ::1] params=None):
    """What the elastic net with this share of L1 makes of each row of ``coefs``.

    Price, largest correlation in units of the strength, conjugate, and largest of `residuals` (0 without ``curvature``);
    ``strengths`` has one column, or one for each coefficient.
    """
    cdef prox_function prox = <prox_function> address
    cdef Py_ssize_t b, j, own = strengths.shape[1] > 1, stride = 0
    cdef double strength, coef, size, pull, price, largest, conjugate, worst, rest = 1.0 - share
    cdef double[:, ::1] out = np.empty((4, coefs.shape[0]))
    if address and params.shape[0] > 1:
        stride = params.shape[1]
    with nogil:
        for b in range(coefs.shape[0]):
            price = largest = conjugate = worst = 0.0
            for j in range(coefs.shape[1]):
                strength, coef, pull = strengths[b, j * own], coefs[b, j], -grads[b, j]
                pull = pull if positive else fabs(pull)
                if not pull <= largest * strength:
                    largest = pull / strength
                pull -= share * strength
                # A zero that is pulled by no more stays.
                if coef == 0.0 and pull <= 0.0:
                    continue
                if address:
                    size = residual(prox, &params[0, 0] + j * stride, coef, grads[b, j], curvature[j], strength)
                    if not size <= worst:
                        worst = size
                if positive and coef < 0.0:
                    price = INFINITY
                size = fabs(coef)
                price += strength * size * (share + 0.5 * rest * size)
                if rest > 0.0 and pull > 0.0:
                    conjugate += pull * (pull / (2.0 * rest * strength))
            out[0, b], out[1, b], out[2, b], out[3, b] = price, largest, conjugate, worst
    return np.asarray(out)


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
