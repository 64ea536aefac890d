"""The last question to a penalty that skreg did not ship: is its prox true?"""

import numpy as np

from skreg.solvers.coordinate import CoordinateDescent

__all__ = ["probe_prox"]

# Of more features than this, so many of the largest are looked at.
ENOUGH = 200


def probe_prox(problem, solution):
    """Compare the prox at the solution with points near and far.

    A certificate computed with a wrong prox would certify itself; ``value`` is
    the witness it cannot bribe.

    Parameters
    ----------
    problem : Problem
    solution : Solution

    Raises
    ------
    ValueError
        If a point has a lower ``value(u) + ||u - coef||^2 / (2 step)`` than
        the prox, or if the prox is not finite.
    """
    penalty, coef = problem.penalty, solution.coef
    if type(penalty).__module__.startswith("skreg."):
        return
    final = problem.point(coef, solution.intercept, solution.alpha)
    if solution.gradient is not None:
        final.gradient = solution.gradient
    many = penalty.separable and coef.ndim == 1 and coef.size > ENOUGH
    if many and CoordinateDescent().cannot_restrict(problem) is None:
        # The price is a sum: those that matter, and those that nearly do, are witnesses enough.
        few = np.union1d(np.flatnonzero(coef != 0), np.argpartition(np.abs(final.gradient), -ENOUGH)[-ENOUGH:])
        part, strength = penalty.restrict(few), np.broadcast_to(problem.strength(solution.alpha), coef.shape)[few]
        step = 1.0 / final.curvature_of(few)
        point = coef[few] - final.gradient[few] * step
        target = part.prox(point, step, strength)
    else:
        part, strength = None, None
        step = 1.0 / final.curvature
        point = coef - final.gradient * step
        target = problem.prox(point, step, solution.alpha)

    def price(candidate):
        cost = problem.penalty_value(candidate, solution.alpha) if part is None else part.value(candidate, strength)
        return cost + np.sum((candidate - point) ** 2 / (2.0 * step))

    reached = price(target) if np.all(np.isfinite(target)) else np.nan
    rng = np.random.default_rng(0)
    size = np.max(np.abs(point), initial=0.0) or 1.0
    candidates = [np.zeros_like(point), point, 0.5 * (point + target), 2.0 * target - point, -target]
    candidates += [target * factor for factor in (0.5, 0.9, 0.99, 0.999, 1.001, 1.01, 1.1, 2.0)]
    directions = rng.standard_normal((3, *target.shape))
    # One coefficient at a time: the largest, the smallest, and one in between.
    entries = np.argsort(np.abs(target), axis=None)[[0, target.size // 2, -1]]
    for scale in (1e-4, 1e-2, 1.0):
        candidates += [target + scale * size * direction for direction in directions]
        for entry in entries:
            for sign in (-1.0, 1.0):
                single = target.copy()
                single.ravel()[entry] += sign * scale * size
                candidates.append(single)
    lowest = min(price(candidate) for candidate in candidates)
    if not reached <= lowest + 1e-9 * (abs(lowest) + abs(reached)) + 1e-300:
        raise ValueError(
            f"{type(penalty).__name__}.prox does not minimise value(u, alpha) + ||u - coef||^2 / (2 step) at "
            f"alpha={solution.alpha:g} and the steps of this fit: it reaches {reached:.6g}, another point {lowest:.6g}. "
            f"Run skreg.testing.check_penalty({type(penalty).__name__}(...)) to see where."
        )
