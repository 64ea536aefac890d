"""Data at the edge end well: finite coefficients, a certificate that holds, and no warning but those that are due."""

import warnings

import numpy as np
import pytest
from helpers import class_data, estimator, model_objective, plain, reference, regression_data, task_data
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso

from skreg import ElasticNet

TASKS = ["squared", "logistic", "softmax"]
PENALTIES = {"l1": ("l1", 1.0), "l2": ("l2", 0.0), "elasticnet": (ElasticNet(0.5), 0.5)}


def one_feature(X, y):
    return X[:, :1], y


def fewer_rows_than_columns(X, y):
    return np.hstack([X, np.random.default_rng(5).standard_normal((len(X), 200))])[:25], y[:25]


def constant_columns(X, y):
    X[:, [1, 4]] = [3.0, -1e5]
    return X, y


def nearly_constant_column(X, y):
    X[:, 2] = 1e4 + 1e-5 * X[:, 2]
    return X, y


def duplicate_columns(X, y):
    return np.hstack([X, X, -2.0 * X[:, :2]]), y


def duplicate_rows(X, y):
    return np.repeat(X[:40], 3, axis=0), np.repeat(y[:40], 3, axis=0)


def zero_columns(X, y):
    X[:, [0, 3]] = 0.0
    return X, y


def all_zero(X, y):
    return np.zeros_like(X), y


def one_column_alive(X, y):
    X[:, 1:] = 7.0
    return X, y


def tiny_and_huge_columns(X, y):
    return X * np.array([1e-8, 1e8, 1.0, 1e-8, 1e8, 1.0]), y


def tiny_X(X, y):
    return 1e-100 * X, y


def huge_X(X, y):
    return 1e8 * X, y


def means_far_from_zero(X, y):
    return X + 1e4, y


def outlier_row(X, y):
    X[3] = 1e4
    return X, y


def spike(X, y):
    X[:, 2] = 0.0
    X[5, 2] = 1e8
    return X, y


def nearly_collinear(X, y):
    return np.hstack([X, X + 1e-7 * np.random.default_rng(5).standard_normal(X.shape)]), y


CASES = [
    one_feature,
    fewer_rows_than_columns,
    constant_columns,
    nearly_constant_column,
    duplicate_columns,
    duplicate_rows,
    zero_columns,
    all_zero,
    one_column_alive,
    tiny_and_huge_columns,
    tiny_X,
    huge_X,
    means_far_from_zero,
    outlier_row,
    spike,
    nearly_collinear,
]


def assert_good(model, task, X, y, weights=None):
    """Finite, certified, and predicting."""
    optimality = model.optimality_
    assert optimality.converged
    assert np.all(np.isfinite(model.coef_)) and np.all(np.isfinite(model.intercept_))
    assert np.all(np.isfinite(model.predict(X) if task == "squared" else model.predict_proba(X)))
    assert np.isfinite(optimality.objective) and optimality.violation >= 0
    # Never worse than the model that only has an intercept.
    assert optimality.objective <= optimality.null_loss * (1 + 1e-12) + optimality.tol * optimality.null_loss
    assert model.n_iter_ >= 1


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
@pytest.mark.parametrize("convert", [np.ascontiguousarray, sparse.csr_array], ids=["dense", "sparse"])
def test_edges(task, name, case, convert):
    X, y = case(*task_data(task))
    for params in ({}, {"standardize": True}, {"fit_intercept": False}):
        model = estimator(task, PENALTIES[name][0], alpha=0.02, **params).fit(convert(X), y)
        assert_good(model, task, convert(X), y)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    "case",
    [one_feature, fewer_rows_than_columns, constant_columns, duplicate_columns, zero_columns, all_zero, spike],
    ids=lambda case: case.__name__,
)
@pytest.mark.parametrize("name", PENALTIES)
def test_edges_are_solved_and_not_only_survived(task, name, case):
    X, y = case(*task_data(task, seed=1))
    l1 = 0.1 * PENALTIES[name][1]
    model = estimator(task, PENALTIES[name][0], alpha=0.1, tol=1e-10).fit(X, y)
    best = reference(task, X, y, l1, 0.1 - l1)[2]
    mine = model_objective(task, model, X, y, l1, 0.1 - l1)
    assert mine <= best + 1e-9 * abs(best)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("penalty", ["l1", "l2", "elasticnet"])
@pytest.mark.parametrize("value", [1.0, -7.0, 1 / 3, 1e5])
@pytest.mark.parametrize("factor", [None, {2: 0.0}], ids=["paid", "free"])
def test_a_constant_column_is_left_to_the_intercept(task, penalty, value, factor):
    """The rounding of its mean is not a column."""
    X, y = task_data(task)
    X[:, 2] = value
    for seed in range(4):
        weights = None if seed == 0 else np.random.default_rng(seed).exponential(size=len(y))
        for alpha in (0.02, 1e-9):
            model = estimator(task, penalty, alpha=alpha, penalty_factor=factor).fit(X, y, sample_weight=weights)
            assert model.optimality_.converged
            np.testing.assert_allclose(value * model.coef_[..., 2], 0.0, atol=1e-5)


@pytest.mark.parametrize("n_targets", [None, 2])
@pytest.mark.parametrize("penalty", ["l1", "l2", "elasticnet", None])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_one_sample(penalty, fit_intercept, n_targets):
    X, y = regression_data(n=1, p=3, n_targets=n_targets)
    model = estimator("squared", penalty, alpha=0.01, fit_intercept=fit_intercept).fit(X, y)
    assert_good(model, "squared", X, y)
    if fit_intercept:
        assert not model.coef_.any()
        np.testing.assert_allclose(model.predict(X), y)


@pytest.mark.parametrize("penalty", ["l1", "l2", "elasticnet"])
def test_two_samples_two_classes(penalty):
    X, y = np.array([[0.0], [1.0]]), np.array(["no", "yes"])
    model = estimator("logistic", penalty, alpha=0.1).fit(X, y)
    assert_good(model, "logistic", X, y)
    assert model.coef_[0, 0] > 0
    np.testing.assert_allclose(model.decision_function(X).sum(), 0.0, atol=1e-3)


SEPARABLE = {
    "two classes": (np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array([0, 0, 1, 1])),
    "unbalanced": (np.vstack([np.full((50, 1), -1.0), [[3.0]]]), np.array([0] * 50 + [1])),
    "more columns than rows": (np.random.default_rng(0).standard_normal((20, 50)), np.arange(20) % 2),
    "three classes": (np.array([[-2.0], [-1.8], [0.0], [0.1], [2.0], [2.1]]), np.array([0, 0, 1, 1, 2, 2])),
    "three classes, wide": (np.random.default_rng(1).standard_normal((21, 50)), np.arange(21) % 3),
}


@pytest.mark.parametrize("alpha", [1e-6, 1e-2])
@pytest.mark.parametrize("penalty", ["l1", "l2", "elasticnet"])
@pytest.mark.parametrize("case", SEPARABLE)
def test_separable_classes_with_penalty_have_a_finite_solution(case, penalty, alpha):
    X, y = SEPARABLE[case]
    model = estimator("logistic", penalty, alpha=alpha).fit(X, y)
    assert_good(model, "logistic", X, y)
    assert model.score(X, y) == 1.0 or alpha > 1e-3


@pytest.mark.parametrize("penalty, alpha", [(None, 1.0), ("l2", 0.0), ("l1", 0.0)])
@pytest.mark.parametrize("case", SEPARABLE)
def test_separable_classes_without_penalty_warn(case, penalty, alpha):
    X, y = SEPARABLE[case]
    model = estimator("logistic", penalty, alpha=alpha)
    with pytest.warns(ConvergenceWarning, match=r"separable.*penalty.*alpha > 0"):
        model.fit(X, y)
    assert np.all(np.isfinite(model.coef_))
    assert model.score(X, y) == 1.0


def test_a_free_column_that_separates_warns():
    X, y = class_data()
    X[:, 0] = np.where(y == 1, 1.0, -1.0)
    with pytest.warns(ConvergenceWarning, match="separable"):
        estimator("logistic", "l1", alpha=0.1, penalty_factor={0: 0.0}).fit(X, y)


@pytest.mark.parametrize("penalty", ["l1", "l2", None])
@pytest.mark.parametrize("size", [1e-12, 1e12, 1e-100, 1e100])
def test_size_of_y(penalty, size):
    X, y = regression_data()
    unit = size if penalty == "l1" else 1.0
    model = estimator("squared", penalty, alpha=0.02 * unit).fit(X, size * y)
    assert_good(model, "squared", X, size * y)
    plain_score = estimator("squared", penalty, alpha=0.02).fit(X, y).score(X, y)
    np.testing.assert_allclose(model.score(X, size * y), plain_score, rtol=1e-4)


@pytest.mark.parametrize("penalty", ["l1", "l2", "elasticnet", None])
@pytest.mark.parametrize("value", [0.0, 3.0, 1e12, -1e-12])
@pytest.mark.parametrize("n_targets", [None, 2])
def test_constant_y(penalty, value, n_targets):
    X, y = regression_data(n_targets=n_targets)
    y = np.full_like(y, value)
    model = estimator("squared", penalty, alpha=0.02).fit(X, y)
    assert model.optimality_.converged
    np.testing.assert_allclose(model.predict(X), y, rtol=1e-9)
    np.testing.assert_allclose(model.coef_, 0.0, atol=1e-9 * abs(value))


def test_one_constant_target_beside_another():
    X, y = regression_data(n_targets=2)
    y[:, 1] = 4.0
    model = estimator("squared", "l1", alpha=0.02).fit(X, y)
    assert model.optimality_.converged
    assert not model.coef_[1].any() and model.intercept_[1] == 4.0


@pytest.mark.parametrize("alpha", [0.0, 1e-300, 1e-15, 1e15, 1e300])
@pytest.mark.parametrize("penalty", ["l1", "l2", "elasticnet"])
@pytest.mark.parametrize("task", TASKS)
def test_alpha_at_the_ends(task, penalty, alpha):
    X, y = task_data(task)
    model = estimator(task, penalty, alpha=alpha).fit(X, y)
    assert_good(model, task, X, y)
    if alpha >= 1e15:
        np.testing.assert_allclose(model.coef_, 0.0, atol=1e-12)
    else:
        free = estimator(task, None).fit(X, y)
        np.testing.assert_allclose(plain(model)[0], plain(free)[0], rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("penalty", ["l1", "l2", "elasticnet"])
@pytest.mark.parametrize("n_rare", [1, 3])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_rare_class(penalty, n_rare, n_classes):
    X, y = class_data(n=3000, n_classes=n_classes)
    rare = np.flatnonzero(y == 1)
    y[rare[n_rare:]] = 0
    model = estimator("logistic", penalty, alpha=1e-4).fit(X, y)
    assert_good(model, "logistic", X, y)
    # The intercept is free: the mean probability is the share.
    np.testing.assert_allclose(model.predict_proba(X)[:, 1].mean(), n_rare / 3000, rtol=1e-2)


@pytest.mark.parametrize("penalty", ["l1", "l2", "elasticnet"])
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e200])
def test_weights_over_twelve_decades(task, penalty, scale):
    X, y = task_data(task)
    weights = scale * 10.0 ** np.random.default_rng(0).uniform(-6, 6, len(y))
    model = estimator(task, penalty, alpha=0.02).fit(X, y, sample_weight=weights)
    assert_good(model, task, X, y, weights)
    assert model.optimality_.gap is None or model.optimality_.gap <= 1e-6


def test_null_model_without_intercept_and_zero_y():
    X = np.random.default_rng(0).standard_normal((20, 3))
    model = estimator("squared", "l1", fit_intercept=False).fit(X, np.zeros(20))
    assert model.optimality_.converged and not model.coef_.any() and model.intercept_ == 0.0


@pytest.mark.parametrize("nearness", [1e-3, 1e-6, 1e-8, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_nearly_collinear_unpenalised_columns_are_solved_or_warned_of(nearness, fit_intercept, seed):
    """Compared with the problem in which they have been projected out by a QR factorisation."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((40, 6))
    X[:, 1] = X[:, 0] + nearness * rng.standard_normal(40)
    y = X[:, 2] + 3.0 * (X[:, 1] - X[:, 0]) / nearness + rng.standard_normal(40)
    model = estimator("squared", "l1", alpha=0.1, penalty_factor=[0, 0, 1, 1, 1, 1], fit_intercept=fit_intercept)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    if caught:
        assert not model.optimality_.converged and "did not reach tol" in str(caught[0].message)
        assert nearness < 1e-5
        return
    free = np.column_stack([np.ones(40)] * fit_intercept + [X[:, 0], X[:, 1] - X[:, 0]])
    basis = np.linalg.qr(free)[0]
    rest, target = X[:, 2:] - basis @ (basis.T @ X[:, 2:]), y - basis @ (basis.T @ y)
    best = Lasso(alpha=0.1, fit_intercept=False, tol=1e-12, max_iter=100_000).fit(rest, target)
    least = np.mean((target - best.predict(rest)) ** 2) / 2 + 0.1 * np.abs(best.coef_).sum()
    optimality = model.optimality_
    assert optimality.converged
    assert optimality.objective - least <= optimality.tol * optimality.null_loss


@pytest.mark.parametrize("seed", range(12))
def test_where_rounding_makes_the_gram_matrix_indefinite_no_fit_is_worse_than_none(seed):
    """Columns that are nearly one: descent on their Gram matrix alone ran to an objective of 1e254."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((50, 1)) + 10.0 ** rng.uniform(-10, -7) * rng.standard_normal((50, 11))
    y = rng.standard_normal(50) + X[:, 0]
    model = estimator("squared", "l1", alpha=10.0 ** rng.uniform(-8, -3), penalty_factor=[0] * 9 + [1, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)
    assert model.optimality_.objective <= model.optimality_.null_loss
    assert np.abs(model.predict(X) - y).max() < 20.0
