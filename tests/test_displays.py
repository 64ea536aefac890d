"""Displays show the numbers they were given, under names that do not overlap."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from helpers import class_data, regression_data
from numpy.testing import assert_allclose
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skreg import (
    PenalizedLogisticRegression,
    PenalizedLogisticRegressionCV,
    PenalizedRegression,
    PenalizedRegressionCV,
    regularization_path,
)
from skreg.inspection import CrossValidationDisplay, RegularizationPathDisplay, TradeoffDisplay


@pytest.fixture(autouse=True)
def no_window():
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def overlapping(display, texts):
    """Pairs of texts whose boxes overlap, once drawn."""
    display.figure_.canvas.draw()
    boxes = [text.get_window_extent() for text in texts]
    return [(a, b) for k, a in enumerate(boxes) for b in boxes[:k] if a.overlaps(b)]


def test_path_of_a_search_in_a_pipeline():
    X, y = regression_data(n=80, p=12)
    frame = pd.DataFrame(X, columns=[f"column {j}" for j in range(12)])
    search = PenalizedRegressionCV("l1", alphas=20)
    pipeline = make_pipeline(StandardScaler(), search).fit(frame, y)
    display = RegularizationPathDisplay.from_estimator(pipeline)
    model = pipeline[-1]
    for j, line in enumerate(display.lines_):
        assert_allclose(line.get_xdata(), model.alphas_)
        assert_allclose(line.get_ydata(), model.coef_path_[:, j])
    names = [text.get_text() for text in display.ax_.texts]
    strongest = np.argsort(-np.abs(model.coef_path_[-1]))[: len(names)]
    assert sorted(names) == sorted(f"column {j}" for j in strongest)
    assert not overlapping(display, display.ax_.texts)
    legend = " ".join(text.get_text() for text in display.ax_.get_legend().get_texts())
    assert f"{model.alpha_min_:.3g}" in legend and f"{model.alpha_1se_:.3g}" in legend
    ticks = dict(
        zip(display.top_ax_.get_xticks(), [t.get_text() for t in display.top_ax_.get_xticklabels()], strict=True)
    )
    for alpha, text in ticks.items():
        assert int(text) == np.count_nonzero(model.coef_path_[model.alphas_ == alpha])


def test_path_of_an_estimator_and_of_a_path():
    X, y = class_data(n_classes=3)
    model = PenalizedLogisticRegression("l1")
    display = RegularizationPathDisplay.from_estimator(model, X, y, alphas=5, output=2, n_labels=2)
    path = regularization_path(X, y, penalty="l1", loss="logistic", alphas=5)
    assert_allclose(display.lines_[1].get_ydata(), path.coefs[:, 2, 1])
    assert len(display.ax_.texts) == 2
    shown = path.plot(output=2, ax=display.ax_)
    assert shown.ax_ is display.ax_ and shown.figure_ is display.figure_
    with pytest.raises(ValueError, match="give X and y"):
        RegularizationPathDisplay.from_estimator(model.fit(X, y))


def test_alpha_zero_is_left_out_of_a_logarithmic_axis():
    path = regularization_path(*regression_data(), alphas=[1.0, 0.1, 0.0])
    assert (path.plot().lines_[0].get_xdata() > 0).all()


def test_cross_validation_curve():
    X, y = regression_data(n=80, p=12)
    grid = {"l1_ratio": [0.5, 0.9]}
    search = PenalizedRegressionCV("elasticnet", alphas=15, penalty_grid=grid, relax=[0, 1]).fit(X, y)
    display = CrossValidationDisplay.from_estimator(search)
    best = search.best_params_
    k = [p | {"alpha": 0} == best | {"alpha": 0} for p in search.cv_results_["params"]]
    assert_allclose(display.line_.get_ydata(), search.cv_results_["mean_test_score"][k])
    assert_allclose(display.line_.get_xdata(), search.alphas_)
    assert_allclose(display.error, search.cv_results_["std_test_score"][k] / 2)
    assert display.band_ is not None
    X, y = class_data()
    search = PenalizedLogisticRegressionCV("l1", alphas=8, rule="bic").fit(X, y)
    display = CrossValidationDisplay.from_estimator(search)
    assert display.band_ is None and "bic" in display.ax_.get_ylabel()


def test_tradeoff_with_a_known_truth_is_the_formula_of_ridge():
    """Bias and variance of ridge at fixed rows are matrix products."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 6))
    truth = X @ np.array([2.0, -1, 0.5, 0, 0, 1])
    y = truth + rng.standard_normal(60)
    alphas = [1.0, 0.3, 0.1]
    model = PenalizedRegression("l2", fit_intercept=False)
    display = TradeoffDisplay.from_estimator(
        model, X, y, truth=truth, alphas=alphas, n_resamples=400, test_size=0.5, random_state=1
    )

    train, test = train_test_split(np.arange(60), test_size=0.5, random_state=np.random.RandomState(1))
    noise = y - truth
    for k, alpha in enumerate(alphas):
        hat = X[test] @ np.linalg.solve(X[train].T @ X[train] / 30 + alpha * np.eye(6), X[train].T / 30)
        bias = np.mean((hat @ (truth[train] + noise.mean()) - truth[test]) ** 2)
        variance = np.mean(np.sum(hat**2, axis=1)) * noise.var()
        assert display.bias_squared[k] == pytest.approx(bias, rel=0.1, abs=0.02)
        assert display.variance[k] == pytest.approx(variance, rel=0.15)
    assert_allclose(display.test_error, display.bias_squared + display.variance + display.noise)
    assert set(display.lines_) == {"test error", "bias squared", "variance", "noise"}


def test_tradeoff_refuses_what_it_cannot_split():
    with pytest.raises(ValueError, match="for regression"):
        TradeoffDisplay.from_estimator(PenalizedLogisticRegression(), *class_data())
    X, y = regression_data()
    with pytest.raises(ValueError, match="truth must have the shape of y"):
        TradeoffDisplay.from_estimator(PenalizedRegression(), X, y, truth=[1.0])
