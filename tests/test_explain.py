"""The two terms of the objective and the two pulls on each weight, against formulas written out here."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from helpers import class_data, regression_data, sparse_data
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.special import expit, log_softmax, softmax
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skreg import (
    L1,
    ElasticNet,
    PenalizedLogisticRegression,
    PenalizedLogisticRegressionCV,
    PenalizedRegression,
    PenalizedRegressionCV,
    Penalty,
)
from skreg.inspection import explain_penalty


class Bowl(Penalty):
    """log cosh: smooth, so that its pull is -alpha * tanh; the prox by Newton's method."""

    separable = convex = True

    def value(self, coef, alpha):
        return float(np.sum(alpha * np.logaddexp(coef, -coef) - alpha * np.log(2)))

    def prox(self, coef, step, alpha):
        low, high = np.minimum(coef, 0.0), np.maximum(coef, 0.0)
        for _ in range(60):
            middle = 0.5 * (low + high)
            above = middle + step * alpha * np.tanh(middle) > coef
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        return 0.5 * (low + high)


# -- objective ------------------------------------------------------------------------------------------------------------


def test_objective_of_a_regression_is_the_formula_also_on_other_data():
    X, y = regression_data(n=80, p=6, n_targets=2)
    weights = np.random.default_rng(0).random(80)
    model = PenalizedRegression(ElasticNet(0.3), alpha=0.2).fit(X[:50], y[:50], weights[:50])
    for rows in (slice(50), slice(50, None), slice(1)):
        loss, penalty, total = model.objective(X[rows], y[rows], weights[rows])
        errors = np.sum((y[rows] - model.predict(X[rows])) ** 2, axis=1)
        assert_allclose(loss, 0.5 * np.average(errors, weights=weights[rows]))
        assert_allclose(penalty, 0.2 * (0.3 * np.abs(model.coef_).sum() + 0.35 * np.sum(model.coef_**2)))
        assert total == loss + penalty
    assert_allclose(model.objective(X[:50], y[:50], weights[:50]).total, model.optimality_.objective)
    with pytest.raises(ValueError, match="another number of targets"):
        model.objective(X, y[:, 0])


@pytest.mark.parametrize("n_classes", [2, 3])
def test_objective_of_a_classification_knows_the_classes_of_the_fit(n_classes):
    X, codes = class_data(n_classes=n_classes)
    names = np.array(["b", "c", "a"])[codes]
    model = PenalizedLogisticRegression("l1", alpha=0.02, class_weight={"a": 2.0, "b": 3.0, "c": 1.0}).fit(X, names)
    for wanted in (names == names, names == "b"):
        loss, penalty, _ = model.objective(X[wanted], names[wanted])
        eta = X @ model.coef_.T + model.intercept_
        eta = np.hstack([0 * eta, eta]) if n_classes == 2 else eta
        place = np.searchsorted(model.classes_, names)
        each = -log_softmax(eta, axis=1)[np.arange(len(names)), place]
        weights = np.where(names == "a", 2.0, np.where(names == "b", 3.0, 1.0))
        assert_allclose(loss, np.average(each[wanted], weights=weights[wanted]))
        assert_allclose(penalty, 0.02 * np.abs(model.coef_).sum())
    with pytest.raises(ValueError, match="has not seen"):
        model.set_params(class_weight=None).objective(X, np.where(names == "b", "d", names))


def test_objective_with_scaled_columns_and_of_a_search():
    X, y = regression_data()
    X = X * np.arange(1, 9)
    model = PenalizedRegressionCV(L1(), alphas=10, standardize=True).fit(X, y)
    penalty = model.objective(X, y).penalty
    assert_allclose(penalty, model.alpha_ * np.abs(model.coef_ * X.std(axis=0)).sum())


# -- pulls ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("penalty", ["l2", "l1", "elasticnet", "mcp", Bowl()])
@pytest.mark.parametrize("n_targets", [None, 2])
def test_pulls_of_a_regression_cancel_and_are_the_derivatives(penalty, n_targets):
    X, y = regression_data(n_targets=n_targets)
    alpha = 0.3
    model = PenalizedRegression(penalty, alpha=alpha, tol=1e-12).fit(X, y)
    told = explain_penalty(model, X, y)
    assert told.coef.shape == told.shrinkage.shape == model.coef_.shape
    assert_allclose(told.data_pull, ((y - model.predict(X)).T @ (X - X.mean(axis=0))) / len(y), atol=1e-12)
    assert_allclose(told.data_pull + told.penalty_pull, 0.0, atol=1e-5)
    assert told.imbalance < 1e-5
    w = model.coef_
    sign = np.where(w == 0, -np.clip(told.data_pull / alpha, -1, 1), np.sign(w))
    price = {"l2": w, "l1": sign, "elasticnet": 0.5 * sign + 0.5 * w}
    price["mcp"] = sign * np.maximum(1.0 - np.abs(w) / (3.0 * alpha), 0.0)
    slope = price[penalty] if isinstance(penalty, str) else np.tanh(w)
    moved = w != 0
    assert_allclose(told.penalty_pull[moved], -alpha * slope[moved], rtol=1e-5, atol=1e-6)
    assert np.all(np.abs(told.penalty_pull[~moved]) <= alpha)
    free = LinearRegression().fit(X, y).coef_
    assert_allclose(told.unpenalised, free, rtol=1e-7, atol=1e-9)
    assert_allclose(told.shrinkage, 1 - w / free, atol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_pulls_of_a_classification(n_classes):
    X, y = class_data(n_classes=n_classes)
    labels = np.array(["red", "green", "blue"])[y]
    model = PenalizedLogisticRegression("l2", alpha=0.1, tol=1e-12).fit(X, labels)
    told = explain_penalty(model, X, labels)
    eta = X @ model.coef_.T + model.intercept_
    chance = expit(eta) if n_classes == 2 else softmax(eta, axis=1)
    hit = (labels[:, None] == (model.classes_[1:] if n_classes == 2 else model.classes_)).astype(float)
    assert_allclose(told.data_pull, (hit - chance).T @ X / len(y), atol=1e-7)
    assert_allclose(told.penalty_pull, -0.1 * model.coef_, atol=1e-6)
    assert list(told.outputs) == (["red"] if n_classes == 2 else ["blue", "green", "red"])
    assert f"{told.outputs[0]}:" in str(told)
    free = PenalizedLogisticRegression(None).fit(X, labels)
    assert_allclose(told.unpenalised, free.coef_)


def test_sparse_data_weights_and_factors():
    X, y = sparse_data("squared")
    weights = np.random.default_rng(1).random(len(y))
    model = PenalizedRegression("l1", alpha=0.1, penalty_factor={0: 0.0, 1: 3.0}, tol=1e-12)
    dense, thin = (explain_penalty(model.fit(data, y, weights), data, y, weights) for data in (X, sparse.csr_array(X)))
    for name in ("coef", "unpenalised", "data_pull", "penalty_pull"):
        assert_allclose(getattr(dense, name), getattr(thin, name), atol=1e-8)
    assert abs(dense.penalty_pull[0]) < 1e-7 and np.abs(dense.penalty_pull[1]) <= 0.3 + 1e-9


def test_pipelines_searches_and_scaled_columns_have_names():
    X, y = regression_data()
    frame = pd.DataFrame(X * np.arange(1, 9), columns=[f"column {j}" for j in range(8)])
    inside = PenalizedRegression("l1", alpha=0.3, standardize=True, tol=1e-10).fit(frame, y)
    outside = make_pipeline(StandardScaler(), PenalizedRegression("l1", alpha=0.3, tol=1e-10)).fit(frame, y)
    told, same = explain_penalty(inside, frame, y), explain_penalty(outside, frame, y)
    assert list(told.feature_names) == list(same.feature_names) == list(frame)
    for name in ("coef", "unpenalised", "data_pull", "penalty_pull"):
        assert_allclose(getattr(told, name), getattr(same, name), atol=1e-4)
    search = PenalizedRegressionCV("l1", alphas=10).fit(X, y)
    told = explain_penalty(search, X, y)
    assert_allclose(told.penalty_pull[search.coef_ != 0], -search.alpha_ * np.sign(search.coef_[search.coef_ != 0]))
    labels = np.where(y > np.median(y), "high", "low")
    search = PenalizedLogisticRegressionCV("l2", alphas=5).fit(X, labels)
    assert explain_penalty(search, X, labels).coef.shape == (1, 8)


def test_what_cannot_be_explained_is_said():
    X, y = regression_data()
    model = PenalizedRegression("l1", alpha=0.1).fit(X, y)
    with pytest.warns(UserWarning, match="not those of the fit"):
        explain_penalty(model, X, -y)
    with pytest.raises(TypeError, match="must be one of skreg"):
        explain_penalty(LinearRegression().fit(X, y), X, y)
    relaxed = PenalizedRegressionCV("l1", alphas=5, relax=[0]).fit(X, y)
    with pytest.raises(ValueError, match="relax_=0"):
        explain_penalty(relaxed, X, y)
    separable = explain_penalty(PenalizedLogisticRegression().fit(X[:4], [0, 1, 0, 1]), X[:4], [0, 1, 0, 1])
    assert np.isnan(separable.unpenalised).all() and "for ever" in str(separable)


def test_plot_shows_the_largest_weights_and_both_pulls():
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    X, y = regression_data(p=20, n_targets=2)
    told = explain_penalty(PenalizedRegression("l1", alpha=0.2).fit(X, y), X, y).plot(output=1, n_features=5)
    left, right = told.axes_
    largest = np.argsort(-np.abs(told.coef[1]))[:5]
    assert {text.get_text() for text in left.get_yticklabels()} == {f"x{j}" for j in largest}
    data, penalty = ([bar.get_width() for bar in bars] for bars in right.containers)
    assert_allclose(np.add(data, penalty), 0.0, atol=1e-3)
    assert sorted(np.abs(data)) == sorted(np.abs(told.data_pull[1, largest]))
    with pytest.raises(ValueError, match="below the number of outputs"):
        told.plot(output=2)
    plt.close("all")
