"""Paths equal single fits; their grids, stops, degrees of freedom and the share of the deviance are what they say."""

import pickle

import numpy as np
import pandas as pd
import pytest
from helpers import class_data, penalty_classes, regression_data, sparse_data, task_data, uneven_weights
from numpy.testing import assert_allclose
from scipy import sparse
from settings import instances
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import lasso_path

from skreg import (
    L1,
    L2,
    MCP,
    ElasticNet,
    Logistic,
    Loss,
    PenalizedLogisticRegression,
    PenalizedRegression,
    Penalty,
    alpha_max,
    make_problem,
    regularization_path,
)
from skreg.moments import moment_points
from skreg.penalties import get_penalty, penalty_names
from skreg.solvers import CoordinateDescent, ahead
from skreg.solvers.compiled import compiled_prox
from skreg.solvers.directions import differentiate

# Every class of skreg.penalties with its defaults and, where that says something else, another setting.
DISCOVERED = [penalty for cls in penalty_classes() for penalty in instances(cls)[:2]]
TASKS = ("squared", "logistic", "softmax")
PENALTIES = [L1(), L2(), ElasticNet(0.4), ElasticNet(0.7, positive=True), None]


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
@pytest.mark.parametrize("kind", ["one", "targets", "two classes", "three classes", "sparse"])
def test_a_path_is_single_fits(penalty, kind):
    classes = "classes" in kind
    if classes:
        X, y = class_data(n_classes=2 if kind == "two classes" else 3)
        y = np.array(["b", "a", "c"])[y]
    elif kind == "sparse":
        X, y = sparse_data("squared")
        X = sparse.csr_array(X)
    else:
        X, y = regression_data(n_targets=2 if kind == "targets" else None)
    weights = uneven_weights(len(y))
    common = {"standardize": True, "tol": 1e-12, "penalty_factor": np.linspace(0.5, 2, X.shape[1])}
    alphas = [0.3, 0.02, 0.1]
    loss = "logistic" if classes else "squared"
    path = regularization_path(X, y, penalty=penalty, loss=loss, alphas=alphas, sample_weight=weights, **common)
    assert path.alphas.tolist() == sorted(alphas, reverse=True)
    estimator = PenalizedLogisticRegression if classes else PenalizedRegression
    for k, alpha in enumerate(path.alphas):
        model = estimator(penalty, alpha=alpha, **common).fit(X, y, sample_weight=weights)
        assert_allclose(path.coefs[k], model.coef_, rtol=1e-4, atol=1e-5)
        assert_allclose(path.intercepts[k], model.intercept_, rtol=1e-4, atol=1e-5)
        assert_allclose(path.objectives[k], model.optimality_.objective, rtol=1e-10)
        assert path.certificates[k].converged
        if not classes and kind != "targets":
            explained = model.score(X, y, sample_weight=weights)
            assert_allclose(path.deviance_explained[k], explained, rtol=1e-5)
    if classes:
        assert path.classes.tolist() == sorted(set(y))


@pytest.mark.parametrize("task", ["squared", "targets", "logistic", "softmax", "sparse"])
@pytest.mark.parametrize("name", [name for name in penalty_names() if name not in ("l1", "l2", "elasticnet")])
def test_paths_of_the_whole_catalogue(name, task):
    """What an estimator finds at every alpha; where the penalty is not convex, what is a fixed point of its prox."""
    X, y = (
        regression_data(n=50, p=5, n_targets=2)
        if task == "targets"
        else task_data(task if task in TASKS else "squared", 50, 5)
    )
    X = sparse.csr_array(np.where(X > 0.5, X, 0)) if task == "sparse" else X
    weights, penalty = uneven_weights(50), get_penalty(name)
    loss = "logistic" if task in ("logistic", "softmax") else "squared"
    path = regularization_path(X, y, penalty=name, loss=loss, alphas=4, alpha_min_ratio=0.1, sample_weight=weights)
    assert all(certificate.converged for certificate in path.certificates)
    # The null model is zero, where nothing is free of charge.
    assert penalty.bind(5).null_space() is not None or not path.coefs[0].any()
    assert path.coefs[-1].any()
    estimator = PenalizedLogisticRegression if loss == "logistic" else PenalizedRegression
    for k, alpha in enumerate(path.alphas):
        model = estimator(name, alpha=alpha, warm_start=True)
        if not penalty.convex:
            # Another start may lead elsewhere; this one has nowhere to go.
            model.coef_, model.intercept_ = path.coefs[k], path.intercepts[k]
        model.fit(X, y, sample_weight=weights)
        assert_allclose(path.coefs[k], model.coef_, rtol=1e-3, atol=1e-3 * np.abs(path.coefs).max())
        assert_allclose(path.objectives[k], model.optimality_.objective, rtol=1e-5)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("penalty", DISCOVERED, ids=repr)
def test_a_path_is_single_fits_for_every_penalty_there_is(penalty, loss):
    """Each single fit starts from the one before, as the path does: that matters where a penalty is not convex."""
    X, y = task_data(loss, 60, 5)
    alphas = [0.3, 0.1, 0.03]
    path = regularization_path(X, y, penalty=penalty, loss=loss, alphas=alphas)
    estimator = PenalizedRegression if loss == "squared" else PenalizedLogisticRegression
    model = estimator(penalty, warm_start=True)
    for k, alpha in enumerate(alphas):
        model.set_params(alpha=alpha).fit(X, y)
        assert_allclose(path.coefs[k], model.coef_, atol=2e-3 * max(np.abs(model.coef_).max(), 0.1))
        assert_allclose(path.objectives[k], model.optimality_.objective, rtol=1e-5)
        assert path.certificates[k].converged


def test_lasso_path_of_scikit_learn():
    X, y = regression_data(n=100, p=20)
    X, y = X - X.mean(axis=0), y - y.mean()
    path = regularization_path(X, y, penalty="l1", alphas=20, tol=1e-14)
    alphas, coefs, _ = lasso_path(X, y, alphas=path.alphas, tol=1e-14)
    assert_allclose(path.coefs, coefs.T, atol=1e-6)
    assert path.alphas[0] == alpha_max(X, y)
    assert path.support_sizes[0] == 0 < path.support_sizes[1]


def test_automatic_grids():
    X, y = regression_data()
    path = regularization_path(X, y, penalty="l1", alphas=7, alpha_min_ratio=0.01)
    assert_allclose(path.alphas, alpha_max(X, y) * np.geomspace(1, 0.01, 7), rtol=1e-12)
    assert len(regularization_path(X, y).alphas) == 100
    # Ridge starts where next to nothing is left and ends where next to nothing is taken, whatever the units.
    for scale_X, scale_y in [(1, 1), (1e3, 1e-4)]:
        path = regularization_path(scale_X * X, scale_y * y, penalty="l2", penalty_factor=np.full(X.shape[1], 3.0))
        assert path.deviance_explained[0] < 0.02
        assert path.degrees_of_freedom[-1] > 0.99 * X.shape[1]


def test_a_constant_target_has_a_path():
    X, _ = regression_data()
    assert not regularization_path(X, np.ones(len(X)), alphas=3).coefs.any()


def test_early_stops_are_exact_and_say_so():
    X, y = regression_data(n=100, p=20)
    full = regularization_path(X, y, alphas=50)
    path = regularization_path(X, y, alphas=50, max_support=5)
    first = np.argmax(full.support_sizes > 5)
    assert len(path.alphas) == first and "max_support=5" in path.stopped
    assert_allclose(path.coefs, full.coefs[:first], atol=1e-3)
    path = regularization_path(X, y, alphas=50, max_deviance=0.8)
    assert len(path.alphas) == np.argmax(full.deviance_explained >= 0.8) + 1 and "max_deviance=0.8" in path.stopped
    assert full.stopped is None
    with pytest.raises(ValueError, match="max_support=0"):
        regularization_path(X, y, alphas=[1e-3], max_support=0)


class Cosh(Loss):
    """No conjugate is known."""

    def value(self, y, eta):
        return np.logaddexp(eta - y, y - eta) - np.log(2)

    def gradient(self, y, eta):
        return np.tanh(eta - y)

    def curvature(self, y, eta):
        return 1 / np.cosh(eta - y) ** 2


def test_what_is_not_known_is_not_claimed():
    X, y = regression_data()
    assert np.isnan(regularization_path(X, y / 10, loss=Cosh(), alphas=3).deviance_explained).all()
    with pytest.raises(ValueError, match="max_deviance must be None for Cosh"):
        regularization_path(X, y / 10, loss=Cosh(), alphas=3, max_deviance=0.5)


class LessLogistic(Logistic):
    """Less a constant, which makes it negative."""

    def value(self, y, eta):
        return super().value(y, eta) - 10.0

    def conjugate(self, y, dual):
        return super().conjugate(y, dual) + 10.0


def test_what_is_explained_does_not_depend_on_what_a_loss_leaves_out():
    X, y = class_data()
    names = np.array(["no", "yes"])[y]
    known, path = (
        regularization_path(X, names, loss=loss, alphas=5, tol=1e-10) for loss in ("logistic", LessLogistic())
    )
    assert_allclose(path.objectives, known.objectives - 10.0, rtol=1e-12)
    assert_allclose(path.deviance_explained, known.deviance_explained, rtol=1e-6, atol=1e-12)
    early = regularization_path(
        X, names, loss=LessLogistic(), alphas=5, max_deviance=known.deviance_explained[2] * 0.999
    )
    assert len(early.alphas) == 3


class Interrupting(L1):
    """Ctrl-C comes when the third alpha is asked for."""

    def value(self, coef, alpha):
        if np.max(alpha) < 0.15:
            raise KeyboardInterrupt
        return super().value(coef, alpha)


def test_ctrl_c_keeps_what_is_solved_if_asked():
    X, y = regression_data()
    arguments = {"penalty": Interrupting(), "alphas": [0.3, 0.2, 0.1], "solver": "proximal_gradient"}
    with pytest.raises(KeyboardInterrupt):
        regularization_path(X, y, **arguments)
    path = regularization_path(X, y, keep_on_interrupt=True, **arguments)
    assert path.alphas.tolist() == [0.3, 0.2] and "interrupted" in path.stopped


def test_degrees_of_freedom_are_the_derivative_of_the_fit():
    """Against finite differences of the predictions in y."""
    X, y = regression_data(n=30, p=6)
    for penalty in (L1(), L2(), ElasticNet(0.5), Smooth()):
        arguments = {"penalty": penalty, "alphas": [0.2], "tol": 1e-12}

        def fit(target, arguments=arguments):
            path = regularization_path(X, target, **arguments)
            return path.coefs[0] @ X.T + path.intercepts[0]

        step = 1e-4 * np.eye(len(y))
        derivative = sum((fit(y + d)[i] - fit(y - d)[i]) / 2e-4 for i, d in enumerate(step))
        assert_allclose(regularization_path(X, y, **arguments).degrees_of_freedom[0] + 1, derivative, rtol=1e-3)


class Smooth(Penalty):
    """The norm of all coefficients: not separable, smooth away from zero."""

    convex = True

    def value(self, coef, alpha):
        return alpha * np.linalg.norm(coef)

    def prox(self, coef, step, alpha):
        norm = np.linalg.norm(coef)
        return coef * max(1.0 - step * alpha / norm, 0.0) if norm > 0 else coef.copy()


@pytest.mark.parametrize("shape", [(60, 8), (20, 40)])
def test_degrees_of_freedom_of_ridge_are_the_trace_of_the_hat_matrix(shape):
    X, y = regression_data(*shape)
    weights, factor = uneven_weights(shape[0]), np.linspace(0.5, 2, shape[1])
    arguments = {"sample_weight": weights, "penalty_factor": factor}
    path = regularization_path(X, y, penalty="l2", alphas=[2.0, 0.1], **arguments)
    share = weights / weights.sum()
    Z = X - share @ X
    for alpha, degrees in zip(path.alphas, path.degrees_of_freedom, strict=True):
        hat = Z @ np.linalg.solve(Z.T * share @ Z + np.diag(alpha * factor), Z.T * share)
        assert degrees == pytest.approx(np.trace(hat), rel=1e-9)
    free = regularization_path(X, y, penalty="l2", alphas=[2.0], penalty_factor=np.r_[0.0, factor[1:]])
    Z = X - X.mean(axis=0)
    system = Z.T @ Z / len(y) + np.diag(2.0 * np.r_[0.0, factor[1:]])
    assert free.degrees_of_freedom[0] == pytest.approx(np.trace(np.linalg.solve(system, Z.T @ Z / len(y))), rel=1e-6)


def test_degrees_of_freedom_of_several_outputs_add_up():
    X, y = regression_data(n_targets=3)
    both = regularization_path(X, y, penalty="elasticnet", alphas=[0.3])
    each = [regularization_path(X, y[:, k], penalty="elasticnet", alphas=[0.3]) for k in range(3)]
    assert_allclose(both.degrees_of_freedom, sum(path.degrees_of_freedom for path in each), rtol=1e-6)


def test_frames_give_names_and_results_pickle_without_the_data():
    X, y = regression_data(n=5000, p=4)
    path = regularization_path(pd.DataFrame(X, columns=list("abcd")), y, penalty_factor={"b": 0.0}, alphas=4)
    assert path.feature_names.tolist() == list("abcd")
    assert path.coefs[0, 1] != 0 and path.support_sizes[0] == 1
    data = pickle.dumps(path)
    assert len(data) < 20_000
    assert_allclose(pickle.loads(data).degrees_of_freedom, path.degrees_of_freedom)


def test_unsolved_alphas_are_counted_in_one_warning():
    X, y = regression_data()
    with pytest.warns(ConvergenceWarning, match="2 of 2 alphas.*increase max_iter") as record:
        regularization_path(X, y, penalty="l1", alphas=[0.1, 0.01], max_iter=1, tol=1e-14, solver="proximal_gradient")
    assert len(record) == 1 and record[0].filename == __file__


def test_verbose_draws_a_bar(capsys):
    regularization_path(*regression_data(), alphas=3, verbose=True)
    assert "3/3" in capsys.readouterr().err


@pytest.mark.parametrize(
    "params, match",
    [
        ({"alphas": 0}, "alphas must be an integer >= 1"),
        ({"alphas": [[1.0]]}, "alphas must be a number"),
        ({"alphas": [1.0, -1.0]}, r"alphas must be a number .* got -1.0"),
        ({"alpha_min_ratio": 1.0}, "alpha_min_ratio must be"),
        ({"max_support": -1}, "max_support must be"),
        ({"max_deviance": 0.0}, "max_deviance must be"),
        ({"tol": 0.0}, "tol must be"),
        ({"sample_weight": [1.0]}, "sample_weight must be"),
    ],
)
def test_bad_input_is_named(params, match):
    with pytest.raises(ValueError, match=match):
        regularization_path(*regression_data(), **params)


@pytest.mark.parametrize(
    "penalty", [L1(), L1(positive=True), L2(), ElasticNet(0.0), ElasticNet(0.3, positive=True), ElasticNet(1.0)]
)
@pytest.mark.parametrize("factor", [None, np.array([0.5, 1.0, 2.0, 1.0, 3.0, 1.0, 0.1, 1.0])], ids=["alike", "factors"])
@pytest.mark.parametrize("off", [0.0, 1e-3, 0.3], ids=["solved", "near", "far"])
@pytest.mark.parametrize("through", ["moments", "X"])
def test_points_measured_together_are_as_if_alone(penalty, factor, off, through):
    X, y = regression_data(n=80)
    weights = np.arange(80) % 5
    problem = make_problem(X, y + 1e3, penalty=penalty, penalty_factor=factor, sample_weight=weights)
    alphas = [2.0, 0.5, 0.1, 0.01]
    coefs = np.stack([s.coef * (1.0 + off) for s in CoordinateDescent().solve(problem, alphas, tol=1e-12)])
    coefs[0] = 0.0
    problem = problem.changed(twin=compiled_prox(problem.penalty))
    if through == "moments":
        problem = CoordinateDescent().prepared(problem, [1.0, 0.1])
        points = moment_points(problem, coefs, alphas)
    else:
        points = [problem.point(*at) for at in zip(coefs, [problem.null_intercept + off] * 4, alphas, strict=True)]
        ahead._measure(points, differentiate(points))
    for point, coef, alpha in zip(points, coefs, alphas, strict=True):
        # Without a twin a point asks the text of the penalty, one question after the other.
        alone = problem.changed(twin=None).point(coef, point.intercept, alpha)
        assert {"price", "plain_gap", "violation", "gradient"} <= vars(point).keys()
        assert point.loss == pytest.approx(alone.loss, rel=1e-13)
        assert point.price == pytest.approx(alone.price, rel=1e-13)
        assert point.violation == pytest.approx(alone.violation, rel=1e-9, abs=1e-14)
        assert point.plain_gap == pytest.approx(alone.plain_gap, rel=1e-9, abs=1e-13)


def test_only_the_text_that_is_meant_is_priced_together():
    class Dearer(L1):
        def value(self, coef, alpha):
            return 2.0 * super().value(coef, alpha)

    X, y = regression_data(n=80)
    for penalty, factor in ((Dearer(), None), (MCP(), None), (L1(), np.array([0.0, 1, 1, 1, 1, 1, 1, 1]))):
        problem = make_problem(X, y, penalty=penalty, penalty_factor=factor).changed(twin=compiled_prox(L1()))
        problem = CoordinateDescent().prepared(problem, [1.0, 0.1])
        points = moment_points(problem, np.ones((2, 8)), [1.0, 0.1])
        assert all("violation" in vars(point) and "price" not in vars(point) for point in points)
