"""The estimator of classes."""

import numpy as np
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight

from skreg._validation import check_data, check_labels, check_weights
from skreg.fitting import canonical, encode_classes
from skreg.linear_model.base import Penalized
from skreg.progress import Fitting

__all__ = ["PenalizedLogisticRegression"]


class PenalizedLogisticRegression(ClassifierMixin, Penalized):
    r"""Penalised logistic regression with the penalty of your choice.

    .. math:: \min_{b, w} \; \frac{1}{\sum_i s_i} \sum_i s_i \, \ell(y_i, x_i^T w + b) + P(w; \alpha)

    with sample weights :math:`s_i` and the logistic loss; three and more classes
    share one softmax, symmetric in the classes. The intercept is never
    penalised. The penalty is paid during training only: `predict_proba` and
    `score` do not contain it.

    Parameters
    ----------
    penalty : str, Penalty or None, default="l2"
        What the coefficients pay: an object such as ``ElasticNet(l1_ratio=0.9)`` or
        one of your own, None for nothing; or the name of a penalty with its default
        parameters: "l1", "l2", "elasticnet", "mcp", "scad", "logsum", "lq", "l0",
        "l21", "slope", "fused", "trend", "nuclear".
    alpha : float, default=0.01
        Strength of the penalty (the textbooks' lambda), >= 0, in units of the
        mean loss; larger is stronger. Equals ``1 / (C * n_samples)`` of
        scikit-learn's ``LogisticRegression``.
    penalty_factor : array-like of shape (n_features,), dict or None, default=None
        Factors of alpha per feature; 0 means not penalised. A dict maps column
        names (or positions) to factors, the others have 1.
    fit_intercept : bool, default=True
        Whether there is an intercept.
    standardize : bool, default=False
        Whether the penalty sees coefficients of columns divided by their weighted
        population standard deviation. `coef_` is in the units of X either way.
    solver : "auto" or the name of a solver, default="auto"
        "auto" takes the fastest that fits (see `skreg.fastest_solver`).
    tol : float, default=1e-6
        Largest relative suboptimality: the fit ends when the duality gap (or,
        where there is none, the violation) is below ``tol`` times the loss of
        the model that only has an intercept. Does not depend on units.
    max_iter : int, default=10000
        Limit on the solver's iterations.
    warm_start : bool, default=False
        Whether `fit` starts from the last solution.
    class_weight : dict, "balanced" or None, default=None
        Factors of the sample weights per class; "balanced" gives every class the
        same total.

    Attributes
    ----------
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Weights, in log-odds per unit of the column; one row for two classes.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts.
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    n_iter_ : int
        Iterations of the solver, at least 1.
    solver_ : str
        The solver that ran.
    optimality_ : Optimality
        The certificate: objective, gap, violation, and whether they meet `tol`.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, if X has string names.

    Warns
    -----
    ConvergenceWarning
        If the certificate does not meet `tol`, or if the classes are separable
        and nothing is penalised; says what to change.

    See Also
    --------
    PenalizedRegression : The same for numbers.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skreg import PenalizedLogisticRegression
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), PenalizedLogisticRegression("l1", alpha=0.02)).fit(X, y)
    >>> round(model.score(X, y), 3), int((model[-1].coef_ != 0).sum())
    (0.972, 7)
    """

    def __init__(
        self,
        penalty="l2",
        *,
        alpha=0.01,
        penalty_factor=None,
        fit_intercept=True,
        standardize=False,
        solver="auto",
        tol=1e-6,
        max_iter=10_000,
        warm_start=False,
        class_weight=None,
    ):
        self.penalty = penalty
        self.alpha = alpha
        self.penalty_factor = penalty_factor
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.class_weight = class_weight

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = self._constrained
        return tags

    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : array-like or sparse of shape (n_samples, n_features)
            Training data; float64 and float32 are used as they are.
        y : array-like of shape (n_samples,)
            Labels, numbers or strings, of two classes or more.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative weights; a weight of 2 equals the row given twice.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If the data or a parameter are not what they have to be.
        """
        with Fitting(self) as fitting:
            numbers = self._check_numbers()
            X, y, sample_weight = self._validated(X, y, sample_weight)
            sample_weight = self._training_weights(y, sample_weight)
            classes = encode_classes(y, sample_weight)
            fitting.begin(X, y, sample_weight)
            coef, intercept = self._fit(X, classes.target, sample_weight, classes.loss, numbers, fitting)
            self.classes_, self.coef_, self.intercept_ = classes.labels, np.atleast_2d(coef), np.atleast_1d(intercept)
        return self

    def _prepare(self, X, y, sample_weight, reset=True):
        """Validated data with class weights in the sample weights, and the loss."""
        X, y, sample_weight = self._validated(X, y, sample_weight, reset)
        sample_weight = self._training_weights(y, sample_weight)
        classes = encode_classes(y, sample_weight, None if reset else self.classes_)
        return X, classes.target, sample_weight, classes.loss

    def _validated(self, X, y, sample_weight, reset=True):
        X, y = check_data(self, X, y, reset, self._centres(reset, sample_weight))
        check_labels(y)
        return canonical(X), y, check_weights(sample_weight, X.shape[0])

    def _training_weights(self, y, sample_weight):
        """Sample weights times class weights."""
        if self.class_weight is None:
            return sample_weight
        return check_weights(_class_weights(self.class_weight, y, sample_weight), len(y))

    def decision_function(self, X):
        """Log-odds (two classes), or the linear predictor of every class.

        Parameters
        ----------
        X : array-like or sparse of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Positive means the second of two classes; else the largest wins.
        """
        decision = self._decision(X)
        return decision.ravel() if decision.shape[1] == 1 else decision

    def predict(self, X):
        """Predict the most probable class; the penalty plays no part in it.

        Parameters
        ----------
        X : array-like or sparse of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels.
        """
        decision = self.decision_function(X)
        return self.classes_[(decision > 0).astype(int) if decision.ndim == 1 else decision.argmax(axis=1)]

    def predict_proba(self, X):
        """Probabilities of the classes.

        Parameters
        ----------
        X : array-like or sparse of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of `classes_`; rows sum to 1.
        """
        decision = self.decision_function(X)
        if decision.ndim == 1:
            return np.column_stack([expit(-decision), expit(decision)])
        return softmax(decision, axis=1)

    def predict_log_proba(self, X):
        """Logarithms of the probabilities, exact also where they underflow.

        Parameters
        ----------
        X : array-like or sparse of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        decision = self.decision_function(X)
        if decision.ndim == 1:
            return np.column_stack([log_expit(-decision), log_expit(decision)])
        return log_softmax(decision, axis=1)


def _class_weights(class_weight, y, sample_weight):
    """Sample weights times those of their classes; "balanced" balances weights, not rows."""
    sample_weight = np.ones(len(y)) if sample_weight is None else sample_weight
    if not (isinstance(class_weight, str) and class_weight == "balanced"):
        try:
            return compute_sample_weight(class_weight, y) * sample_weight
        except (TypeError, ValueError) as error:
            raise type(error)(
                f'class_weight must be a dict {{label: finite number >= 0}}, "balanced" or None; got {class_weight!r}: {error}'
            ) from error
    codes = np.unique(y, return_inverse=True)[1]
    totals = np.bincount(codes, weights=sample_weight)
    return sample_weight / np.where(totals > 0, totals, 1.0)[codes]
