"""The objective of a fitted estimator: its two terms on any data, and the point at which they are taken."""

from typing import NamedTuple

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skreg.fitting import in_units_of_design
from skreg.problem import make_problem

__all__ = ["Objective", "fitted_point", "objective_of"]


class Objective(NamedTuple):
    """What training minimises, in its two terms.

    Attributes
    ----------
    loss : float
        (Weighted) mean loss: the fit.
    penalty : float
        What the coefficients pay: the price.
    total : float
        Their sum.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import PenalizedRegression
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = PenalizedRegression("l2", alpha=1.0).fit(X, y)
    >>> objective = model.objective(X, y)
    >>> objective.total == objective.loss + objective.penalty
    True
    """

    loss: float
    penalty: float
    total: float


def objective_of(estimator, X, y, sample_weight=None):
    """The two terms of the objective of a fitted estimator, and their sum.

    Parameters
    ----------
    estimator : fitted estimator of skreg
    X, y, sample_weight : array-like
        As in ``fit``.

    Returns
    -------
    Objective
    """
    # The intercept is given, so none is looked for: data that lack a class will do.
    point = fitted_point(estimator, X, y, sample_weight, fit_intercept=False)
    return Objective(point.loss, point.price, point.objective)


def fitted_point(estimator, X, y, sample_weight=None, fit_intercept=True):
    """The problem that an estimator poses on some data, at its fitted coefficients.

    Parameters
    ----------
    estimator : fitted estimator of skreg
        A search stands for the alpha and the penalty that it chose.
    X, y, sample_weight : array-like
        As in ``fit``.
    fit_intercept : bool
        Whether the intercept of the problem, if it has one, is free to move.

    Returns
    -------
    Point
    """
    check_is_fitted(estimator)
    X, y, sample_weight, loss = estimator._prepare(X, y, sample_weight, reset=False)
    problem = make_problem(
        X,
        y,
        penalty=getattr(estimator, "penalty_", estimator.penalty),
        loss=loss,
        penalty_factor=estimator.penalty_factor,
        fit_intercept=estimator.fit_intercept and fit_intercept,
        standardize=estimator.standardize,
        sample_weight=sample_weight,
        feature_names=getattr(estimator, "feature_names_in_", None),
    )
    placed = in_units_of_design(problem, estimator.coef_, estimator.intercept_)
    if placed is None:
        raise ValueError(
            f"y of shape {y.shape} does not go with coefficients of shape {estimator.coef_.shape}: "
            f"{type(estimator).__name__} was fitted to another number of targets."
        )
    coef, intercept = placed
    if not problem.fit_intercept:
        intercept = estimator.intercept_ if problem.n_outputs > 1 else np.ravel(estimator.intercept_)[0]
    if problem.design.scale is not None:
        # A column that is constant in these data moves nothing; its coefficient has its price all the same.
        constant = np.isinf(problem.design.scale)
        coef[constant] = estimator.coef_.T.reshape(coef.shape)[constant]
    return problem.point(coef, intercept, getattr(estimator, "alpha_", getattr(estimator, "alpha", 0.0)))
