"""The relaxed refit: what the support says when nothing shrinks it."""

import numpy as np

from skreg.solvers import fastest_solver
from skreg.subproblems import on_features

__all__ = ["refit", "relaxed"]


def relaxed(solution, free, share):
    r"""Between a solution and its refit, ``share * solution + (1 - share) * refit``.

    Parameters
    ----------
    solution, free : Solution
        Penalised, and refitted on its support by `refit`.
    share : float in [0, 1]
        glmnet's gamma: 1 is the penalised solution, 0 the refit.

    Returns
    -------
    Solution
        With the certificate of the penalised one.

    References
    ----------
    N. Meinshausen, "Relaxed lasso", Comput. Stat. Data Anal. 52 (2007); the mixture is that of T. Hastie,
    R. Tibshirani, R. Tibshirani, "Best subset, forward stepwise or lasso?", Stat. Sci. 35 (2020), eq. (4).
    """
    if share == 1.0:
        return solution
    coef = share * solution.coef + (1.0 - share) * free.coef
    return solution._replace(coef=coef, intercept=share * solution.intercept + (1.0 - share) * free.intercept)


def refit(problem, solutions, tol, max_iter):
    """Each solution again, on its support and with the penalty at alpha = 0 (where only constraints are left).

    A solution is its own refit where there is no unique one: as many features as
    rows, or classes that the support separates.

    Parameters
    ----------
    problem : Problem
    solutions : list of Solution
    tol : float
    max_iter : int

    Returns
    -------
    list of Solution
    """
    if problem.y.ndim > 1 and problem.outputs_apart:
        columns = []
        for k in range(problem.n_outputs):
            own = [
                s._replace(
                    coef=np.ascontiguousarray(s.coef[:, k]),
                    intercept=np.broadcast_to(s.intercept, problem.n_outputs)[k],
                )
                for s in solutions
            ]
            columns.append(refit(problem.output(k), own, tol, max_iter))
        return [
            solution._replace(
                coef=np.column_stack([part.coef for part in parts]),
                intercept=np.array([part.intercept for part in parts]),
            )
            for solution, *parts in zip(solutions, *columns, strict=True)
        ]
    n_rows = np.count_nonzero(problem.weights) - problem.fit_intercept
    known = {}
    answers = []
    for solution in solutions:
        used = solution.coef != 0
        support = np.flatnonzero(used if used.ndim == 1 else used.any(axis=1))
        key = support.tobytes()
        if key not in known:
            known[key] = _on_support(problem, support, tol, max_iter) if 0 < support.size < n_rows else None
        free = known[key]
        answers.append(solution if free is None else solution._replace(coef=free[0], intercept=free[1]))
    return answers


def _on_support(problem, support, tol, max_iter):
    try:
        part = on_features(problem, support)
    except ValueError as error:
        raise ValueError(f"relax must be None here, as it refits on the features used. {error}") from error
    solution = next(iter(fastest_solver(part).solver.solve(part, [0.0], None, tol, max_iter)))
    if solution.diverges:
        return None
    coef = np.zeros(problem.coef_shape)
    coef[support] = solution.coef
    return coef, solution.intercept + (part.offset - problem.offset)
