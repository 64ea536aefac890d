"""Gradients of many points from few directions: exact where it counts, and nowhere else would a coefficient move."""

import numpy as np
import pytest
from scipy import sparse

from skreg import L1, MCP, ElasticNet, _kernels, make_problem, regularization_path
from skreg.gap import balanced
from skreg.grid import null_alpha
from skreg.solvers import CoordinateDescent, ahead, directions
from skreg.solvers.compiled import compiled_prox
from skreg.solvers.directions import differentiate, differentiate_where_it_counts

LAYOUTS = {"F": np.asfortranarray, "C": np.ascontiguousarray, "csc": sparse.csc_array, "csr": sparse.csr_array}


@pytest.fixture(autouse=True)
def small_data_too(monkeypatch):
    monkeypatch.setattr(directions, "MANY", 0)


def wide_data(layout="F", n=40, p=300):
    rng = np.random.default_rng(5)
    X = rng.standard_normal((n, p)) + 0.7 * rng.standard_normal((n, 1)) + 0.5
    if layout.startswith("cs"):
        X *= rng.random(X.shape) < 0.4
    y = X[:, :3] @ [2.0, -1.0, 0.5] + rng.standard_normal(n)
    return LAYOUTS[layout](X), y, rng


def points_along(problem, n_alphas=14, off=0.0):
    """Points near the path, and the features that any of them uses."""
    alphas = list(null_alpha(problem) * np.geomspace(0.8, 0.2, n_alphas))
    solutions = CoordinateDescent().solve(problem, alphas, tol=1e-10)
    problem = problem.changed(twin=compiled_prox(problem.penalty))
    points = [problem.point((1.0 + off) * s.coef, s.intercept, s.alpha) for s in solutions]
    return points, np.flatnonzero(np.any([point.coef for point in points], axis=0))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("penalty", [L1(), L1(positive=True), ElasticNet(0.3), ElasticNet(1.0)], ids=repr)
@pytest.mark.parametrize("off", [0.0, 0.2], ids=["solved", "off"])
def test_gradients_are_exact_where_a_coefficient_may_move(layout, loss, penalty, off):
    X, y, rng = wide_data(layout)
    problem = make_problem(
        X,
        y if loss == "squared" else (y > np.median(y)).astype(float),
        loss=loss,
        penalty=penalty,
        penalty_factor=rng.uniform(0.5, 2.0, X.shape[1]),
        sample_weight=np.arange(len(y)) % 4,
    )
    points, used = points_along(problem, off=off)
    exact = np.array([problem.design.dot_t(point.row_gradient) for point in points])
    gradients, features = differentiate_where_it_counts(points, used)
    assert used.size <= features.size < problem.n_features // 2
    np.testing.assert_allclose(gradients, exact[:, features], rtol=1e-10, atol=1e-12)
    assert np.isin(used, features).all()
    others = np.setdiff1d(np.arange(problem.n_features), features)
    for point, own in zip(points, exact, strict=True):
        limits = penalty.get_params().get("l1_ratio", 1.0) * problem.strengths(point.alpha)
        assert (np.abs(own) < limits)[others].all()
        # What stands for the others is near, and moves none of them either.
        assert (np.abs(point.gradient) < limits)[others].all()
        np.testing.assert_allclose(point.gradient[others], own[others], atol=0.05 * limits.min())
        np.testing.assert_allclose(point.gradient[features], own[features], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("penalty", [L1(), L1(positive=True), ElasticNet(0.3)], ids=repr)
@pytest.mark.parametrize("free", [False, True], ids=["penalised", "one free"])
@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("off", [0.0, 1e-3])
def test_certificates_of_some_features_are_those_of_all(penalty, free, loss, off):
    X, y, rng = wide_data()
    factor = rng.uniform(0.5, 2.0, X.shape[1])
    factor[7] *= not free
    y = y if loss == "squared" else (y > np.median(y)).astype(float)
    problem = make_problem(X, y, loss=loss, penalty=penalty, penalty_factor=factor)
    some, used = points_along(problem, off=off)
    every = [point.problem.point(point.coef, point.intercept, point.alpha) for point in some]
    if loss == "squared":
        ahead._measure(some, *differentiate_where_it_counts(some, used))
        ahead._measure(every, differentiate(every))
    else:
        ahead._certify(some, 0.5, *differentiate_where_it_counts(some, used))
        ahead._certify(every, 0.5, differentiate(every))
    assert any(vars(point).get("known_gradient") for point in some)
    for point, whole in zip(some, every, strict=True):
        assert point.violation == pytest.approx(whole.violation, rel=1e-9, abs=1e-13)
        assert point.price == pytest.approx(whole.price, rel=1e-13)
        assert list(point.restless) == list(whole.restless)
        assert point.gap(1.0) == pytest.approx(whole.gap(1.0), rel=1e-9, abs=1e-13)
        # A dual point that is moved may leave what was sure.
        assert point.gap(1e-14) == pytest.approx(whole.gap(1e-14), rel=1e-6, abs=1e-13)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_the_correlation_of_a_balanced_dual_point_is_that_of_all_columns(loss):
    X, y, _ = wide_data()
    y = y if loss == "squared" else (y > np.median(y)).astype(float)
    points, used = points_along(make_problem(X, y, loss=loss, penalty="l1"), off=0.1)
    differentiate_where_it_counts(points, used)
    for point in points[8:]:
        bound = np.flatnonzero(point.coef)
        dual, correlation = balanced(point, bound, point.alpha * np.sign(point.coef[bound]))
        np.testing.assert_allclose(correlation, point.problem.design.dot_t(dual), atol=1e-8)


def test_a_gradient_becomes_exact_where_it_is_asked_for():
    X, y, _ = wide_data()
    points, used = points_along(make_problem(X, y, penalty="l1"))
    exact = points[3].problem.design.dot_t(points[3].row_gradient)
    features, more = differentiate_where_it_counts(points, used)[1], np.array([299, 0, 150, 151])
    assert not np.isin(more, features).all()
    for some in (features[::-1], more, more):
        points[3].sharpen_gradient(some)
        np.testing.assert_allclose(points[3].gradient[some], exact[some], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(points[3].gradient[features], exact[features], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("layout", ["F", "csc"])
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_directions_cost_no_alpha_another_look(layout, loss, monkeypatch):
    X, y, _ = wide_data(layout, n=100, p=1000)
    y = y if loss == "squared" else (y > np.median(y)).astype(float)
    looks, before = [], ahead._look_ahead
    monkeypatch.setattr(ahead, "_look_ahead", lambda *args: looks.append(1) or before(*args))
    regularization_path(X, y, loss=loss, alphas=60, alpha_min_ratio=0.05, tol=1e-8)
    directed, looks[:] = len(looks), []
    monkeypatch.setattr(directions, "FEW", 100)
    regularization_path(X, y, loss=loss, alphas=60, alpha_min_ratio=0.05, tol=1e-8)
    assert directed <= len(looks) + 1


def test_what_is_not_certified_in_some_features_reads_all():
    X, y, _ = wide_data()
    for penalty, n_alphas, alphas in ((MCP(3.0), 14, None), (L1(), 8, None), (L1(), 14, 0.0)):
        points, used = points_along(make_problem(X, y, penalty=penalty), n_alphas)
        if alphas is not None:
            points[-1].alpha = alphas
        gradients, features = differentiate_where_it_counts(points, used)
        assert features is None
        assert gradients.shape == (n_alphas, X.shape[1])
    points, _ = points_along(make_problem(X, y, penalty=L1()))
    assert differentiate_where_it_counts(points, np.arange(80))[1] is None


def test_residuals_without_common_directions_leave_all_in_doubt_that_is():
    X, y, rng = wide_data()
    problem = make_problem(X, y, penalty="l1")
    points = [problem.point(np.zeros(X.shape[1]), 0.0, 0.1, rng.standard_normal(len(y))) for _ in range(12)]
    exact = np.array([problem.design.dot_t(point.row_gradient) for point in points])
    gradients, features = differentiate_where_it_counts(points, np.arange(3))
    assert np.isin(np.flatnonzero((np.abs(exact) >= 0.1).any(axis=0)), features).all()
    np.testing.assert_allclose(gradients, exact[:, features], atol=1e-12)


@pytest.mark.parametrize("n_columns", [1, 511, 512, 1300])
@pytest.mark.parametrize("own", [False, True])
def test_what_may_exceed_its_limit(n_columns, own):
    rng = np.random.default_rng(n_columns)
    shares, products = rng.standard_normal((5, 8)), rng.standard_normal((8, n_columns))
    norms, lost = rng.uniform(0.0, 1.0, n_columns), rng.uniform(0.0, 1.0, 5)
    limits = rng.uniform(5.0, 10.0, (5, n_columns if own else 1))
    wanted = (np.abs(shares @ products) + np.outer(lost, norms) > limits).any(axis=0)
    found = _kernels.may_exceed(shares, products, norms, lost, limits)
    assert found.dtype == bool
    np.testing.assert_array_equal(found, wanted)
    norms[0] = np.nan
    assert _kernels.may_exceed(shares, products, norms, lost, limits)[0]


@pytest.mark.parametrize("tol", [1e-4, 1e-6, 1e-10])
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_paths_are_certified_as_X_says(tol, loss, monkeypatch):
    X, y, _ = wide_data(n=60, p=500)
    read, before = [], directions._directions
    monkeypatch.setattr(directions, "_directions", lambda *args: read.append(1) or before(*args))
    y = y if loss == "squared" else (y > np.median(y)).astype(float)
    path = regularization_path(X, y, loss=loss, alphas=60, alpha_min_ratio=0.05, tol=tol)
    assert len(read) > 1
    for solution in path._solutions:
        check = path._problem.certificate(solution.coef, solution.intercept, solution.alpha, tol)
        assert check.converged
        assert solution.optimality.gap == pytest.approx(check.gap, rel=1e-6, abs=1e-3 * tol)
        assert solution.optimality.violation == pytest.approx(check.violation, rel=1e-6, abs=1e-12)
