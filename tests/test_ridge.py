"""Ridge for many alphas: every solution against the normal equations, every certificate against the one from X."""

import numpy as np
import pytest
from scipy import sparse

from skreg import make_problem
from skreg.solvers import direct, krylov, ridge
from skreg.solvers.direct import ClosedForm
from skreg.solvers.ridge import solve_ridges

ALPHAS = np.geomspace(10.0, 1e-5, 15)  # enough of them for the spectral decomposition


def data(n, p, n_targets, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * rng.uniform(0.3, 3.0, p) + rng.standard_normal(p)
    y = rng.standard_normal((n, n_targets)) + 2.0
    return X, y[:, 0] if n_targets == 1 else y


def textbook(X, y, alpha, factor, weights):
    """Coefficients from the centred normal equations."""
    weights = weights / weights.sum()
    X, y = X - weights @ X, y - weights @ y
    return np.linalg.solve((X.T * weights) @ X + alpha * np.diag(factor), (X.T * weights) @ y)


@pytest.mark.parametrize("alphas", [ALPHAS, ALPHAS[::5]], ids=["spectral", "cholesky"])
@pytest.mark.parametrize("n_targets", [1, 3])
@pytest.mark.parametrize(("n", "p"), [(60, 8), (8, 30)])
@pytest.mark.parametrize("varied", [False, True])
@pytest.mark.parametrize("standardize", [False, True])
def test_all_alphas_solve_the_normal_equations_and_know_it(alphas, n_targets, n, p, varied, standardize):
    X, y = data(n, p, n_targets)
    rng = np.random.default_rng(1)
    factor, weights = (rng.uniform(0.5, 2.0, p), rng.uniform(0.1, 2.0, n)) if varied else (np.ones(p), np.ones(n))
    problem = make_problem(
        X,
        y,
        penalty="l2",
        penalty_factor=factor if varied else None,
        sample_weight=weights if varied else None,
        standardize=standardize,
    )
    scale = np.sqrt(np.average((X - np.average(X, axis=0, weights=weights)) ** 2, axis=0, weights=weights))
    Z = X / scale if standardize else X
    for alpha, solution in solve_ridges(problem, list(alphas), 1e-8):
        np.testing.assert_allclose(solution.coef, textbook(Z, y, alpha, factor, weights), rtol=1e-7, atol=1e-9)
        told, certain = solution.optimality, problem.certificate(solution.coef, solution.intercept, alpha, 1e-8)
        assert told.converged and certain.converged
        for name in ("objective", "loss", "penalty", "null_loss"):
            unit = certain.objective if name != "null_loss" else certain.null_loss
            assert abs(getattr(told, name) - getattr(certain, name)) <= 1e-10 * unit
        assert abs(told.gap - certain.gap) < 1e-12
        assert max(told.violation, certain.violation) < 1e-9


def test_a_poor_solution_is_measured_as_from_the_data():
    """The formulas in the small dimension, away from the optimum: equal for columns, a bound for rows."""
    for n, p in ((60, 8), (8, 30)):
        X, y = data(n, p, 2)
        problem = make_problem(X, y, penalty="l2", penalty_factor=np.linspace(0.5, 2.0, p))
        system = (ridge._FeatureSystem if p < n else ridge._SampleSystem)(problem, np.linspace(0.25, 1.0, p))
        strength = np.array([0.6])  # 0.3 * the largest factor
        x = np.random.default_rng(2).standard_normal((*system.b.shape, 1))
        Ax = (system.A @ x[:, :, 0])[:, :, None]
        gap, loss, price, violation, _ = system._measure(strength, x, Ax, system.b[:, :, None] - Ax - strength * x)
        coef = system._coefs(x)[0][0].T
        certain = problem.certificate(coef, problem.null_intercept, 0.3, 1e-8)
        np.testing.assert_allclose(gap[0] / certain.null_loss, certain.gap, rtol=1e-9)
        np.testing.assert_allclose([loss[0], price[0]], [certain.loss, certain.penalty], rtol=1e-9)
        measured = violation[0] / np.sqrt(2.0 * certain.null_loss)
        if p < n:
            np.testing.assert_allclose(measured, certain.violation, rtol=1e-9)
        else:
            assert certain.violation <= measured


def test_factors_that_change_along_the_path_get_matrices_of_their_own():
    X, y = data(30, 50, 1)
    problem = make_problem(X, y, penalty="l2", penalty_factor=np.linspace(0.0, 1.0, 50))
    alphas = [1.0, 0.0, 0.1]
    assert [solution for _, solution in solve_ridges(problem, alphas, 1e-6)] == [None, None, None]
    for alpha, solution in zip(alphas, ClosedForm().solve(problem, alphas, tol=1e-6), strict=True):
        assert solution.alpha == alpha and solution.optimality.converged


@pytest.mark.parametrize("far", [1e2, 1e8, 1e12])
def test_where_rounding_may_matter_the_data_decide(far):
    """Columns whose mean is many times their spread, nearly equal, and a tiny alpha."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 4))
    X[:, 1] = X[:, 0] + 1e-6 * X[:, 1]
    X += far
    y = rng.standard_normal(50)
    problem = make_problem(X, y, penalty="l2")
    (_, quick), *_ = solve_ridges(problem, [1e-13], 1e-8)
    if far > 1e6:
        assert quick is None
    solution = next(iter(ClosedForm().solve(problem, [1e-13], tol=1e-8)))
    certain = problem.certificate(solution.coef, solution.intercept, 1e-13, 1e-8)
    assert solution.optimality.converged <= certain.converged


LAYOUTS = {
    "fortran": np.asfortranarray,
    "c": np.ascontiguousarray,
    "every other column": lambda X: np.asfortranarray(np.repeat(X, 2, axis=1))[:, ::2],
    "float32": lambda X: np.asfortranarray(X, dtype=np.float32),
    "csc": sparse.csc_array,
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("varied", [False, True])
@pytest.mark.parametrize("standardize", [False, True])
def test_a_krylov_space_solves_the_normal_equations_without_the_kernel(monkeypatch, layout, varied, standardize):
    monkeypatch.setattr(krylov, "KERNEL", 0.1)
    monkeypatch.setattr(direct, "solve_ridges", None)
    X, y = data(60, 201, 1)
    X = X.astype(np.float32).astype(np.float64)
    X[:, 7] = 3.0
    rng = np.random.default_rng(1)
    factor, weights = (rng.uniform(0.5, 2.0, 201), rng.uniform(0.0, 2.0, 60)) if varied else (np.ones(201), np.ones(60))
    problem = make_problem(
        LAYOUTS[layout](X), y, penalty="l2", penalty_factor=factor, sample_weight=weights, standardize=standardize
    )
    scale = np.sqrt(np.average((X - np.average(X, axis=0, weights=weights)) ** 2, axis=0, weights=weights))
    scale[7] = 1.0
    Z = X / scale if standardize else X
    alphas = [3.0, 0.3]
    for alpha, solution in zip(alphas, ClosedForm().solve(problem, alphas, tol=1e-14), strict=True):
        np.testing.assert_allclose(solution.coef, textbook(Z, y, alpha, factor, weights), rtol=1e-6, atol=1e-8)
        told, certain = solution.optimality, problem.certificate(solution.coef, solution.intercept, alpha, 1e-14)
        assert told.converged and certain.violation <= told.violation + 1e-14 <= 1e-9
        assert told.objective == pytest.approx(certain.objective, rel=1e-12)
        assert told.loss == pytest.approx(certain.loss, rel=1e-12)


@pytest.mark.parametrize("n_passes", [2, 4, 8])
def test_what_a_krylov_space_says_of_its_solutions(monkeypatch, n_passes):
    """Whatever the strength: a gap that is one and, by the better of two dual points, near; a violation not exceeded."""
    X, y = data(40, 90, 1)
    problem, alphas = make_problem(X, y, penalty="l2"), [100.0, 1.0, 1e-4]
    space = krylov._Space(problem, np.array(alphas), None)
    monkeypatch.setattr(krylov, "TRIAL", n_passes)
    assert space.grow(1e-300, n_passes) is None and len(space.basis) == n_passes
    fresh = np.linalg.qr(np.array([*space.basis, space.images[-1]]).T)[0][:, -1]
    found = space.project(fresh, problem.design.dot_t(space.root * fresh))
    for solution, alpha in zip(space.solutions(found, alphas, 1e-6), alphas, strict=True):
        point = problem.point(solution.coef, solution.intercept, alpha)
        best = problem.certificate(textbook(X, y, alpha, np.ones(90), np.ones(40)), solution.intercept, alpha, 1e-6)
        distance, told = (point.objective - best.objective) / problem.null_loss, solution.optimality
        assert distance - 1e-15 <= told.gap <= 2.5 * distance + 1e-15
        assert told.objective == pytest.approx(point.objective, rel=1e-12)
        assert point.violation <= told.violation + 1e-15
    assert told.violation == pytest.approx(point.violation, rel=1e-9)


@pytest.mark.parametrize(("n", "alpha", "steep"), [(300, 1e-9, 1.0), (300, 1e-3, 1e4), (100, 1.0, 1.0)])
def test_where_a_few_passes_do_not_lead_there_the_kernel_does(n, alpha, steep):
    X, y = data(n, 2 * n, 1)
    X *= np.geomspace(1.0, steep, n)[:, None] ** 0.5
    problem = make_problem(X, y, penalty="l2")
    assert krylov.krylov_ridges(problem, [alpha], 1e-8) is None
    (solution,) = ClosedForm().solve(problem, [alpha], tol=1e-8)
    assert solution.optimality.converged


def test_a_krylov_space_of_nothing():
    X = np.random.default_rng(0).standard_normal((300, 400))
    for matrix, y in ((X, np.full(300, 2.0)), (np.zeros((300, 400)), X[:, 0])):
        (solution,) = ClosedForm().solve(make_problem(matrix, y, penalty="l2"), [0.5], tol=1e-8)
        assert np.abs(solution.coef).max() < 1e-15 and solution.optimality.converged
