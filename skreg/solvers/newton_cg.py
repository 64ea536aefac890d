"""Newton's method with conjugate gradients: the penalty is a quadratic form of all coefficients, and no Hessian is formed."""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, cg, splu

from skreg.curvature import curvatures
from skreg.solvers.base import Progress, Solution, Solver, starting_point
from skreg.solvers.coordinate import each_output
from skreg.solvers.line_search import line_search

__all__ = ["NewtonCG"]

# The residual of a Newton system, relative to its right-hand side: the squared loss has only one system.
EXACT, FORCING = 1e-10, 0.1

# Conjugate gradients at most for one system.
MOST_GRADIENTS = 2_000

# Share of the loss's curvature in the preconditioner where X has fewer rows than columns: most directions have none of it.
LITTLE_CURVATURE = 1e-4

# So many models without progress: rounding allows no more.
PATIENCE = 5


class NewtonCG(Solver):
    """Newton steps with a line search; each system takes two passes over X for every conjugate gradient.

    Where the matrix of the penalty is known, it and the diagonal of the loss's Hessian are the preconditioner.

    References
    ----------
    J. Nocedal and S. Wright, "Numerical Optimization", 2nd ed. (2006), alg. 7.1.
    """

    name = "newton_cg"

    def refuses(self, problem):
        """Penalties that are no quadratic form, losses that are not convex."""
        if problem.penalty.quadratic_form(1.0) is None:
            return f"{type(problem.penalty).__name__} is no quadratic form of all coefficients (`quadratic_form`)."
        if not problem.loss.convex:
            return f"{type(problem.loss).__name__} is not convex: its Hessian may have no inverse."
        return None

    def solve(self, problem, alphas, start=None, tol=1e-6, max_iter=10_000):
        """Each alpha from the solution before."""
        if problem.y.ndim > 1 and problem.outputs_apart:
            yield from each_output(self, problem, alphas, start, tol, max_iter)
            return
        for alpha in alphas:
            solution = _solve_one(problem, alpha, start, tol, max_iter)
            start = solution.coef, solution.intercept
            yield solution


def _solve_one(problem, alpha, start, tol, max_iter):
    point = problem.point(*starting_point(problem, start, alpha), alpha)
    form, best, progress = problem.penalty.quadratic_form(alpha), None, Progress()
    for n_iter in range(1, max_iter + 1):
        optimality = point.optimality(tol)
        progress.update(optimality)
        if best is None or optimality.violation <= best.optimality.violation:
            best = Solution(alpha, point.coef, point.intercept, n_iter, optimality, gradient=point.gradient)
        if optimality.converged or progress.stalled >= PATIENCE:
            break
        system = _NewtonSystem(point, form)
        point, size = line_search(point, *system.step(min(FORCING, optimality.violation)))
        if not size:
            break
    stalled = not best.optimality.converged and n_iter < max_iter
    return Solution(alpha, best.coef, best.intercept, n_iter, best.optimality, stalled, gradient=best.gradient)


class _NewtonSystem:
    """The Newton equations at a point; vectors are the coefficients, row by row, and the intercepts."""

    def __init__(self, point, form):
        self.point, self.form, problem = point, form, point.problem
        self.shape, self.size = point.coef.shape, point.coef.size
        self.gradient = self._joined(point.gradient + form @ point.coef, point.row_gradient)
        self._inverse = None
        if not isinstance(form, LinearOperator):
            # Of an operator only products are known; the loss's diagonal alone would do more harm than good.
            curvature = curvatures(problem, point.eta, None if problem.loss.quadratic else point.row_curvature)
            share = LITTLE_CURVATURE if problem.design.shape[0] < problem.n_features else 1.0
            inverse = self._preconditioner(share * curvature)
            self._inverse = LinearOperator((self.gradient.size,) * 2, inverse, dtype=np.float64)

    def _joined(self, coef, rows):
        if not self.point.problem.fit_intercept:
            return coef.ravel()
        return np.concatenate([coef.ravel(), np.atleast_1d(rows.sum(axis=0))])

    def _split(self, vector):
        coef, rest = vector[: self.size].reshape(self.shape), vector[self.size :]
        if not rest.size:
            return coef, np.zeros_like(self.point.intercept)
        return coef, rest if len(self.shape) > 1 else rest[0]

    def _product(self, vector):
        problem, (coef, intercept) = self.point.problem, self._split(vector)
        forward = problem.design.dot(coef) + intercept
        rows = problem.weighted(problem.loss.hessian_product(problem.y, self.point.eta, forward))
        return self._joined(problem.design.dot_t(rows) + self.form @ coef, rows)

    def _preconditioner(self, curvature):
        """A function that solves with the penalty's matrix and the loss's diagonal, one output at a time."""
        columns = curvature.reshape(len(curvature), -1).T
        form = sparse.csc_array(self.form)
        solvers = [splu(form + sparse.diags_array(column, format="csc")).solve for column in columns]

        def inverse(vector):
            answer = vector.copy()
            block = answer[: self.size].reshape(len(curvature), -1)
            for k, solve in enumerate(solvers):
                block[:, k] = solve(np.ascontiguousarray(block[:, k]))
            return answer

        return inverse

    def step(self, residual):
        """The step in coefficients and intercept, up to a relative residual, and the slope along it."""
        shape = (self.gradient.size,) * 2
        accuracy = EXACT if self.point.problem.loss.quadratic else residual
        step, _ = cg(
            LinearOperator(shape, self._product, dtype=np.float64), -self.gradient, rtol=accuracy, maxiter=MOST_GRADIENTS,
            M=self._inverse,
        )  # fmt: skip
        return *self._split(step), float(self.gradient @ step)
