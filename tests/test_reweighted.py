"""Reweighted L1: each round is a convex problem, and together they minimise a concave one."""

from unittest import SkipTest

import numpy as np
import pandas as pd
import pytest
from helpers import class_data, model_objective, regression_data, uneven_weights
from sklearn.base import is_classifier, is_regressor
from sklearn.linear_model import Lasso, LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from skreg import (
    MCP,
    SCAD,
    SLOPE,
    LogSum,
    PenalizedLogisticRegression,
    PenalizedRegression,
    PenalizedRegressionCV,
    Penalty,
    Reweighted,
)

TASKS = {
    "squared": (PenalizedRegression("l1", alpha=0.2, tol=1e-12), regression_data),
    "logistic": (PenalizedLogisticRegression("l1", alpha=0.03, tol=1e-12), class_data),
}
each_task = pytest.mark.parametrize("task", TASKS)
PENALTIES = [SCAD(), MCP(gamma=4.0), LogSum(eps=0.5)]
each_penalty = pytest.mark.parametrize("penalty", PENALTIES, ids=lambda penalty: type(penalty).__name__)


@each_task
@each_penalty
def test_rounds_lower_the_concave_objective_and_end_at_a_stationary_point(task, penalty):
    base, data = TASKS[task]
    X, y = data(n=120, p=8)
    values, models = [], []
    for n_rounds in (1, 2, 3, 60):
        model = Reweighted(base, penalty, n_rounds=n_rounds).fit(X, y)
        values.append(model_objective(task, model, X, y) + penalty.value(np.ravel(model.coef_), base.alpha))
        models.append(model)
    pilot = models[0].pilot_
    values.insert(0, model_objective(task, pilot, X, y) + penalty.value(np.ravel(pilot.coef_), base.alpha))
    assert np.all(np.diff(values) <= 1e-12) and values[1] < values[0]
    last = models[-1]
    assert last.n_rounds_ < 60
    # The solver of the concave penalty itself finds nothing to do there.
    direct = type(base)(penalty, alpha=base.alpha, warm_start=True, tol=1e-8, max_iter=1)
    direct.coef_, direct.intercept_ = last.coef_.copy(), last.intercept_
    if task == "logistic":
        direct.classes_ = last.classes_
    direct.fit(X, y)
    assert direct.optimality_.violation < 1e-5
    np.testing.assert_allclose(direct.coef_, last.coef_, atol=1e-4)


@pytest.mark.parametrize("power", [1.0, 0.5])
def test_the_adaptive_lasso_is_the_lasso_on_rescaled_columns(power):
    X, y = regression_data(n=100, p=10)
    weights = uneven_weights(100)
    model = Reweighted(PenalizedRegression("l1", alpha=0.1, tol=1e-12), power, pilot=LinearRegression())
    model.fit(X, y, sample_weight=weights)
    free = LinearRegression().fit(X, y, sample_weight=weights).coef_
    factor = np.abs(free) ** -power
    np.testing.assert_allclose(model.penalty_factor_, factor, rtol=1e-9)
    lasso = Lasso(alpha=0.1, tol=1e-14, max_iter=100_000).fit(X / factor, y, sample_weight=weights)
    np.testing.assert_allclose(model.coef_, lasso.coef_ / factor, rtol=1e-5, atol=1e-7)


def test_standardised_columns_and_factors_of_the_estimator():
    """Columns in other units, with the factors that the first fit had: the same model."""
    X, y = regression_data(n=80, p=6)
    scale = X.std(axis=0)
    factor = np.array([1.0, 0.0, 2.0, 1.0, 0.5, 1.0])
    base = PenalizedRegression("l1", alpha=0.3, penalty_factor=factor, tol=1e-12)
    plain = Reweighted(base, "scad", n_rounds=3).fit(X / scale, y)
    scaled = Reweighted(base.set_params(standardize=True), "scad", n_rounds=3).fit(X, y)
    np.testing.assert_allclose(scaled.coef_ * scale, plain.coef_, rtol=1e-7)
    np.testing.assert_allclose(scaled.penalty_factor_, plain.penalty_factor_, rtol=1e-6)
    assert plain.penalty_factor_[1] == 0.0


class PerFeature(Penalty):
    """Log-sum with a knee for each feature."""

    separable = True

    def __init__(self, eps):
        self.eps = eps

    def restrict(self, features):
        return PerFeature(self.eps[features])

    def value(self, coef, alpha):
        return float(np.sum(alpha * np.log1p(np.abs(coef) / self.eps)))

    def prox(self, coef, step, alpha):
        raise NotImplementedError


def test_slopes_of_a_penalty_of_ones_own():
    X, y = regression_data(n=80, p=6)
    eps = np.linspace(0.1, 2.0, 6)
    model = Reweighted(PenalizedRegression("l1", alpha=0.3), PerFeature(eps)).fit(X, y)
    np.testing.assert_allclose(model.penalty_factor_, 1.0 / (eps + np.abs(model.pilot_.coef_)), rtol=1e-5)


def test_a_search_chooses_alpha_in_each_round():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((120, 30))
    truth = np.r_[3.0, -2.0, 1.5, np.zeros(27)]
    y = X @ truth + rng.standard_normal(120)
    search = PenalizedRegressionCV("l1", alphas=30)
    model = Reweighted(search, 1.0).fit(X, y)
    assert model.estimator_.alpha_ > 0
    plain = model.pilot_.coef_
    assert np.count_nonzero(model.coef_) < np.count_nonzero(plain)
    assert np.linalg.norm(model.coef_ - truth) < 0.7 * np.linalg.norm(plain - truth)


def test_in_a_pipeline_and_a_grid():
    X, y = class_data(n=90, p=5)
    frame = pd.DataFrame(X, columns=list("abcde"))
    model = Reweighted(PenalizedLogisticRegression("l1", penalty_factor={"a": 0.0}), "mcp")
    pipeline = make_pipeline(StandardScaler().set_output(transform="pandas"), model)
    grid = {"reweighted__estimator__alpha": [0.01, 0.05], "reweighted__penalty": [1.0, "scad", MCP(2.5)]}
    search = GridSearchCV(pipeline, grid, cv=3, error_score="raise", scoring="neg_log_loss").fit(frame, y)
    best = search.best_estimator_[-1]
    assert best.penalty_factor_[0] == 0.0 and best.feature_names_in_.tolist() == list("abcde")
    assert search.predict_proba(frame).shape == (90, 2) and search.best_score_ > -0.65
    assert is_classifier(model) and is_regressor(Reweighted(PenalizedRegression()))
    assert not hasattr(Reweighted(PenalizedRegression()), "predict_proba")


@pytest.mark.parametrize(
    "params, error, message",
    [
        ({"estimator": Lasso()}, TypeError, "estimator must have a penalty_factor.*Lasso"),
        ({"penalty": SLOPE()}, ValueError, "penalty must be separable"),
        ({"penalty": -1.0}, ValueError, "penalty must be"),
        ({"n_rounds": 0}, ValueError, "n_rounds must be"),
    ],
)
def test_bad_parameters(params, error, message):
    model = Reweighted(PenalizedRegression("l1")).set_params(**params)
    with pytest.raises(error, match=message):
        model.fit(*regression_data())


CHECKS = [
    pytest.param(estimator, check, id=f"{type(estimator.estimator).__name__}-{check.func.__name__}")
    for inner in (PenalizedRegression("l1"), PenalizedLogisticRegression("l1"))
    for estimator, check in estimator_checks_generator(Reweighted(inner))
]


@pytest.mark.parametrize("estimator, check", CHECKS)
def test_scikit_learn(estimator, check):
    try:
        check(estimator)
    except (SkipTest, pytest.skip.Exception) as reason:
        pytest.fail(f"skipped: {reason}")
