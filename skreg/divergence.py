"""Whether there is a solution at all: coefficients that cost nothing when they grow may lower a loss for ever."""

import numpy as np

from skreg.elastic import rest

__all__ = ["diverges", "drifts"]


def diverges(problem, coef, intercept, alpha):
    """Whether coefficients that cost nothing when they grow can lower the loss for ever.

    True when they alone tell the classes apart without an error: there is no
    finite solution then, and a solver stops at the first such point. They are the
    unpenalised ones, or all of them where a concave penalty has become flat.
    """
    if problem.loss.quadratic:
        return False
    free, penalty = problem.unpenalised(alpha), problem.penalty
    if not penalty.convex and problem.penalty_value(2.0 * coef, alpha) <= problem.penalty_value(coef, alpha):
        part = coef
    elif free.size:
        part = np.zeros_like(coef)
        part[free] = coef[free]
    else:
        return False
    used = problem.weights > 0
    return problem.loss.separates(problem.y[used], problem.eta(part, intercept)[used])


def drifts(problem, coef, intercept, alpha):
    """The same, found out with more effort, for when all else has been done and `diverges` would be too early.

    Then some coefficients may grow though others may not, and one class may be told from the others, which are
    not told apart.
    """
    if problem.loss.quadratic or (rest(problem.penalty) > 0.0 and not problem.unpenalised(alpha).size):
        # Of a sum of absolute values every coefficient costs more when it grows.
        return False
    # What the prox leaves where it is costs no more, here and far out.
    part = coef
    for size in (1.0, 1e6):
        part = np.where(problem.prox(size * coef, 1e-6, alpha) == size * coef, part, 0.0)
        if not part.any():
            return False
    used, loss = problem.weights > 0, problem.loss
    y, eta = problem.y[used], problem.eta(part, intercept)[used]
    return loss.separates(y, eta) or bool(np.any(loss.sets_apart(y, eta) & np.any(part, axis=0)))
