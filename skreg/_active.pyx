# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Newton's method on the support of a penalised quadratic, which it finds one coefficient at a time."""

import numpy as np

from libc.math cimport INFINITY, NAN, fabs, sqrt
from libc.stdint cimport uintptr_t
from libc.string cimport memmove

from skreg._prox cimport prox_function
from skreg._signals cimport look
from skreg.pages import in_large_pages

cdef extern from "_simd.h" nogil:
    void skreg_axpy "skreg_axpy_d"(long n, double a, const double *x, double *y)
    void skreg_rotate(long n, double c, double s, double *x, double *y)
    void skreg_dots(long n, const double *x, const double *a, const double *b, const double *c, const double *d, double *out)
    void skreg_gather(long n, const double *w, const double *a, const double *b, const double *c, const double *d, double *y)

# A column of which less than this share is new is taken to depend on the others.
cdef double DEPENDENT = 1e-11

# With more changes than this LAPACK makes a factor anew in less time than it takes here.
cdef Py_ssize_t LARGE_FACTOR = 500
# So many of the others enter at once at most, as a share of the support, and no others than those that violate by so much of
# the largest violation: who enters among many may have to leave again.
cdef Py_ssize_t ONE_IN = 20
cdef double ALIKE = 0.3
# A column stays in the factor while its curvature differs from that of the penalty by no more than this share.
cdef double NEAR = 0.4


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
        cdef double[:, ::1] factor = in_large_pages((room, room))
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

    def system(self, const Py_ssize_t[::1] support):
        """The upper triangle of ``G + P''`` on the support, where `changes` has found that."""
        cdef Py_ssize_t i, j, n = support.shape[0]
        cdef double[:, ::1] system = np.empty((n, n))
        cdef const double *row
        for i in range(n):
            row = &self.gram[support[i], 0]
            for j in range(i, n):
                system[i, j] = row[support[j]]
            system[i, i] += self.curvature[support[i]]
        return np.asarray(system)

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
                for entering in range(1 + self.size // ONE_IN):
                    best = 0
                    for j in range(1, k):
                        if scores[j] > scores[best]:
                            best = j
                    if scores[best] <= ALIKE * outside or self.size == self.room:
                        break
                    scores[best] = 0.0
                    if not self.linearise(best):
                        return INFINITY
                    self.append(best)
