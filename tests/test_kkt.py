"""The optimality conditions, written by hand, at the tolerance that was promised.

A gap of ``tol * F0`` leaves every coefficient with little to gain: moving one coefficient alone, where the loss curves
by at most ``L``, gains at least ``L / 2 * move**2``. So ``sqrt(L) * move <= sqrt(2 * tol * F0)``, whatever ``tol`` is.
"""

import numpy as np
import pytest
from helpers import FORMATS, estimator, gradients, normalised, null_loss, plain, sparse_data, uneven_weights
from scipy import sparse

from skreg import L1, L2, ElasticNet

TASKS = ["squared", "logistic", "softmax"]
# penalty, and its shares of l1 and l2
PENALTIES = {
    "L1": (L1(), 1.0, 0.0),
    "L2": (L2(), 0.0, 1.0),
    "ElasticNet": (ElasticNet(0.4), 0.4, 0.6),
    "None": (None, 0.0, 0.0),
    "L1+": (L1(positive=True), 1.0, 0.0),
    "L2+": (L2(positive=True), 0.0, 1.0),
    "ElasticNet+": (ElasticNet(0.4, positive=True), 0.4, 0.6),
}
FACTOR = np.array([1.0, 0.0, 2.0, 0.5, 1.0, 0.1])
ALPHA = 0.04
# Largest second derivative of a row's loss, one output at a time.
STEEPEST = {"squared": 1.0, "logistic": 0.25, "softmax": 0.25}


def layouts(X):
    return {name: convert(X) for name, convert in FORMATS.items()} | {"float32": X.astype(np.float32)}


def dense(X):
    return (X.toarray() if sparse.issparse(X) else np.asarray(X)).astype(float)


def curvatures(task, X, weights):
    """Bound on the curvature of the mean loss along every coefficient."""
    return STEEPEST[task] * (normalised(weights, X.shape[0]) @ np.square(dense(X)))


def deviations(X, weights):
    """Weighted population standard deviations."""
    share, X = normalised(weights, X.shape[0]), dense(X)
    return np.sqrt(share @ np.square(X - share @ X))


def best_alone(target, curve, l1, l2, positive):
    """The minimiser of curve / 2 * (u - target)**2 + l1 * |u| + l2 / 2 * u**2, side by side."""
    right = np.maximum(curve * target - l1, 0.0)
    left = 0.0 if positive else np.minimum(curve * target + l1, 0.0)
    return (right + left) / (curve + l2)


@pytest.mark.parametrize("tol", [1e-3, 1e-6, 1e-10])
@pytest.mark.parametrize("layout", [*FORMATS, "float32"])
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", PENALTIES)
def test_no_coefficient_has_more_to_gain_than_promised(name, task, layout, tol):
    penalty, share1, share2 = PENALTIES[name]
    X, y = sparse_data(task, seed=1)
    X, weights = layouts(X)[layout], uneven_weights(len(y), seed=1)
    model = estimator(task, penalty, alpha=ALPHA, tol=tol).fit(X, y, sample_weight=weights)
    coef, intercept = plain(model)
    slope, slope0 = gradients(task, X, y, coef, intercept, weights)
    curve = curvatures(task, X, weights)
    best = best_alone(coef - slope / curve, curve, ALPHA * share1, ALPHA * share2, name.endswith("+"))
    allowed = np.sqrt(2.0 * tol * null_loss(task, y, weights)) + (1e-6 if layout == "float32" else 0.0)
    assert np.max(np.sqrt(curve) * np.abs(best - coef)) <= allowed
    assert np.max(np.abs(slope0)) / np.sqrt(STEEPEST[task]) <= allowed


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("layout", [*FORMATS, "float32"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", PENALTIES)
def test_zero_is_a_subgradient(name, task, fit_intercept, layout, standardize):
    penalty, share1, share2 = PENALTIES[name]
    positive, tol = name.endswith("+"), 1e-12
    X, y = sparse_data(task, seed=2)
    X, weights = layouts(X)[layout], uneven_weights(len(y), seed=2)
    params = {"alpha": ALPHA, "penalty_factor": FACTOR, "fit_intercept": fit_intercept, "standardize": standardize}
    model = estimator(task, penalty, tol=tol, **params).fit(X, y, sample_weight=weights)
    # Coefficients of columns divided by d are d times larger, and it is those that pay.
    scale = deviations(X, weights) if standardize else np.ones(X.shape[1])
    coef, intercept = plain(model)
    slope, slope0 = gradients(task, X, y, coef, intercept, weights)
    slope = slope + ALPHA * share2 * FACTOR * scale**2 * coef
    l1 = np.broadcast_to(ALPHA * share1 * FACTOR * scale, coef.shape)
    unit = np.sqrt(2.0 * tol * null_loss(task, y, weights, fit_intercept))
    atol = unit * np.sqrt(np.max(curvatures(task, X, weights))) + (1e-5 if layout == "float32" else 0.0)

    assert np.max(np.abs(slope0 if fit_intercept else intercept)) <= atol
    assert not positive or np.all(coef >= 0.0)
    alive = coef != 0.0
    np.testing.assert_allclose(slope[alive], -(l1 * np.sign(coef))[alive], rtol=0, atol=atol)
    assert np.all(slope[~alive] >= -l1[~alive] - atol)
    assert positive or np.all(slope[~alive] <= l1[~alive] + atol)


def test_the_conditions_can_fail():
    """The tests above see a coefficient that is a hundredth off."""
    X, y = sparse_data("squared", seed=1)
    model = estimator("squared", "l1", alpha=ALPHA).fit(X, y)
    curve = curvatures("squared", X, None)
    for shift in (0.0, 1e-2):
        coef, intercept = plain(model)
        coef = coef * (1.0 + shift)
        slope = gradients("squared", X, y, coef, intercept)[0]
        best = best_alone(coef - slope / curve, curve, ALPHA, 0.0, False)
        gain = np.max(np.sqrt(curve) * np.abs(best - coef))
        assert (gain > np.sqrt(2e-6 * null_loss("squared", y))) == (shift > 0)
