# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The loops of Newton's method on a few columns, on arrays that are made once."""

import numpy as np

from libc.math cimport fabs, sqrt
from libc.stdint cimport uintptr_t

from skreg._prox cimport prox_function, residual

cdef extern from "_simd.h" nogil:
    void skreg_axpy "skreg_axpy_d"(long n, double a, const double *x, double *y)
    double skreg_dot "skreg_dot_d"(long n, const double *x, const double *y)
    void skreg_dots(long n, const double *x, const double *a, const double *b, const double *c, const double *d, double *out)
    double skreg_squares "skreg_squares_d"(long n, const double *x, const double *w, double shift)
    void skreg_copy "skreg_copy_d_d"(long n, const double *x, const double *next, double shift, const double *scale, double *out)
    void skreg_copy_single "skreg_copy_d_f"(long n, const double *x, const double *next, double shift, const double *scale, float *out)


cdef class SmallLoops:
    """X with the intercept as its last column, a point, and what a step from there computes.

    A model is of some of the columns, which `choose` finds, and of the intercept.

    Attributes
    ----------
    columns : ndarray of shape (n_samples, m), Fortran order
        m is the number of features, and one more if there is an intercept; so long are points, gradients and moves.
    point, gradient, scores, move, reached : ndarray of shape (m,)
        The scores are the violation of each coefficient and that of the intercept, before they are divided by their unit.
    eta : ndarray of shape (n_samples,)
        Linear predictor at ``reached``.
    alpha : ndarray of shape (n_features,)
        Strengths.
    chosen : ndarray of shape (k,)
        Columns of the model.
    gram, coef, grad, step, strength : ndarray
        The model of their coefficients alone, with the intercept at its best for every move, after `eliminate`.
    """

    cdef readonly object columns, point, gradient, scores, move, reached, eta, alpha, chosen
    cdef readonly object gram, coef, grad, step, strength
    cdef const double[::1, :] x
    cdef const double[::1] weights
    cdef double[:, ::1] g
    cdef double[::1] at, slope, change, end, end_eta, now_eta, forward, slopes, curvatures, roots, score, cross, a
    cdef double[::1] c, q, s, t
    cdef Py_ssize_t[::1] order
    cdef char[::1] inside
    cdef double total
    cdef Py_ssize_t size

    def __init__(self, columns, weights, Py_ssize_t size):
        cdef Py_ssize_t n = columns.shape[0], m = columns.shape[1]
        self.size = size
        self.x = self.columns = columns
        self.weights = weights
        self.point, self.gradient, self.move, self.reached = np.zeros((4, m))
        self.at, self.slope, self.change, self.end = self.point, self.gradient, self.move, self.reached
        self.end_eta = self.eta = np.empty(n)
        self.now_eta, self.forward, self.slopes, self.curvatures, self.roots = np.empty((5, n))
        self.score = self.scores = np.empty(m)
        self.cross = np.empty(m)
        self.a = self.alpha = np.empty(size)
        self.inside = np.zeros(size, dtype=np.int8)
        self.order = self.chosen = np.empty(0, dtype=np.intp)

    cdef void times(self, const double[::1] vector, double[::1] out) noexcept nogil:
        cdef Py_ssize_t j, n = self.x.shape[0]
        out[:] = 0.0
        for j in range(self.x.shape[1]):
            if vector[j] != 0.0:
                skreg_axpy(n, vector[j], &self.x[0, j], &out[0])

    def begin(self, const double[::1] coef, double intercept):
        """Go to a point."""
        self.end[:] = intercept
        self.end[: self.size] = coef
        self.times(self.end, self.end_eta)

    def take(self, const double[::1] value, const double[::1] gradient, const double[::1] curvature):
        """Take over what the loss of each row is at ``eta``, and its derivatives; returns the mean loss."""
        cdef Py_ssize_t i
        cdef double loss = 0.0
        for i in range(self.weights.shape[0]):
            loss += self.weights[i] * value[i]
            self.slopes[i] = self.weights[i] * gradient[i]
            self.curvatures[i] = self.weights[i] * curvature[i]
        return loss

    def arrive(self, uintptr_t address, const double[:, ::1] params):
        """What was reached is the point; its gradient and its scores, the largest of which is returned."""
        cdef prox_function prox = <prox_function> address
        cdef Py_ssize_t j, n = self.x.shape[0], stride = params.shape[1] if params.shape[0] > 1 else 0
        cdef double worst = 0.0, curvature
        cdef const double *own
        self.at[:] = self.end
        self.now_eta[:] = self.end_eta
        for j in range(self.x.shape[1]):
            self.slope[j] = skreg_dot(n, &self.x[0, j], &self.slopes[0])
            own, self.score[j] = &params[0, 0] + j * stride, 0.0
            # Zeros that stay zero with one step do so with any.
            if j < self.size and self.at[j] == 0.0 and prox(-self.slope[j], 1.0, self.a[j], own) == 0.0:
                continue
            curvature = skreg_squares(n, &self.x[0, j], &self.curvatures[0], 0.0)
            if not curvature > 0.0:
                curvature = 1.0
            if j < self.size:
                self.score[j] = residual(prox, own, self.at[j], self.slope[j], curvature, self.a[j])
            else:
                self.score[j] = fabs(self.slope[j]) / sqrt(curvature)
            if not self.score[j] <= worst:
                worst = self.score[j]
        return worst

    def choose(self, Py_ssize_t few):
        """Which columns the next model is of: those in use, and the worst others; not many more than were in use, or a ``few``.

        After `arrive`. Tells whether the model before has not been of all of them.
        """
        cdef Py_ssize_t j, used = 0, wanted = 0, most, k = 0
        cdef bint other = False
        cdef double least = 0.0
        for j in range(self.size):
            if self.at[j] != 0.0:
                used += 1
            elif self.score[j] == 0.0:
                continue
            wanted += 1
            other |= not self.inside[j]
        if not other:
            return False
        most = max(used, few)
        if wanted > used + most:
            others = self.scores[: self.size].copy()
            others[self.point[: self.size] != 0.0] = 0.0
            others.partition(self.size - most)
            least = others[self.size - most]
        self.order = self.chosen = np.empty(wanted, dtype=np.intp)
        for j in range(self.size):
            self.inside[j] = self.at[j] != 0.0 or (self.score[j] > 0.0 and self.score[j] >= least)
            if self.inside[j]:
                self.order[k] = j
                k += 1
        self.order = self.chosen = self.chosen[:k]
        return True

    def choose_all(self):
        """The model is to be of all columns."""
        self.order = self.chosen = np.arange(self.size)

    def near(self, double share):
        """Whether no more than so large a share of the weights of the rows has changed since `take_roots`."""
        cdef Py_ssize_t i
        cdef double change = 0.0, total = 0.0, before
        for i in range(self.roots.shape[0]):
            before = self.roots[i] * self.roots[i]
            change += fabs(self.curvatures[i] - before)
            total += before
        return change <= share * total

    def take_roots(self):
        """The roots of the curvatures of the rows, for `weighted`."""
        cdef Py_ssize_t i
        for i in range(self.roots.shape[0]):
            self.roots[i] = sqrt(self.curvatures[i])

    def weighted(self, Py_ssize_t start, Py_ssize_t stop, bint single=False):
        """Some rows of the columns of the model and that of the intercept, times the roots: their square is the Hessian.

        ``single``: as float32.
        """
        cdef Py_ssize_t i, j, following, n = min(stop, self.x.shape[0]) - start, k = self.order.shape[0]
        cdef Py_ssize_t m = k + self.x.shape[1] - self.size
        cdef float[::1, :] s
        cdef double[::1, :] w
        out = np.empty((n, m), np.float32 if single else np.float64, order="F")
        if single:
            s = out
        else:
            w = out
        for i in range(m):
            j = self.order[i] if i < k else self.size
            following = self.order[i + 1] if i + 1 < k else self.size
            if single:
                skreg_copy_single(n, &self.x[start, j], &self.x[start, following], 0.0, &self.roots[start], &s[0, i])
            else:
                skreg_copy(n, &self.x[start, j], &self.x[start, following], 0.0, &self.roots[start], &w[0, i])
        return out

    def products(self, const double[::1, :] rows):
        """The square of what `weighted` has made of all rows, of few columns: the lower triangle."""
        cdef Py_ssize_t i, j, n = rows.shape[0], m = rows.shape[1]
        cdef double[4] four
        result = np.empty((m, m), order="F")
        cdef double[::1, :] out = result
        for j in range(m):
            i = j
            while i + 4 <= m:
                skreg_dots(n, &rows[0, j], &rows[0, i], &rows[0, i + 1], &rows[0, i + 2], &rows[0, i + 3], four)
                out[i, j], out[i + 1, j], out[i + 2, j], out[i + 3, j] = four[0], four[1], four[2], four[3]
                i += 4
            while i < m:
                out[i, j] = skreg_dot(n, &rows[0, j], &rows[0, i])
                i += 1
        return result

    def squares(self):
        """Curvature along the columns that are in use at what was reached; NaN for the others."""
        cdef Py_ssize_t j, n = self.x.shape[0]
        out = np.full(self.size, np.nan)
        cdef double[::1] o = out
        for j in range(self.size):
            if self.end[j] != 0.0:
                o[j] = skreg_squares(n, &self.x[0, j], &self.curvatures[0], 0.0)
        return out

    def eliminate(self, const double[::1, :] hessian):
        """The matrix of the model in which the intercept is at its best for every move, from the lower triangle with it."""
        cdef Py_ssize_t i, j, k = self.order.shape[0]
        cdef bint intercept = self.x.shape[1] > self.size
        cdef double share = 0.0
        self.g = self.gram = np.empty((k, k))
        self.coef, self.grad, self.step, self.strength = np.empty((4, k))
        self.c, self.q, self.s, self.t = self.coef, self.grad, self.step, self.strength
        self.total = hessian[k, k] if intercept else 0.0
        for j in range(k):
            if intercept:
                self.cross[j] = hessian[k, j]
                share = hessian[k, j] / self.total
            for i in range(j, k):
                self.g[i, j] = hessian[i, j] - share * hessian[k, i] if intercept else hessian[i, j]
                self.g[j, i] = self.g[i, j]
            self.s[j] = 1.0 / self.g[j, j] if self.g[j, j] > 0.0 else 1.0
            self.t[j] = self.a[self.order[j]]

    def place(self):
        """Let the model begin at the point."""
        cdef Py_ssize_t i, j
        for i in range(self.order.shape[0]):
            j = self.order[i]
            self.c[i], self.q[i] = self.at[j], self.slope[j]
            if self.x.shape[1] > self.size:
                self.q[i] -= self.cross[i] / self.total * self.slope[self.size]

    def complete(self):
        """The move to where the model ends, the intercept's own included."""
        cdef Py_ssize_t i, j
        cdef double rest = 0.0
        self.change[:] = 0.0
        for i in range(self.order.shape[0]):
            j = self.order[i]
            self.change[j] = self.c[i] - self.at[j]
            rest += self.cross[i] * self.change[j]
        if self.x.shape[1] > self.size:
            self.change[self.size] = -(rest + self.slope[self.size]) / self.total

    def depart(self):
        """Make the whole move; returns the slope along it."""
        cdef Py_ssize_t j
        cdef double slope = 0.0
        self.times(self.change, self.forward)
        for j in range(self.x.shape[1]):
            slope += self.slope[j] * self.change[j]
        self.reach(1.0)
        return slope

    cpdef reach(self, double length):
        """Make a part of the move."""
        cdef Py_ssize_t i
        for i in range(self.x.shape[1]):
            self.end[i] = self.at[i] + length * self.change[i]
        for i in range(self.x.shape[0]):
            self.end_eta[i] = self.now_eta[i] + length * self.forward[i]

    def balance(self):
        """A Newton step of the intercept alone, from what was reached; returns the derivative that it was taken for."""
        cdef Py_ssize_t i
        cdef double total = 0.0, curvature = 0.0, shift
        for i in range(self.slopes.shape[0]):
            total += self.slopes[i]
            curvature += self.curvatures[i]
        if fabs(total) > 1e-15 and curvature > 0.0:
            shift = -total / curvature
            self.end[self.size] += shift
            for i in range(self.slopes.shape[0]):
                self.end_eta[i] += shift
        return fabs(total)
