"""Newton's method for smooth losses with a quadratic penalty or none."""

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg

from skreg.solvers.base import Progress, Solution, Solver, starting_point
from skreg.solvers.direct import spd_solver

__all__ = ["Newton"]

# Largest Hessian that is formed; beyond it, conjugate gradients on products.
MAX_HESSIAN = 1_000

# So many steps without progress: rounding allows no more.
PATIENCE = 5


class Newton(Solver):
    """Newton steps with a line search, the intercept profiled exactly.

    Systems of moderate size are factorised (Cholesky); large ones are solved by
    preconditioned conjugate gradients on Hessian products, each two passes over
    X, to an accuracy tied to the gradient.

    References
    ----------
    S. Boyd and L. Vandenberghe, "Convex Optimization" (2004), sec. 9.5;
    J. Nocedal and S. Wright, "Numerical Optimization", 2nd ed. (2006), alg. 7.1.
    """

    name = "newton"

    def refuses(self, problem):
        """Penalties that are not quadratic, losses that are not convex."""
        if problem.penalty.quadratic(problem.strength(1.0)) is None:
            return f"{type(problem.penalty).__name__} is not quadratic: Newton's method needs a smooth penalty."
        if not problem.loss.convex:
            return f"{type(problem.loss).__name__} is not convex: its Hessian may have no inverse."
        return None

    def solve(self, problem, alphas, start=None, tol=1e-6, max_iter=10_000):
        """Each alpha from the solution before."""
        for alpha in alphas:
            solution = _solve_one(problem, alpha, start, tol, max_iter)
            start = solution.coef, solution.intercept
            yield solution


def _solve_one(problem, alpha, start, tol, max_iter):
    coef, intercept = starting_point(problem, start, alpha)
    weights = np.asarray(problem.penalty.quadratic(problem.strength(alpha)), dtype=np.float64)
    weights = np.broadcast_to(weights, problem.n_features)
    direction = _cholesky_direction if coef.size <= MAX_HESSIAN else _conjugate_gradient_direction
    best, progress = None, Progress()
    for n_iter in range(1, max_iter + 1):
        eta = problem.design.dot(coef)
        intercept = problem.profile(eta, intercept) if problem.fit_intercept else intercept
        eta += intercept
        point = problem.point(coef, intercept, alpha, eta)
        optimality = point.optimality(tol)
        progress.update(optimality)
        if best is None or optimality.violation <= best.optimality.violation:
            best = Solution(alpha, coef, intercept, n_iter, optimality)
        if problem.diverges(coef, intercept, alpha):
            return Solution(alpha, coef, intercept, n_iter, optimality, diverges=True)
        # One step beyond a gap that holds: Newton doubles the digits of the coefficients.
        if (optimality.converged and optimality.violation <= 1e-3 * np.sqrt(tol)) or progress.stalled >= PATIENCE:
            break
        gradient = point.gradient + (coef.T * weights).T
        move, shift = direction(problem, eta, gradient, weights)
        forward = problem.design.dot(move) + shift
        size = _line_search(problem, coef, eta, move, forward, alpha, float(np.sum(gradient * move)))
        if size == 0.0:
            break
        coef = coef + size * move
        intercept = intercept + size * shift
    stalled = not best.optimality.converged and n_iter < max_iter
    return Solution(alpha, best.coef, best.intercept, n_iter, best.optimality, stalled)


def _line_search(problem, coef, eta, move, forward, alpha, slope):
    value = problem.loss_value(eta) + problem.penalty_value(coef, alpha)
    size = 1.0
    while size > 1e-8:
        reached = problem.loss_value(eta + size * forward) + problem.penalty_value(coef + size * move, alpha)
        if reached <= value + 1e-4 * size * slope + 4e-16 * abs(value):
            return size
        size *= 0.5
    return 0.0


def _cholesky_direction(problem, eta, gradient, weights):
    """Newton direction from the factorised Hessian."""
    n_features, n_outputs = problem.n_features, problem.n_outputs
    features = np.tile(np.arange(n_features), n_outputs)
    outputs = None if eta.ndim == 1 else np.repeat(np.arange(n_outputs), n_features)
    hessian, cross, inner = problem.hessian(eta, features, outputs)
    move = -spd_solver(hessian, weights[features])(gradient.T.ravel())
    shift = problem.intercept_move(cross, inner, move)
    return move.reshape(n_outputs, n_features).T.reshape(gradient.shape), shift


def _conjugate_gradient_direction(problem, eta, gradient, weights):
    """Newton direction from Hessian products, preconditioned by the diagonal."""
    design, shape = problem.design, gradient.shape
    diagonal = problem.curvatures(eta) + (weights if eta.ndim == 1 else weights[:, None])

    def rows_of(forward):
        rows = problem.loss.hessian_product(problem.y, eta, forward)
        return (rows.T * problem.weights).T

    inner = None
    if problem.fit_intercept:
        inner = np.linalg.pinv(problem.intercept_hessian(eta), rcond=1e-12, hermitian=True)

    def best_shift(forward):
        shift = -inner @ np.atleast_1d(rows_of(forward).sum(axis=0))
        return shift if eta.ndim > 1 else shift[0]

    def product(flat):
        coef = flat.reshape(shape)
        forward = design.dot(coef)
        if inner is not None:
            forward += best_shift(forward)
        return (design.dot_t(rows_of(forward)) + (coef.T * weights).T).ravel()

    scale = diagonal.ravel()
    operator = LinearOperator((gradient.size, gradient.size), matvec=product, dtype=np.float64)
    inverse = LinearOperator(operator.shape, matvec=lambda flat: flat / scale, dtype=np.float64)
    # Superlinear convergence: the smaller the gradient, the more exact the direction.
    size = np.sqrt(np.sum(gradient.ravel() ** 2 / scale) / (2.0 * problem.null_loss))
    move = cg(operator, -gradient.ravel(), rtol=min(0.1, float(size)), maxiter=500, M=inverse)[0].reshape(shape)
    shift = best_shift(design.dot(move)) if inner is not None else 0.0
    return move, shift
