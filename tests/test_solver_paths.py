"""Along a path: what alphas share (moments, working sets, looks ahead) changes nothing of the solutions."""

import numpy as np
import pytest
from scipy import sparse

from skreg import ElasticNet, make_problem
from skreg.grid import null_alpha
from skreg.problem import Problem
from skreg.solvers import CoordinateDescent

SHAPES = {"tall": (200, 12), "square": (60, 40), "wide": (40, 300)}


def path_data(shape, seed, layout="F", far=0.0):
    rng = np.random.default_rng(seed)
    n, p = SHAPES[shape]
    X = rng.standard_normal((n, p)) + 0.7 * rng.standard_normal((n, 1)) + far * rng.standard_normal(p)
    y = X[:, :3] @ [2.0, -1.0, 0.5] + rng.standard_normal(n) + far
    if layout == "csc":
        X = sparse.csc_array(np.where(rng.random(X.shape) < 0.3, X, 0.0))
    return (np.asfortranarray(X) if layout == "F" else X), y, rng


def assert_path_is_single_fits(problem, n_alphas=15, tol=1e-9, lowest=1e-3):
    top = null_alpha(problem)
    alphas = list(top * np.geomspace(1.0, lowest, n_alphas))
    path = list(CoordinateDescent().solve(problem, alphas, tol=tol))
    assert [solution.alpha for solution in path] == alphas
    for solution in path:
        single = next(iter(CoordinateDescent().solve(problem, [solution.alpha], tol=tol)))
        assert solution.optimality.converged and single.optimality.converged
        unit = solution.optimality.null_loss
        assert abs(solution.optimality.objective - single.optimality.objective) <= 2 * tol * unit
        # What the path says of itself is what X says.
        check = problem.certificate(solution.coef, solution.intercept, solution.alpha, tol)
        np.testing.assert_allclose(solution.optimality.objective, check.objective, rtol=1e-10, atol=1e-10 * unit)
        assert check.converged


@pytest.mark.parametrize("penalty", ["l1", ElasticNet(0.3), "positive"], ids=str)
@pytest.mark.parametrize("layout", ["F", "C", "csc"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_path_equals_its_single_fits(shape, layout, penalty):
    X, y, rng = path_data(shape, 0, layout)
    penalty = ElasticNet(1.0, positive=True) if penalty == "positive" else penalty
    assert_path_is_single_fits(make_problem(X, y, penalty=penalty, sample_weight=rng.random(len(y))))


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_with_free_columns_and_scaling(shape, fit_intercept, standardize):
    X, y, rng = path_data(shape, 1)
    factor = rng.uniform(0.5, 2.0, size=X.shape[1])
    factor[[1, 4]] = 0.0
    problem = make_problem(
        X, y, penalty_factor=factor, fit_intercept=fit_intercept, standardize=standardize, penalty="l1"
    )
    assert_path_is_single_fits(problem, lowest=1e-2)


@pytest.mark.parametrize("shape", SHAPES)
def test_several_targets(shape):
    X, y, rng = path_data(shape, 2)
    assert_path_is_single_fits(make_problem(X, np.column_stack([y, y[::-1], rng.standard_normal(len(y))])))


def test_where_moments_lose_their_digits_x_is_read_again(monkeypatch):
    """Large coefficients that cancel: the Gram matrix of nearly equal columns does not know them."""
    X, y, rng = path_data("tall", 3)
    X[:, 1] = X[:, 0] + 1e-7 * rng.standard_normal(len(y))
    y = y + (X[:, 1] - X[:, 0]) * 1e7
    problem = make_problem(X, y, penalty="l1", fit_intercept=False)
    read, changed = [], Problem.changed

    def watched(self, **attributes):
        if "moments" in attributes and attributes["moments"] is None:
            read.append(self)
        return changed(self, **attributes)

    monkeypatch.setattr(Problem, "changed", watched)
    path = list(CoordinateDescent().solve(problem, [1e-3, 1e-9, 1e-12, 1e-13], tol=1e-9))
    assert read
    for solution in path:
        check = problem.certificate(solution.coef, solution.intercept, solution.alpha, 1e-9)
        assert check.converged == solution.optimality.converged


def test_duplicate_columns_beyond_the_rank():
    X, y, _ = path_data("wide", 4)
    X = np.asfortranarray(np.hstack([X, X, X[:, :50]]))
    assert_path_is_single_fits(make_problem(X, y, penalty="l1"), lowest=1e-3)
