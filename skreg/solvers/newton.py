"""Newton's method for smooth losses with a quadratic penalty or none."""

from skreg.certificate import CONDITION
from skreg.divergence import diverges
from skreg.intercept import best_intercept
from skreg.solvers.base import Progress, Solution, Solver, sharp_enough, starting_point
from skreg.solvers.compiled import compiled_prox, compiled_prox_in_use
from skreg.solvers.line_search import line_search
from skreg.solvers.system import NewtonSystem
from skreg.sums import inner

__all__ = ["Newton"]

# Share of the tolerance that may be left when a solution is looked at: then its coefficients are sharp too.
SHARP = 1e-6

# Derivative in the intercept from which the steps take it on, at a given start.
NEAR = 1e-6

# So many steps without progress: rounding allows no more.
PATIENCE = 5


class Newton(Solver):
    """Newton steps with a line search, the intercept part of each of them.

    Hessians that are cheap are factorised at each step. For others a cheap
    stand-in is kept while it serves, corrected by the steps taken
    (`skreg.solvers.system`): such a step costs two passes over X.

    References
    ----------
    S. Boyd and L. Vandenberghe, "Convex Optimization" (2004), sec. 9.5;
    J. Nocedal and S. Wright, "Numerical Optimization", 2nd ed. (2006), sec. 7.2.
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
        """Each alpha from the solution before, with the Hessian before."""
        penalty = problem.penalty
        if penalty.separable and compiled_prox_in_use(penalty, problem.n_features):
            problem = problem.changed(twin=compiled_prox(penalty))
        system = NewtonSystem(problem)
        for alpha in alphas:
            solution = _solve_one(system, alpha, start, tol, max_iter)
            start = solution.coef, solution.intercept
            yield solution


def _solve_one(system, alpha, start, tol, max_iter):
    problem = system.problem
    coef, intercept = starting_point(problem, start, alpha)
    if start is not None and problem.fit_intercept:
        intercept = best_intercept(problem, problem.design.dot(coef), intercept, NEAR)
    system.charge(alpha)
    may_diverge, n_models = problem.unpenalised(alpha).size > 0, 0
    if system.small is None:
        point = problem.point(coef, intercept, alpha)
    else:
        point, _, n_models = system.small.best_point(coef, intercept, alpha, sharp_enough(tol), max_iter - 1)
    slopes = system.loss_gradient(point)
    best, progress, looking, moved = None, Progress(), n_models > 0, False
    for n_iter in range(1 + n_models, max_iter + 1):
        if may_diverge and diverges(problem, point.coef, point.intercept, alpha):
            return Solution(alpha, point.coef, point.intercept, n_iter, point.optimality(tol), diverges=True)
        gradient = system.gradient(point, slopes)
        step = system.solve(gradient)
        # What is left to gain, as the last Hessian has it: before it is small, a certificate is a waste.
        little = max(SHARP * tol * problem.null_loss, 1e-15 * abs(point.objective))
        looking = looking or n_iter == max_iter or (step is not None and 0.5 * inner(gradient, step) <= little)
        if looking:
            if moved:
                # Steps have added up in the linear predictor: take it from the coefficients again.
                point, moved = problem.point(point.coef, point.intercept, alpha), False
            optimality = point.optimality(tol)
            progress.update(optimality)
            if best is None or optimality.violation <= best.optimality.violation:
                best = Solution(alpha, point.coef, point.intercept, n_iter, optimality)
            small = CONDITION * optimality.violation**2 <= tol
            if (optimality.converged and small) or progress.stalled >= PATIENCE:
                break
            slopes = system.loss_gradient(point)
            gradient = system.gradient(point, slopes)
        if system.renew(point) or looking:
            step = system.solve(gradient)
        slope = float(inner(gradient, step))
        point, size = line_search(point, *system.split(-step), -slope, differentiate=True)
        if size > 0.0:
            moved = True
            before, slopes = slopes, system.loss_gradient(point)
            system.learn(-size * step, slopes - before, size * slope)
        elif not system.forget():
            if looking:
                break
            looking = True
    stalled = not best.optimality.converged and n_iter < max_iter
    return Solution(alpha, best.coef, best.intercept, n_iter, best.optimality, stalled)
