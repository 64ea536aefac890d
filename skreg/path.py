"""Along alpha: where paths begin."""

import numpy as np

from skreg.problem import make_problem
from skreg.solvers import fastest_solver

__all__ = ["alpha_max", "null_alpha"]


def alpha_max(
    X,
    y,
    *,
    penalty="l1",
    loss="squared",
    penalty_factor=None,
    fit_intercept=True,
    standardize=False,
    sample_weight=None,
):
    """Smallest alpha at which every penalised coefficient is zero.

    At it the null model (intercept and unpenalised columns, fitted) is a fixed
    point of the proximal step of every coefficient, with steps 1 / curvature;
    just below it is not. Found from ``value`` and ``prox`` alone, so it exists
    for a penalty of your own too.

    Parameters
    ----------
    X : ndarray or CSR/CSC matrix of shape (n_samples, n_features)
        float64 or float32.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Targets; 0 and 1 for ``loss="logistic"``, one-hot for ``loss="softmax"``.
    penalty : str or Penalty, default="l1"
        Name or object.
    loss : str or Loss, default="squared"
        Name or object.
    penalty_factor : array-like of shape (n_features,), dict or None, default=None
        Factors of alpha per feature.
    fit_intercept : bool, default=True
        Whether there is an intercept.
    standardize : bool, default=False
        Whether the penalty sees coefficients of columns with standard deviation 1.
    sample_weight : array-like of shape (n_samples,), optional
        Non-negative weights.

    Returns
    -------
    float
        In units of the loss; inf where no alpha is large enough (L2, say).

    Raises
    ------
    ValueError, TypeError
        If a parameter is not what it has to be.

    References
    ----------
    J. Friedman, T. Hastie, R. Tibshirani, J. Stat. Softw. 33(1) (2010), sec. 2.5.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import PenalizedRegression, alpha_max
    >>> X, y = load_diabetes(return_X_y=True)
    >>> top = alpha_max(X, y)
    >>> [int((PenalizedRegression("l1", alpha=a).fit(X, y).coef_ != 0).sum()) for a in (top, 0.99 * top)]
    [0, 1]
    """
    return null_alpha(
        make_problem(
            X,
            y,
            penalty=penalty,
            loss=loss,
            penalty_factor=penalty_factor,
            fit_intercept=fit_intercept,
            standardize=standardize,
            sample_weight=sample_weight,
        )
    )


def null_alpha(problem):
    """`alpha_max` of a problem.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    float
    """
    factor = problem.penalty_factor
    penalised = np.ones(problem.n_features, bool) if factor is None else factor > 0
    point, slack = _null_model(problem, penalised)
    coef, gradient, step = point.coef, point.gradient, 1.0 / point.curvature

    def is_null(alpha):
        # As `Point.violations` does it, to the last bit.
        target = problem.prox(coef - gradient * step, step, alpha)
        return not np.any(target[penalised])

    # A penalty of slope 1 at zero is null at the largest gradient; start the search there.
    high = float(np.max(np.abs(gradient[penalised]), initial=0.0))
    if high == 0.0 or is_null(0.0):
        return 0.0
    low = high
    while not is_null(high):
        low, high = high, 4.0 * high
        if high > 1e30 * low or not np.isfinite(high) or high > 1e15 * np.max(np.abs(gradient)):
            return np.inf
    while is_null(low):
        low, high = 0.25 * low, low
    while True:
        middle = 0.5 * (low + high)
        if not low < middle < high:
            return high * slack
        low, high = (low, middle) if is_null(middle) else (middle, high)


def _null_model(problem, penalised):
    """The point with only intercept and unpenalised columns, and the share of rounding in it."""
    coef = np.zeros(problem.coef_shape)
    if penalised.all():
        return problem.point(coef, problem.null_intercept, 0.0), 1.0
    free = np.flatnonzero(~penalised)
    part = problem.features(free)
    solution = next(iter(fastest_solver(part).solver.solve(part, [0.0], tol=1e-13)))
    coef[free] = solution.coef
    # Another solver stops elsewhere within rounding: leave it room.
    return problem.point(coef, solution.intercept, 0.0), 1.0 + 1e-6
