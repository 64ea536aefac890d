"""Accelerated proximal gradient: every penalty that has a prox."""

import numpy as np

from skreg.solvers.base import Progress, Solution, Solver, starting_point

__all__ = ["ProximalGradient"]

# Certificates cost as much as a step; look every so often.
CHECK_EVERY = 10

# So many looks without progress: rounding allows no more.
PATIENCE = 100


class ProximalGradient(Solver):
    """One proximal step per pass over X, with momentum, restarts and backtracking.

    It asks the penalty for its prox and nothing else, so it refuses nothing; the
    faster solvers are tried first. The intercept is profiled out of every step.

    References
    ----------
    A. Beck and M. Teboulle, "A fast iterative shrinkage-thresholding algorithm
    for linear inverse problems", SIAM J. Imaging Sci. 2 (2009), sec. 4;
    B. O'Donoghue and E. Candes, "Adaptive restart for accelerated gradient
    schemes", Found. Comput. Math. 15 (2015), sec. 3.2.
    """

    name = "proximal_gradient"

    def refuses(self, problem):
        """Nothing."""
        return None

    def solve(self, problem, alphas, start=None, tol=1e-6, max_iter=10_000):
        """Each alpha from the solution before."""
        for alpha in alphas:
            solution = _solve_one(problem, alpha, start, tol, max_iter)
            start = solution.coef, solution.intercept
            yield solution


class _Smooth:
    """The loss as a function of coef alone: value and gradient, intercept profiled."""

    def __init__(self, problem, intercept):
        self.problem, self.intercept = problem, intercept

    def value(self, coef):
        problem = self.problem
        eta = problem.design.dot(coef)
        if problem.fit_intercept:
            self.intercept = problem.profile(eta, self.intercept)
        eta += self.intercept
        return problem.loss_value(eta), eta

    def gradient(self, eta):
        return self.problem.design.dot_t(self.problem.row_gradient(eta))


def _solve_one(problem, alpha, start, tol, max_iter):
    coef, intercept = starting_point(problem, start, alpha)
    smooth = _Smooth(problem, intercept)
    loss, eta = smooth.value(coef)
    gradient = smooth.gradient(eta)
    best = Solution(alpha, coef, smooth.intercept, 1, problem.point(coef, smooth.intercept, alpha, eta).optimality(tol))
    if best.optimality.converged:
        return best
    lipschitz = problem.spectral_curvature(eta)
    ahead, ahead_loss, ahead_gradient, momentum = coef, loss, gradient, 1.0
    objective = loss + problem.penalty_value(coef, alpha)
    progress = Progress()
    for n_iter in range(1, max_iter + 1):
        while True:
            new = problem.prox(ahead - ahead_gradient / lipschitz, 1.0 / lipschitz, alpha)
            move = new - ahead
            loss, eta = smooth.value(new)
            bound = ahead_loss + np.sum(ahead_gradient * move) + 0.5 * lipschitz * np.sum(move**2)
            if loss <= bound + 1e-14 * abs(loss) or lipschitz > 1e300:
                break
            lipschitz *= 2.0
        new_objective = loss + problem.penalty_value(new, alpha)
        if n_iter % CHECK_EVERY == 0 or n_iter == max_iter:
            optimality = problem.point(new, smooth.intercept, alpha, eta).optimality(tol)
            if optimality.measure <= best.optimality.measure:
                best = Solution(alpha, new, smooth.intercept, n_iter, optimality)
            if problem.diverges(new, smooth.intercept, alpha):
                return Solution(alpha, new, smooth.intercept, n_iter, optimality, diverges=True)
            if best.optimality.converged:
                break
            progress.update(optimality)
            if progress.stalled >= PATIENCE:
                break
        following = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum**2))
        weight = (momentum - 1.0) / following
        if new_objective > objective or np.sum((ahead - new) * (new - coef)) > 0:
            # Momentum points uphill: start again from here without it.
            weight, following = 0.0, 1.0
            if new_objective > objective:
                new, new_objective = coef, objective
        ahead = new + weight * (new - coef)
        coef, objective, momentum = new, new_objective, following
        ahead_loss, eta = smooth.value(ahead)
        ahead_gradient = smooth.gradient(eta)
        # Let the step recover from one steep place.
        lipschitz *= 0.99
    stalled = not best.optimality.converged and n_iter < max_iter
    return Solution(alpha, best.coef, best.intercept, n_iter, best.optimality, stalled)
