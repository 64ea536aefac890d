"""At alpha_max and above nothing is left; just below it something is."""

import numpy as np
import pytest
from helpers import FORMATS, estimator, one_hot, regression_data, sparse_data, task_data, uneven_weights
from scipy import sparse
from sklearn.linear_model import Lasso, lasso_path
from test_user_penalty import OwnL1, OwnMCP, OwnSLOPE

from skreg import L1, L2, ElasticNet, FusedLasso, Grouped, Loss, PenalizedRegression, Penalty, TrendFilter, alpha_max

TASKS = ["squared", "logistic", "softmax"]
PENALTIES = {
    "l1": "l1",
    "elasticnet": ElasticNet(0.3),
    "l1+": L1(positive=True),
    "elasticnet+": ElasticNet(0.9, positive=True),
}
SETTINGS = {
    "plain": {},
    "no intercept": {"fit_intercept": False},
    "standardize": {"standardize": True},
    "factors": {"penalty_factor": np.array([1.0, 3.0, 0.5, 1.0, 0.2, 1.0])},
    "free columns": {"penalty_factor": np.array([1.0, 0.0, 2.0, 1.0, 0.0, 1.0])},
    "free columns, standardize": {"penalty_factor": np.array([1.0, 0.0, 2.0, 1.0, 0.0, 1.0]), "standardize": True},
}
each_task = pytest.mark.parametrize("task", TASKS)


def top_of(task, X, y, penalty, weights=None, **params):
    y = one_hot(y).astype(float) if task == "softmax" else y
    return alpha_max(X, y, penalty=penalty, loss=task, sample_weight=weights, **params)


@each_task
@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("layout", ["C", "csr"])
def test_the_last_alpha_with_a_coefficient(task, name, setting, weighted, layout):
    X, y = sparse_data(task, seed=1)
    X, params = FORMATS[layout](X), SETTINGS[setting]
    weights = uneven_weights(len(y), seed=1) if weighted else None
    top = top_of(task, X, y, PENALTIES[name], weights, **params)
    assert np.isfinite(top) and top > 0
    paid = params.get("penalty_factor", np.ones(6)) > 0

    def count(alpha, tol=1e-6):
        model = estimator(task, PENALTIES[name], alpha=alpha, tol=tol, **params).fit(X, y, sample_weight=weights)
        coef = np.atleast_2d(model.coef_)
        assert "positive" in repr(PENALTIES[name]) or np.all(coef[:, ~paid] != 0)
        return np.count_nonzero(coef[:, paid])

    assert count(top) == 0 and count(1.5 * top) == 0 and count(1e6 * top) == 0
    # A millionth below, the best coefficient is a millionth of the others': ask for that many digits.
    assert count(top * (1 - 1e-6 if paid.all() else 1 - 1e-4), tol=1e-15 if paid.all() else 1e-12) >= 1
    assert count(0.9 * top) >= 1


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_it_is_the_largest_gradient(fit_intercept):
    X, y = regression_data()
    expected = np.max(np.abs((X - X.mean(axis=0) * fit_intercept).T @ (y - y.mean() * fit_intercept))) / len(y)
    for l1_ratio in (1.0, 0.3):
        top = alpha_max(X, y, penalty=ElasticNet(l1_ratio), fit_intercept=fit_intercept)
        np.testing.assert_allclose(top, expected / l1_ratio, rtol=1e-12)
    if not fit_intercept:
        np.testing.assert_allclose(alpha_max(X, y, fit_intercept=False), lasso_path(X, y, eps=0.5)[0][0], rtol=1e-12)
    theirs = Lasso(alpha=expected * (1 + 1e-12), fit_intercept=fit_intercept).fit(X, y)
    assert not theirs.coef_.any()


@pytest.mark.parametrize("task", ["logistic", "softmax"])
def test_classes(task):
    X, y = task_data(task)
    weights = uneven_weights(len(y))
    share = weights / weights.sum()
    codes = one_hot(y)
    expected = np.max(np.abs((codes - share @ codes).T * share @ X))
    np.testing.assert_allclose(top_of(task, X, y, "l1", weights), expected, rtol=1e-9)


@pytest.mark.parametrize("penalty", ["l2", L2(positive=True), ElasticNet(0.0), None], ids=str)
def test_infinite_where_nothing_ever_becomes_zero(penalty):
    X, y = regression_data()
    assert alpha_max(X, -y, penalty=penalty) == np.inf


@pytest.mark.parametrize("penalty", ["l1", "elasticnet"])
def test_zero_where_there_is_nothing_to_explain(penalty):
    X, y = regression_data()
    assert alpha_max(X, np.zeros(len(y)), penalty=penalty) == 0.0
    assert alpha_max(np.zeros_like(X), y, penalty=penalty) == 0.0


@pytest.mark.parametrize("penalty", [L1(positive=True), L2(positive=True)], ids=str)
def test_zero_where_a_constraint_is_enough(penalty):
    X, y = np.eye(5), np.arange(5.0)
    assert alpha_max(X[:, :2], y, penalty=penalty) == 0.0
    assert alpha_max(X[:, 3:], y, penalty=penalty) > 0.0


def test_every_column_free():
    X, y = regression_data()
    assert alpha_max(X, y, penalty_factor=np.zeros(X.shape[1])) == 0.0


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_units(unit):
    X, y = regression_data()
    np.testing.assert_allclose(alpha_max(X, unit * y), unit * alpha_max(X, y), rtol=1e-12)
    np.testing.assert_allclose(alpha_max(unit * X, y), unit * alpha_max(X, y), rtol=1e-12)
    np.testing.assert_allclose(alpha_max(unit * X, y, standardize=True), alpha_max(X, y, standardize=True), rtol=1e-9)


def test_several_targets_share_one():
    X, y = regression_data(n_targets=3)
    np.testing.assert_allclose(alpha_max(X, y), max(alpha_max(X, column) for column in y.T), rtol=1e-12)
    top = alpha_max(X, y)
    assert not PenalizedRegression("l1", alpha=top).fit(X, y).coef_.any()
    assert PenalizedRegression("l1", alpha=0.99 * top).fit(X, y).coef_.any()


@each_task
def test_a_penalty_of_ones_own(task):
    X, y = task_data(task)
    np.testing.assert_allclose(top_of(task, X, y, OwnL1()), top_of(task, X, y, "l1"), rtol=1e-9)
    top = top_of(task, X, y, OwnSLOPE(0.5))
    for factor, alive in ((1.001, False), (0.99, True)):
        coef = estimator(task, OwnSLOPE(0.5), alpha=factor * top, tol=1e-8).fit(X, y).coef_
        assert coef.any() == alive


def test_concave_penalties_too():
    """MCP leaves zero where L1 does, and columns that curve less than it does earlier: hard thresholding."""
    X, y = regression_data()
    scale = X.std(axis=0)
    np.testing.assert_allclose(alpha_max(X / scale, y, penalty=OwnMCP(3.0)), alpha_max(X / scale, y), rtol=1e-9)
    top = alpha_max(0.1 * X, y, penalty=OwnMCP(3.0))
    assert top > alpha_max(0.1 * X, y)
    assert not PenalizedRegression(OwnMCP(3.0), alpha=top).fit(0.1 * X, y).coef_.any()


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("penalty", ["mcp", "l0", "lq", "logsum"])
def test_concave_penalties_beside_a_free_column(task, penalty):
    """What entered before the free column was fitted would stay: paths begin with the null model."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((60, 5)) + rng.standard_normal((60, 1))
        eta = X @ [2.0, -1.0, 0.5, 0.0, 1.0] + 0.2 * rng.standard_normal(60)
        y = {"squared": eta, "logistic": eta > 0, "softmax": np.digitize(eta, [-1.0, 1.0])}[task]
        factor = np.array([0.0, 1.0, 1.0, 1.0, 1.0])
        top = top_of(task, X, y, penalty, penalty_factor=factor)
        coef = estimator(task, penalty, alpha=top * (1 + 1e-6), penalty_factor=factor).fit(X, y).coef_
        assert np.all((np.atleast_2d(coef) != 0).any(axis=0) == (factor == 0))


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("penalty", [TrendFilter(order=1), FusedLasso(l1_ratio=0.0)], ids=repr)
def test_what_is_free_along_directions_is_fitted_with_and_without_another_basis(penalty, fit_intercept):
    """A penalty of twice the price has half the alpha_max; it has no basis of its own, and directions free of charge instead."""
    X, y = regression_data(n=60, p=6)
    double = 2.0 * penalty
    assert double.bind(6).basis() is None and double.bind(6).null_space() is not None
    assert top_of("squared", X, y, double, fit_intercept=fit_intercept) == pytest.approx(
        0.5 * top_of("squared", X, y, penalty, fit_intercept=fit_intercept), rel=1e-5
    )


class FusedPair(Penalty):
    """|w_0 - w_1| of two coefficients: what they have in common is free."""

    convex = True

    def value(self, coef, alpha):
        return float(alpha * abs(coef[0] - coef[1]))

    def prox(self, coef, step, alpha):
        half = 0.5 * (coef[0] - coef[1])
        return np.mean(coef) + np.array([1.0, -1.0]) * np.sign(half) * max(abs(half) - step * alpha, 0.0)

    def null_space(self):
        return np.ones((2, 1))


@pytest.mark.parametrize("standardize", [False, True])
def test_what_is_free_along_a_direction_of_scaled_columns(standardize):
    X, y = regression_data(n=60, p=2)
    X = X * [1.0, 7.0]
    Z, r = X - X.mean(axis=0), y - y.mean()
    if standardize:
        Z = Z / Z.std(axis=0)
    both = Z.sum(axis=1)
    r = r - both * (both @ r) / (both @ both)
    assert alpha_max(X, y, penalty=FusedPair(), standardize=standardize) == pytest.approx(
        abs(Z[:, 0] @ r) / 60, rel=1e-5
    )


def test_concave_groups_beside_a_free_one():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 5)) + rng.standard_normal((60, 1))
    y = X @ [2.0, -1.0, 0.5, 0.0, 1.0] + 0.2 * rng.standard_normal(60)
    penalty = Grouped("l0", [0, 1, 1, 0, 2], weights=[0, 1, 1])
    coef = PenalizedRegression(penalty, alpha=alpha_max(X, y, penalty=penalty) * (1 + 1e-6)).fit(X, y).coef_
    assert np.array_equal(coef != 0, [True, False, False, True, False])


class LogCosh(Loss):
    def value(self, y, eta):
        return np.logaddexp(eta - y, y - eta) - np.log(2.0)

    def gradient(self, y, eta):
        return np.tanh(eta - y)

    def curvature(self, y, eta):
        return 1.0 / np.cosh(np.clip(eta - y, -300.0, 300.0)) ** 2


def test_a_loss_of_ones_own():
    X, y = regression_data()
    top = alpha_max(X, y, loss=LogCosh())
    model = PenalizedRegression("l1", loss=LogCosh(), tol=1e-10)
    assert not model.set_params(alpha=top * (1 + 1e-9)).fit(X, y).coef_.any()
    assert model.set_params(alpha=0.99 * top).fit(X, y).coef_.any()


def test_it_changes_nothing():
    X, y = regression_data()
    X = sparse.csr_array(X)
    X.data.flags.writeable = y.flags.writeable = False
    assert alpha_max(X, y, standardize=True) > 0


def test_data_as_users_have_them():
    """Frames, lists and labels, as `fit` takes them."""
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(3)
    X, y = rng.standard_normal((40, 3)), rng.standard_normal(40)
    frame = pandas.DataFrame(X, columns=list("abc"))
    top = alpha_max(X, y)
    # A frame lies in memory by columns, a list by rows: sums in another order.
    assert alpha_max(frame, pandas.Series(y)) == pytest.approx(top, rel=1e-14)
    assert alpha_max(X.tolist(), y.tolist()) == pytest.approx(top, rel=1e-14)
    assert alpha_max(frame, y, penalty_factor={"a": 0.5}) == pytest.approx(alpha_max(X, y, penalty_factor=[0.5, 1, 1]))
    sign, names = (y > 0).astype(int), np.where(y > 0, "up", "down")
    assert alpha_max(frame, names, loss="logistic") == pytest.approx(alpha_max(X, sign, loss="logistic"))
    three = np.digitize(y, [-0.5, 0.5])
    assert alpha_max(X, three, loss="logistic") == pytest.approx(alpha_max(X, np.eye(3)[three], loss="softmax"))
    with pytest.raises(ValueError, match="X contains NaN"):
        alpha_max(X * [np.nan, 1, 1], y)
