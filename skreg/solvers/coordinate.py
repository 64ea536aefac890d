"""Coordinate descent on working sets, with prox-Newton models for general losses."""

import numpy as np

from skreg.penalties import Penalty
from skreg.screen import screened
from skreg.solvers.ahead import solve_ahead
from skreg.solvers.base import Solution, Solver
from skreg.solvers.engine import Engine, is_small
from skreg.solvers.moment_path import follow_moments
from skreg.solvers.sampling import sampled, worth_a_sample
from skreg.subproblems import on_features

__all__ = ["CoordinateDescent", "each_output"]

# Accuracy of the null model where a path of a concave penalty begins with it.
NULL_TOL = 1e-13

# Up to so many columns, a path of the squared loss reads X once.
MAX_MOMENTS = 2_000


class CoordinateDescent(Solver):
    """The main engine: every separable penalty, every loss.

    Outside, a pass over X scores every coefficient by its violation and grows
    the working set; inside, the loss is replaced by its quadratic model on the
    working set (exact for the squared loss) and solved on its Gram matrix.

    References
    ----------
    J. Friedman, T. Hastie, R. Tibshirani, J. Stat. Softw. 33(1) (2010);
    M. Massias, A. Gramfort, J. Salmon, "Celer: a fast solver for the lasso with
    dual extrapolation", ICML 2018; J. Lee, Y. Sun, M. Saunders, "Proximal
    Newton-type methods", SIAM J. Optim. 24 (2014), alg. 1.
    """

    name = "coordinate_descent"

    def refuses(self, problem):
        """Penalties that are not separable."""
        if not problem.penalty.separable:
            return f"{type(problem.penalty).__name__} does not declare `separable = True`."
        return self.cannot_restrict(problem)

    def cannot_restrict(self, problem):
        """Why there can be no working sets, as a sentence, or None: arrays with a number per feature, and nothing that picks some.

        Parameters
        ----------
        problem : Problem

        Returns
        -------
        None or str
        """
        penalty = problem.penalty
        if type(penalty).restrict is not Penalty.restrict or is_small(problem):
            return None
        arrays = [name for name, value in vars(penalty).items() if np.ndim(value) > 0]
        if not arrays or _acts_on_one(penalty, (1, problem.n_outputs) if penalty.joint_outputs else (1,)):
            return None
        return (
            f"{type(penalty).__name__} has an array ({', '.join(arrays)}) and no `restrict(features)` that gives the penalty "
            "on some of the features."
        )

    def engine(self, problem):
        """What a path of alphas shares."""
        return Engine(problem)

    def prepared(self, problem, alphas):
        """The squared loss in moments, where they cost less than the passes over X that they save."""
        if problem.moments is not None or not _pays_to_read_once(problem, alphas):
            return problem
        reduced, free = problem.in_moments(), problem.unpenalised(min(alphas))
        return problem if free.size and not reduced.moments.resolves(free) else reduced

    def solve(self, problem, alphas, start=None, tol=1e-6, max_iter=10_000):
        """Each alpha from the solution and the working set before."""
        alphas = list(alphas)
        problem = self.prepared(problem, alphas)
        if problem.y.ndim > 1 and problem.outputs_apart:
            yield from each_output(self, problem, alphas, start, tol, max_iter)
            return
        keeps_gradient = len(alphas) == 1
        done, start = yield from follow_moments(problem, alphas, start, tol)
        if done == len(alphas):
            return
        if keeps_gradient:
            problem = screened(problem)
        engine, alphas = self.engine(problem), alphas[done:]
        # What a screen leaves of a gradient is enough for a certificate, not for a comparison of proxes.
        engine.keeps_gradient = keeps_gradient and problem.screen is None
        if start is None and not problem.penalty.convex:
            start = self._null_model(problem, alphas[0])
        if start is None and worth_a_sample(engine):
            start = engine.begin_with(*sampled(engine, alphas[0]))
        elif start is None:
            start = engine.from_afar(alphas[0], max_iter)
        if problem.y.ndim == 1 and (problem.loss.quadratic or problem.penalty.convex):
            done, start = yield from solve_ahead(engine, alphas, start, tol, max_iter)
            if done < len(alphas):
                # The moments have too few digits for the rest: residuals computed from X have them.
                yield from solve_ahead(self.engine(problem.changed(moments=None)), alphas[done:], start, tol, max_iter)
            return
        for alpha in alphas:
            solution = engine.solve(alpha, start, tol, max_iter)
            start = solution.coef, solution.intercept
            yield solution

    def _null_model(self, problem, alpha):
        """What is free of charge, fitted alone; None where nothing is.

        A concave penalty may keep whatever enters before that is found.
        """
        free = problem.unpenalised(alpha)
        if not 0 < free.size < problem.n_features:
            return None
        solution = next(self.solve(on_features(problem, free), [0.0], tol=NULL_TOL))
        coef = np.zeros(problem.coef_shape)
        coef[free] = solution.coef
        return None if solution.diverges else (coef, solution.intercept)


def _acts_on_one(penalty, shape):
    """Whether a penalty on the first feature takes the coefficients of one."""
    try:
        return np.shape(penalty.restrict(np.array([0])).prox(np.zeros(shape), 1.0, 1.0)) == shape
    except Exception:  # whatever a text of somebody else raises
        return False


def _pays_to_read_once(problem, alphas):
    """Whether the Gram matrix of all columns costs less than the passes that as many alphas need."""
    n_samples, n_features = problem.design.shape
    n_alphas = len(alphas)
    if not problem.loss.quadratic or n_samples < 2 * n_features:
        return False
    if n_alphas == 1:
        # It is made anyway.
        return is_small(problem)
    # Three passes an alpha, and a product in the Gram matrix is worth ten read from memory.
    return n_features <= min(30 * n_alphas, MAX_MOMENTS)


def each_output(solver, problem, alphas, start, tol, max_iter):
    """Outputs that the loss does not couple are problems of their own."""
    parts = []
    for k in range(problem.n_outputs):
        own = None if start is None else (start[0][:, k], start[1][k])
        parts.append(solver.solve(problem.output(k), alphas, own, tol, max_iter))
    for solutions in zip(*parts, strict=True):
        coef = np.column_stack([solution.coef for solution in solutions])
        intercept = np.array([solution.intercept for solution in solutions])
        alpha = solutions[0].alpha
        optimality = problem.certificate(coef, intercept, alpha, tol)
        n_iter = max(solution.n_iter for solution in solutions)
        stalled, slow = (any(getattr(s, name) for s in solutions) for name in ("stalled", "slow"))
        yield Solution(alpha, coef, intercept, n_iter, optimality, stalled, slow)
