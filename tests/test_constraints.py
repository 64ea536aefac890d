"""Fits within constraints, against bounded least squares and L-BFGS-B."""

import numpy as np
import pytest
from helpers import class_data, model_objective, reference, regression_data
from numpy.testing import assert_allclose
from scipy.optimize import lsq_linear
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning

from skreg import Box, Monotone, NonNegative, PenalizedLogisticRegression, PenalizedRegression
from skreg.solvers.quadratic import Quadratic


@pytest.mark.parametrize("penalty", [NonNegative(), Box(lower=0)], ids=repr)
@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_no_negative_coefficients(penalty, n_classes):
    task = "logistic" if n_classes == 2 else "softmax"
    X, y = class_data(n=200, p=8, n_classes=n_classes)
    model = PenalizedLogisticRegression(penalty, tol=1e-10).fit(X, y)
    best = reference(task, X, y, positive=True)[2]
    assert model.coef_.min() == 0.0 < model.coef_.max()
    assert model.optimality_.gap <= 1e-10
    assert_allclose(model_objective(task, model, X, y), best, rtol=1e-8)
    # A shift of all classes is free within the constraint, and must not lead astray.
    assert model.n_iter_ < 20 and np.abs(model.coef_).max() < 10


def test_most_coefficients_at_a_bound(monkeypatch):
    work, minimise = [], Quadratic.minimise
    monkeypatch.setattr(Quadratic, "minimise", lambda self, *args: (minimise(self, *args), work.append(self.work))[0])
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 200)) + 0.5 * rng.standard_normal((300, 1))
    y = X @ rng.standard_normal(200) + rng.standard_normal(300)
    model = PenalizedRegression(Box(-0.2, 0.2), fit_intercept=False, tol=1e-10).fit(X, y)
    assert np.mean(np.abs(model.coef_) == 0.2) > 0.8
    assert_allclose(model.optimality_.loss, lsq_linear(X, y, (-0.2, 0.2), tol=1e-14).cost / 300, rtol=1e-10)
    # A bound taken for a curve of the penalty led Newton's method out of the box: 3e7 operations.
    assert sum(work) < 1e7


@pytest.mark.parametrize(("lower", "upper"), [(-0.2, 0.3), (-0.2, np.inf), (-np.inf, 0.0)])
def test_bounded_least_squares(lower, upper):
    X, y = regression_data(n=50, p=30, seed=2)
    model = PenalizedRegression(Box(lower, upper), tol=1e-12, fit_intercept=False).fit(X, y)
    assert_allclose(model.coef_, lsq_linear(X, y, (lower, upper), method="bvls", tol=1e-15).x, atol=1e-7)
    assert model.optimality_.gap <= 1e-12


@pytest.mark.parametrize("increasing", [True, False])
def test_monotone_coefficients_are_sums_of_jumps_of_one_sign(increasing):
    X, y = regression_data(n=50, p=12, seed=2)
    model = PenalizedRegression(Monotone(increasing), tol=1e-12, fit_intercept=False).fit(X, y)
    sums = X @ np.tri(12)
    bounds = [-np.inf] + [0.0 if increasing else -np.inf] * 11, [np.inf] + [np.inf if increasing else 0.0] * 11
    jumps = lsq_linear(sums, y, bounds, method="bvls", tol=1e-15).x
    assert_allclose(model.coef_, np.cumsum(jumps), atol=1e-7)
    assert np.all(np.diff(model.coef_) * (1 if increasing else -1) >= 0)
    assert model.optimality_.gap <= 1e-12 and np.count_nonzero(np.diff(model.coef_)) < 11


@pytest.mark.parametrize("penalty", ["l0", "mcp", "scad"])
def test_one_class_apart_from_the_others_has_no_finite_coefficients(penalty):
    X, y = load_iris(return_X_y=True)
    model = PenalizedLogisticRegression(penalty)
    with pytest.warns(ConvergenceWarning, match="one of them and the rest.*separable.*infinite"):
        model.fit(X, y)
    # It stops when there is little left to gain, not when rounding does.
    assert model.n_iter_ < 50 and model.score(X, y) > 0.95
