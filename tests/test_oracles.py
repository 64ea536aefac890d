"""The same objective as scikit-learn's, through the documented mapping of alpha."""

import numpy as np
import pytest
from helpers import (
    FORMATS,
    class_data,
    estimator,
    fit_quietly,
    model_objective,
    objective,
    plain,
    reference,
    regression_data,
    sklearn_logistic,
    sklearn_regression,
    sparse_data,
    uneven_weights,
)
from scipy import sparse

from skreg import ElasticNet

TOL = 1e-13
L1_RATIOS = {"ridge": 0, "lasso": 1, "elasticnet": 0.3}


def penalty_of(l1_ratio):
    return {0: "l2", 1: "l1"}.get(l1_ratio, ElasticNet(l1_ratio))


def assert_close(actual, expected, tol=1e-6):
    np.testing.assert_allclose(actual, expected, rtol=tol, atol=tol)


def assert_not_above(ours, mine, other):
    """Our objective exceeds another one by no more than the tolerance that was promised (and rounding)."""
    assert mine <= other + TOL * ours.optimality_.null_loss + 1e-14 * abs(other)


def assert_same(task, ours, theirs, X, y, alpha, l1_ratio, weights):
    """Objective equal to 1e-10, never above; coefficients and intercept equal to 1e-6."""
    prices = alpha * l1_ratio, alpha * (1 - l1_ratio)
    mine = model_objective(task, ours, X, y, *prices, weights)
    other = model_objective(task, theirs, X, y, *prices, weights)
    assert_not_above(ours, mine, other)
    np.testing.assert_allclose(mine, other, rtol=1e-10)
    assert_close(ours.coef_, theirs.coef_)
    # Softmax: a constant may be added to all intercepts. Ours sum to zero.
    center = theirs.intercept_.mean() if task == "softmax" else 0.0
    assert_close(ours.intercept_, theirs.intercept_ - center)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("layout", FORMATS)
@pytest.mark.parametrize("n_targets", [None, 3])
@pytest.mark.parametrize("l1_ratio", L1_RATIOS.values(), ids=L1_RATIOS)
def test_regression(l1_ratio, n_targets, layout, weighted, fit_intercept):
    X, y = regression_data(n_targets=n_targets, seed=1)
    if layout in ("csr", "csc"):
        X[np.abs(X) < 0.6] = 0.0
    weights = uneven_weights(len(y), seed=1) if weighted else None
    total = len(y) if weights is None else weights.sum()
    X_any, alpha = FORMATS[layout](X), 0.07
    theirs = sklearn_regression(alpha, l1_ratio, total, fit_intercept=fit_intercept).fit(X, y, sample_weight=weights)
    ours = estimator("squared", penalty_of(l1_ratio), alpha=alpha, fit_intercept=fit_intercept, tol=TOL)
    ours.fit(X_any, y, sample_weight=weights)
    assert ours.coef_.shape == theirs.coef_.shape
    assert_same("squared", ours, theirs, X, y, alpha, l1_ratio, weights)


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("n, p", [(40, 15), (15, 40)])
def test_positive_and_wide(n, p, positive):
    X, y = regression_data(n, p, seed=2)
    theirs = sklearn_regression(0.05, 0.6, n, positive=positive).fit(X, y)
    ours = estimator("squared", ElasticNet(0.6, positive=positive), alpha=0.05, tol=TOL).fit(X, y)
    assert_same("squared", ours, theirs, X, y, 0.05, 0.6, None)


@pytest.mark.parametrize("n, p", [(40, 15), (15, 40)])
def test_ridge_has_two_sides(n, p):
    X, y = regression_data(n, p, n_targets=2, seed=3)
    for weights in (None, uneven_weights(n)):
        total = n if weights is None else weights.sum()
        theirs = sklearn_regression(0.02, 0, total).fit(X, y, sample_weight=weights)
        ours = estimator("squared", "l2", alpha=0.02, tol=TOL).fit(X, y, sample_weight=weights)
        assert_same("squared", ours, theirs, X, y, 0.02, 0, weights)


@pytest.mark.parametrize("n, p", [(40, 15), (15, 40)])
@pytest.mark.parametrize("weighted", [False, True])
def test_least_squares_of_minimal_norm(n, p, weighted):
    X, y = regression_data(n, p, seed=4)
    weights = np.linspace(0.5, 2.0, n) if weighted else None
    root = np.ones(n) if weights is None else np.sqrt(weights)
    Xc, yc = X - np.average(X, axis=0, weights=weights), y - np.average(y, weights=weights)
    expected = np.linalg.lstsq(Xc * root[:, None], yc * root, rcond=None)[0]
    model = estimator("squared", None).fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(model.coef_, expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("layout", ["C", "csr"])
@pytest.mark.parametrize("n_classes", [2, 3, 4])
@pytest.mark.parametrize("l1_ratio", L1_RATIOS.values(), ids=L1_RATIOS)
def test_logistic(l1_ratio, n_classes, layout, weighted, fit_intercept):
    task = "logistic" if n_classes == 2 else "softmax"
    X, y = class_data(n_classes=n_classes, seed=5)
    weights = uneven_weights(len(y), seed=5) if weighted else None
    total = len(y) if weights is None else weights.sum()
    alpha = 0.03
    prices = alpha * l1_ratio, alpha * (1 - l1_ratio)
    ours = estimator(task, penalty_of(l1_ratio), alpha=alpha, fit_intercept=fit_intercept, tol=TOL)
    ours.fit(FORMATS[layout](X), y, sample_weight=weights)
    theirs = fit_quietly(
        sklearn_logistic(alpha, l1_ratio, total, fit_intercept=fit_intercept), X, y, sample_weight=weights
    )
    assert ours.coef_.shape == theirs.coef_.shape
    if l1_ratio == 0:
        assert_same(task, ours, theirs, X, y, alpha, l1_ratio, weights)
        return
    # saga stops short of 1e-10; it may not be better, and the slow reference decides how good we are.
    mine = model_objective(task, ours, X, y, *prices, weights)
    assert_not_above(ours, mine, model_objective(task, theirs, X, y, *prices, weights))
    coef, intercept, best = reference(task, X, y, *prices, weights, fit_intercept)
    np.testing.assert_allclose(mine, best, rtol=1e-10)
    if task == "logistic":
        assert_close(plain(ours)[0], coef)
        assert_close(plain(ours)[1], intercept)
    else:
        # Softmax with L1: what a constant over the classes may change costs nothing around the median.
        assert_close(ours.coef_ - np.median(ours.coef_, axis=0), coef - np.median(coef, axis=0))
        assert_close(ours.intercept_, intercept - intercept.mean())


@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_without_penalty(n_classes):
    task = "logistic" if n_classes == 2 else "softmax"
    X, y = class_data(n_classes=n_classes, seed=6)
    ours = estimator(task, None, tol=TOL).fit(X, y)
    theirs = sklearn_logistic(0.0, 0, len(y)).fit(X, y)
    assert_same(task, ours, theirs, X, y, 0.0, 0, None)


@pytest.mark.parametrize("class_weight", ["balanced", {0: 1.0, 1: 5.0, 2: 0.25}], ids=["balanced", "dict"])
@pytest.mark.parametrize("weighted", [False, True])
def test_class_weight(weighted, class_weight):
    X, y = class_data(n_classes=3, seed=7)
    y = np.where((y == 2) & (np.arange(len(y)) > 20), 0, y)
    weights = np.linspace(0.1, 2.0, len(y)) if weighted else np.ones(len(y))
    # "balanced" counts weights, not rows: a weight of 2 equals the row given twice here too.
    factors = 1.0 / np.bincount(y, weights) if class_weight == "balanced" else np.array([1.0, 5.0, 0.25])
    total = weights * factors[y]
    ours = estimator("softmax", "l2", alpha=0.02, class_weight=class_weight, tol=TOL)
    ours.fit(X, y, sample_weight=weights if weighted else None)
    theirs = sklearn_logistic(0.02, 0, total.sum()).fit(X, y, sample_weight=total)
    assert_same("softmax", ours, theirs, X, y, 0.02, 0, total)


@pytest.mark.parametrize("task", ["squared", "logistic", "softmax"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("positive", [False, True])
def test_penalty_factor_against_the_slow_reference(task, weighted, positive):
    X, y = sparse_data(task, seed=8)
    weights = uneven_weights(len(y), seed=8) if weighted else None
    factor = np.array([0.0, 1.0, 0.3, 2.5, 0.0, 1.0])
    l1, l2 = 0.05 * 0.7 * factor, 0.05 * 0.3 * factor
    model = estimator(task, ElasticNet(0.7, positive=positive), alpha=0.05, penalty_factor=factor, tol=TOL)
    model.fit(sparse.csr_array(X), y, sample_weight=weights)
    coef, intercept, best = reference(task, X, y, l1, l2, weights, positive=positive)
    mine = objective(task, X, y, *plain(model), l1, l2, weights)
    np.testing.assert_allclose(mine, best, rtol=1e-10)
    ours, theirs = [plain(model)[0], plain(model)[1]], [coef, intercept]
    if task == "softmax":
        # Free columns and intercepts are fixed up to a constant over the classes; ours sum to zero.
        free = factor == 0
        if positive:
            for part in (ours, theirs):
                part[0] = part[0] - np.where(free, part[0].min(axis=0), 0.0)
        else:
            theirs[0] = coef - np.where(free, coef.mean(axis=0), 0.0)
        theirs[1] = intercept - intercept.mean()
    assert_close(ours[0], theirs[0])
    assert_close(ours[1], theirs[1])
