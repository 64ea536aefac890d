"""The estimator of numbers."""

from sklearn.base import RegressorMixin

from skreg._validation import check_data, check_weights
from skreg.fitting import canonical
from skreg.linear_model.base import Penalized
from skreg.losses import get_loss
from skreg.progress import Fitting

__all__ = ["PenalizedRegression"]


class PenalizedRegression(RegressorMixin, Penalized):
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
