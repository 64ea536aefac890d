"""Accelerated proximal gradient: every penalty that has a prox."""

import numpy as np

from skreg.curvature import mean_curvature, spectral_curvature
from skreg.divergence import diverges
from skreg.solvers.base import Progress, Solution, Solver, starting_point

__all__ = ["ProximalGradient"]

# Certificates cost as much as a step; look every so often.
CHECK_EVERY = 10

# So many looks without progress: rounding allows no more.
PATIENCE = 100

# Up to so many columns, and no more than rows, the squared loss is read from X once.
MAX_GRAM = 2_000


class ProximalGradient(Solver):
    """One proximal step per two passes over X, with momentum and restarts.

    It asks the penalty for its prox and nothing else, so it refuses nothing; the
    faster solvers are tried first. The intercept takes a step of its own: centred
    columns are orthogonal to it in the bound on the curvature.

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
        smooth = (_Gram if _pays_to_read_once(problem) else _Rows)(problem)
        for alpha in alphas:
            solution = _solve_one(smooth, alpha, start, tol, max_iter)
            start = solution.coef, solution.intercept
            yield solution


def _pays_to_read_once(problem):
    n_samples, n_features = problem.design.shape
    return problem.loss.quadratic and n_features <= min(MAX_GRAM, n_samples)


class _State:
    """A point: coefficients, intercept, and what is linear in them (the linear predictor, or the gradient)."""

    def __init__(self, coef, intercept, linear):
        self.coef, self.intercept, self.linear = coef, intercept, linear

    def beyond(self, before, weight):
        """The point ``weight`` times further than ``self`` is from ``before``."""
        pairs = zip(self._parts(), before._parts(), strict=True)
        return _State(*(part + weight * (part - other) for part, other in pairs))

    def _parts(self):
        return self.coef, self.intercept, self.linear


class _Rows:
    """The loss, read from X."""

    def __init__(self, problem):
        self.problem = problem

    def state(self, coef, intercept):
        return _State(coef, intercept, self.problem.eta(coef, intercept))

    def eta(self, state):
        return state.linear

    def curvature(self, state):
        return spectral_curvature(self.problem, state.linear), mean_curvature(self.problem, state.linear)

    def gradients(self, state):
        rows = self.problem.row_gradient(state.linear)
        return self.problem.design.dot_t(rows), rows.sum(axis=0) if self.problem.fit_intercept else 0.0

    def value(self, state):
        return self.problem.loss_value(state.linear)


class _Gram:
    """The squared loss, read from X once; centred data have their intercept at 0."""

    def __init__(self, problem):
        self.problem = problem
        self.gram, self.pull, square = problem.in_moments().moments
        self.square = 0.5 * float(np.sum(square))
        self.steepest = float(np.linalg.eigvalsh(self.gram)[-1]) * (1.0 + 1e-9) or 1.0

    def state(self, coef, intercept):
        return _State(coef, np.zeros_like(self.problem.null_intercept), self.gram @ coef - self.pull)

    def eta(self, state):
        return None

    def curvature(self, state):
        return self.steepest, 1.0

    def gradients(self, state):
        return state.linear, 0.0

    def value(self, state):
        return self.square + 0.5 * float(np.sum(state.coef * (state.linear - self.pull)))


def _solve_one(smooth, alpha, start, tol, max_iter):
    problem = smooth.problem
    here = smooth.state(*starting_point(problem, start, alpha))
    best = Solution(alpha, here.coef, here.intercept, 1, _certificate(smooth, here, alpha, tol))
    if best.optimality.converged:
        return best
    steepest, steepest_intercept = smooth.curvature(here)
    # The squared loss never curves more than that; others may elsewhere.
    factor, exact = 1.0, problem.loss.quadratic
    ahead, momentum, objective, progress = here, 1.0, np.inf, Progress()
    for n_iter in range(1, max_iter + 1):
        gradient, gradient_intercept = smooth.gradients(ahead)
        value = None if exact else smooth.value(ahead)
        while True:
            step, step_intercept = 1.0 / (factor * steepest), 1.0 / (factor * steepest_intercept)
            coef = problem.prox(ahead.coef - step * gradient, step, alpha)
            new = smooth.state(coef, ahead.intercept - step_intercept * gradient_intercept)
            move, shift = new.coef - ahead.coef, new.intercept - ahead.intercept
            length = 0.5 * (np.sum(move**2) / step + np.sum(shift**2) / step_intercept)
            if exact or length <= 1e-12 * abs(value) or factor > 1e12:
                break
            promised = value + np.sum(gradient * move) + np.sum(gradient_intercept * shift) + length
            if smooth.value(new) <= promised + 1e-15 * abs(value):
                break
            factor *= 2.0
        if n_iter % CHECK_EVERY == 0 or n_iter == max_iter:
            optimality = _certificate(smooth, new, alpha, tol)
            if optimality.measure <= best.optimality.measure:
                best = Solution(alpha, new.coef, new.intercept, n_iter, optimality)
            if diverges(problem, new.coef, new.intercept, alpha):
                return Solution(alpha, new.coef, new.intercept, n_iter, optimality, diverges=True)
            if best.optimality.converged:
                break
            progress.update(optimality)
            if progress.stalled >= PATIENCE:
                break
        if not problem.penalty.convex:
            reached = smooth.value(new) + problem.penalty_value(new.coef, alpha)
            if reached > objective and ahead is not here:
                # Momentum led uphill: a step without it does not.
                ahead, momentum = here, 1.0
                continue
            objective = reached
        following = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum**2))
        weight = (momentum - 1.0) / following
        uphill = np.sum(move * (new.coef - here.coef)) / step
        if uphill + np.sum(shift * (new.intercept - here.intercept)) / step_intercept < 0:
            # Momentum points away from where the step went: start again from here without it.
            weight, following = 0.0, 1.0
        here, ahead, momentum = new, new.beyond(here, weight) if weight > 0 else new, following
        if not exact:
            # Let the step recover from one steep place.
            factor = max(0.98 * factor, 1e-3)
    stalled = not best.optimality.converged and n_iter < max_iter
    return Solution(alpha, best.coef, best.intercept, n_iter, best.optimality, stalled)


def _certificate(smooth, state, alpha, tol):
    return smooth.problem.point(state.coef, state.intercept, alpha, smooth.eta(state)).optimality(tol)
