"""Along alpha: where paths begin, and the grids that start there."""

from numbers import Integral

import numpy as np

from skreg._validation import check_integer, check_real
from skreg.curvature import curvatures
from skreg.fitting import problem_of_data
from skreg.solvers import fastest_solver
from skreg.subproblems import along, in_basis, on_features

__all__ = ["alpha_grid", "alpha_max", "null_alpha"]

# The shortest way down from alpha_max that is worth a path; where there is no alpha_max, from where every
# coefficient has lost a factor of 1000 at least.
MIN_RATIO = 1e-3
MIN_RATIO_SMOOTH = 1e-7


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
    X : array-like or sparse of shape (n_samples, n_features)
        Training data.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Targets; labels of two classes or more for ``loss="logistic"`` or
        ``"softmax"`` (two are one column, more are one softmax).
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
    problem, _, _ = problem_of_data(
        X,
        y,
        penalty=penalty,
        loss=loss,
        penalty_factor=penalty_factor,
        fit_intercept=fit_intercept,
        standardize=standardize,
        sample_weight=sample_weight,
    )
    return null_alpha(problem)


def null_alpha(problem):
    """`alpha_max` of a problem.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    float
    """
    if np.all(problem.penalty.unpenalised()):
        # No strength makes a difference.
        return np.inf
    problem = _separated(problem)
    point, slack = _null_model(problem)
    coef, gradient, step = point.coef, point.gradient, 1.0 / point.curvature
    penalised = np.isin(np.arange(problem.n_features), problem.unpenalised(1.0), invert=True)
    directions = problem.penalty.null_space() is not None

    def is_null(alpha):
        # As `Point.violations` does it, to the last bit.
        target = problem.prox(coef - gradient * step, step, alpha)
        if directions:
            return np.linalg.norm(target - coef) <= 1e-9 * np.linalg.norm(gradient * step)
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


def _separated(problem):
    """The problem in the basis in which its penalty is separable, where there is one."""
    other = in_basis(problem)
    return problem if other is None else other[0]


def _null_model(problem):
    """The point with only intercept and what is free of charge, and the share of rounding in it."""
    coef = np.zeros(problem.coef_shape)
    free, basis = problem.unpenalised(1.0), problem.penalty.null_space()
    if free.size == 0 and basis is None:
        return problem.point(coef, problem.null_intercept, 0.0), 1.0
    part = on_features(problem, free) if basis is None else along(problem, basis)
    solution = next(iter(fastest_solver(part).solver.solve(part, [0.0], tol=1e-13)))
    if basis is None:
        coef[free] = solution.coef
    else:
        coef = basis @ solution.coef
    # Another solver stops elsewhere within rounding: leave it room.
    return problem.point(coef, solution.intercept, 0.0), 1.0 + 1e-6


def alpha_grid(problem, alphas=100, min_ratio=None):
    """Strengths from strong to weak.

    Parameters
    ----------
    problem : Problem
    alphas : int or array-like of shape (n_alphas,), default=100
        How many, evenly spaced on a logarithmic scale, or the strengths themselves.
    min_ratio : float, optional
        Smallest over largest; 1e-3 below `alpha_max`, 1e-7 where there is none.

    Returns
    -------
    ndarray of shape (n_alphas,)
        Decreasing.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not what it has to be.

    Notes
    -----
    Without an `alpha_max` (L2) the grid starts where glmnet's does: at the `alpha_max`
    of an elastic net with ``l1_ratio=0.001``, for columns and a target of unit size.
    """
    if not isinstance(alphas, Integral) or isinstance(alphas, bool):
        return _given(alphas)
    n_alphas = check_integer("alphas", alphas, low=1)
    if min_ratio is not None:
        min_ratio = check_real("alpha_min_ratio", min_ratio, low=0, high=1, low_open=True, high_open=True)
    problem = _separated(problem)
    top = null_alpha(problem)
    if np.isfinite(top):
        ratio = MIN_RATIO if min_ratio is None else min_ratio
    else:
        ratio = MIN_RATIO_SMOOTH if min_ratio is None else min_ratio
        top = _smooth_start(problem)
    # Nothing to explain, or nothing to pay: any strength will do.
    top = top if top > 0 else np.finfo(np.float64).eps
    if not problem.penalty.convex:
        # A prox that jumps takes the last digit of a gradient for a reason: leave room for those who sum in another order.
        top *= 1.0 + 1e-9
    # The first is alpha_max to the last bit: exponentials of logarithms are not.
    return top * np.concatenate([[1.0], np.geomspace(1.0, ratio, n_alphas)[1:]])


def _smooth_start(problem):
    """Where no coefficient keeps more than a thousandth of its size."""
    point, _ = _null_model(problem)
    size = np.sqrt(curvatures(problem, point.eta)) * np.abs(point.gradient) / np.sqrt(2.0 * problem.null_loss)
    size = size if size.ndim == 1 else size.max(axis=1)
    factor = np.broadcast_to(problem.strength(1.0), problem.n_features)
    return 1000.0 * float(np.max(size[factor > 0] / factor[factor > 0], initial=0.0))


def _given(alphas):
    allowed = "a number of strengths (int >= 1) or an array of finite numbers >= 0"
    given = alphas
    try:
        alphas = np.array(alphas, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"alphas must be {allowed}; got {alphas!r}.") from error
    if alphas.ndim == 0:
        raise ValueError(f"alphas must be {allowed}; got {given!r}. One strength alone is given as a list.")
    if alphas.ndim != 1 or alphas.size == 0:
        raise ValueError(f"alphas must be {allowed}; got an array of shape {alphas.shape}.")
    wrong = ~(np.isfinite(alphas) & (alphas >= 0))
    if wrong.any():
        raise ValueError(f"alphas must be {allowed}; got {alphas[wrong][0]}.")
    return np.unique(alphas)[::-1]
