"""Paths of the squared loss in moments: one quadratic leads from alpha to alpha, and nothing has to be screened.

Where all columns have met in a Gram matrix there is no working set to look after, and nothing of X to read. A search
fits thousands of such problems: what is not done here for each of them counts.
"""

import numpy as np

from skreg.certificate import CONDITION
from skreg.moments import moment_points
from skreg.solvers.base import Progress, Solution, sharp, starting_point
from skreg.solvers.compiled import compiled_prox, compiled_prox_in_use
from skreg.solvers.quadratic import Quadratic, solve_along

__all__ = ["follow_moments"]

# So many alphas are certified together.
MOST = 16


def follow_moments(problem, alphas, start, tol):
    """Yield a `Solution` for each of ``alphas``, up to the first that takes more care than there is here.

    Parameters
    ----------
    problem : Problem
        Of one output.
    alphas : sequence of float
    start : tuple (coef, intercept) or None
    tol : float

    Returns
    -------
    tuple (done, start)
        How many alphas were solved: none that are not in moments, or have a penalty that is not convex, separable and
        compiled. Where to go on from.
    """
    penalty, moments = problem.penalty, problem.moments
    if moments is None or not (
        penalty.separable and penalty.convex and compiled_prox_in_use(penalty, problem.n_features)
    ):
        return 0, start
    problem = problem.changed(twin=compiled_prox(penalty))
    coef, intercept = starting_point(problem, start, alphas[0])
    strengths = problem.strengths_of(range(coef.size), alphas)
    gradient = moments.gram @ coef - moments.product if np.count_nonzero(coef) else -moments.product
    inner = Quadratic(moments.gram, coef, gradient, penalty, strengths[0].copy(), problem.twin)
    goal, progress, done = max(sharp(tol), 1e-15) * problem.unit, Progress(), 0
    while done < len(alphas):
        block = slice(done, done + MOST)
        coefs = solve_along(inner, strengths[block], goal)
        for point in moment_points(problem, coefs, alphas[block]):
            optimality = point.optimality(tol)
            progress.listen()
            sharp_enough = optimality.converged and CONDITION * optimality.violation**2 <= tol
            if not (sharp_enough and point.trusted(sharp(tol))):
                return done, (coef, intercept)
            gradient = point.gradient if len(alphas) == 1 else None
            yield Solution(point.alpha, point.coef, point.intercept, 1, optimality, gradient=gradient)
            coef, intercept, done = point.coef, point.intercept, done + 1
    return done, (coef, intercept)
