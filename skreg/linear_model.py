"""The estimators."""

import warnings

import numpy as np
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import check_is_fitted

from skreg._validation import (
    check_bool,
    check_data,
    check_integer,
    check_labels,
    check_real,
    check_weights,
    is_centred,
)
from skreg.fitting import canonical, encode_classes, in_units_of_design, in_units_of_X, trouble
from skreg.losses import get_loss
from skreg.objective import objective_of
from skreg.penalties import get_penalty
from skreg.problem import make_problem
from skreg.progress import CallbackSupport, Fitting
from skreg.solvers import get_solver
from skreg.solvers.probe import probe_prox

__all__ = ["PenalizedLogisticRegression", "PenalizedRegression"]


class _Penalized(CallbackSupport, BaseEstimator):
    """What both estimators share: parameters, one fit, one promise."""

    _doc_link_module = "skreg"
    _doc_link_template = "https://skreg.readthedocs.io/en/stable/api/generated/{estimator_module}.{estimator_name}.html"

    def _doc_link_url_param_generator(self):
        # Pages are named after the public place of a class.
        return {"estimator_module": "skreg", "estimator_name": type(self).__name__}

    def set_params(self, **params):
        """Set the parameters, also those of a penalty given by name.

        Parameters
        ----------
        **params : dict
            Parameters; ``penalty__l1_ratio=0.3`` turns the name into its object.

        Returns
        -------
        self
        """
        penalty = params.get("penalty", self.penalty)
        if isinstance(penalty, str) and any(name.startswith("penalty__") for name in params):
            params = {**params, "penalty": get_penalty(penalty)}
        return super().set_params(**params)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @property
    def _constrained(self):
        """Whether the penalty forbids coefficients, so that a good score may be out of reach."""
        return getattr(self.penalty, "constrains", False)

    def _centres(self, reset, sample_weight):
        """Whether this is a fit whose design reads all of X."""
        weights = getattr(self, "class_weight", None) if sample_weight is None else sample_weight
        return reset and is_centred(self.fit_intercept, self.standardize, weights)

    def _check_numbers(self):
        return {
            "alpha": check_real("alpha", self.alpha, low=0),
            "tol": check_real("tol", self.tol, low=0, low_open=True),
            "max_iter": check_integer("max_iter", self.max_iter, low=1),
            "fit_intercept": check_bool("fit_intercept", self.fit_intercept),
            "standardize": check_bool("standardize", self.standardize),
            "warm_start": check_bool("warm_start", self.warm_start),
        }

    def _fit(self, X, y, sample_weight, loss, numbers, fitting):
        """Solve; sets coef_ and intercept_ shaped (n_outputs, ...) or (...) as y is."""
        problem = make_problem(
            X,
            y,
            penalty=self.penalty,
            loss=loss,
            penalty_factor=self.penalty_factor,
            fit_intercept=numbers["fit_intercept"],
            standardize=numbers["standardize"],
            sample_weight=sample_weight,
            feature_names=getattr(self, "feature_names_in_", None),
        )
        solver = get_solver(self.solver, problem)
        start = self._warm_start(problem) if numbers["warm_start"] else None
        solution = next(iter(solver.solve(problem, [numbers["alpha"]], start, numbers["tol"], numbers["max_iter"])))
        probe_prox(problem, solution)
        coef, intercept = in_units_of_X(problem, solution.coef, solution.intercept, numbers["alpha"])
        self.n_iter_ = solution.n_iter
        self.solver_ = solver.name
        self.optimality_ = solution.optimality
        reason = trouble(solution, numbers["max_iter"])
        if reason is not None and not fitting.stopped:
            warnings.warn(f"{type(self).__name__} ({solver.name}) {reason}", ConvergenceWarning, stacklevel=3)
        return coef, intercept

    def _warm_start(self, problem):
        """The fitted coefficients in the units of the design, if they fit."""
        coef = getattr(self, "coef_", None)
        return None if coef is None else in_units_of_design(problem, coef, self.intercept_)

    def objective(self, X, y, sample_weight=None):
        """What training minimises, in its two terms.

        For the training data this is what `fit` has made as low as it can be. For other data the loss is
        theirs and the penalty is the same: it depends on the coefficients alone.

        Parameters
        ----------
        X : array-like or sparse of shape (n_samples, n_features)
            Data.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets or labels.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative weights; ``class_weight`` is applied to them as in `fit`.

        Returns
        -------
        Objective
            ``loss`` (weighted mean), ``penalty`` and ``total``, their sum.

        Raises
        ------
        ValueError, TypeError
            If the data are not what they have to be.

        Notes
        -----
        With ``standardize=True`` the penalty is that of columns scaled by their
        standard deviation in ``X``.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from skreg import PenalizedRegression
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = PenalizedRegression("l1", alpha=0.1).fit(X, y)
        >>> loss, penalty, total = model.objective(X, y)
        >>> round(loss), round(penalty), round(total)
        (1456, 173, 1629)
        """
        return objective_of(self, X, y, sample_weight)

    def _decision(self, X):
        check_is_fitted(self)
        X = check_data(self, X, reset=False)
        return X @ self.coef_.T + np.asarray(self.intercept_, dtype=self.coef_.dtype)


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


class PenalizedRegression(RegressorMixin, _Penalized):
    r"""Penalised regression with the penalty of your choice.

    .. math:: \min_{b, w} \; \frac{1}{\sum_i s_i} \sum_i s_i \, \ell(y_i, x_i^T w + b) + P(w; \alpha)

    with sample weights :math:`s_i` and, by default, :math:`\ell = \frac12 (y - \eta)^2`. The
    intercept is never penalised. The penalty is paid during training only:
    `predict` and `score` do not contain it.

    Parameters
    ----------
    penalty : str, Penalty or None, default="l2"
        What the coefficients pay: an object such as ``ElasticNet(l1_ratio=0.9)`` or
        one of your own, None for nothing; or the name of a penalty with its default
        parameters: "l1", "l2", "elasticnet", "mcp", "scad", "logsum", "lq", "l0",
        "l21", "slope", "fused", "trend", "nuclear".
    alpha : float, default=0.01
        Strength of the penalty (the textbooks' lambda), >= 0, in units of the
        loss; larger is stronger. Equals ``alpha`` of scikit-learn's ``Lasso`` and
        ``ElasticNet``, and ``alpha / n_samples`` of ``Ridge``.
    penalty_factor : array-like of shape (n_features,), dict or None, default=None
        Factors of alpha per feature; 0 means not penalised. A dict maps column
        names (or positions) to factors, the others have 1.
    loss : {"squared"} or Loss, default="squared"
        What an error costs.
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

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Weights, in units of y per unit of the column.
    intercept_ : float or ndarray of shape (n_targets,)
        Intercept.
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
        If the certificate does not meet `tol`; says what was reached and what to
        change.

    See Also
    --------
    PenalizedLogisticRegression : The same for classes.
    skreg.alpha_max : Where the path of alphas begins.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import PenalizedRegression
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = PenalizedRegression("l1", alpha=1.0).fit(X, y)
    >>> model.coef_.round()
    array([  0.,   0., 368.,   6.,   0.,   0.,   0.,   0., 308.,   0.])
    >>> round(model.score(X, y), 3)
    0.357
    """

    def __init__(
        self,
        penalty="l2",
        *,
        alpha=0.01,
        penalty_factor=None,
        loss="squared",
        fit_intercept=True,
        standardize=False,
        solver="auto",
        tol=1e-6,
        max_iter=10_000,
        warm_start=False,
    ):
        self.penalty = penalty
        self.alpha = alpha
        self.penalty_factor = penalty_factor
        self.loss = loss
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.regressor_tags.poor_score = self._constrained
        return tags

    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : array-like or sparse of shape (n_samples, n_features)
            Training data; float64 and float32 are used as they are.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets.
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
            X, y, sample_weight, loss = self._prepare(X, y, sample_weight)
            fitting.begin(X, y, sample_weight)
            self.coef_, self.intercept_ = self._fit(X, y, sample_weight, loss, numbers, fitting)
        return self

    def _prepare(self, X, y, sample_weight, reset=True):
        """Validated data and the loss."""
        loss = get_loss(self.loss)
        if loss.coupled_outputs:
            raise ValueError(f"loss={self.loss!r} is for classes: use PenalizedLogisticRegression.")
        X, y = check_data(self, X, y, reset, self._centres(reset, sample_weight), multi_output=True, y_numeric=True)
        return canonical(X), y, check_weights(sample_weight, X.shape[0]), loss

    def predict(self, X):
        """Predict targets; the penalty plays no part in it.

        Parameters
        ----------
        X : array-like or sparse of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
            Predictions on the scale of the target.
        """
        return get_loss(self.loss).inverse_link(self._decision(X))


class PenalizedLogisticRegression(ClassifierMixin, _Penalized):
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
