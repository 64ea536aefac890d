"""Working sets of columns, on which no Gram matrix is formed, give what Gram matrices give."""

import numpy as np
import pytest
from scipy import sparse

from skreg import ElasticNet, PenalizedRegression, design, make_problem
from skreg.grid import null_alpha
from skreg.solvers import CoordinateDescent, ahead, columns, models
from skreg.solvers.hessian import KeptHessian
from skreg.solvers.small import SmallNewton


def thin_data(layout, dtype, seed):
    rng = np.random.default_rng(seed)
    X = sparse.random(900, 600, density=0.005, format=layout, random_state=seed, dtype=dtype)
    y = X @ (rng.standard_normal(600) * (rng.random(600) < 0.3)) + 0.1 * rng.standard_normal(900) + 3.0
    return X, y, rng.random(900)


def solve(problem, alpha):
    return next(iter(CoordinateDescent().solve(problem, [alpha], tol=1e-10)))


@pytest.fixture
def made(monkeypatch):
    """The column models that are made during a test."""
    made = []

    class Watched(models.ColumnModel):
        def __init__(self, *arguments):
            made.append(self)
            super().__init__(*arguments)

    monkeypatch.setattr(models, "ColumnModel", Watched)
    return made


@pytest.mark.parametrize("fit_intercept, standardize", [(True, False), (True, True), (False, False)])
@pytest.mark.parametrize("penalty", ["l1", ElasticNet(0.5)], ids=str)
@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("layout, dtype", [("csc", np.float64), ("csr", np.float64), ("csc", np.float32)])
def test_sparse_equals_dense(made, layout, dtype, loss, penalty, fit_intercept, standardize):
    X, y, weights = thin_data(layout, dtype, seed=1)
    y = y if loss == "squared" else (y > np.median(y)).astype(float)
    settings = {
        "loss": loss,
        "penalty": penalty,
        "fit_intercept": fit_intercept,
        "standardize": standardize,
        "sample_weight": weights,
    }
    problem = make_problem(X, y, **settings)
    alpha = 0.005 * null_alpha(problem)
    thin = solve(problem, alpha)
    assert made
    dense = solve(make_problem(X.toarray(), y, **settings), alpha)
    assert thin.optimality.converged and dense.optimality.converged
    unit = dense.optimality.null_loss
    assert abs(thin.optimality.objective - dense.optimality.objective) <= 1e-9 * unit
    # Columns with one entry in the same row are the same column once standardised: predictions are unique, weights not.
    fit, reference = (problem.eta(solution.coef, solution.intercept) for solution in (thin, dense))
    np.testing.assert_allclose(fit, reference, atol=1e-4 * np.abs(reference).max())


@pytest.mark.parametrize("tol", [1e-2, 1e-4, 1e-6, 1e-10])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_certificate_of_sparse_columns_by_hand(made, weighted, fit_intercept, tol):
    X, y, weights = thin_data("csc", np.float64, seed=4)
    weights = weights / weights.sum() if weighted else np.full(len(y), 1.0 / len(y))
    dense = X.toarray()
    centre = (weights @ dense, weights @ y) if fit_intercept else (0.0, 0.0)
    Z, target = dense - centre[0], y - centre[1]
    alpha = 0.03 * np.abs(Z.T @ (weights * target)).max()
    model = PenalizedRegression("l1", alpha=alpha, fit_intercept=fit_intercept, tol=tol)
    model.fit(X, y, sample_weight=weights if weighted else None)
    # What is not near any more leaves the working set.
    assert len(made) > 1 and np.setdiff1d(made[0].features, made[-1].features).size > 0
    found = model.optimality_
    residual = y - dense @ model.coef_ - model.intercept_
    objective = 0.5 * weights @ residual**2 + alpha * np.abs(model.coef_).sum()
    np.testing.assert_allclose(found.objective, objective, rtol=1e-12)
    # Scaled, the residual is a dual point; what is certified may come of a better one.
    correlation, unit = Z.T @ (weights * residual), 0.5 * weights @ target**2
    scale, residual = min(1.0, alpha / np.abs(correlation).max()), residual - weights @ residual * fit_intercept
    gap = (objective - scale * weights @ (residual * target) + 0.5 * scale**2 * weights @ residual**2) / unit
    assert found.gap <= tol and found.gap <= gap + 1e-13
    if tol >= 1e-6:
        np.testing.assert_allclose(found.gap, gap, rtol=1e-6)
    curvature = weights @ Z**2
    curvature[curvature == 0.0] = 1.0
    moved = model.coef_ + correlation / curvature
    moved = np.sign(moved) * np.maximum(np.abs(moved) - alpha / curvature, 0.0)
    violation = (np.sqrt(curvature) * np.abs(moved - model.coef_)).max() / np.sqrt(2.0 * unit)
    np.testing.assert_allclose(found.violation, violation, rtol=1e-3, atol=1e-13)
    # Coefficients have some digits more than the objective needs.
    assert violation <= max(1e-5 * np.sqrt(tol), 1e-2 * tol)


def test_slow_sweeps_give_way_to_a_gram_matrix_where_that_is_small(made, monkeypatch):
    X, y, _ = thin_data("csc", np.float64, seed=5)
    problem = make_problem(X, y)
    alpha, objectives = 0.03 * null_alpha(problem), []
    monkeypatch.setattr(columns, "SPARSE_SWEEPS", 2)
    grams, on = [], KeptHessian.on
    monkeypatch.setattr(KeptHessian, "on", lambda *arguments: grams.append(1) or on(*arguments))
    for factor in (0, 10**9):
        monkeypatch.setattr(models, "FACTOR", factor)
        solution = solve(problem, alpha)
        assert made and solution.optimality.converged and bool(grams) == (factor > 0)
        objectives.append(solution.optimality.objective)
    np.testing.assert_allclose(*objectives, rtol=1e-9)


@pytest.mark.parametrize("fit_intercept, standardize", [(True, False), (True, True), (False, False)])
@pytest.mark.parametrize("penalty", ["l1", ElasticNet(0.5), ElasticNet(1.0, positive=True)], ids=str)
def test_a_path_on_columns_equals_its_single_fits(monkeypatch, penalty, fit_intercept, standardize):
    X, y, weights = thin_data("csc", np.float64, seed=3)
    factor = np.random.default_rng(3).uniform(0.5, 2.0, X.shape[1])
    problem = make_problem(
        X, y, penalty=penalty, fit_intercept=fit_intercept, standardize=standardize, sample_weight=weights,
        penalty_factor=factor,
    )  # fmt: skip
    alphas = list(null_alpha(problem) * np.geomspace(0.1, 0.03, 24))
    followed, follow = [], columns.ColumnQuadratic.follow

    def watched(self, strengths, tol, ends):
        followed.append(follow(self, strengths, tol, ends))
        return followed[-1]

    monkeypatch.setattr(columns.ColumnQuadratic, "follow", watched)
    monkeypatch.setattr(models, "LARGE", 20)
    monkeypatch.setattr(ahead, "CROWD", 20)
    path = list(CoordinateDescent().solve(problem, alphas, tol=1e-9))
    # The third alpha of a block is the first to begin on a line.
    assert max(followed) > 2
    monkeypatch.setattr(models, "LARGE", 10_000)
    for solution in path[::4]:
        single = solve(problem, solution.alpha)
        check = problem.certificate(solution.coef, solution.intercept, solution.alpha, 1e-9)
        assert solution.optimality.converged and check.converged
        assert abs(check.objective - single.optimality.objective) <= 2e-9 * problem.null_loss


@pytest.mark.parametrize("fit_intercept, standardize", [(True, False), (True, True), (False, False)])
@pytest.mark.parametrize("penalty", ["l1", ElasticNet(0.8)], ids=str)
@pytest.mark.parametrize("order, dtype", [("F", np.float64), ("C", np.float64), ("F", np.float32)])
def test_dense_columns_equal_their_gram_matrix(made, monkeypatch, order, dtype, penalty, fit_intercept, standardize):
    rng = np.random.default_rng(2)
    X = (rng.standard_normal((30, 1500)) + 0.7 * rng.standard_normal((30, 1)) + 2.0).astype(dtype, order=order)
    y = (X[:, :5].sum(axis=1) + 3.0 * rng.standard_normal(30) > 10.0).astype(float)
    problem = make_problem(
        X, y, loss="logistic", penalty=penalty, fit_intercept=fit_intercept, standardize=standardize,
        sample_weight=rng.random(30),
    )  # fmt: skip
    alpha = 0.1 * null_alpha(problem)
    copied = solve(problem, alpha)
    monkeypatch.setattr(SmallNewton, "fits", lambda *args: False)
    monkeypatch.setattr(models, "LARGE", 10_000)
    reference = solve(problem, alpha)
    assert not made
    monkeypatch.setattr(models, "LARGE", 20)
    monkeypatch.setattr(models, "MOST_COPIED", 1)
    solution = solve(problem, alpha)
    assert made and solution.optimality.converged and reference.optimality.converged
    for other in (solution, copied):
        assert abs(other.optimality.objective - reference.optimality.objective) <= 1e-9 * problem.null_loss
        np.testing.assert_allclose(other.coef, reference.coef, atol=1e-4 * np.abs(reference.coef).max())


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("weighted", [False, True])
def test_moments_of_sparse_columns_that_are_mostly_mean(weighted, dtype):
    rng = np.random.default_rng(6)
    X = rng.standard_normal((200, 6))
    X[:, 1] += 1e4
    X[:, 2] = 3.25
    X[:, 3] = 0.0
    X[:50, 4] = 0.0
    X[:, 5] = np.where(rng.random(200) < 0.9, 1e4 + X[:, 5], 0.0)
    X, weights, rows = X.astype(dtype), rng.random(200) if weighted else np.ones(200), rng.standard_normal(200)
    weights /= weights.sum()
    made = design.make_design(sparse.csc_array(X), weights, True, True, rows)
    means = weights @ X.astype(float)
    centred = X - means
    spread = np.sqrt(weights @ centred**2)
    np.testing.assert_allclose(made.shift, means, rtol=1e-12)
    np.testing.assert_allclose(made.scale[[0, 1, 4, 5]], spread[[0, 1, 4, 5]], rtol=1e-12)
    # A constant column is absent, if it is not of zeros, which do nothing.
    assert np.isinf(made.scale[2])
    product = np.divide(centred.T @ rows, spread, where=spread > 1e-6, out=np.zeros(6))
    np.testing.assert_allclose(made.first, product, atol=1e-8)
    zeros = design.make_design(sparse.csc_array(X[:, [0, 3]]), weights, True, False, rows)
    assert zeros.scale is None and zeros.first[1] == 0.0


@pytest.mark.parametrize("small", [0, 65_536], ids=["in blocks", "row by row"])
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("center", [False, True])
@pytest.mark.parametrize("layout, dtype", [("csc", np.float64), ("csr", np.float64), ("csc", np.float32)])
def test_gram_matrices_by_hand(monkeypatch, layout, dtype, center, standardize, small):
    monkeypatch.setattr(design.sparse, "SMALL", small)
    rng = np.random.default_rng(0)
    X = sparse.random(50, 12, density=0.3, format=layout, random_state=0, dtype=dtype)
    weights, rows = rng.random(50), rng.standard_normal(50)
    weights /= weights.sum()
    Z = X.toarray().astype(float)
    mean, spread = weights @ Z, np.sqrt(weights @ (Z - weights @ Z) ** 2)
    Z = (Z - mean * center) / (spread if standardize else 1.0)
    made = design.make_design(X, weights, center, standardize)
    assert not made._full.any()
    left, right = np.array([7, 0, 3]), np.array([3, 11, 7, 1])
    np.testing.assert_allclose(made.gram(left, right, rows), Z[:, left].T * rows @ Z[:, right], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(made.gram(slice(None), None, weights), Z.T * weights @ Z, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("mean, as_stored", [(0.0, True), (2.5, True), (1e4, False)])
@pytest.mark.parametrize("order", ["F", "C"])
@pytest.mark.parametrize("standardize", [False, True])
def test_dense_gram_matrices_shifted_before_or_afterwards(monkeypatch, mean, as_stored, order, standardize):
    rng = np.random.default_rng(0)
    X = np.asarray((rng.standard_normal((200, 7)) + mean) * np.geomspace(1e-3, 1e3, 7), order=order)
    weights = np.full(200, 1.0 / 200)
    made, calls = design.make_design(X, weights, True, standardize), []
    whole = design.DenseDesign._gram_as_stored
    monkeypatch.setattr(design.DenseDesign, "_gram_as_stored", lambda *args: calls.append(1) or whole(*args))
    Z = X - X.mean(axis=0)
    Z /= Z.std(axis=0) if standardize else 1.0
    expected, unit = Z.T @ Z / 200, np.outer(Z.std(axis=0), Z.std(axis=0))
    np.testing.assert_allclose(made.gram(slice(None), None, weights) / unit, expected / unit, atol=1e-14)
    assert bool(calls) == as_stored
    # Neither what weighs rows nor what turns the columns round is X as it is stored.
    turned = np.arange(7)[::-1]
    np.testing.assert_allclose(
        made.gram(turned, None, weights) / unit[::-1, ::-1], (expected / unit)[::-1, ::-1], atol=1e-14
    )
    rows = rng.random(200)
    np.testing.assert_allclose(made.gram(slice(None), None, rows) / unit, (Z.T * rows) @ Z / unit, atol=1e-10)
    assert len(calls) == as_stored


def as_stored(dense, layout, dtype):
    if layout in ("C", "F"):
        return np.array(dense, dtype=dtype, order=layout)
    return sparse.csr_array(dense.astype(dtype)).asformat(layout)


@pytest.mark.parametrize("center, standardize", [(True, False), (True, True), (False, False)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("layout", ["C", "F", "csc", "csr"])
def test_passes_by_hand(layout, dtype, center, standardize):
    rng = np.random.default_rng(3)
    dense = (rng.standard_normal((70, 130)) * (rng.random((70, 130)) < 0.3)).astype(dtype).astype(np.float64)
    dense[:, 5] = 0.0
    weights, residual, rows = rng.random(70), rng.standard_normal(70), rng.random(70)
    weights /= weights.sum()
    made = design.make_design(as_stored(dense, layout, dtype), weights, center, standardize)
    Z = dense - weights @ dense if center else dense
    if standardize:
        scale = np.sqrt(weights @ np.square(Z - weights @ Z))
        Z = np.where(scale > 0, Z, 0.0) / np.where(scale > 0, scale, 1.0)
    product, norms = made.dot_t_and_squared_norms(residual, rows)
    np.testing.assert_allclose(product, Z.T @ residual, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(norms, rows @ np.square(Z), rtol=1e-10, atol=1e-12)
    for n_used in (2, 100):
        coef = np.zeros(130)
        coef[rng.choice(130, n_used, replace=False)] = 1.0
        np.testing.assert_allclose(made.dot(coef), Z @ coef, rtol=1e-10, atol=1e-12)
        some = rng.permutation(130)[:n_used]
        for few in (coef[some], rng.standard_normal(n_used), rng.standard_normal((n_used, 3)), np.zeros((n_used, 2))):
            np.testing.assert_allclose(made.dot(few, some), Z[:, some] @ few, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("center, standardize", [(True, False), (True, True), (False, False)])
@pytest.mark.parametrize("n_full", [0, 1, 9, 40])
@pytest.mark.parametrize("layout, dtype", [("csc", np.float64), ("csc", np.float32), ("csr", np.float64)])
def test_borders_of_gram_matrices_by_hand(layout, dtype, center, standardize, n_full):
    rng = np.random.default_rng(n_full)
    # Of full columns the mean is large, and its square would cost digits.
    dense = np.where(rng.random((300, 60)) < 0.1, rng.standard_normal((300, 60)), 0.0)
    dense[:, :n_full] = rng.standard_normal((300, n_full)) + 100.0 * center
    dense, weights = dense.astype(dtype), rng.random(300)
    made = design.make_design(as_stored(dense, layout, dtype), weights / weights.sum(), center, standardize)
    assert np.count_nonzero(made._full) == n_full
    Z, order = made.columns(slice(None)), rng.permutation(60)
    for n_old, n_fresh in ((0, 20), (30, 1), (20, 40), (60, 0)):
        old, fresh = order[:n_old], order[n_old : n_old + n_fresh]
        for rows in (made._weights, rng.random(300)):
            wanted = (Z[:, fresh].T * rows) @ Z[:, order[: n_old + n_fresh]]
            border = made.gram_border(old, fresh, rows)
            np.testing.assert_allclose(border, wanted, rtol=1e-9, atol=1e-10 * np.abs(wanted).max(initial=1.0))


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("layout", ["C", "F", "csc", "csr"])
def test_the_gradient_of_the_null_model_comes_with_the_means(layout, fit_intercept):
    rng = np.random.default_rng(4)
    dense, weights = rng.standard_normal((80, 20)), rng.random(80)
    y = (dense[:, 0] + rng.standard_normal(80) > 0.3).astype(float)
    problem = make_problem(
        as_stored(dense, layout, np.float64), y, loss="logistic", fit_intercept=fit_intercept, sample_weight=weights
    )
    assert (problem.null_gradient is not None) == (fit_intercept and layout != "csr")
    null = problem.point(np.zeros(20), problem.null_intercept, 0.1)
    elsewhere = problem.point(np.zeros(20), problem.null_intercept + 0.5, 0.1)
    for point in (null, elsewhere):
        rows = weights / weights.sum()
        p = 1.0 / (1.0 + np.exp(-point.intercept))
        Z = dense - rows @ dense if fit_intercept else dense
        np.testing.assert_allclose(point.curvature, (rows * p * (1 - p)) @ np.square(Z), rtol=1e-10)
        np.testing.assert_allclose(point.gradient, Z.T @ (rows * (p - y)), atol=1e-13)
    # What was computed of other data is not that of these.
    part = problem.sample(np.arange(40)) if layout in ("C", "F") else problem.changed(y=1.0 - y)
    assert part.null_gradient is None


@pytest.mark.parametrize("form", [sparse.csc_array, sparse.csr_array])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("indices", [np.int32, np.int64])
@pytest.mark.parametrize("n_vectors", [1, 2, 8, 19])
def test_sparse_products_with_many_vectors_are_those_with_each(form, dtype, indices, n_vectors):
    rng = np.random.default_rng(0)
    X = form(np.where(rng.random((30, 41)) < 0.3, rng.standard_normal((30, 41)), 0.0).astype(dtype))
    X.indices, X.indptr = X.indices.astype(indices), X.indptr.astype(indices)
    weights = rng.uniform(0.5, 1.5, 30)
    made = design.make_design(X, weights / weights.sum(), True, True)
    Z = (X.toarray().astype(np.float64) - made.shift) / made.scale
    rows, coefs = rng.standard_normal((30, n_vectors)), rng.standard_normal((41, n_vectors))
    np.testing.assert_allclose(made.dot_t(rows), Z.T @ rows, atol=1e-12)
    np.testing.assert_allclose(made.dot(coefs), Z @ coefs, atol=1e-12)
    some = np.array([40, 3, 17])
    np.testing.assert_allclose(made.dot_t(rows, some), Z[:, some].T @ rows, atol=1e-12)
    np.testing.assert_allclose(made.dot_t(rows[:, 0], some), Z[:, some].T @ rows[:, 0], atol=1e-12)
    np.testing.assert_allclose(made.dot(coefs[some], some), Z[:, some] @ coefs[some], atol=1e-12)
    np.testing.assert_allclose(made.dot(coefs[some, 0], some), Z[:, some] @ coefs[some, 0], atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("standardize", [True, False])
def test_large_rows_are_read_once_for_predictions_and_gradient(dtype, fit_intercept, standardize, monkeypatch):
    rng = np.random.default_rng(6)
    X = (rng.standard_normal((9001, 30)) * np.geomspace(0.1, 10.0, 30) + 5.0).astype(dtype)
    y, weights = rng.standard_normal(9001), rng.uniform(0.5, 1.5, 9001)
    monkeypatch.setattr(design.dense, "MANY", X.size)
    monkeypatch.setattr(design.dense, "LARGE_BLOCK", 1000 * 30)
    problem = make_problem(X, y, sample_weight=weights, fit_intercept=fit_intercept, standardize=standardize)
    coef, rows = rng.standard_normal(30), weights / weights.sum()
    assert problem.design.takes_both(coef)
    assert not make_problem(np.asfortranarray(X), y).design.takes_both(coef)
    Z = X.astype(np.float64)
    Z = (Z - rows @ Z if fit_intercept else Z) / (1.0 if problem.design.scale is None else problem.design.scale)
    residual = Z @ coef + 0.3 - problem.y
    for first in ("eta", "gradient", "loss"):
        point = problem.point(coef, 0.3, 0.1)
        getattr(point, first)
        assert {"eta", "gradient"} <= point.__dict__.keys()
        np.testing.assert_allclose(point.eta, residual + problem.y, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(point.gradient, Z.T @ (rows * residual), rtol=1e-9, atol=1e-9)
