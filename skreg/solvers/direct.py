"""Closed forms of the ridge family: squared loss, quadratic penalty or none."""

import numpy as np
from scipy.linalg import LinAlgError, cho_solve
from scipy.linalg.lapack import dpotrs

from skreg.solvers.base import Solution, Solver
from skreg.solvers.interrupt import eigen, lower_factor
from skreg.solvers.krylov import krylov_ridges
from skreg.solvers.ridge import solve_ridges

__all__ = ["ClosedForm", "spd_solver", "spd_solvers"]

# Largest system that is factorised; a Gram matrix of this size takes 0.5 GB.
MAX_SIZE = 8_000


class ClosedForm(Solver):
    """Ridge and least squares by one factorisation, on the smaller side of X.

    With more rows than columns: ``(Z'SZ + D) w = Z'Sy``. With fewer:
    ``w = D^-1 Z'S^(1/2) (S^(1/2) Z D^-1 Z' S^(1/2) + I)^-1 S^(1/2) y``, the
    unpenalised columns eliminated. All targets share the factorisation, and all
    alphas the matrix: it is formed once, and solutions are certified by it
    wherever its rounding is known to be smaller than the tolerance. Elsewhere
    they are refined by residuals computed from X. For one target and far
    more columns than rows a Krylov space of the residuals, a few passes over X, is less
    work than the matrix, which is then never formed.

    References
    ----------
    C. Saunders, A. Gammerman, V. Vovk, "Ridge regression learning algorithm in
    dual variables", ICML 1998, sec. 2 (the n-sided form).
    """

    name = "closed_form"

    def refuses(self, problem):
        """Losses that are not squared, penalties that are not quadratic, two long sides."""
        if not problem.loss.quadratic:
            return f"{type(problem.loss).__name__} is not the squared loss: it has no closed form."
        if problem.penalty.quadratic(problem.strength(1.0)) is None:
            return f"{type(problem.penalty).__name__} is not quadratic: it has no closed form."
        if min(problem.design.shape) > MAX_SIZE:
            return f"X has {problem.design.shape} entries: both sides exceed {MAX_SIZE}."
        return None

    def solve(self, problem, alphas, start=None, tol=1e-6, max_iter=10_000):
        """A Krylov space for all alphas, if a few passes over X do; else a factorisation for each or for all."""
        alphas, side = list(alphas), None
        solutions = krylov_ridges(problem, alphas, tol)
        if solutions is not None:
            yield from solutions
            return
        for alpha, solution in solve_ridges(problem, alphas, tol):
            if solution is None:
                if side is None:
                    n_samples, n_features = problem.design.shape
                    side = (_FeatureSide if n_features <= n_samples else _SampleSide)(problem)
                weights = np.asarray(problem.penalty.quadratic(problem.strength(alpha)), dtype=np.float64)
                correct = side.factorise(np.broadcast_to(weights, problem.n_features))
                solution = _refine(problem, alpha, correct, tol, max_iter)
            yield solution


def _refine(problem, alpha, correct, tol, max_iter):
    """Solve, then correct by the same factorisation until the certificate holds.

    The normal equations lose half the digits; residuals computed from X itself
    give them back (iterative refinement).
    """
    coef, intercept = np.zeros(problem.coef_shape), problem.null_intercept
    eta = np.zeros(problem.y.shape) + intercept
    best = None
    for n_iter in range(1, min(max_iter, 10) + 1):
        coef = correct(coef, eta)
        eta = problem.eta(coef, intercept)
        optimality = problem.point(coef, intercept, alpha, eta).optimality(tol)
        if best is not None and not optimality.violation < 0.5 * best.optimality.violation:
            break
        best = Solution(alpha, coef, intercept, n_iter, optimality)
        # The gap is second order: one more correction costs little and sharpens the coefficients.
        if optimality.converged and optimality.violation <= 1e-3 * np.sqrt(tol):
            break
    return best._replace(stalled=not best.optimality.converged)


class _FeatureSide:
    """``n_features <= n_samples``: the system in coef."""

    def __init__(self, problem):
        self.problem = problem
        self.gram = problem.gram()

    def factorise(self, weights):
        problem, solve = self.problem, spd_solver(self.gram, weights)

        def correct(coef, eta):
            gradient = problem.design.dot_t(problem.row_gradient(eta)) + (coef.T * weights).T
            return coef - solve(gradient)

        return correct


class _SampleSide:
    """``n_samples < n_features``: the system in the residuals.

    With ``B`` the unpenalised columns and ``K`` the kernel of the others, dual
    variables ``u`` and coefficients ``b`` solve ``(K + I) u + B b = y, B'u = 0``,
    and the paid coefficients are ``D^-1 Z'u``.
    """

    def __init__(self, problem):
        self.problem = problem
        self.root = np.sqrt(problem.weights)

    def _times_t(self, rows):
        return self.problem.design.dot_t((rows.T * self.root).T)

    def _residual(self, eta):
        return ((self.problem.y - eta).T * self.root).T

    def _kernel(self, feature_weights):
        return self.problem.design.kernel(feature_weights) * np.outer(self.root, self.root)

    def factorise(self, weights):
        paid = weights > 0
        if not paid.any():
            # Least squares with more columns than rows: the solution of minimal norm.
            inverse = _pseudo_inverse(self._kernel(np.ones(len(weights))))
            return lambda coef, eta: coef + self._times_t(inverse @ self._residual(eta))
        inverted = np.where(paid, 1.0 / np.where(paid, weights, 1.0), 0.0)
        kernel = self._kernel(inverted)
        kernel[np.diag_indices_from(kernel)] += 1.0
        factor, failed = lower_factor(kernel)
        if failed:
            raise LinAlgError("The kernel matrix is not positive definite.")
        factor = factor, True
        free = np.flatnonzero(~paid)
        basis = self.problem.design.columns(free) * self.root[:, None]
        schur = spd_solver(basis.T @ cho_solve(factor, basis), np.zeros(free.size)) if free.size else None
        dual = np.zeros(self.problem.y.shape)

        def correct(coef, eta):
            nonlocal dual
            residual = self._residual(eta) - dual
            own = coef[free]
            if free.size:
                move = schur(basis.T @ (cho_solve(factor, residual) + dual))
                residual, own = residual - basis @ move, own + move
            dual = dual + cho_solve(factor, residual)
            coef = (self._times_t(dual).T * inverted).T
            coef[free] = own
            return coef

        return correct


def spd_solver(gram, weights):
    """A function that solves ``(gram + diag(weights)) x = b``, of minimal norm if singular."""
    systems, units = _in_units(np.array(gram)[None], weights)
    (solve, _), unit = _solver(systems[0]), units[0]
    return lambda b: (solve((b.T * unit).T).T * unit).T


def spd_solvers(grams, weights):
    """The same for several matrices: a function that solves each of them for a row of what it is given; and their least pivot."""
    systems, units = _in_units(np.array(grams), weights)
    solvers, pivots = zip(*map(_solver, systems), strict=True)
    return lambda rows: units * np.array([solve(row) for solve, row in zip(solvers, units * rows, strict=True)]), min(
        pivots
    )


def _in_units(systems, weights):
    """Add ``weights`` to the diagonals and divide by the roots of these, in place; returns the inverse roots, too.

    Columns of very different size make a matrix look singular that is not.
    """
    diagonals = np.einsum("kii->ki", systems)
    diagonals += weights
    units = np.sqrt(np.maximum(diagonals, 0.0))
    units = 1.0 / np.where(units > 0, units, 1.0)
    systems *= units[:, None]
    systems *= units[..., None]
    return systems, units


def _solver(system):
    """A function that solves a symmetric system with a diagonal of ones, and the least pivot of its factor; 0 where it is singular."""
    factor, failed = lower_factor(system.copy().T)
    pivot = 0.0 if failed else factor.diagonal().min(initial=1.0) ** 2
    # A pivot at rounding level: the rest of the factor is noise.
    if pivot > 1e-13:
        return lambda b: dpotrs(factor, b, lower=1)[0], pivot
    inverse = _pseudo_inverse(system)
    return lambda b: inverse @ b, 0.0


def _pseudo_inverse(matrix):
    values, vectors = eigen(matrix)
    keep = values > values[-1] * len(values) * np.finfo(float).eps * 10 if values.size else []
    vectors = vectors[:, keep]
    return (vectors / values[keep]) @ vectors.T
