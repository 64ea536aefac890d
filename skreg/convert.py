"""Strengths in the words of other libraries, and estimators of scikit-learn as skreg's."""

from typing import NamedTuple

import numpy as np
from sklearn import linear_model

from skreg._validation import check_real
from skreg.linear_model import PenalizedLogisticRegression, PenalizedRegression
from skreg.penalties import L1, L2, ElasticNet

__all__ = ["Strength", "convert_alpha", "from_sklearn"]

# Their objective is the mean loss plus the strength times the elastic net, as here.
SAME = (
    "skreg",
    "sklearn.Lasso",
    "sklearn.ElasticNet",
    "sklearn.SGDRegressor",
    "sklearn.SGDClassifier",
    "sklearn.PoissonRegressor",
    "sklearn.GammaRegressor",
    "sklearn.TweedieRegressor",
    "celer",
    "glum",
    "skglm",
    "statsmodels",
)
SUMMED = ("sklearn.Ridge", "sklearn.LogisticRegression")
KNOWN = sorted((*SAME, *SUMMED, "glmnet"))


class Strength(NamedTuple):
    """A strength and its share of L1, as one library writes them.

    Attributes
    ----------
    value : float
        alpha, lambda or C.
    l1_ratio : float
        1 is the lasso, 0 is ridge.

    Examples
    --------
    >>> from skreg import convert_alpha
    >>> convert_alpha(0.1, target="sklearn.Ridge", l1_ratio=0, n_samples=50).value
    5.0
    """

    value: float
    l1_ratio: float


def convert_alpha(alpha, *, source="skreg", target="skreg", l1_ratio=1.0, n_samples=None, y_std=None):
    r"""The strength that another library needs for the same solution.

    ============================== ==========================================================
    sklearn.Ridge                  ``alpha * n_samples``
    sklearn.LogisticRegression     ``C = 1 / (alpha * n_samples)``
    glmnet, family "gaussian"      its L2 part is divided by the standard deviation of y
    Lasso, ElasticNet, SGD, GLMs   the same alpha: ``sklearn.Lasso``, ``sklearn.ElasticNet``,
                                   ``sklearn.SGDRegressor``, ``sklearn.SGDClassifier``,
                                   ``sklearn.PoissonRegressor``, ``sklearn.GammaRegressor``,
                                   ``sklearn.TweedieRegressor``
    celer, glum, skglm             the same alpha
    statsmodels (fit_regularized)  the same alpha, but it penalises the constant
    ============================== ==========================================================

    Parameters
    ----------
    alpha : float
        Strength in the words of `source`: alpha, lambda or C.
    source, target : str, default="skreg"
        Names in the table; "skreg" is `PenalizedRegression` and `PenalizedLogisticRegression`.
    l1_ratio : float in [0, 1], default=1
        The share of L1 in the words of `source`: 1 is the lasso, 0 is ridge.
    n_samples : float, optional
        The sum of the sample weights (times class weights), or the number of rows; for Ridge and
        LogisticRegression.
    y_std : float, optional
        Population standard deviation of y (weighted), for glmnet's family "gaussian";
        leave it out for its other families, which do not have this factor.

    Returns
    -------
    Strength
        ``(value, l1_ratio)``; the share of L1 changes in glmnet only.

    Raises
    ------
    ValueError, TypeError
        If a name is not known, or a number is missing.

    Notes
    -----
    glmnet standardises the columns unless told otherwise, and rescales penalty
    factors to a mean of one: set ``standardize`` alike, and divide factors by their mean.

    References
    ----------
    J. Friedman, T. Hastie, R. Tibshirani, J. Stat. Softw. 33(1) (2010); the factor of
    y is explained in glmnet's vignette, appendix "Comparison with other packages".

    Examples
    --------
    >>> from skreg import convert_alpha
    >>> round(convert_alpha(0.01, target="sklearn.LogisticRegression", n_samples=200).value, 3)
    0.5
    >>> convert_alpha(2.0, source="glmnet", l1_ratio=0.5, y_std=4.0)
    Strength(value=1.25, l1_ratio=0.8)
    """
    for name, value in (("source", source), ("target", target)):
        if value not in KNOWN:
            raise ValueError(f"{name}={value!r} is not known: choose one of {KNOWN}.")
    alpha = _number("alpha", alpha)
    l1_ratio = check_real("l1_ratio", l1_ratio, low=0, high=1)
    l1, l2 = _parts(alpha, l1_ratio, source, n_samples, y_std)
    if target == "sklearn.Ridge":
        if l1 > 0:
            raise ValueError(f"target='sklearn.Ridge' has no L1 part; got l1_ratio={l1_ratio!r}. Set l1_ratio=0.")
        return Strength(l2 * _count(n_samples, target), 0.0)
    if target == "glmnet" and y_std is not None:
        l2 = l2 * check_real("y_std", y_std, low=0, low_open=True)
    total = l1 + l2
    ratio = l1 / total if total > 0 else l1_ratio
    if target == "sklearn.LogisticRegression":
        count = _count(n_samples, target)
        return Strength(1.0 / (total * count) if total > 0 else np.inf, ratio)
    return Strength(total, ratio)


def _parts(alpha, l1_ratio, source, n_samples, y_std):
    """Strengths of ``||w||_1`` and of ``||w||^2 / 2`` beside the mean loss."""
    if source == "sklearn.LogisticRegression":
        if alpha == 0:
            raise ValueError("alpha is C here, and must be positive; got 0.")
        alpha = 1.0 / (alpha * _count(n_samples, source))
    elif source == "sklearn.Ridge":
        alpha, l1_ratio = alpha / _count(n_samples, source), 0.0
    l1, l2 = alpha * l1_ratio, alpha * (1.0 - l1_ratio)
    if source == "glmnet" and y_std is not None:
        l2 /= check_real("y_std", y_std, low=0, low_open=True)
    return l1, l2


def _number(name, value):
    """A strength; C may be infinite."""
    return np.inf if value == np.inf else check_real(name, value, low=0)


def _count(n_samples, name):
    if n_samples is None:
        raise ValueError(f"{name} sums over samples: n_samples, the sum of their weights, must be given.")
    return check_real("n_samples", n_samples, low=0, low_open=True)


def from_sklearn(estimator, n_samples=None):
    """The estimator of skreg that has the same solution as one of scikit-learn.

    Parameters
    ----------
    estimator : estimator
        LinearRegression, Ridge, Lasso, ElasticNet, LogisticRegression, or SGDRegressor and SGDClassifier with
        the squared or the log loss; fitted or not.
    n_samples : float, optional
        The sum of the sample weights (times class weights), or the number of rows; for Ridge and
        LogisticRegression, whose strengths are relative to a sum.

    Returns
    -------
    PenalizedRegression or PenalizedLogisticRegression
        Not fitted. ``tol`` and ``max_iter`` are skreg's own.

    Raises
    ------
    TypeError
        If there is no counterpart.
    ValueError
        If a parameter has none, or ``n_samples`` is missing.

    Examples
    --------
    >>> from sklearn.linear_model import ElasticNet
    >>> from skreg import from_sklearn
    >>> from_sklearn(ElasticNet(alpha=0.1, l1_ratio=0.7))
    PenalizedRegression(alpha=0.1, penalty=ElasticNet(l1_ratio=0.7))
    """
    for cls, translate in _TRANSLATE.items():
        # Searches and multi-task variants inherit from these, and are something else.
        if type(estimator) is cls:
            return translate(estimator, n_samples)
    known, name = [cls.__name__ for cls in _TRANSLATE], type(estimator).__name__
    said = f"from_sklearn knows {known}; got {name}."
    if type(estimator) in _OTHER_LOSSES:
        said += (
            f" skreg has no loss for {name}; give it one: write a Loss with value, gradient and curvature, and fit "
            f"PenalizedRegression('l2', loss=YourLoss(), alpha={estimator.alpha!r}): the strength is the same number."
        )
    elif type(estimator) in _SEARCHES:
        said += " It searches for its strength: use PenalizedRegressionCV or PenalizedLogisticRegressionCV."
    raise TypeError(said)


def _penalty(l1_ratio, positive=False):
    if l1_ratio == 1:
        return L1(positive=positive)
    return L2(positive=positive) if l1_ratio == 0 else ElasticNet(l1_ratio=l1_ratio, positive=positive)


def _linear(estimator, n_samples):
    if estimator.positive:
        return PenalizedRegression(L2(positive=True), alpha=0.0, fit_intercept=estimator.fit_intercept)
    return PenalizedRegression(None, fit_intercept=estimator.fit_intercept)


def _ridge(estimator, n_samples):
    if np.ndim(estimator.alpha):
        raise ValueError(f"Ridge with one alpha per target has no counterpart; got alpha={estimator.alpha!r}.")
    alpha = convert_alpha(estimator.alpha, source="sklearn.Ridge", l1_ratio=0.0, n_samples=n_samples).value
    return PenalizedRegression(_penalty(0, estimator.positive), alpha=alpha, fit_intercept=estimator.fit_intercept)


def _elastic_net(estimator, n_samples):
    penalty = _penalty(getattr(estimator, "l1_ratio", 1), estimator.positive)
    return PenalizedRegression(
        penalty, alpha=estimator.alpha, fit_intercept=estimator.fit_intercept, warm_start=estimator.warm_start
    )


def _logistic(estimator, n_samples):
    if estimator.solver == "liblinear" and estimator.fit_intercept:
        raise ValueError("solver='liblinear' penalises the intercept, which has no counterpart.")
    # scikit-learn 1.8 left the name of the penalty to l1_ratio; 1.10 removes it.
    penalty = getattr(estimator, "penalty", "deprecated")
    ratio = {"l1": 1.0, "l2": 0.0}.get(penalty, estimator.l1_ratio)
    common = {"fit_intercept": estimator.fit_intercept, "class_weight": estimator.class_weight}
    if penalty is None or np.isinf(estimator.C):
        return PenalizedLogisticRegression(None, **common)
    ratio = 0.0 if ratio is None else ratio
    alpha = convert_alpha(estimator.C, source="sklearn.LogisticRegression", l1_ratio=ratio, n_samples=n_samples).value
    return PenalizedLogisticRegression(_penalty(ratio), alpha=alpha, warm_start=estimator.warm_start, **common)


def _sgd(estimator, n_samples):
    wanted, cls = ("squared_error", PenalizedRegression)
    if isinstance(estimator, linear_model.SGDClassifier):
        wanted, cls = ("log_loss", PenalizedLogisticRegression)
    if estimator.loss != wanted:
        raise ValueError(
            f"{type(estimator).__name__} with loss={estimator.loss!r} has no counterpart; loss={wanted!r} has."
        )
    common = {"fit_intercept": estimator.fit_intercept, "warm_start": estimator.warm_start}
    if cls is PenalizedLogisticRegression:
        common["class_weight"] = estimator.class_weight
    if estimator.penalty is None:
        return cls(None, **common)
    ratio = {"l1": 1, "l2": 0}.get(estimator.penalty, estimator.l1_ratio)
    return cls(_penalty(ratio), alpha=estimator.alpha, **common)


_OTHER_LOSSES = linear_model.PoissonRegressor, linear_model.GammaRegressor, linear_model.TweedieRegressor
_SEARCHES = linear_model.RidgeCV, linear_model.LassoCV, linear_model.ElasticNetCV, linear_model.LogisticRegressionCV
_TRANSLATE = {
    linear_model.LinearRegression: _linear,
    linear_model.Ridge: _ridge,
    linear_model.Lasso: _elastic_net,
    linear_model.ElasticNet: _elastic_net,
    linear_model.LogisticRegression: _logistic,
    linear_model.SGDRegressor: _sgd,
    linear_model.SGDClassifier: _sgd,
}
