"""Models of several outputs on one Hessian, of some rows: they lead to the solution that exact Hessians have."""

import numpy as np
import pytest
from scipy import sparse
from scipy.special import softmax

from skreg import ElasticNet, design, make_problem
from skreg.grid import null_alpha
from skreg.model import QuadraticModel
from skreg.solvers import CoordinateDescent, models

N_SAMPLES, N_FEATURES, N_CLASSES = 400, 60, 5


def problem_of(layout=np.asfortranarray, seed=0, **options):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N_SAMPLES, N_FEATURES)) + 0.5 * rng.standard_normal((N_SAMPLES, 1)) + 1.0
    if layout not in (np.asfortranarray, np.ascontiguousarray):
        X = np.where(rng.random(X.shape) < 0.4, X, 0.0)
    eta = X[:, :8] @ rng.standard_normal((8, N_CLASSES)) + rng.gumbel(size=(N_SAMPLES, N_CLASSES))
    y = np.eye(N_CLASSES)[np.argmax(eta, axis=1)]
    return make_problem(layout(X), y, loss="softmax", **options), rng


def solve(problem, alpha, tol=1e-10):
    return next(iter(CoordinateDescent().solve(problem, [alpha], tol=tol)))


@pytest.fixture
def hessians(monkeypatch):
    """How many rows each Hessian was made of."""
    rows = []

    class Watched(QuadraticModel):
        def __init__(self, point, entries, single=False):
            rows.append(len(point.eta))
            super().__init__(point, entries, single)

    monkeypatch.setattr(models, "QuadraticModel", Watched)
    return rows


OPTIONS = [
    {"penalty": "l1"},
    {"penalty": ElasticNet(0.7), "fit_intercept": False},
    {"penalty": ElasticNet(0.9, positive=True), "standardize": True},
    {"penalty": "l1", "sample_weight": np.linspace(0.0, 2.0, N_SAMPLES)},
    {"penalty": "l1", "penalty_factor": np.linspace(0.2, 2.0, N_FEATURES)},
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: ", ".join(options))
@pytest.mark.parametrize("layout", [np.asfortranarray, np.ascontiguousarray, sparse.csc_array, sparse.csr_array])
@pytest.mark.parametrize("rows", [0.1, 4], ids=["some rows", "all rows"])
def test_one_hessian_leads_to_the_solution_of_exact_ones(options, layout, rows, hessians, monkeypatch):
    monkeypatch.setattr(models, "ROWS", rows)
    monkeypatch.setattr(models, "RUN", 8)
    problem, _ = problem_of(layout, **options)
    alpha = 0.1 * null_alpha(problem)
    led = solve(problem, alpha)
    some, n_led = [n for n in hessians if n < N_SAMPLES], len(hessians)
    dense = layout in (np.asfortranarray, np.ascontiguousarray)
    assert bool(some) == (rows < 1 and dense and "sample_weight" not in options)
    with monkeypatch.context() as patched:
        patched.setattr(models.Models, "leads_on", False)
        exact = solve(problem, alpha)
    assert led.optimality.converged and exact.optimality.converged
    assert abs(led.optimality.objective - exact.optimality.objective) <= 2e-10 * problem.null_loss
    assert 0 < np.count_nonzero(led.coef) < led.coef.size
    assert some or n_led < len(hessians) - n_led


def test_a_hessian_of_other_data_is_replaced(monkeypatch, hessians):
    """The first runs of rows are of one class each, and know nothing of the rest."""
    problem, _ = problem_of()
    order = np.argsort(np.argmax(problem.y, axis=1), kind="stable")
    sorted_rows = make_problem(problem.design.X[order], problem.y[order], loss="softmax", penalty="l1")
    monkeypatch.setattr(models, "ROWS", 0.01)
    monkeypatch.setattr(models, "ONE_IN", 40)
    monkeypatch.setattr(models, "RUN", 4)
    solution = solve(sorted_rows, 0.02 * null_alpha(sorted_rows), tol=1e-8)
    assert solution.optimality.converged
    assert min(hessians) < 50 and max(hessians) == N_SAMPLES


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: ", ".join(options))
@pytest.mark.parametrize("size", [1.0, 30.0], ids=["near", "saturated"])
@pytest.mark.parametrize("block_size", [2_000, 131_072])
@pytest.mark.parametrize("layout", [np.asfortranarray, np.ascontiguousarray, sparse.csc_array])
@pytest.mark.parametrize("single, atol", [(False, 1e-11), (True, 1e-6)])
def test_the_hessian_of_softmax_row_by_row(layout, block_size, size, options, single, atol, monkeypatch):
    monkeypatch.setattr(design.dense, "BLOCK_SIZE", block_size)
    problem, rng = problem_of(layout, **options)
    intercept = rng.standard_normal(N_CLASSES) * problem.fit_intercept
    point = problem.point(size * 0.1 * rng.standard_normal(problem.coef_shape), intercept, 0.1)
    # One class has no column at all.
    entries = rng.permutation([e for e in range(N_FEATURES * N_CLASSES) if e % N_CLASSES != 2])[:40]
    model = QuadraticModel(point, entries, single)
    p, Z = softmax(point.eta, axis=1), problem.design.columns(slice(None))
    columns = np.stack([np.kron(z, np.eye(N_CLASSES)) for z in Z[:, :, None]])
    rows = np.stack(
        [weight * (np.diag(row) - np.outer(row, row)) for weight, row in zip(problem.weights, p, strict=True)]
    )
    whole = np.einsum("nek,nkl,nfl->ef", columns, rows, columns, optimize=True)[np.ix_(entries, entries)]
    cross, total = np.einsum("nek,nkl->el", columns, rows)[entries], rows.sum(axis=0)
    if problem.fit_intercept:
        whole -= cross @ np.linalg.pinv(total, rcond=1e-12) @ cross.T
    unit = np.abs(np.diagonal(whole)).max()
    np.testing.assert_allclose(model.hessian / unit, whole / unit, atol=atol)
    move = rng.standard_normal(40)
    if problem.fit_intercept:
        shift = model.intercept_move(move, offset=False)
        np.testing.assert_allclose(total @ shift, -cross.T @ move, atol=10 * atol)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_model_around_another_point_has_its_gradient(fit_intercept):
    problem, rng = problem_of(penalty="l1", fit_intercept=fit_intercept)
    entries = rng.permutation(N_FEATURES * N_CLASSES)[:30]

    def point(size):
        intercept = size * rng.standard_normal(N_CLASSES) * fit_intercept
        return problem.point(size * rng.standard_normal(problem.coef_shape), intercept, 0.1)

    here, there = point(0.0), point(0.05)
    model = QuadraticModel(here, entries)
    moved = model.around(there, entries)
    np.testing.assert_array_equal(moved.hessian, model.hessian)
    if not fit_intercept:
        np.testing.assert_array_equal(moved.gradient, there.gradient.ravel()[entries])
    else:
        # The intercept is where it is best beside no move of the coefficients, by the Hessian that is kept.
        shift = moved.intercept_move(np.zeros(30))
        total = there.row_gradient.sum(axis=0) + problem.intercept_hessian(here.eta) @ shift
        np.testing.assert_allclose(total, 0.0, atol=1e-12)
    np.testing.assert_allclose(moved.around(here, entries).gradient, model.gradient, atol=1e-14)
