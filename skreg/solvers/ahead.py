"""Paths of the squared loss on many columns: several alphas are solved on one working set, then certified together.

One matrix product certifies them all, where one after the other would read X for
each. Between neighbouring alphas a solution moves nearly along a line, and so do the
correlations: those of the next alphas are foretold from the last two, and columns
that are then due enter the working set beforehand.
"""

import numpy as np

from skreg.certificate import CONDITION, Point
from skreg.solvers.base import Solution, sharp

__all__ = ["solve_ahead"]

# So many alphas at once, when all goes well.
MOST = 16


def solve_ahead(engine, alphas, start, tol, max_iter):
    """Yield a `Solution` for each of ``alphas``.

    Parameters
    ----------
    engine : _Engine
        Of coordinate descent; solves what cannot be foretold one alpha at a time.
    alphas : sequence of float
    start : tuple (coef, intercept) or None
    tol : float
    max_iter : int

    Returns
    -------
    tuple (done, start)
        How many alphas were solved: all, unless moments have lost their digits; where to go on from.
    """
    moments = engine.problem.moments

    def trusted(point):
        return moments is None or moments.trusted(point.coef, sharp(tol))

    done, ahead, last, careful = 0, 1, None, True
    while done < len(alphas):
        if careful:
            solution = engine.solve(alphas[done], start, tol, max_iter)
            start = solution.coef, solution.intercept
            if not trusted(solution):
                return done, start
            yield solution
            before, last = last, engine.problem.point(solution.coef, solution.intercept, alphas[done])
            done, careful = done + 1, False
            continue
        block = alphas[done : done + ahead]
        engine.grow(_foretold(before, last, block[-1]))
        points = _look_ahead(engine, last, block, tol)
        passed = 0
        for point in points:
            optimality = point.optimality(tol)
            if not (optimality.converged and CONDITION * optimality.violation**2 <= tol and trusted(point)):
                break
            yield Solution(point.alpha, point.coef, point.intercept, 1, optimality)
            before, last = last, point
            passed += 1
        start = last.coef, last.intercept
        done += passed
        if passed == len(block):
            ahead = min(2 * ahead, MOST)
        else:
            ahead = max(passed, 1)
            careful = not (trusted(points[passed]) and engine.grow(points[passed]))
    return done, start


def _foretold(before, last, alpha):
    """Violations to be expected at ``alpha``, from the line through the last two points."""
    gradient = last.gradient
    if before is not None and before.alpha != last.alpha:
        gradient = gradient + (gradient - before.gradient) * ((alpha - last.alpha) / (last.alpha - before.alpha))
    point = Point(last.problem, last.coef, last.intercept, alpha)
    point.gradient = gradient
    return point


def _look_ahead(engine, last, alphas, tol):
    """Solve on the working set for one alpha after the other; points with all that one pass over X tells of them."""
    problem, entries = engine.problem, engine.entries
    engine.extend_gram()
    gram = engine.gram[: entries.size, : entries.size]
    inner = engine.quadratic(gram, last.coef[entries], last.gradient[entries], alphas[0])
    unit = np.sqrt(2.0 * problem.null_loss)
    coefs = np.zeros((problem.n_features, len(alphas)), order="F")
    for b, alpha in enumerate(alphas):
        inner.alpha[:] = engine.strengths(alpha)
        inner.minimise(max(sharp(tol), 1e-15) * unit)
        coefs[entries, b] = inner.coef
    if problem.moments is not None:
        return [problem.point(coefs[:, b], problem.null_intercept, alpha) for b, alpha in enumerate(alphas)]
    etas = np.asfortranarray(problem.design.dot(coefs) + problem.null_intercept)
    points = [problem.point(coefs[:, b], problem.null_intercept, alpha, etas[:, b]) for b, alpha in enumerate(alphas)]
    gradients = np.asfortranarray(
        problem.design.dot_t(np.asfortranarray(np.stack([point.row_gradient for point in points], axis=1)))
    )
    for b, point in enumerate(points):
        point.gradient = gradients[:, b]
    return points
