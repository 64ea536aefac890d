"""Hessians of seven digits: what they leave out, exact gradients bring back; where they lead nowhere, sixteen take over."""

import numpy as np
import pytest

from skreg import ElasticNet, PenalizedLogisticRegression, PenalizedRegression, make_problem, regularization_path
from skreg.design import make_design
from skreg.solvers.hessian import MANY
from skreg.solvers.models import Models


@pytest.fixture
def sharpened(monkeypatch):
    """How often a Hessian of seven digits was not enough."""
    calls, sharpen = [], Models.sharpen

    def spy(models):
        new = sharpen(models)
        calls.append(new)
        return new

    monkeypatch.setattr(Models, "sharpen", spy)
    return calls


def similar_columns(apart, n_samples=300, n_features=4000, seed=0):
    """Columns in fours, of which each is near the other three; means that are no zeros."""
    rng = np.random.default_rng(seed)
    one = rng.standard_normal((n_samples, n_features // 4))
    X = np.hstack([one + apart * rng.standard_normal(one.shape) for _ in range(4)]) + 3.0
    assert X.size >= MANY
    return X, X[:, :20] @ rng.standard_normal(20) + 0.5 * rng.standard_normal(n_samples)


def violation(X, y, coef, intercept, alpha, l1_ratio):
    """KKT by hand: the distance of the gradient from the subdifferential, over alpha."""
    residual = y - X @ coef - intercept
    gradient = -(X - X.mean(axis=0)).T @ residual / len(y) + alpha * (1.0 - l1_ratio) * coef
    strength = alpha * l1_ratio
    at_zero = np.maximum(np.abs(gradient) - strength, 0.0)
    return np.max(np.where(coef == 0, at_zero, np.abs(gradient + strength * np.sign(coef)))) / alpha


@pytest.mark.parametrize("layout", ["F", "C"])
@pytest.mark.parametrize("shape", [(300, 4000), (3000, 400)], ids=["wide", "tall"])
@pytest.mark.parametrize("apart", [1.0, 1e-2, 1e-4, 1e-6, 0.0])
def test_similar_columns_reach_any_tolerance(apart, shape, layout):
    X, y = similar_columns(apart, *shape)
    X = np.asarray(X, order=layout)
    top = np.max(np.abs((X - X.mean(axis=0)).T @ (y - y.mean()))) / len(y)
    for alpha in (0.1 * top, 0.003 * top):
        for penalty, l1_ratio in (("l1", 1.0), (ElasticNet(0.5), 0.5)):
            model = PenalizedRegression(penalty, alpha=alpha, tol=1e-12).fit(X, y)
            assert model.optimality_.converged
            assert violation(X, y, model.coef_, model.intercept_, alpha, l1_ratio) <= 1e-5


def test_sixteen_digits_take_over_where_seven_lead_nowhere(sharpened):
    X, y = similar_columns(1e-6)
    PenalizedRegression("l1", alpha=0.1, tol=1e-12).fit(X, y)
    assert any(sharpened)


def test_seven_digits_are_enough_for_columns_that_differ(sharpened):
    X, y = similar_columns(1.0)
    model = PenalizedRegression("l1", alpha=0.5, tol=1e-12).fit(X, y)
    assert model.optimality_.converged
    assert not any(sharpened)


@pytest.mark.parametrize("apart", [1.0, 1e-4])
def test_a_path_reaches_any_tolerance(apart):
    X, y = similar_columns(apart)
    path = regularization_path(X, y, penalty="l1", alphas=10, alpha_min_ratio=0.01, tol=1e-11)
    for alpha, coef, intercept in zip(path.alphas, path.coefs, path.intercepts, strict=True):
        assert violation(X, y, coef, intercept, alpha, 1.0) <= 1e-4


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("layout", ["F", "C"])
@pytest.mark.parametrize("standardize", [False, True])
def test_a_border_in_single_precision_is_the_other_to_seven_digits(layout, dtype, standardize):
    rng = np.random.default_rng(1)
    X = np.asarray(rng.standard_normal((9000, 40)) * np.geomspace(0.1, 10.0, 40) + 50.0, dtype=dtype, order=layout)
    weights = rng.uniform(0.5, 1.5, 9000)
    weights /= weights.sum()
    design = make_design(X, weights, True, standardize)
    old, fresh = np.array([3, 1, 30]), np.array([2, 39, 0, 17])
    exact = design.gram_border(old, fresh, weights)
    size = np.sqrt(design.squared_norms(weights))
    units = np.multiply.outer(size[fresh], size[np.concatenate([old, fresh])])
    border = design.gram_border(old, fresh, weights, single=True)
    assert border.dtype == np.float64
    assert np.max(np.abs(border - exact) / units) <= 1e-6
    X = X.astype(np.float64)
    Z = (X - weights @ X) / (design.scale if standardize else 1.0)
    by_hand = (Z[:, fresh].T * weights) @ Z[:, np.concatenate([old, fresh])]
    assert np.max(np.abs(exact - by_hand) / units) <= 1e-12


def test_small_problems_keep_all_digits():
    rng = np.random.default_rng(2)
    X = rng.standard_normal((72, 700))
    assert not Models(make_problem(X, X[:, 0], penalty="l1")).single


def logistic_violation(X, y, coef, intercept, alpha):
    """KKT by hand, the intercept's included, over alpha."""
    residual = 1.0 / (1.0 + np.exp(-(X @ coef + intercept))) - y
    gradient = X.T @ residual / len(y)
    at_zero = np.maximum(np.abs(gradient) - alpha, 0.0)
    worst = np.max(np.where(coef == 0, at_zero, np.abs(gradient + alpha * np.sign(coef))))
    return max(worst, abs(residual.mean())) / alpha


@pytest.mark.parametrize("layout", ["F", "C"])
@pytest.mark.parametrize("shape", [(300, 4000), (3000, 400)], ids=["wide", "tall"])
@pytest.mark.parametrize("apart", [1.0, 1e-2, 1e-4, 1e-6, 0.0])
def test_similar_columns_of_two_classes(apart, shape, layout):
    X, y = similar_columns(apart, *shape)
    X, y = np.asarray(X - 3.0, order=layout), (y > np.median(y)).astype(float)
    top = np.max(np.abs((X - X.mean(axis=0)).T @ (y - y.mean()))) / len(y)
    for alpha in (0.2 * top, 0.02 * top):
        model = PenalizedLogisticRegression("l1", alpha=alpha, tol=1e-10).fit(X, y)
        assert model.optimality_.converged
        assert logistic_violation(X, y, model.coef_[0], model.intercept_[0], alpha) <= 1e-4


@pytest.mark.parametrize("shape", [(300, 4000), (6000, 200)], ids=["wide", "tall"])
@pytest.mark.parametrize("apart", [1.0, 1e-3])
def test_paths_of_two_classes(apart, shape):
    # On the wide one, what is foretold lets go of a column that is missing then, for ever if nobody stops it.
    X, y = similar_columns(apart, *shape)
    X, y = np.asfortranarray(X - 3.0), (y > np.median(y)).astype(float)
    path = regularization_path(X, y, loss="logistic", penalty="l1", alphas=12, tol=1e-9)
    for alpha, coef, intercept in zip(path.alphas, path.coefs, path.intercepts, strict=True):
        assert logistic_violation(X, y, coef[0], intercept[0], alpha) <= 1e-3
