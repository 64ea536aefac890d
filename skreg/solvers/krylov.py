"""Ridge on a wide X in a Krylov space, where a few passes over X are less work than the kernel matrix.

With the names of `skreg.solvers.ridge`, ``A = R Z F^2 Z' R`` is never formed: a pass over X gives ``Z'R v`` and
``A v`` together. The space of ``b, A b, A^2 b, ...`` is the same for every alpha, and with many more columns than
rows all eigenvalues of ``A`` are of one size: a handful of passes solves for all of them.

Y. Saad, "Iterative methods for sparse linear systems", 2nd ed. (2003), sec. 6.6 (Lanczos) and 6.7 (what it leaves).
"""

import math
from typing import NamedTuple

import numpy as np

from skreg.certificate import CONDITION
from skreg.solvers.ridge import BATCH_SIZE, certified, factored, same_shape

__all__ = ["krylov_ridges"]

# To form the kernel of n rows takes about the time of n / KERNEL passes.
KERNEL = 25

# Fewer passes than these are not worth a try; it takes so many to see how fast they lead on.
WORTH, TRIAL = 10, 4

# What is left of a vector after so much has been taken from it is rounding.
NOTHING_LEFT = 1e-13


def krylov_ridges(problem, alphas, tol):
    """Solutions for every alpha, or None where the kernel matrix is the better way.

    Parameters
    ----------
    problem : Problem
        Squared loss, quadratic penalty.
    alphas : list of float
    tol : float

    Returns
    -------
    iterator of Solution, or None
    """
    n_samples, n_features = problem.design.shape
    budget = n_samples * (n_samples * n_features / max(problem.design.X.size, 1)) / KERNEL
    if problem.y.ndim > 1 or problem.moments is not None or n_samples >= n_features or budget < WORTH:
        return None
    strengths, shapes = zip(*(factored(problem, alpha) for alpha in alphas), strict=True)
    if min(strengths) == 0 or not all(same_shape(shape, shapes[0]) for shape in shapes):
        return None
    space = _Space(problem, np.array(strengths), shapes[0])
    found = space.grow(tol, budget)
    return None if found is None else space.solutions(found, alphas, tol)


class _Found(NamedTuple):
    """Solutions in coordinates of the basis, one column for each alpha, and what is known of them."""

    coordinates: np.ndarray
    x: np.ndarray
    left: np.ndarray
    gap: np.ndarray
    violation: np.ndarray

    @property
    def measure(self):
        return np.max(np.maximum(self.gap, CONDITION * self.violation**2))


class _Space:
    """``(A + strength I) x = b`` for every strength, with ``x`` in the span of a basis that grows by a pass over X each.

    ``x`` is the residual over the strength, times the roots of the sample weights.
    """

    def __init__(self, problem, strengths, shape):
        self.problem, self.strengths = problem, strengths
        self.factor = np.ones(problem.n_features) if shape is None else 1.0 / shape
        self.root = np.sqrt(problem.weights)
        self.b = self.root * (problem.y - problem.null_intercept)
        # Columns: the basis, Z'R of it, A times it.
        self.basis, self.products, self.images = [], [], []

    def grow(self, tol, budget):
        """Pass over X until every strength meets ``tol``; None if that would take too many passes."""
        fresh, first = self.b, None
        while len(self.basis) < budget:
            norm = np.linalg.norm(fresh)
            fresh = fresh / norm if norm > 0 else fresh
            product, image = self.problem.design.dot_t_and_back(self.root * fresh, self.factor)
            image *= self.root
            if self.basis:
                found = self.project(fresh, product)
                measure = found.measure
                if measure <= tol:
                    return found
                first = measure if first is None else first
                done = len(self.basis)
                if done > TRIAL:
                    digits = math.log(first / measure) / (done - 1)
                    if not digits > 0.0 or done + math.log(measure / tol) / digits > budget:
                        return None
            self.basis.append(fresh)
            self.products.append(product)
            self.images.append(image)
            fresh, size = image, np.linalg.norm(image)
            for _ in range(2):
                for vector in self.basis:
                    fresh = fresh - (vector @ fresh) * vector
            if np.linalg.norm(fresh) <= NOTHING_LEFT * size:
                fresh = np.zeros_like(fresh)
        return None

    def project(self, fresh, product):
        """The solutions in the span, in Galerkin's sense; what they leave is along ``fresh``, of which ``Z'R`` is ``product``.

        All violations are measured as at the weakest strength: at no other are they larger.
        """
        basis, images, strengths = np.array(self.basis), np.array(self.images), self.strengths
        values, vectors = np.linalg.eigh(basis @ images.T)
        values = np.maximum(values, 0.0)[:, None]
        coordinates = vectors @ ((vectors.T @ (basis @ self.b))[:, None] / (values + strengths))
        x = basis.T @ coordinates
        left = self.b[:, None] - images.T @ coordinates - strengths * x
        size = fresh @ left
        # All else is rounding; no column meets it by more than the two are long.
        rest = np.linalg.norm(left - np.outer(fresh, size), axis=0)
        norms = self.problem.squared_norms
        moves = np.sqrt(norms) * np.abs(product) / (norms + strengths.min() / self.factor)
        violation = np.abs(size) * np.max(moves, initial=0.0) + rest
        # Of two dual points, R^-1 (b - A x) is the better one where the penalty is strong, strength R^-1 x where it is weak.
        reach = np.abs(size) * math.sqrt(self.factor @ np.square(product))
        reach += rest * math.sqrt(self.factor @ norms)
        gap = np.minimum(0.5 * np.sum(np.square(left), axis=0), reach**2 / (2.0 * strengths))
        unit = self.problem.null_loss
        return _Found(coordinates, x, left, gap / unit, violation / math.sqrt(2.0 * unit))

    def solutions(self, found, alphas, tol):
        """Yield the solutions with their certificates."""
        problem, limit = self.problem, max(1, BATCH_SIZE // self.problem.n_features)
        products = np.array(self.products)
        for start in range(0, len(alphas), limit):
            coefs = found.coordinates[:, start : start + limit].T @ products
            coefs *= self.factor
            for k, coef in enumerate(coefs, start):
                residual = found.left[:, k] + self.strengths[k] * found.x[:, k]
                loss, price = 0.5 * (residual @ residual), problem.penalty_value(coef, alphas[k])
                gap, violation = found.gap[k], found.violation[k]
                yield certified(problem, alphas[k], coef, len(self.basis), tol, loss, price, gap, violation)
