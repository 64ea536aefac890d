"""Ridge for many alphas: one matrix, one decomposition, certificates in its dimension.

With the price ``alpha / 2 * sum(f * coef**2)`` every alpha solves ``(A + alpha I) x = b``:

    more rows than columns   A = F Z'SZ F,         b = F Z'Sy,     coef = F x,          F = diag(f^(-1/2))
    fewer rows               A = R Z F^2 Z' R,     b = R y,        coef = F^2 Z'R x,    R = S^(1/2)

Everything that a certificate needs is a function of ``A``, ``b``, ``x`` and the residual
``e = b - A x - alpha x``: no pass over X is left. What rounding in ``A`` may do to it is
bounded; a solution whose bound is not far below the tolerance is not given out.
"""

import math

import numpy as np
from scipy.linalg.lapack import dpotrs

from skreg import _kernels
from skreg.certificate import CONDITION, Optimality
from skreg.solvers.base import Solution
from skreg.solvers.interrupt import eigen, lower_factor

__all__ = ["BATCH_SIZE", "certified", "factored", "same_shape", "solve_ridges"]

EPS = np.finfo(np.float64).eps

# A spectral decomposition costs about as much as so many Cholesky factors.
MANY = 12

# Coefficients that are held at a time: 64 MB.
BATCH_SIZE = 8_000_000

# Largest relative error of the objective that rounding may cause.
ROUNDING = 1e-8


def solve_ridges(problem, alphas, tol):
    """Solve for every alpha, as far as the small system can tell that it is solved.

    Parameters
    ----------
    problem : Problem
        Squared loss, quadratic penalty.
    alphas : list of float
        Strengths.
    tol : float
        Tolerance of the certificate.

    Yields
    ------
    alpha : float
    solution : Solution or None
        None where something is not penalised, or where rounding may matter.
    """
    system, first = None, 0
    limit = max(1, BATCH_SIZE // max(problem.n_features * problem.n_outputs, 1))
    while first < len(alphas):
        strengths, shape = [], None
        for alpha in alphas[first : first + limit]:
            strength, own = factored(problem, alpha)
            if strengths and (strength == 0 or not same_shape(own, shape)):
                break
            shape = own
            strengths.append(strength)
            if strength == 0:
                break
        chosen = alphas[first : first + len(strengths)]
        first += len(strengths)
        if strengths[-1] == 0:
            yield chosen[0], None
            continue
        if system is None or not same_shape(system.shape, shape):
            side = _FeatureSystem if problem.n_features <= problem.design.shape[0] else _SampleSystem
            system = side(problem, shape)
        yield from zip(chosen, system.solve(chosen, np.array(strengths), tol), strict=True)


def factored(problem, alpha):
    """The weights of the squares as (strength, shape); strength is 0 where one of them is."""
    weights = problem.penalty.quadratic(problem.strength(alpha))
    if not isinstance(weights, np.ndarray):
        return max(float(weights), 0.0), None
    top = float(weights.max(initial=0.0))
    if not weights.min(initial=top) > 0:
        return 0.0, None
    return top, weights / top if (weights != top).any() else None


def certified(problem, alpha, coef, n_iter, tol, loss, price, gap, violation):
    """A solution that meets ``tol``, with its certificate."""
    optimality = Optimality(
        objective=float(loss + price),
        loss=float(loss),
        penalty=float(price),
        gap=float(gap),
        violation=float(violation),
        null_loss=float(problem.null_loss),
        tol=tol,
        converged=True,
        kind="global",
    )
    return Solution(alpha, coef, problem.null_intercept, n_iter, optimality)


def same_shape(left, right):
    """Whether two shapes that `factored` has found are the same up to rounding."""
    if left is None or right is None:
        return left is right
    return np.allclose(left, right, rtol=4 * EPS, atol=0.0)


class _System:
    """``(A + alpha I) x = b`` for one shape of the penalty; outputs are the columns of ``b``."""

    def __init__(self, problem, shape):
        self.problem, self.shape = problem, shape
        self._spectrum = None

    def solve(self, alphas, strengths, tol):
        """A solution or None for every alpha; arrays are (size, n_outputs, n_alphas)."""
        size = len(self.b)
        if len(strengths) > MANY and self._spectrum is None:
            self._spectrum = eigen(self.A)
        solve = self._cholesky(strengths) if self._spectrum is None else self._spectral(strengths)
        # The right side is the same for all alphas.
        b = self.b[:, :, None]
        x = solve(b)
        if x is None:
            return [None] * len(alphas)
        for n_iter in (1, 2):
            Ax = (self.A @ x.reshape(size, -1)).reshape(x.shape)
            e = b - Ax - strengths * x
            gap, loss, price, violation, noise = self._measure(strengths, x, Ax, e)
            # The gap is second order: one more correction sharpens the coefficients.
            if n_iter == 2 or (CONDITION * violation**2 <= 1e-3 * tol).all():
                break
            x = x + solve(e)
        coefs, drift = self._coefs(x)
        loss_unit, unit = self.problem.null_loss, self.problem.unit
        gap, violation = gap / loss_unit, violation / unit
        doubt = noise["gap"] / loss_unit
        unsure = (noise["violation"] + drift) / unit
        sound = (gap + doubt <= tol) & (CONDITION * (violation + unsure) ** 2 <= tol)
        sound &= noise["objective"] <= ROUNDING * (loss + price)
        one = self.problem.y.ndim == 1
        return [
            certified(
                self.problem,
                alpha,
                coef if one else coef.T.copy(),
                n_iter,
                tol,
                loss[k],
                price[k],
                gap[k],
                violation[k],
            )
            if sound[k]
            else None
            for k, (alpha, coef) in enumerate(zip(alphas, coefs[:, 0] if one else coefs, strict=True))
        ]

    def _cholesky(self, strengths):
        factors = []
        for strength in strengths:
            system = self.A.copy(order="F")
            system.ravel(order="K")[:: len(system) + 1] += strength
            factor, failed = lower_factor(system)
            if failed:
                return lambda right: None
            factors.append(factor)

        def solve(right):
            out = np.empty((*right.shape[:2], len(factors)))
            for k, factor in enumerate(factors):
                out[:, :, k] = dpotrs(factor, right[:, :, min(k, right.shape[2] - 1)], lower=1)[0]
            return out

        return solve

    def _spectral(self, strengths):
        values, vectors = self._spectrum
        values = np.maximum(values, 0.0)[:, None, None] + strengths

        def solve(right):
            turned = (vectors.T @ right.reshape(len(values), -1)).reshape(right.shape) / values
            return (vectors @ turned.reshape(len(values), -1)).reshape(turned.shape)

        return solve

    def _drift(self, coefs):
        """What rounding of the means may do to the intercept; ``coefs`` (n_alphas, n_outputs, n_features)."""
        design = self.problem.design
        if design.shift is None:
            return 0.0
        shift = np.abs(design.shift if design.scale is None else design.shift / design.scale)
        return 4 * EPS * math.sqrt(design.shape[0]) * (np.abs(coefs) @ shift).max(axis=1)


class _FeatureSystem(_System):
    """``n_features <= n_samples``: ``x`` is coef in units of ``f^(-1/2)``."""

    def __init__(self, problem, shape):
        super().__init__(problem, shape)
        self.A, b, size = problem.in_moments().moments
        self.b, self._squares = b.reshape(len(b), -1), np.array(size).reshape(-1)
        if shape is not None:
            self._root = np.sqrt(shape)
            self.A = self.A / np.outer(self._root, self._root)
            self.b = self.b / self._root[:, None]
        self._diagonal = self.A.diagonal().copy()

    def _measure(self, strengths, x, Ax, e):
        sums = _kernels.ridge_sums(self.b, x, Ax, e, self._diagonal, strengths, self._squares)
        loss, price, gap, violation, reach, squares = sums
        # |rounding of e_j| <= rounding * norm_j * reach, and likewise of the loss.
        rounding = 4 * EPS * math.sqrt(self.problem.design.shape[0])
        noise = {
            "gap": self._diagonal.sum() * rounding**2 * squares / (2.0 * strengths),
            "violation": rounding * reach,
            "objective": rounding * squares,
        }
        return gap, loss, price, violation, noise

    def _coefs(self, x):
        coefs = np.ascontiguousarray((x if self.shape is None else x / self._root[:, None, None]).T)
        return coefs, self._drift(coefs)


class _SampleSystem(_System):
    """``n_samples < n_features``: ``x`` is the residual over alpha."""

    def __init__(self, problem, shape):
        super().__init__(problem, shape)
        self._root = np.sqrt(problem.weights)[:, None]
        y = problem.y - problem.null_intercept
        self.b = y.reshape(len(y), -1) * self._root
        inverse = np.ones(problem.n_features) if shape is None else 1.0 / shape
        self.A = problem.design.kernel(inverse)
        self.A *= self._root * self._root.T

    def _measure(self, strengths, x, Ax, e):
        residual = self.b[:, :, None] - Ax
        loss = 0.5 * np.square(residual).sum(axis=(0, 1))
        price = 0.5 * strengths * np.maximum((x * Ax).sum(axis=(0, 1)), 0.0)
        turned = (self.A @ e.reshape(len(e), -1)).reshape(e.shape)
        gap = np.maximum((e * turned).sum(axis=(0, 1)), 0.0) / (2.0 * strengths)
        # No coefficient's violation exceeds half the root of the gap, in these units.
        violation = np.sqrt(0.5 * gap)
        trace, norm = np.trace(self.A), np.linalg.norm(self.A)
        rounding = 4 * EPS * math.sqrt(self.problem.n_features) * trace * np.linalg.norm(x, axis=(0, 1))
        noise = {
            "gap": rounding**2 * norm / (2.0 * strengths),
            "violation": np.sqrt(rounding**2 * norm / (4.0 * strengths)),
            "objective": 2.0 * rounding * np.sqrt(2.0 * loss),
        }
        return gap, loss, price, violation, noise

    def _coefs(self, x):
        coefs = self.problem.design.dot_t((x * self._root[:, :, None]).reshape(len(x), -1))
        if self.shape is not None:
            coefs /= self.shape[:, None]
        coefs = np.ascontiguousarray(coefs.T).reshape(*x.shape[1:], -1).swapaxes(0, 1)
        return coefs, self._drift(coefs)
