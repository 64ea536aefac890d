"""Where a path may end early: a support that is too large, a deviance that is explained."""

import numpy as np

from skreg._validation import check_integer, check_real
from skreg.sums import inner

__all__ = ["check_stops", "explained", "saturated", "too_large"]


def check_stops(max_support, max_deviance):
    """Both limits, checked; None for no limit."""
    if max_support is not None:
        max_support = check_integer("max_support", max_support, low=0)
    if max_deviance is not None:
        max_deviance = check_real("max_deviance", max_deviance, low=0, high=1, low_open=True)
    return max_support, max_deviance


def explained(problem, losses):
    """Shares of the null model's loss that are gone, above what no model can go below; NaN where that is not known."""
    lowest = problem.loss.conjugate(problem.y, np.zeros_like(problem.y))
    if lowest is None:
        return np.full(len(losses), np.nan)
    lowest = -float(np.sum(inner(problem.weights, lowest)))
    # A constant y leaves nothing to explain: its unit is larger than that.
    null = np.copysign(problem.null_loss, problem.null_value)
    return 1.0 - (np.array(losses) - lowest) / (null - lowest)


def too_large(solution, max_support):
    """Why a solution is left out, as a clause, or None."""
    if max_support is None:
        return None
    used = solution.coef != 0
    if np.count_nonzero(used if used.ndim == 1 else used.any(axis=1)) <= max_support:
        return None
    return f"more than max_support={max_support} features at alpha={solution.alpha:.3g}"


def saturated(problem, solution, max_deviance):
    """Why a solution is the last, as a clause, or None."""
    if max_deviance is None:
        return None
    share = float(explained(problem, [solution.optimality.loss])[0])
    if np.isnan(share):
        raise ValueError(
            f"max_deviance must be None for {type(problem.loss).__name__}: without a conjugate its smallest value is unknown."
        )
    if share < max_deviance:
        return None
    return f"max_deviance={max_deviance:g} explained at alpha={solution.alpha:.3g}"
