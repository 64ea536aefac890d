"""Penalties whose coefficients move in clusters: proximal steps find the clusters, Newton steps solve for them."""

import numpy as np
from scipy import sparse

from skreg.solvers.accelerated import accelerated
from skreg.solvers.alternating import Alternating, solve_positive
from skreg.solvers.base import Solver
from skreg.solvers.coordinate import each_output
from skreg.solvers.engine import Engine
from skreg.spectrum import largest_eigenvalue

__all__ = ["ClusterNewton"]

# Largest Gram matrix for penalties that have no working sets.
MAX_TOGETHER = 4_000

# Proximal steps between two Newton steps: they show the clusters, and far from them a Newton step is not worth its price.
STEPS = 60


class ClusterNewton(Solver):
    """Sorted L1 and the fused lasso: on the clusters that the prox shows the price is linear, and Newton's method exact.

    The machinery of coordinate descent around it: working sets where the penalty
    allows to leave out coefficients that are zero, a quadratic model of the loss on
    them, certificates from X.

    References
    ----------
    G. Bareilles, F. Iutzeler, J. Malick, "Newton acceleration on manifolds identified by proximal gradient
    methods", Math. Program. 200 (2023), alg. 1; J. Larsson, Q. Klopfenstein, M. Massias, J. Wallin,
    "Coordinate descent for SLOPE", AISTATS 2023 (clusters of coefficients).
    """

    name = "cluster_newton"

    def refuses(self, problem):
        """Penalties that do not show clusters; outputs that the loss couples; too many features at once."""
        name = type(problem.penalty).__name__
        if problem.penalty.pattern(np.zeros(problem.n_features)) is None:
            return f"{name} does not say which coefficients move together (`pattern`)."
        if problem.y.ndim > 1 and problem.loss.coupled_outputs:
            return f"{name} is solved for one output at a time here, and {type(problem.loss).__name__} couples them."
        if problem.n_features > MAX_TOGETHER and not _has_parts(problem):
            return f"{name} needs all {problem.n_features} features at once: their Gram matrix is too large."
        return None

    def solve(self, problem, alphas, start=None, tol=1e-6, max_iter=10_000):
        """Each alpha from the solution and the working set before."""
        if problem.y.ndim > 1:
            yield from each_output(self, problem, alphas, start, tol, max_iter)
            return
        engine = _ClusterEngine(problem)
        for alpha in alphas:
            solution = engine.solve(alpha, start, tol, max_iter)
            start = solution.coef, solution.intercept
            yield solution


def _has_parts(problem):
    try:
        problem.penalty.restrict(np.arange(problem.n_features - 1))
    except ValueError:
        return False
    return True


class _ClusterEngine(Engine):
    """Coordinate descent's working sets and models, with another inner problem."""

    def __init__(self, problem):
        super().__init__(problem)
        if not self.everything and not _has_parts(problem):
            self.everything = True
            self.entries = np.arange(problem.n_features)

    def quadratic(self, gram, coef, gradient, alpha, active=None):
        penalty = self.problem.penalty.restrict(self.entries)
        return _ClusterQuadratic(gram, coef, gradient.copy(), penalty, alpha, self.problem.design.shape[0])


class _ClusterQuadratic(Alternating):
    """State of one inner problem ``0.5 w'Gw - q'w + P(w; alpha)``, as `Quadratic`; ``rank`` is the most that G has."""

    def __init__(self, gram, coef, grad, penalty, alpha, rank):
        super().__init__(gram, coef.copy(), grad, penalty, alpha)
        self.rank = rank
        steepest = largest_eigenvalue(gram.__matmul__, len(coef), n_steps=20) if len(coef) else 1.0
        self.step = 1.0 / (steepest or 1.0)

    def violation(self):
        """Norm of the scaled move of a proximal step."""
        return float(np.linalg.norm(self._target() - self.coef) / np.sqrt(self.step))

    def _target(self):
        return self.penalty.prox(self.coef - self.step * self.grad, self.step, self.alpha)

    def approach(self, tol):
        """Proximal steps with momentum and restarts."""

        def small(move):
            return np.linalg.norm(move) <= 0.1 * tol * np.sqrt(self.step)

        self.coef, self.grad = accelerated(self, self.step, STEPS, small)

    def newton(self, tol):
        """A proximal step, and from there a Newton step of its clusters; returns the violation found on the way."""
        point = self.coef - self.step * self.grad
        target = self.penalty.prox(point, self.step, self.alpha)
        violation = float(np.linalg.norm(target - self.coef) / np.sqrt(self.step))
        labels, signs = self.penalty.pattern(target)
        used = np.flatnonzero(labels >= 0)
        grad = self.grad + self.gram @ (target - self.coef)
        size = int(labels.max(initial=-1)) + 1
        # Where the price is linear only the loss has curvature, and not in more directions than that.
        if 0 < size <= self.rank:
            clusters = sparse.csr_array((signs[used], (labels[used], used)), shape=(size, len(labels)))
            system = clusters @ (clusters @ self.gram).T
            # The price is linear in the clusters: its slope is that of any subgradient.
            missing = clusters @ (grad + (point - target) / self.step)
            change = solve_positive(system, -missing)
            if change is not None:
                target, grad = self.search(target, grad, clusters.T @ change)
        self.coef, self.grad = target, grad
        return violation
