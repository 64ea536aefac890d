"""Penalties that see all coefficients at once, against answers that share no code with them."""

import numpy as np
import pytest
from helpers import class_data, gradients, one_hot, plain, regression_data, uneven_weights
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.optimize import lsq_linear, minimize
from scipy.sparse.linalg import aslinearoperator
from sklearn.isotonic import isotonic_regression

from skreg import (
    SLOPE,
    FusedLasso,
    GeneralizedRidge,
    NuclearNorm,
    PenalizedLogisticRegression,
    PenalizedRegression,
    TrendFilter,
    alpha_max,
    make_problem,
    regularization_path,
)
from skreg.curvature import spectral_curvature
from skreg.penalties import tikhonov

NUMBERS = st.floats(-50, 50).map(lambda number: round(number, 3))


def ordered_data(n=70, p=24, seed=0):
    """Weights that are zero, constant and on a slope along the columns."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + 0.5 * rng.standard_normal((n, 1))
    truth = np.concatenate([np.zeros(p // 3), np.full(p // 3, 1.5), np.linspace(1.5, -1.5, p - 2 * (p // 3))])
    return X, X @ truth + 2.0 + rng.standard_normal(n)


# -- prox -----------------------------------------------------------------------------------------------------------


@given(arrays(float, st.integers(1, 30), elements=NUMBERS), st.floats(0.01, 30), st.floats(0, 3))
def test_slope_prox_is_isotonic_regression(coef, step, alpha):
    penalty = SLOPE(q=0.3).bind(coef.size)
    order = np.argsort(-np.abs(coef), kind="stable")
    want = np.empty_like(coef)
    shrunk = np.abs(coef)[order] - step * alpha * penalty.lambdas
    want[order] = np.maximum(isotonic_regression(shrunk, increasing=False), 0.0)
    assert_allclose(penalty.prox(coef, step, alpha), np.sign(coef) * want, atol=1e-12)


def prox_by_dual(coef, matrix, bounds):
    """``argmin_u 0.5 * ||u - coef||^2 + sum(bounds * |matrix @ u|)`` from its dual, a least-squares problem in a box."""
    kept = bounds > 0
    if not kept.any():
        return coef
    box = (-bounds[kept], bounds[kept])
    dual = lsq_linear(matrix[kept].T, coef, box, method="bvls", tol=1e-15, max_iter=10_000).x
    return coef - matrix[kept].T @ dual


@given(arrays(float, st.integers(2, 16), elements=NUMBERS), st.floats(0, 40), st.sampled_from([0.0, 0.3, 1.0]))
def test_fused_prox_is_a_quadratic_program(coef, strength, l1_ratio):
    p = coef.size
    matrix = np.vstack([np.eye(p), np.diff(np.eye(p), axis=0)])
    bounds = strength * np.concatenate([np.full(p, l1_ratio), np.full(p - 1, 1.0 - l1_ratio)])
    got = FusedLasso(l1_ratio).bind(p).prox(coef, 2.0, 0.5 * strength)
    assert_allclose(got, prox_by_dual(coef, matrix, bounds), atol=1e-6 * (1 + np.abs(coef).max()))


@given(arrays(float, st.integers(2, 14), elements=NUMBERS), st.floats(0, 40), st.integers(0, 3))
def test_trend_prox_is_a_quadratic_program(coef, strength, order):
    p = coef.size
    matrix = np.diff(np.eye(p), n=order + 1, axis=0) if order + 1 < p else np.zeros((0, p))
    got = TrendFilter(order).bind(p).prox(coef, 2.0, 0.5 * strength)
    want = prox_by_dual(coef, matrix, np.full(len(matrix), strength))
    assert_allclose(got, want, atol=1e-6 * (1 + np.abs(coef).max()))


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("strength", [1e-2, 1.0, 1e3])
def test_trend_prox_of_a_long_signal(order, strength):
    """No dual point is better: the duality gap, computed here, is rounding."""
    rng = np.random.default_rng(order)
    signal = np.cumsum(rng.standard_normal(300)) + rng.standard_normal(300)
    fitted = TrendFilter(order).bind(300).prox(signal, 1.0, strength)
    dual = signal - fitted
    for _ in range(order + 1):
        dual = -np.cumsum(dual)
    dual, jumps = dual[: 300 - order - 1], np.diff(fitted, n=order + 1)
    assert np.max(np.abs(dual)) <= strength * (1 + 1e-5)
    assert strength * np.sum(np.abs(jumps)) - dual @ jumps <= 1e-7 * (1 + strength)
    assert np.count_nonzero(np.abs(jumps) > 1e-9) < 299 - order


# -- fits: optimality conditions from the definition ------------------------------------------------------------------


def correlation(task, X, y, model, weights=None):
    """What the data pull each coefficient with: minus the gradient of the mean loss."""
    slope, slope0 = gradients(task, X, y, *plain(model), weights)
    assert_allclose(slope0, 0.0, atol=1e-6)
    return -slope


def sorted_norm(coef, lambdas):
    return float(np.sort(np.abs(coef))[::-1] @ lambdas)


def sorted_dual_norm(dual, lambdas):
    return float(np.max(np.cumsum(np.sort(np.abs(dual))[::-1]) / np.cumsum(lambdas)))


@pytest.mark.parametrize("tol", [1e-4, 1e-6, 1e-10])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("task", ["squared", "logistic"])
def test_slope_fit(task, form, tol):
    X, y = ordered_data() if task == "squared" else class_data(90, 12)
    X = np.where(np.abs(X) > 0.5, X, 0.0)
    model = (PenalizedRegression if task == "squared" else PenalizedLogisticRegression)(SLOPE(), alpha=0.03, tol=tol)
    model.fit(form(X), y)
    assert model.optimality_.converged and model.optimality_.gap <= tol
    lambdas = SLOPE().bind(X.shape[1]).lambdas
    coef, pull = plain(model)[0], correlation(task, X, y, model)
    slack = 10 * np.sqrt(tol)
    assert sorted_dual_norm(pull, lambdas) <= 0.03 * (1 + slack)
    assert abs(pull @ coef - 0.03 * sorted_norm(coef, lambdas)) <= slack * 0.03 * sorted_norm(coef, lambdas)
    if tol == 1e-10:
        # Equal sizes are equal to the last bit.
        sizes = np.unique(np.abs(coef[coef != 0]))
        assert np.all(np.diff(sizes) > 1e-9)


@pytest.mark.parametrize("penalty", ["slope", FusedLasso(0.3)])
@pytest.mark.parametrize("task, shape", [("squared", (40, 400)), ("squared", (300, 60)), ("logistic", (60, 250))])
def test_clusters_against_proximal_gradient(task, shape, penalty):
    """Two solvers that share nothing but the prox; wide data has working sets."""
    X, y = regression_data(*shape, seed=5) if task == "squared" else class_data(*shape)
    loss = "squared" if task == "squared" else "logistic"
    top = alpha_max(X, y.astype(float), penalty=penalty, loss=loss)
    estimator = PenalizedRegression if task == "squared" else PenalizedLogisticRegression
    model = estimator(penalty, alpha=0.2 * top, tol=1e-9).fit(X, y)
    slow = estimator(penalty, alpha=0.2 * top, tol=1e-6, solver="proximal_gradient").fit(X, y)
    assert model.solver_ == "cluster_newton" and model.optimality_.gap <= 1e-9
    assert model.optimality_.objective <= slow.optimality_.objective + 1e-9 * model.optimality_.null_loss
    assert slow.optimality_.objective <= model.optimality_.objective + 1e-6 * model.optimality_.null_loss


def test_slope_with_equal_lambdas_is_the_lasso():
    X, y = regression_data(80, 10)
    slope = PenalizedRegression(SLOPE(lambdas=np.ones(10)), alpha=0.3, tol=1e-12).fit(X, y)
    assert_allclose(slope.coef_, PenalizedRegression("l1", alpha=0.3, tol=1e-12).fit(X, y).coef_, atol=1e-5)


def test_slope_gives_equal_columns_equal_weights():
    X, y = regression_data(80, 6)
    strongest = np.argmax(np.abs(np.corrcoef(X, y, rowvar=False)[-1, :-1]))
    model = PenalizedRegression("slope", alpha=0.1, tol=1e-12).fit(X[:, [strongest, strongest, 1, 2, 3]], y)
    assert model.coef_[0] == model.coef_[1] != 0


def quadratic_program(X, y, matrix, prices, fit_intercept=True):
    """``0.5 / n ||y - Xw - b||^2 + sum(prices * |matrix @ w|)`` by SLSQP on its smooth form with slacks."""
    n, p = X.shape
    m = len(matrix)
    Xc, yc = (X - X.mean(axis=0), y - y.mean()) if fit_intercept else (X, y)

    def objective(z):
        residual = Xc @ z[:p] - yc
        return 0.5 / n * residual @ residual + prices @ z[p:], np.concatenate([Xc.T @ residual / n, prices])

    rows = np.vstack([np.hstack([-matrix, np.eye(m)]), np.hstack([matrix, np.eye(m)])])
    constraint = {"type": "ineq", "fun": lambda z: rows @ z, "jac": lambda z: rows}
    start = np.linalg.lstsq(Xc, yc, rcond=None)[0]
    start = np.concatenate([start, np.abs(matrix @ start) + 0.1])
    options = {"maxiter": 1000, "ftol": 1e-14}
    return minimize(objective, start, jac=True, method="SLSQP", constraints=constraint, options=options).x[:p]


@pytest.mark.parametrize("penalty", [FusedLasso(0.0), FusedLasso(0.4), TrendFilter(0), TrendFilter(1), TrendFilter(2)])
def test_fused_and_trend_fit_against_a_quadratic_program(penalty):
    X, y = ordered_data(50, 12)
    n, alpha = len(y), 0.2
    l1_ratio = getattr(penalty, "l1_ratio", 0.0)
    differences = np.diff(np.eye(12), n=getattr(penalty, "order", 0) + 1, axis=0)
    matrix = np.vstack([np.eye(12), differences])
    prices = alpha * np.concatenate([np.full(12, l1_ratio), np.full(len(differences), 1.0 - l1_ratio)])
    model = PenalizedRegression(penalty, alpha=alpha, tol=1e-12).fit(X, y)
    want = quadratic_program(X, y, matrix, prices)

    def objective(coef):
        residual = y - X @ coef
        return 0.5 / n * np.sum((residual - residual.mean()) ** 2) + prices @ np.abs(matrix @ coef)

    assert objective(model.coef_) <= objective(want) + 1e-12
    assert_allclose(model.coef_, want, atol=1e-4)
    assert_allclose(model.optimality_.objective, objective(model.coef_), rtol=1e-9)


@pytest.mark.parametrize("penalty", [FusedLasso(0.0), FusedLasso(0.5), TrendFilter(1), SLOPE(), NuclearNorm()])
@pytest.mark.parametrize("task", ["squared", "logistic", "softmax"])
def test_weights_and_formats(penalty, task):
    """A weight of 2 is the row given twice, sparse is dense, to the digits that were asked for."""
    X, y = ordered_data(60, 9) if task == "squared" else class_data(60, 9, 2 if task == "logistic" else 3)
    X = np.where(np.abs(X) > 0.7, X, 0.0)
    estimator = PenalizedRegression if task == "squared" else PenalizedLogisticRegression
    weights = np.where(np.arange(60) % 3 == 0, 2.0, 1.0)
    rows = np.repeat(np.arange(60), weights.astype(int))
    models = [
        estimator(penalty, alpha=0.05, tol=1e-12).fit(X, y, sample_weight=weights),
        estimator(penalty, alpha=0.05, tol=1e-12).fit(sparse.csr_array(X), y, sample_weight=weights),
        estimator(penalty, alpha=0.05, tol=1e-12).fit(X[rows], y[rows]),
    ]
    for model in models:
        assert model.optimality_.converged and model.optimality_.gap <= 1e-12
        assert_allclose(model.optimality_.objective, models[0].optimality_.objective, rtol=1e-8)
        assert_allclose(model.coef_, models[0].coef_, atol=1e-4)


# -- generalised ridge --------------------------------------------------------------------------------------------------


def smoother(p, rank_deficient=True):
    D = np.diff(np.eye(p), n=2, axis=0)
    return D.T @ D + (0.0 if rank_deficient else 0.1) * np.eye(p)


FORMS = {"dense": np.asarray, "sparse": sparse.csr_array, "operator": aslinearoperator}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("rank_deficient", [True, False])
@pytest.mark.parametrize("n", [60, 15])
def test_generalized_ridge_is_its_closed_form(form, rank_deficient, n):
    X, y = ordered_data(n, 24)
    weights = uneven_weights(n, seed=1)
    M = smoother(24, rank_deficient)
    model = PenalizedRegression(GeneralizedRidge(FORMS[form](M)), alpha=0.7, tol=1e-12)
    model.fit(X, y, sample_weight=weights)
    share = weights / weights.sum()
    Xc, yc = X - share @ X, y - share @ y
    want = np.linalg.solve(Xc.T @ (Xc * share[:, None]) + 0.7 * M, Xc.T @ (share * yc))
    assert_allclose(model.coef_, want, atol=1e-5 if form == "operator" else 1e-8)
    assert model.optimality_.converged


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_generalized_ridge_with_classes(form, n_classes):
    X, y = class_data(80, 8, n_classes)
    M = smoother(8, rank_deficient=False)
    model = PenalizedLogisticRegression(GeneralizedRidge(FORMS[form](M)), alpha=0.1, tol=1e-12).fit(X, y)
    task = "logistic" if n_classes == 2 else "softmax"
    pull = correlation(task, X, y, model)
    assert_allclose(pull, 0.1 * plain(model)[0] @ M, atol=1e-6)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("task", ["squared", "targets", "logistic", "softmax"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n", [80, 15])
def test_generalized_ridge_without_eigenvectors(monkeypatch, form, task, fit_intercept, n):
    rng, M = np.random.default_rng(0), smoother(24, rank_deficient=False)
    X = rng.standard_normal((n, 24)) @ np.linalg.cholesky(M + np.eye(24))
    y = X @ rng.standard_normal((24, 3)) + rng.standard_normal((n, 3))
    y = {"squared": y[:, 0], "targets": y, "logistic": y[:, 0] > 0, "softmax": np.argmax(y, axis=1)}[task]
    estimator = PenalizedRegression if task in ("squared", "targets") else PenalizedLogisticRegression
    params = {"alpha": 0.1, "tol": 1e-12, "fit_intercept": fit_intercept}
    expected = estimator(GeneralizedRidge(M), **params).fit(X, y)
    monkeypatch.setattr(tikhonov, "MAX_EIGENVECTORS", 0)
    model = estimator(GeneralizedRidge(FORMS[form](M)), **params).fit(X, y)
    assert (expected.solver_, model.solver_) == ("change_of_basis", "newton_cg")
    assert model.optimality_.converged and model.n_iter_ < 30
    assert_allclose(model.coef_, expected.coef_, atol=1e-6)
    assert_allclose(model.intercept_, expected.intercept_, atol=1e-6)


def test_generalized_ridge_of_the_identity_is_ridge():
    X, y = regression_data(50, 7, n_targets=2)
    got = PenalizedRegression(GeneralizedRidge(np.eye(7)), alpha=0.3).fit(X, y)
    assert_allclose(got.coef_, PenalizedRegression("l2", alpha=0.3).fit(X, y).coef_, rtol=1e-9)


# -- nuclear norm -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("task", ["squared", "softmax"])
def test_nuclear_norm_fit(task, form):
    """The pull has singular values of at most alpha, and exactly alpha along those of the coefficients."""
    X, y = regression_data(80, 10, n_targets=5, seed=2) if task == "squared" else class_data(120, 8, 4)
    X = np.where(np.abs(X) > 0.4, X, 0.0)
    alpha = 2.0 if task == "squared" else 0.04
    estimator = PenalizedRegression if task == "squared" else PenalizedLogisticRegression
    model = estimator("nuclear", alpha=alpha, tol=1e-12).fit(form(X), y)
    assert model.optimality_.converged and model.optimality_.gap <= 1e-12
    pull = correlation(task, X, y, model)
    assert np.linalg.norm(pull, 2) <= alpha * (1 + 1e-4)
    left, values, right = np.linalg.svd(model.coef_, full_matrices=False)
    rank = np.count_nonzero(values > 1e-8)
    assert 0 < rank < min(model.coef_.shape)
    assert_allclose(left[:, :rank].T @ pull @ right[:rank].T, alpha * np.eye(rank), atol=1e-4 * alpha)


# -- where paths begin --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", ["squared", "logistic"])
def test_alpha_max_of_slope_and_nuclear(task):
    """Dual norms of the pull at the null model."""
    X, y = regression_data(60, 8) if task == "squared" else class_data(60, 8)
    pull = X.T @ (y - y.mean()) / 60
    loss = {"squared": "squared", "logistic": "logistic"}[task]
    lambdas = SLOPE().bind(8).lambdas
    assert_allclose(alpha_max(X, y, penalty="slope", loss=loss), sorted_dual_norm(pull, lambdas), rtol=1e-9)
    assert_allclose(alpha_max(X, y, penalty="nuclear", loss=loss), np.linalg.norm(pull), rtol=1e-9)
    Y = np.column_stack([y, np.roll(y, 3)])
    want = np.linalg.norm(X.T @ (Y - Y.mean(axis=0)) / 60, 2)
    if task == "squared":
        assert_allclose(alpha_max(X, Y, penalty="nuclear"), want, rtol=1e-9)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_alpha_max_of_differences(order):
    """At it the fit is the polynomial that is free of charge, below it bends; found from the normal equations here."""
    X, y = ordered_data(60, 15)
    penalty = TrendFilter(order)
    Xc, yc = X - X.mean(axis=0), y - y.mean()
    smooth = np.vander(np.arange(15.0), order + 1)
    free = smooth @ np.linalg.lstsq(Xc @ smooth, yc, rcond=None)[0]
    pull = Xc.T @ (yc - Xc @ free) / 60
    dual = np.linalg.lstsq(np.diff(np.eye(15), n=order + 1, axis=0).T, pull, rcond=None)[0]
    top = alpha_max(X, y, penalty=penalty)
    assert_allclose(top, np.max(np.abs(dual)), rtol=2e-6)
    at, below = (PenalizedRegression(penalty, alpha=a, tol=1e-12).fit(X, y) for a in (top, 0.99 * top))
    assert_allclose(at.coef_, free, atol=1e-8)
    assert np.max(np.abs(np.diff(at.coef_, n=order + 1))) <= 1e-10
    assert np.max(np.abs(np.diff(below.coef_, n=order + 1))) > 1e-6


@pytest.mark.parametrize("penalty", [SLOPE(), FusedLasso(0.3), FusedLasso(1.0), NuclearNorm()])
def test_at_alpha_max_nothing_enters_and_below_it_something(penalty):
    X, y = ordered_data(60, 15)
    top = alpha_max(X, y, penalty=penalty)
    at, below = (PenalizedRegression(penalty, alpha=a, tol=1e-12).fit(X, y) for a in (top, 0.99 * top))
    assert not at.coef_.any()
    assert below.coef_.any()


def test_paths_go_down_from_alpha_max():
    X, y = ordered_data()
    for penalty in (SLOPE(), FusedLasso(), TrendFilter(1), GeneralizedRidge(smoother(24))):
        path = regularization_path(X, y, penalty=penalty, alphas=6)
        assert all(path.converged) if hasattr(path, "converged") else True
        assert len(path.alphas) == 6


# -- what has no meaning, and says so -------------------------------------------------------------------------------------


@pytest.mark.parametrize("penalty", ["slope", "fused", TrendFilter(), "nuclear", GeneralizedRidge(np.eye(6))])
def test_penalty_factor_is_refused(penalty):
    X, y = regression_data(30, 6)
    with pytest.raises(ValueError, match="penalty_factor must be None for"):
        PenalizedRegression(penalty, penalty_factor=np.arange(6.0)).fit(X, y)


@pytest.mark.parametrize("penalty", ["fused", TrendFilter(), GeneralizedRidge(np.eye(6))])
def test_standardize_is_refused(penalty):
    X, y = regression_data(30, 6)
    with pytest.raises(ValueError, match="standardize must be False for"):
        PenalizedRegression(penalty, standardize=True).fit(X, y)


@pytest.mark.parametrize("penalty", [FusedLasso(), TrendFilter()])
def test_chains_have_no_part(penalty):
    bound = penalty.bind(5)
    assert bound.restrict(np.arange(5)) is bound
    for features in ([0, 1], [4, 3, 2, 1, 0]):
        with pytest.raises(ValueError, match="no meaning"):
            bound.restrict(np.array(features))


def test_what_the_rest_pays_while_others_are_zero():
    coef = np.array([0.0, 3.0, 0.0, -1.0, 2.0])
    kept = np.flatnonzero(coef)
    M = smoother(5) + np.eye(5)
    for penalty in (
        SLOPE(),
        GeneralizedRidge(M),
        GeneralizedRidge(sparse.csr_array(M)),
        GeneralizedRidge(aslinearoperator(M)),
    ):
        bound = penalty.bind(5)
        assert_allclose(bound.restrict(kept).value(coef[kept], 0.7), bound.value(coef, 0.7))


BAD = [
    (SLOPE(lambdas=[1.0, 2.0, 0.5]), "none larger than the one before"),
    (SLOPE(lambdas=[1.0, 0.5]), r"shape \(2,\)"),
    (SLOPE(lambdas=[1.0, 0.5, -0.1]), "got -0.1 at position 2"),
    (SLOPE(lambdas=np.zeros(3)), "all are zero"),
    (SLOPE(lambdas=[np.nan, 0.5, 0.1]), "got nan"),
    (SLOPE(q=1.0), "q must be"),
    (FusedLasso(l1_ratio=1.5), "l1_ratio must be"),
    (TrendFilter(order=-1), "order must be"),
    (GeneralizedRidge(np.eye(2)), r"shape \(2, 2\)"),
    (GeneralizedRidge(np.diag([1.0, 1.0, -1.0])), "least eigenvalue is -1"),
    (GeneralizedRidge(np.arange(9.0).reshape(3, 3)), "transpose"),
    (GeneralizedRidge(np.full((3, 3), np.nan)), "not finite"),
    (GeneralizedRidge(aslinearoperator(-np.eye(3))), "contradict"),
]


@pytest.mark.parametrize("penalty, words", BAD, ids=lambda item: item if isinstance(item, str) else "")
def test_bad_parameters(penalty, words):
    X, y = regression_data(20, 3)
    with pytest.raises(ValueError, match=words):
        PenalizedRegression(penalty).fit(X, y)


@pytest.mark.parametrize(
    "penalty, name", [(SLOPE(lambdas="bh"), "lambdas"), (TrendFilter(1.5), "order"), (GeneralizedRidge("I"), "M")]
)
def test_wrong_types(penalty, name):
    X, y = regression_data(20, 3)
    with pytest.raises(TypeError, match=f"{name} must be"):
        PenalizedRegression(penalty).fit(X, y)


# -- the step that certificates rest on -----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(50, 8), (30, 200), (400, 120)])
@pytest.mark.parametrize("loss", ["squared", "logistic", "softmax"])
def test_spectral_curvature_is_an_upper_bound(shape, loss):
    rng = np.random.default_rng(0)
    X = rng.standard_normal(shape)
    # What power iteration from the norms of the columns does not see: the steep direction is orthogonal to them.
    X[:, 1] = -X[:, 0]
    y = class_data(shape[0], 3, 3 if loss == "softmax" else 2)[1]
    problem = make_problem(X, one_hot(y) if loss == "softmax" else y.astype(float), loss=loss)
    eta = 2.0 * rng.standard_normal(problem.y.shape)
    bound = spectral_curvature(problem, eta)
    Xc = X - X.mean(axis=0)
    if loss == "softmax":
        share = np.exp(eta) / np.exp(eta).sum(axis=1, keepdims=True)
        blocks = [[np.diag(share[:, k] * ((k == m) - share[:, m])) for m in range(3)] for k in range(3)]
        hessian = np.block([[Xc.T @ block @ Xc for block in row] for row in blocks])
    else:
        rows = np.ones(len(y)) if loss == "squared" else 1.0 / (2.0 + np.exp(eta) + np.exp(-eta))
        hessian = Xc.T @ (rows[:, None] * Xc)
    true = np.linalg.eigvalsh(hessian / len(y))[-1]
    assert true <= bound
    if loss == "squared":
        assert bound <= 1.3 * true
