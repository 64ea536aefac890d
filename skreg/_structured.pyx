# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Compiled parts of the proximal operators that look at all coefficients at once."""

import numpy as np


def isotonic_decreasing(const double[::1] target, double[::1] out):
    """The non-increasing sequence nearest to ``target``, cut off at zero: pool adjacent violators with a stack."""
    cdef:
        Py_ssize_t n = target.shape[0], j, top = -1, first
        double[::1] total = np.empty(n)
        double[::1] mean = np.empty(n)
        Py_ssize_t[::1] start = np.empty(n, dtype=np.intp)
        double value
    with nogil:
        for j in range(n):
            top += 1
            start[top], total[top], mean[top] = j, target[j], target[j]
            while top > 0 and mean[top - 1] <= mean[top]:
                total[top - 1] += total[top]
                top -= 1
                mean[top] = total[top] / (j + 1 - start[top])
        j = n
        while top >= 0:
            first, value = start[top], mean[top] if mean[top] > 0.0 else 0.0
            while j > first:
                j -= 1
                out[j] = value
            top -= 1


def total_variation(const double[::1] target, double strength, double[::1] out):
    """Minimise ``0.5 * sum((u - target)**2) + strength * sum(|u[j + 1] - u[j]|)`` exactly, in linear time.

    Dynamic programming on the derivative of the best objective of the first j
    coefficients, as a function of the j-th: it is piecewise linear, adding a
    coefficient cuts it off at ``-strength`` and ``strength`` and adds a line.
    """
    cdef:
        Py_ssize_t n = target.shape[0], j, left, right, low, high
        # Where the pieces meet, and by how much slope and offset change there from left to right.
        double[::1] knot = np.empty(2 * n + 2)
        double[::1] slope = np.empty(2 * n + 2)
        double[::1] offset = np.empty(2 * n + 2)
        # Where the derivative reaches -strength and strength.
        double[::1] lower = np.empty(n)
        double[::1] upper = np.empty(n)
        double a, b, c, d, edge
    if n == 0:
        return
    with nogil:
        left, right = n, n - 1
        for j in range(n - 1):
            # The derivative left of all knots is a * u + b, right of them c * u + d.
            edge = 0.0 if j == 0 else strength
            a, b = 1.0, -edge - target[j]
            c, d = 1.0, edge - target[j]
            low = left
            while low <= right and a * knot[low] + b <= -strength:
                a += slope[low]
                b += offset[low]
                low += 1
            high = right
            while high >= low and c * knot[high] + d >= strength:
                c -= slope[high]
                d -= offset[high]
                high -= 1
            lower[j] = (-strength - b) / a
            upper[j] = (strength - d) / c
            left, right = low - 1, high + 1
            knot[left], slope[left], offset[left] = lower[j], a, b + strength
            knot[right], slope[right], offset[right] = upper[j], -c, strength - d
        edge = 0.0 if n == 1 else strength
        a, b = 1.0, -edge - target[n - 1]
        low = left
        while low <= right and a * knot[low] + b <= 0.0:
            a += slope[low]
            b += offset[low]
            low += 1
        out[n - 1] = -b / a
        for j in range(n - 2, -1, -1):
            out[j] = min(max(out[j + 1], lower[j]), upper[j])
