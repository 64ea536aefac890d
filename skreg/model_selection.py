"""Estimators that choose their alpha: by cross-validation along paths, or by a criterion without folds."""

import numpy as np

from skreg.fitting import encode_classes
from skreg.folds import Data
from skreg.linear_model import PenalizedLogisticRegression, PenalizedRegression
from skreg.progress import Fitting
from skreg.search import PathCV

__all__ = ["PenalizedLogisticRegressionCV", "PenalizedRegressionCV"]


class PenalizedRegressionCV(PathCV, PenalizedRegression):
    r"""Penalised regression that chooses its alpha.

    In every fold the whole path of alphas is solved, each from the solution before.
    For the squared loss with more rows than columns, X is read once for all folds.

    Parameters
    ----------
    penalty : str, Penalty or None, default="l1"
        As in `PenalizedRegression`.
    alphas : int or array-like of shape (n_alphas,), default=100
        How many, from `alpha_max` down, or the strengths themselves.
    alpha_min_ratio : float, optional
        Smallest over largest alpha of an automatic grid; by default 1e-3, and 1e-7
        where there is no `alpha_max`.
    max_support : int, optional
        Leave out the alphas from the first on at which the path of all data has more
        features than this.
    max_deviance : float in (0, 1], optional
        Leave out the alphas after the first at which the path of all data explains this
        share of the deviance.
    penalty_grid : dict or list of dict, optional
        Parameters of the penalty to be tuned as well, as for ``ParameterGrid``:
        ``{"l1_ratio": [0.1, 0.5, 0.9]}``. Every shape has its own automatic grid.
    relax : list of float in [0, 1], optional
        Mixtures with the refit on the support to be tuned as well: 1 is the
        penalised solution, 0 the unpenalised one on its support (glmnet's gamma).
        Where the refit is not unique the penalised solution stands for it.
    rule : {"min", "1se", "aic", "aicc", "bic", "ebic", "gcv", "loo"} or callable, default="min"
        "min": the best mean score. "1se": the strongest alpha whose mean score is
        within one standard error of the best. A callable gets `cv_results_` and
        returns a position in it. The others need no folds: information criteria,
        generalised cross-validation (squared loss), exact leave-one-out (squared
        loss and L2).
    cv : int, splitter or iterable, optional
        As in scikit-learn; 5 folds by default.
    scoring : str or callable, optional
        A scorer; by default the negative mean loss.
    penalty_factor : array-like of shape (n_features,), dict or None, default=None
        Factors of alpha per feature.
    loss : {"squared"} or Loss, default="squared"
        What an error costs.
    fit_intercept : bool, default=True
        Whether there is an intercept.
    standardize : bool, default=False
        Whether the penalty sees coefficients of columns with standard deviation 1.
    solver : str, default="auto"
        As in `PenalizedRegression`.
    tol : float, default=1e-6
        Largest relative suboptimality of every fit.
    max_iter : int, default=10000
        Limit on the solver's iterations per alpha.
    n_jobs : int, optional
        Folds that run at the same time.
    verbose : int, default=0
        Whether to draw a bar on stderr: of folds and alphas, or of folds where `n_jobs` is more than 1.

    Attributes
    ----------
    alpha_ : float
        The strength chosen.
    alpha_min_ : float
        The one with the best mean score (or criterion).
    alpha_1se_ : float
        The strongest within one standard error of it; only with folds.
    alphas_ : ndarray of shape (n_alphas,)
        The grid of the chosen shape, decreasing.
    penalty_ : Penalty
        The penalty chosen.
    relax_ : float
        The mixture chosen; 1 is the penalised solution.
    coef_, intercept_ : ndarray
        As in `PenalizedRegression`, of the fit to all data at the chosen alpha.
    coef_path_ : ndarray of shape (n_alphas, ...)
        The path of all data, penalised; entries are shaped like `coef_`.
    intercept_path_ : ndarray of shape (n_alphas, ...)
        Likewise.
    cv_results_ : dict of arrays
        In the shape of ``GridSearchCV.cv_results_``; without folds also "criterion"
        and "degrees_of_freedom".
    best_index_ : int
        The position chosen in `cv_results_`.
    best_params_ : dict
        Its parameters.
    best_score_ : float
        Its mean score.
    n_iter_, solver_, optimality_ : int, str, Optimality
        Of the fit at the chosen alpha.
    n_features_in_, feature_names_in_ : int, ndarray
        Of X.

    Warns
    -----
    ConvergenceWarning
        If a certificate does not meet `tol`.

    See Also
    --------
    regularization_path : The path without a choice.

    Notes
    -----
    A callback of scikit-learn that asks for an end is obeyed: folds after the second
    are left out, the path of all data ends with the alpha chosen, and `diagnose` says so.

    Information criteria take the sum of the sample weights as the number of
    samples, and the loss as a negative log-likelihood.

    References
    ----------
    L. Breiman, J. Friedman, R. Olshen, C. Stone, "Classification and regression
    trees" (1984), sec. 3.4.3 (the one-standard-error rule).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import PenalizedRegressionCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = PenalizedRegressionCV("l1", rule="1se").fit(X, y)
    >>> bool(model.alpha_ > model.alpha_min_), int((model.coef_ != 0).sum())
    (True, 6)
    """

    def __init__(
        self,
        penalty="l1",
        *,
        alphas=100,
        alpha_min_ratio=None,
        max_support=None,
        max_deviance=None,
        penalty_grid=None,
        relax=None,
        rule="min",
        cv=None,
        scoring=None,
        penalty_factor=None,
        loss="squared",
        fit_intercept=True,
        standardize=False,
        solver="auto",
        tol=1e-6,
        max_iter=10_000,
        n_jobs=None,
        verbose=0,
    ):
        self.penalty = penalty
        self.alphas = alphas
        self.alpha_min_ratio = alpha_min_ratio
        self.max_support = max_support
        self.max_deviance = max_deviance
        self.penalty_grid = penalty_grid
        self.relax = relax
        self.rule = rule
        self.cv = cv
        self.scoring = scoring
        self.penalty_factor = penalty_factor
        self.loss = loss
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(self, X, y, sample_weight=None, **params):
        """Choose alpha, and fit to all data at it.

        Parameters
        ----------
        X : array-like or sparse of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative weights, in fits and in scores.
        **params : dict
            ``groups`` for the splitter; with scikit-learn's metadata routing, what
            splitter and scorer request.

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
            X, y, sample_weight, loss = self._prepare(X, y, sample_weight)
            if self.rule == "gcv" and not loss.quadratic:
                raise ValueError(f"rule='gcv' needs the squared loss; got {type(loss).__name__}.")
            return self._search(Data(X, y, np.asarray(y, np.float64), sample_weight, loss), params, fitting)

    def _training_weights(self, y, sample_weight):
        """Nothing but the sample weights."""
        return sample_weight

    def _member(self, coef, intercept, classes):
        """The estimator that a scorer sees."""
        member = PenalizedRegression(loss=self.loss)
        if coef is not None:
            member.coef_, member.intercept_, member.n_features_in_ = coef, intercept, coef.shape[-1]
        return member


class PenalizedLogisticRegressionCV(PathCV, PenalizedLogisticRegression):
    r"""Penalised logistic regression that chooses its alpha.

    In every fold the whole path of alphas is solved, each from the solution before.

    Parameters
    ----------
    penalty : str, Penalty or None, default="l1"
        As in `PenalizedLogisticRegression`.
    alphas : int or array-like of shape (n_alphas,), default=100
        How many, from `alpha_max` down, or the strengths themselves.
    alpha_min_ratio : float, optional
        Smallest over largest alpha of an automatic grid; by default 1e-3, and 1e-7
        where there is no `alpha_max`.
    max_support : int, optional
        Leave out the alphas from the first on at which the path of all data has more
        features than this.
    max_deviance : float in (0, 1], optional
        Leave out the alphas after the first at which the path of all data explains this
        share of the deviance.
    penalty_grid : dict or list of dict, optional
        Parameters of the penalty to be tuned as well, as for ``ParameterGrid``:
        ``{"l1_ratio": [0.1, 0.5, 0.9]}``. Every shape has its own automatic grid.
    relax : list of float in [0, 1], optional
        Mixtures with the refit on the support to be tuned as well: 1 is the
        penalised solution, 0 the unpenalised one on its support (glmnet's gamma).
        Where the refit is not unique the penalised solution stands for it.
    rule : {"min", "1se", "aic", "aicc", "bic", "ebic"} or callable, default="min"
        "min": the best mean score. "1se": the strongest alpha whose mean score is
        within one standard error of the best. A callable gets `cv_results_` and
        returns a position in it. The others are information criteria and need no
        folds.
    cv : int, splitter or iterable, optional
        As in scikit-learn; 5 stratified folds by default.
    scoring : str or callable, optional
        A scorer; by default the negative log loss, which tells
        probabilities apart where accuracy does not.
    penalty_factor : array-like of shape (n_features,), dict or None, default=None
        Factors of alpha per feature.
    fit_intercept : bool, default=True
        Whether there is an intercept.
    standardize : bool, default=False
        Whether the penalty sees coefficients of columns with standard deviation 1.
    solver : str, default="auto"
        As in `PenalizedLogisticRegression`.
    tol : float, default=1e-6
        Largest relative suboptimality of every fit.
    max_iter : int, default=10000
        Limit on the solver's iterations per alpha.
    n_jobs : int, optional
        Folds that run at the same time.
    verbose : int, default=0
        Whether to draw a bar on stderr: of folds and alphas, or of folds where `n_jobs` is more than 1.
    class_weight : dict, "balanced" or None, default=None
        Factors of the sample weights per class, in fits but not in scores;
        "balanced" is computed in every training set.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    alpha_ : float
        The strength chosen.
    alpha_min_ : float
        The one with the best mean score (or criterion).
    alpha_1se_ : float
        The strongest within one standard error of it; only with folds.
    alphas_ : ndarray of shape (n_alphas,)
        The grid of the chosen shape, decreasing.
    penalty_ : Penalty
        The penalty chosen.
    relax_ : float
        The mixture chosen; 1 is the penalised solution.
    coef_, intercept_ : ndarray
        As in `PenalizedLogisticRegression`, of the fit to all data at the chosen alpha.
    coef_path_ : ndarray of shape (n_alphas, ...)
        The path of all data, penalised; entries are shaped like `coef_`.
    intercept_path_ : ndarray of shape (n_alphas, ...)
        Likewise.
    cv_results_ : dict of arrays
        In the shape of ``GridSearchCV.cv_results_``; without folds also "criterion"
        and "degrees_of_freedom".
    best_index_ : int
        The position chosen in `cv_results_`.
    best_params_ : dict
        Its parameters.
    best_score_ : float
        Its mean score.
    n_iter_, solver_, optimality_ : int, str, Optimality
        Of the fit at the chosen alpha.
    n_features_in_, feature_names_in_ : int, ndarray
        Of X.

    Warns
    -----
    ConvergenceWarning
        If a certificate does not meet `tol`.

    See Also
    --------
    regularization_path : The path without a choice.

    Notes
    -----
    A callback of scikit-learn that asks for an end is obeyed: folds after the second
    are left out, the path of all data ends with the alpha chosen, and `diagnose` says so.

    Information criteria take the sum of the sample weights as the number of
    samples, and the loss as a negative log-likelihood.

    References
    ----------
    L. Breiman, J. Friedman, R. Olshen, C. Stone, "Classification and regression
    trees" (1984), sec. 3.4.3 (the one-standard-error rule).

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skreg import PenalizedLogisticRegressionCV
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), PenalizedLogisticRegressionCV("l1", alphas=20, rule="1se")).fit(X, y)
    >>> round(model.score(X, y), 2), model[-1].coef_.shape, model[-1].coef_path_.shape
    (0.98, (1, 30), (20, 1, 30))
    """

    def __init__(
        self,
        penalty="l1",
        *,
        alphas=100,
        alpha_min_ratio=None,
        max_support=None,
        max_deviance=None,
        penalty_grid=None,
        relax=None,
        rule="min",
        cv=None,
        scoring=None,
        penalty_factor=None,
        fit_intercept=True,
        standardize=False,
        solver="auto",
        tol=1e-6,
        max_iter=10_000,
        n_jobs=None,
        verbose=0,
        class_weight=None,
    ):
        self.penalty = penalty
        self.alphas = alphas
        self.alpha_min_ratio = alpha_min_ratio
        self.max_support = max_support
        self.max_deviance = max_deviance
        self.penalty_grid = penalty_grid
        self.relax = relax
        self.rule = rule
        self.cv = cv
        self.scoring = scoring
        self.penalty_factor = penalty_factor
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.class_weight = class_weight

    def fit(self, X, y, sample_weight=None, **params):
        """Choose alpha, and fit to all data at it.

        Parameters
        ----------
        X : array-like or sparse of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,)
            Labels of two classes or more.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative weights, in fits and in scores.
        **params : dict
            ``groups`` for the splitter; with scikit-learn's metadata routing, what
            splitter and scorer request.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If the data or a parameter are not what they have to be.
        """
        if self.rule in ("gcv", "loo"):
            raise ValueError(f"rule={self.rule!r} needs the squared loss; take cv and rule='min', or rule='aic'.")
        with Fitting(self) as fitting:
            X, y, sample_weight = self._validated(X, y, sample_weight)
            classes = encode_classes(y, self._training_weights(y, sample_weight))
            data = Data(X, y, classes.target, sample_weight, classes.loss, classes.labels)
            return self._search(data, params, fitting)

    def _member(self, coef, intercept, classes):
        """The estimator that a scorer sees."""
        member = PenalizedLogisticRegression()
        if coef is not None:
            member.coef_, member.intercept_, member.classes_ = coef, intercept, classes
            member.n_features_in_ = coef.shape[-1]
        return member
