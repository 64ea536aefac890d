"""What must not change the answer, or must change it in a known way."""

import numpy as np
import pytest
from helpers import (
    FORMATS,
    class_data,
    estimator,
    model_objective,
    plain,
    regression_data,
    sparse_data,
    task_data,
    uneven_weights,
)
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from skreg import ElasticNet

TASKS = ["squared", "logistic", "softmax"]
PENALTIES = {"l1": "l1", "l2": "l2", "elasticnet": ElasticNet(0.5), "none": None}
# Elastic net: unique solutions whatever the data, sparse enough to have a kink.
UNIQUE = {"l2": "l2", "elasticnet": ElasticNet(0.5)}


def fit(task, penalty, X, y, weights=None, **params):
    return estimator(task, penalty, **{"alpha": 0.05, "tol": 1e-13, **params}).fit(X, y, sample_weight=weights)


def assert_same_fit(one, other, rtol=1e-6, atol=1e-7):
    for name in ("coef_", "intercept_"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=rtol, atol=atol)


each_task = pytest.mark.parametrize("task", TASKS)
each_penalty = pytest.mark.parametrize("penalty", PENALTIES.values(), ids=PENALTIES)
each_unique = pytest.mark.parametrize("penalty", UNIQUE.values(), ids=UNIQUE)
each_layout = pytest.mark.parametrize("layout", FORMATS)


@each_task
@each_penalty
@each_layout
def test_weight_k_is_k_copies(task, penalty, layout):
    X, y = sparse_data(task, n=90, seed=1)
    weights = np.random.default_rng(1).integers(0, 4, len(y))
    copies = np.repeat(np.arange(len(y)), weights)
    weighted = fit(task, penalty, FORMATS[layout](X), y, weights)
    assert_same_fit(weighted, fit(task, penalty, FORMATS[layout](X[copies]), y[copies]))


@each_task
@each_penalty
@each_layout
@pytest.mark.parametrize("standardize", [False, True])
def test_weight_zero_is_the_row_left_out(task, penalty, layout, standardize):
    X, y = sparse_data(task, seed=2)
    weights = uneven_weights(len(y), seed=2)
    # What a row without weight holds must not matter, however wild.
    X[weights == 0] *= 1e6
    kept = weights > 0
    whole = fit(task, penalty, FORMATS[layout](X), y, weights, standardize=standardize)
    part = fit(task, penalty, FORMATS[layout](X[kept]), y[kept], weights[kept], standardize=standardize)
    assert_same_fit(whole, part)


@pytest.mark.parametrize("class_weight", ["balanced", {0: 1.0, 1: 3.0}], ids=["balanced", "dict"])
def test_weight_zero_is_the_row_left_out_with_class_weight(class_weight):
    X, y = task_data("logistic")
    weights = np.where((y == 1) & (np.arange(len(y)) % 2 == 0), 0.0, 1.0)
    kept = weights > 0
    whole = fit("logistic", "l2", X, y, weights, class_weight=class_weight)
    assert_same_fit(whole, fit("logistic", "l2", X[kept], y[kept], class_weight=class_weight))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_class_without_weight_is_left_out(n_classes):
    X, y = class_data(n_classes=n_classes + 1)
    kept = y != 1
    whole, part = fit("softmax", "l2", X, y, kept.astype(float)), fit("softmax", "l2", X[kept], y[kept])
    assert whole.classes_.tolist() == part.classes_.tolist() == [0, 2, 3][:n_classes]
    assert_same_fit(whole, part)


@each_task
@given(scale=st.floats(1e-12, 1e12))
def test_only_ratios_of_weights_matter(task, scale):
    X, y = task_data(task)
    weights = uneven_weights(len(y))
    assert_same_fit(fit(task, "elasticnet", X, y, weights), fit(task, "elasticnet", X, y, scale * weights))


@each_task
@each_unique
@given(seed=st.integers(0, 1000))
def test_permutations(task, penalty, seed):
    X, y = task_data(task)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(len(y)), rng.permutation(X.shape[1])
    weights = uneven_weights(len(y))
    base = fit(task, penalty, X, y, weights)
    moved = fit(task, penalty, X[rows][:, columns], y[rows], weights[rows])
    np.testing.assert_allclose(plain(moved)[0], plain(base)[0][..., columns], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(moved.intercept_, base.intercept_, rtol=1e-6, atol=1e-7)


@each_task
@each_penalty
@pytest.mark.parametrize("layout", ["F", "csr", "csc"])
@pytest.mark.parametrize("standardize", [False, True])
def test_sparse_equals_dense(task, penalty, layout, standardize):
    X, y = sparse_data(task, seed=3)
    weights = uneven_weights(len(y), seed=3)
    one = fit(task, penalty, X, y, weights, standardize=standardize)
    other = fit(task, penalty, FORMATS[layout](X), y, weights, standardize=standardize)
    assert_same_fit(one, other)
    decisions = (model.predict(part) for model, part in ((one, X), (other, FORMATS[layout](X))))
    np.testing.assert_allclose(*decisions, rtol=1e-6)


@each_task
@each_penalty
@pytest.mark.parametrize("layout", ["C", "F", "csr", "csc"])
@pytest.mark.parametrize("mean", [0.0, 1000.0])
@pytest.mark.parametrize("standardize", [False, True])
def test_float32_equals_float64(task, penalty, layout, mean, standardize):
    X, y = sparse_data(task, seed=4)
    # Both get the very same numbers: what is left is what float32 does to the arithmetic.
    single = FORMATS[layout]((X + mean).astype(np.float32))
    double = single.astype(np.float64)
    params = {"tol": 1e-10, "standardize": standardize}
    one, other = fit(task, penalty, single, y, **params), fit(task, penalty, double, y, **params)
    assert one.coef_.dtype == np.float32
    np.testing.assert_allclose(one.coef_, other.coef_, rtol=1e-5, atol=1e-5)
    # An error of eps in a coefficient moves the intercept by eps * mean.
    np.testing.assert_allclose(one.intercept_, other.intercept_, rtol=1e-5, atol=1e-5 * (1 + mean))


@each_task
@pytest.mark.parametrize(
    "name, l1, l2", [("l1", 0.05, 0.0), ("l2", 0.0, 0.05), ("elasticnet", 0.025, 0.025), ("none", 0.0, 0.0)]
)
def test_the_intercept_makes_good_what_rounding_to_float32_did(task, name, l1, l2):
    """Rounded coefficients times columns far from zero: only the spread of the columns may show it."""
    X, y = task_data(task, seed=4)
    X = (X + 1e4).astype(np.float32)
    one, other = (fit(task, PENALTIES[name], x, y, tol=1e-10) for x in (X, X.astype(np.float64)))
    mine, best = (model_objective(task, model, X, y, l1, l2) for model in (one, other))
    np.testing.assert_allclose(mine, best, rtol=1e-9)
    np.testing.assert_allclose(mine, one.optimality_.objective, rtol=1e-9)


@each_task
@each_penalty
@each_layout
def test_standardize_makes_the_units_of_columns_irrelevant(task, penalty, layout):
    X, y = sparse_data(task, seed=5)
    units = np.array([1e-4, 1e3, 1.0, 7.0, 0.02, 1e6])
    weights = uneven_weights(len(y), seed=5)
    one = fit(task, penalty, FORMATS[layout](X), y, weights, standardize=True)
    other = fit(task, penalty, FORMATS[layout](X * units), y, weights, standardize=True)
    np.testing.assert_allclose(one.coef_, other.coef_ * units, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(one.intercept_, other.intercept_, rtol=1e-6, atol=1e-7)


@each_task
@each_penalty
def test_standardize_is_scaling_by_hand(task, penalty):
    X, y = task_data(task, seed=6)
    X = X * np.array([1e-3, 10.0, 1.0, 7.0, 0.02, 1e2]) + 5.0
    weights = uneven_weights(len(y), seed=6)
    means = np.average(X, axis=0, weights=weights)
    scale = np.sqrt(np.average((X - means) ** 2, axis=0, weights=weights))
    one, other = fit(task, penalty, X, y, weights, standardize=True), fit(task, penalty, X / scale, y, weights)
    np.testing.assert_allclose(one.coef_ * scale, other.coef_, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("unit", [1e-6, 1e-2, 1e6])
@pytest.mark.parametrize("name", PENALTIES)
def test_units_of_y(name, unit):
    X, y = regression_data(seed=7)
    alphas = {"l1": unit, "l2": 1.0, "elasticnet": None, "none": 1.0}
    if alphas[name] is None:
        # Both parts scale differently: hand the factors over to the mixture.
        total = 0.5 * unit + 0.5
        one = fit("squared", ElasticNet(0.5), X, y)
        other = fit("squared", ElasticNet(0.5 * unit / total), X, unit * y, alpha=0.05 * total)
    else:
        one = fit("squared", PENALTIES[name], X, y)
        other = fit("squared", PENALTIES[name], X, unit * y, alpha=0.05 * alphas[name])
    np.testing.assert_allclose(other.coef_, one.coef_ * unit, rtol=1e-6, atol=1e-7 * unit)
    np.testing.assert_allclose(other.intercept_, one.intercept_ * unit, rtol=1e-6)
    np.testing.assert_allclose(other.optimality_.null_loss, one.optimality_.null_loss * unit**2, rtol=1e-9)


@each_task
@pytest.mark.parametrize("unit", [1e-4, 1e5])
@pytest.mark.parametrize("name", ["l1", "l2"])
def test_units_of_X(task, name, unit):
    X, y = task_data(task, seed=8)
    one = fit(task, name, X, y)
    other = fit(task, name, unit * X, y, alpha=0.05 * (unit if name == "l1" else unit**2))
    np.testing.assert_allclose(other.coef_ * unit, one.coef_, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(other.intercept_, one.intercept_, rtol=1e-6, atol=1e-7)


@each_task
@each_unique
@pytest.mark.parametrize("mean", [10.0, 1e6])
def test_means_of_columns_go_into_the_intercept(task, penalty, mean):
    X, y = task_data(task, seed=9)
    one, other = fit(task, penalty, X, y, tol=1e-10), fit(task, penalty, X + mean, y, tol=1e-10)
    np.testing.assert_allclose(other.coef_, one.coef_, rtol=1e-5, atol=1e-6)
    expected = one.intercept_ - mean * one.coef_.sum(axis=-1)
    if task == "softmax":
        # A number added to all intercepts changes nothing: they sum to zero.
        expected -= expected.mean()
    np.testing.assert_allclose(other.intercept_, expected, rtol=1e-5, atol=1e-5 * mean)


@pytest.mark.parametrize("labels", [["b", "a"], [7, -3], [True, False], ["no", "yes", "maybe"], [2.0, 0.0, 1.0]])
def test_names_of_classes_are_only_names(labels):
    task = "logistic" if len(labels) == 2 else "softmax"
    X, y = task_data(task, seed=10)
    named = np.array(labels)[y]
    one, other = fit(task, ElasticNet(0.5), X, y), fit(task, ElasticNet(0.5), X, named)
    assert other.classes_.tolist() == sorted(labels)
    np.testing.assert_array_equal(np.array(labels)[one.predict(X)], other.predict(X))
    order = np.argsort(np.array(labels))
    np.testing.assert_allclose(other.predict_proba(X), one.predict_proba(X)[:, order], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("fit_intercept", [True, False])
@each_penalty
def test_classes_of_a_softmax_sum_to_zero(penalty, fit_intercept):
    """Free of charge or squared: symmetric in the classes. (L1 prefers the median to the mean.)"""
    X, y = task_data("softmax", seed=11)
    model = fit("softmax", penalty, X, y, fit_intercept=fit_intercept)
    np.testing.assert_allclose(model.intercept_.sum(), 0.0, atol=1e-7)
    if penalty in (None, "l2"):
        np.testing.assert_allclose(model.coef_.sum(axis=0), 0.0, atol=1e-7)
    free = fit("softmax", penalty, X, y, fit_intercept=fit_intercept, penalty_factor={0: 0.0})
    np.testing.assert_allclose(free.coef_[:, 0].sum(), 0.0, atol=1e-7)


def test_two_classes_are_one_column():
    X, y = task_data("logistic")
    model = fit("logistic", "l2", X, y)
    assert model.coef_.shape == (1, X.shape[1]) and model.intercept_.shape == (1,)
    assert model.decision_function(X).shape == (len(y),) and model.predict_proba(X).shape == (len(y), 2)


@pytest.mark.parametrize("n_targets", [1, 3])
@each_penalty
def test_targets_are_fitted_side_by_side(penalty, n_targets):
    X, y = regression_data(n_targets=n_targets, seed=12)
    together = fit("squared", penalty, X, y)
    assert together.coef_.shape == (n_targets, X.shape[1]) and together.intercept_.shape == (n_targets,)
    for k in range(n_targets):
        alone = fit("squared", penalty, X, y[:, k])
        assert alone.coef_.shape == (X.shape[1],) and np.ndim(alone.intercept_) == 0
        np.testing.assert_allclose(together.coef_[k], alone.coef_, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(together.intercept_[k], alone.intercept_, rtol=1e-6)


@each_task
@each_penalty
@pytest.mark.parametrize("solver", ["auto", "proximal_gradient"])
def test_bit_by_bit_repeatable_and_deaf_to_the_global_random_state(task, penalty, solver):
    X, y = sparse_data(task, seed=13)
    fits = []
    for seed in (0, 1):
        np.random.seed(seed)  # noqa: NPY002
        before = np.random.get_state()[1].copy()  # noqa: NPY002
        for convert in (np.ascontiguousarray, sparse.csr_array):
            fits.append(fit(task, penalty, convert(X), y, solver=solver, tol=1e-6))
        np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    for one, other in zip(fits[:2], fits[2:], strict=True):
        assert one.coef_.tobytes() == other.coef_.tobytes()
        assert np.asarray(one.intercept_).tobytes() == np.asarray(other.intercept_).tobytes()
        assert one.optimality_ == other.optimality_
