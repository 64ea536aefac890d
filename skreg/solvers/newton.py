"""Newton's method for smooth losses with a quadratic penalty or none."""

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg

from skreg.certificate import CONDITION
from skreg.model import QuadraticModel
from skreg.solvers.base import Progress, Solution, Solver, starting_point
from skreg.solvers.direct import spd_solver

__all__ = ["Newton"]

# Largest Hessian that is formed; beyond it, conjugate gradients on products.
MAX_HESSIAN = 1_000

# Share of the tolerance that may be left when a solution is looked at: then its coefficients are sharp too.
SHARP = 1e-6

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
    if start is not None and problem.fit_intercept:
        intercept = problem.profile(problem.design.dot(coef), intercept)
    weights = np.asarray(problem.penalty.quadratic(problem.strength(alpha)), dtype=np.float64)
    weights = np.broadcast_to(weights, problem.n_features)
    direction = _cholesky_direction if coef.size <= MAX_HESSIAN else _conjugate_gradient_direction
    best, progress, looking = None, Progress(), False
    for n_iter in range(1, max_iter + 1):
        point = problem.point(coef, intercept, alpha)
        if problem.diverges(coef, intercept, alpha):
            return Solution(alpha, coef, intercept, n_iter, point.optimality(tol), diverges=True)
        move, shift, slope = direction(problem, point, weights)
        # Half the slope is what is left to gain: before it is small, a certificate is a waste.
        little = max(SHARP * tol * problem.null_loss, 1e-15 * abs(point.objective))
        looking = looking or -0.5 * slope <= little or n_iter == max_iter
        if looking:
            optimality = point.optimality(tol)
            progress.update(optimality)
            if best is None or optimality.violation <= best.optimality.violation:
                best = Solution(alpha, coef, intercept, n_iter, optimality)
            sharp = CONDITION * optimality.violation**2 <= tol
            if (optimality.converged and sharp) or progress.stalled >= PATIENCE:
                break
        forward = problem.design.dot(move) + shift
        size = _line_search(problem, point, move, forward, slope)
        if size == 0.0:
            if looking:
                break
            looking = True
        coef = coef + size * move
        intercept = intercept + size * shift
    stalled = not best.optimality.converged and n_iter < max_iter
    return Solution(alpha, best.coef, best.intercept, n_iter, best.optimality, stalled)


def _line_search(problem, point, move, forward, slope):
    """The first of 1, 1/2, 1/4, ... that lowers the objective as the slope promises; 0 if none does."""
    size, noise = 1.0, 4e-16 * abs(point.objective)
    while size > 1e-8:
        reached = problem.loss_value(point.eta + size * forward)
        reached += problem.penalty_value(point.coef + size * move, point.alpha)
        if reached <= point.objective + 1e-4 * size * slope + noise:
            return size
        size *= 0.5
    return 0.0


def _cholesky_direction(problem, point, weights):
    """Newton direction from the factorised Hessian."""
    model = QuadraticModel(point, np.arange(point.coef.size))
    weights = np.repeat(weights, problem.n_outputs)
    gradient = model.gradient + weights * point.coef.ravel()
    move = -spd_solver(model.hessian, weights)(gradient)
    return move.reshape(point.coef.shape), model.intercept_move(move), float(gradient @ move)


def _conjugate_gradient_direction(problem, point, weights):
    """Newton direction from Hessian products, preconditioned by the diagonal."""
    design, eta, shape = problem.design, point.eta, point.coef.shape
    diagonal = (problem.curvatures(eta).T + weights).T.ravel()
    inverse = None
    if problem.fit_intercept:
        inverse = np.linalg.pinv(problem.intercept_hessian(eta), rcond=1e-12, hermitian=True)

    def eliminated(forward, total):
        """The best move of the intercept when the gradient in it is ``total``."""
        if inverse is None:
            return forward
        shift = -inverse @ np.atleast_1d(total)
        return forward + (shift if eta.ndim > 1 else shift[0])

    def product(flat):
        coef = flat.reshape(shape)
        forward = design.dot(coef)
        forward = eliminated(forward, problem.hessian_rows(eta, forward).sum(axis=0))
        return (design.dot_t(problem.hessian_rows(eta, forward)) + (coef.T * weights).T).ravel()

    start = eliminated(np.zeros_like(eta), point.row_gradient.sum(axis=0))
    gradient = point.gradient + design.dot_t(problem.hessian_rows(eta, start)) + (point.coef.T * weights).T
    gradient = gradient.ravel()
    operator = LinearOperator((gradient.size, gradient.size), matvec=product, dtype=np.float64)
    preconditioner = LinearOperator(operator.shape, matvec=lambda flat: flat / diagonal, dtype=np.float64)
    # Superlinear convergence: the smaller the gradient, the more exact the direction.
    size = np.sqrt(np.sum(gradient**2 / diagonal) / (2.0 * problem.null_loss))
    move = cg(operator, -gradient, rtol=min(0.1, float(size)), maxiter=500, M=preconditioner)[0]
    forward = design.dot(move.reshape(shape)) + start
    shift = eliminated(np.zeros_like(eta[:1]), (problem.hessian_rows(eta, forward) + point.row_gradient).sum(axis=0))[0]
    shift = shift + start[0]
    return move.reshape(shape), shift, float(gradient @ move)
