"""What both estimators share: parameters, one fit, one promise."""

import warnings

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from skreg._validation import check_bool, check_data, check_integer, check_real, is_centred
from skreg.fitting import in_units_of_design, in_units_of_X, trouble
from skreg.objective import objective_of
from skreg.penalties import get_penalty
from skreg.problem import make_problem
from skreg.progress import CallbackSupport
from skreg.solvers import get_solver
from skreg.solvers.probe import probe_prox

__all__ = ["Penalized"]


class Penalized(CallbackSupport, BaseEstimator):
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
        """Solve; coefficients and intercept, with a row for each output if y has columns."""
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
