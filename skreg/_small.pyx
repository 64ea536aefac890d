# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The loops of Newton's method on small problems, on arrays that are made once."""

import numpy as np

from libc.math cimport fabs, sqrt
from libc.stdint cimport uintptr_t

from skreg._prox cimport prox_function, residual

cdef extern from "_simd.h" nogil:
    void skreg_axpy "skreg_axpy_d"(long n, double a, const double *x, double *y)
    double skreg_dot "skreg_dot_d"(long n, const double *x, const double *y)


cdef class SmallLoops:
    """X with the intercept as its last column, a point, and what a step from there computes.

    Attributes
    ----------
    columns : ndarray of shape (n_samples, m), Fortran order
        m is the number of features, and one more if there is an intercept; so long are points, gradients and moves.
    weighted : ndarray shaped like columns
        Columns times the roots of the curvatures of the rows, after `weigh`.
    hessian : ndarray of shape (m, m), Fortran order
        To be filled with the lower triangle of ``weighted.T @ weighted``.
    point, gradient, move, reached : ndarray of shape (m,)
    eta : ndarray of shape (n_samples,)
        Linear predictor at ``reached``.
    gram, coef, grad, step, alpha : ndarray
        The model of the coefficients alone, with the intercept at its best for every move, after `eliminate`.
    """

    cdef readonly object columns, weighted, hessian, point, gradient, move, reached, eta, gram, coef, grad, step, alpha
    cdef const double[::1, :] x
    cdef const double[::1] weights
    cdef double[::1, :] w, h
    cdef double[:, ::1] g
    cdef double[::1] at, slope, change, end, end_eta, now_eta, forward, slopes, curvatures, curvature, c, q, s, a
    cdef Py_ssize_t size

    def __init__(self, columns, weights, Py_ssize_t size):
        cdef Py_ssize_t n = columns.shape[0], m = columns.shape[1]
        self.size = size
        self.x = self.columns = columns
        self.weights = weights
        self.w = self.weighted = np.empty_like(columns)
        self.h = self.hessian = np.empty((m, m), order="F")
        self.point, self.gradient, self.move, self.reached = np.zeros((4, m))
        self.at, self.slope, self.change, self.end = self.point, self.gradient, self.move, self.reached
        self.end_eta = self.eta = np.empty(n)
        self.now_eta, self.forward, self.slopes, self.curvatures = np.empty((4, n))
        self.curvature = np.empty(m)
        self.g = self.gram = np.empty((size, size))
        self.coef, self.grad, self.step, self.alpha = np.empty((4, size))
        self.c, self.q, self.s, self.a = self.coef, self.grad, self.step, self.alpha

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

    def arrive(self):
        """What was reached is the point; its gradient."""
        cdef Py_ssize_t j, n = self.x.shape[0]
        self.at[:] = self.end
        self.now_eta[:] = self.end_eta
        for j in range(self.x.shape[1]):
            self.slope[j] = skreg_dot(n, &self.x[0, j], &self.slopes[0])

    def weigh(self):
        """The square of ``weighted`` is to be the Hessian at the point."""
        cdef Py_ssize_t i, j, n = self.x.shape[0]
        for i in range(n):
            self.curvatures[i] = sqrt(self.curvatures[i])
        for j in range(self.x.shape[1]):
            for i in range(n):
                self.w[i, j] = self.curvatures[i] * self.x[i, j]

    def violation(self, uintptr_t address, const double[:, ::1] params):
        """As `Point.violation`, before it is divided by its unit; with the curvature of the last Hessian."""
        cdef prox_function prox = <prox_function> address
        cdef Py_ssize_t j, stride = params.shape[1] if params.shape[0] > 1 else 0
        cdef double worst = 0.0, curvature
        for j in range(self.x.shape[1]):
            curvature = self.h[j, j] if self.h[j, j] > 0.0 else 1.0
            if j < self.size:
                worst = max(worst, residual(prox, &params[0, 0] + j * stride, self.at[j], self.slope[j], curvature,
                                            self.a[j]))
            else:
                worst = max(worst, fabs(self.slope[j]) / sqrt(curvature))
        return worst

    def eliminate(self):
        """The model in which the intercept is at its best for every move, at the point."""
        cdef Py_ssize_t i, j, k = self.size
        cdef bint intercept = self.x.shape[1] > k
        cdef double share
        for j in range(k):
            share = self.h[k, j] / self.h[k, k] if intercept else 0.0
            self.c[j] = self.at[j]
            self.q[j] = self.slope[j] - share * self.slope[k] if intercept else self.slope[j]
            for i in range(j, k):
                self.g[i, j] = self.h[i, j] - share * self.h[k, i] if intercept else self.h[i, j]
                self.g[j, i] = self.g[i, j]
            self.s[j] = 1.0 / self.g[j, j] if self.g[j, j] > 0.0 else 1.0

    def complete(self):
        """The move to the solution of that model, the intercept's own included."""
        cdef Py_ssize_t j, k = self.size
        cdef double rest
        for j in range(k):
            self.change[j] = self.c[j] - self.at[j]
        if self.x.shape[1] > k:
            rest = self.slope[k]
            for j in range(k):
                rest += self.h[k, j] * self.change[j]
            self.change[k] = -rest / self.h[k, k]

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
