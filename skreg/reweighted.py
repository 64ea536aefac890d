"""Reweighted L1: factors of alpha from the fit before, for concave penalties and the adaptive lasso."""

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skreg._validation import check_integer, check_real
from skreg.objective import fitted_point
from skreg.penalties import get_penalty

__all__ = ["Reweighted"]

# Stands for infinity: a coefficient at this multiple of alpha never leaves zero.
NEVER = 1e12

# Factors that change by less than this share are the same: the rounds have come to rest.
REST = 1e-8


def _has(name):
    """For methods that only classifiers have."""
    return available_if(lambda self: hasattr(getattr(self, "estimator_", self.estimator), name))


class Reweighted(MetaEstimatorMixin, BaseEstimator):
    r"""L1 (or another penalty) whose factors come from the fit before: local linear approximation, adaptive lasso.

    Large coefficients of one fit are charged less in the next one, small ones more. Every round is a convex problem,
    fitted by ``estimator`` with

    .. math:: f_j = P'(|w_j|; \alpha) / \alpha \quad\text{or}\quad f_j = |w_j|^{-\gamma}

    as ``penalty_factor``, where :math:`w` is the fit before. The first is the local linear approximation (LLA) of a
    concave penalty :math:`P`: with an L1 estimator each round lowers the objective of :math:`P`, and a fit that
    repeats itself is a stationary point of it. The second is the adaptive lasso.

    Parameters
    ----------
    estimator : estimator of skreg
        Fits every round: `PenalizedRegression`, `PenalizedLogisticRegression` or a search, usually with
        ``penalty="l1"``. Factors that it has itself multiply those found.
    penalty : float, str or Penalty, default=1.0
        The exponent :math:`\gamma > 0` of the adaptive lasso, or the concave penalty :math:`P` that is approximated
        (``"scad"``, ``MCP(gamma=4)``, one of your own), separable.
    n_rounds : int, default=1
        At most so many rounds after the first fit; 1 is the one-step estimator. Rounds end when factors no longer change.
    pilot : estimator, optional
        Gives the coefficients of the first fit; any linear model. By default ``estimator`` itself,
        without factors found; with more samples than features ``PenalizedRegression(None)`` is the choice of Zou and Li.

    Attributes
    ----------
    estimator_ : estimator
        That of the last round.
    pilot_ : estimator
        The first fit.
    penalty_factor_ : ndarray of shape (n_features,)
        Factors of the last round, those of ``estimator`` included. Infinity is 1e12.
    n_rounds_ : int
        Rounds that were run.
    coef_, intercept_ : ndarray, float
        As in ``estimator_``.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, where X has some.
    classes_ : ndarray of shape (n_classes,)
        Of classifiers.

    Notes
    -----
    With several outputs a feature has one factor, from the root mean square of its coefficients. With ``standardize=True``
    factors come from coefficients of standardised columns, which are what the penalty sees.

    References
    ----------
    H. Zou and R. Li, "One-step sparse estimates in nonconcave penalized likelihood models", Ann. Statist. 36
    (2008) 1509-1533, eq. (2.7), (3.1); H. Zou, "The adaptive lasso and its oracle properties", J. Am. Stat.
    Assoc. 101 (2006) 1418-1429, eq. (4).

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import PenalizedRegression, Reweighted
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 8))
    >>> y = X[:, 0] - 2.0 * X[:, 1] + rng.standard_normal(100)
    >>> lasso = PenalizedRegression("l1", alpha=0.3)
    >>> lasso.fit(X, y).coef_[:2].round(2)
    array([ 0.5 , -1.59])
    >>> Reweighted(lasso, "scad", n_rounds=5).fit(X, y).coef_[:2].round(2)
    array([ 0.66, -1.95])
    """

    _doc_link_module = "skreg"

    def __init__(self, estimator, penalty=1.0, *, n_rounds=1, pilot=None):
        self.estimator = estimator
        self.penalty = penalty
        self.n_rounds = n_rounds
        self.pilot = pilot

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        own = get_tags(self.estimator)
        for name in ("estimator_type", "classifier_tags", "regressor_tags", "target_tags", "input_tags"):
            setattr(tags, name, getattr(own, name))
        return tags

    def fit(self, X, y, sample_weight=None):
        """Fit the pilot, then one round after the other.

        Parameters
        ----------
        X : array-like or sparse of shape (n_samples, n_features)
            Data.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets or labels.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows.

        Returns
        -------
        Reweighted
            Itself.
        """
        n_rounds = check_integer("n_rounds", self.n_rounds, low=1)
        if not hasattr(self.estimator, "penalty_factor"):
            raise TypeError(
                f"estimator must have a penalty_factor, as those of skreg do; got {type(self.estimator).__name__}."
            )
        slope = self._slope()
        # Also with a pilot: it has chosen alpha if it is a search, and knows the units of standardised columns.
        plain = fitted = _fitted(self.estimator, X, y, sample_weight)
        if self.pilot is not None:
            fitted = _fitted(self.pilot, X, y, sample_weight)
        pilot, point = fitted, fitted_point(plain, X, y, sample_weight)
        n_features, scale = point.problem.n_features, point.problem.design.scale
        own = np.array(np.broadcast_to(point.problem.strength(1.0), n_features), dtype=float)
        alpha, factor = point.alpha, None
        for round_ in range(1, n_rounds + 1):
            new = np.minimum(slope(_sizes(fitted.coef_, scale), alpha, own), NEVER)
            if factor is not None and np.allclose(new, factor, rtol=REST, atol=0.0):
                break
            factor, self.n_rounds_ = new, round_
            fitted = _fitted(self.estimator, X, y, sample_weight, penalty_factor=factor)
            alpha = getattr(fitted, "alpha_", alpha)
        self.pilot_, self.estimator_, self.penalty_factor_ = pilot, fitted, factor
        for name in ("coef_", "intercept_", "n_features_in_", "feature_names_in_", "classes_"):
            if hasattr(fitted, name):
                setattr(self, name, getattr(fitted, name))
        return self

    def _slope(self):
        """The function that gives factors of alpha for sizes of coefficients."""
        if isinstance(self.penalty, Real):
            power = check_real("penalty", self.penalty, low=0, low_open=True)
            return lambda size, alpha, own: own / np.maximum(size, NEVER ** (-1.0 / power)) ** power
        penalty = get_penalty(self.penalty)
        if not penalty.separable or penalty.joint_outputs:
            raise ValueError(f"penalty must be separable, to have a slope for each coefficient; got {self.penalty!r}.")

        def slope(size, alpha, own):
            return own if alpha == 0 else _slopes(penalty.bind(size.size), size, alpha * own) / alpha

        return slope

    @property
    def _fit(self):
        check_is_fitted(self, "estimator_")
        return self.estimator_

    def predict(self, X):
        """Predict with the last round.

        Parameters
        ----------
        X : array-like or sparse of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
            Targets or labels.
        """
        return self._fit.predict(X)

    def score(self, X, y, sample_weight=None):
        """The score of the last round: R squared, or accuracy.

        Parameters
        ----------
        X : array-like or sparse of shape (n_samples, n_features)
            Data.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets or labels.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows.

        Returns
        -------
        float
            Higher is better.
        """
        return self._fit.score(X, y, sample_weight)

    @_has("decision_function")
    def decision_function(self, X):
        """Linear predictor of the last round.

        Parameters
        ----------
        X : array-like or sparse of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Positive for the second class.
        """
        return self._fit.decision_function(X)

    @_has("predict_proba")
    def predict_proba(self, X):
        """Probabilities of the last round.

        Parameters
        ----------
        X : array-like or sparse of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Rows sum to one.
        """
        return self._fit.predict_proba(X)

    @_has("predict_log_proba")
    def predict_log_proba(self, X):
        """Logarithms of the probabilities of the last round.

        Parameters
        ----------
        X : array-like or sparse of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            None above zero.
        """
        return self._fit.predict_log_proba(X)


def _fitted(estimator, X, y, sample_weight, **params):
    """A fitted clone."""
    weights = {} if sample_weight is None else {"sample_weight": sample_weight}
    return clone(estimator).set_params(**params).fit(X, y, **weights)


def _sizes(coef, scale):
    """Size of the coefficients of each feature, as the penalty sees them."""
    coef = np.asarray(coef, dtype=float)
    size = np.abs(coef) if coef.ndim == 1 else np.sqrt(np.mean(np.square(coef), axis=0))
    if scale is not None:
        size = size * np.where(np.isinf(scale), 0.0, scale)
    return size


def _slopes(penalty, size, strength):
    """Derivative of a separable penalty at ``size >= 0``, from the right at zero."""
    if penalty.restrict(np.array([0])) is penalty:
        # The same for all features: one of a kind is enough, and most are zero.
        kinds, of = np.unique(np.stack([size, strength]), axis=1, return_inverse=True)
        parts = [penalty] * kinds.shape[1]
    else:
        kinds, of = np.stack([size, strength]), np.arange(size.size)
        parts = [penalty.restrict(np.array([j])) for j in range(size.size)]
    slopes = np.empty(len(parts))
    for k, (part, (at, alpha)) in enumerate(zip(parts, kinds.T, strict=True)):
        width = 1e-6 * (at or alpha)
        low = max(at - width, 0.0)
        rise = part.value(np.array([at + width]), np.array([alpha])) - part.value(np.array([low]), np.array([alpha]))
        slopes[k] = max(rise / (at + width - low), 0.0) if width > 0 else 0.0
    return slopes[np.ravel(of)]
