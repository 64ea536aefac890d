"""Newton's method: its exact Hessians, the stand-ins for them, and what the steps teach them."""

import numpy as np
import pytest
from helpers import (
    FORMATS,
    class_data,
    estimator,
    normalised,
    one_hot,
    predictor,
    reference,
    sklearn_logistic,
    sparse_data,
    task_data,
    uneven_weights,
)
from scipy.special import softmax

from skreg import L2, Loss, PenalizedLogisticRegression, PenalizedRegression, Softmax, make_problem
from skreg.design import DenseDesign, dense, make_design
from skreg.solvers import get_solver, system
from skreg.solvers.system import NewtonSystem

KINDS = {
    "exact": {},
    "blocks": {"CHEAP": 0},
    "sample": {"CHEAP": 0, "ROWS_PER_COLUMN": 4},
    "diagonal": {"CHEAP": 0, "MAX_BLOCK": 0, "MAX_SPARSE_BLOCK": 0},
}


@pytest.fixture
def use(monkeypatch):
    """A function that makes one kind of Hessian be used, whatever the size."""

    def choose(kind):
        for name, value in KINDS[kind].items():
            monkeypatch.setattr(system, name, value)

    return choose


class PseudoHuber(Loss):
    """Not one of ours; its outputs have nothing to do with each other."""

    def value(self, y, eta):
        return np.sqrt(1.0 + np.square(eta - y)) - 1.0

    def gradient(self, y, eta):
        return (eta - y) / np.sqrt(1.0 + np.square(eta - y))

    def curvature(self, y, eta):
        return (1.0 + np.square(eta - y)) ** -1.5


def hessian_of(task, X, y, coef, intercept, weights=None):
    """Second derivatives in coefficients (features by outputs) and intercepts, row by row from the definition."""
    eta, share = predictor(X, coef, intercept), normalised(weights, len(y))
    p = softmax(eta, axis=1) if task == "softmax" else 1.0 / (1.0 + np.exp(-eta[:, None]))
    total = 0.0
    for row, q, s in zip(np.column_stack([X, np.ones(len(X))]), p, share, strict=True):
        inner = np.diag(q) - np.outer(q, q) if task == "softmax" else np.atleast_2d(q * (1 - q))
        total = total + s * np.kron(np.outer(row, row), inner)
    return total


# -- the answer --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("task", ["logistic", "softmax"])
@pytest.mark.parametrize("layout", FORMATS)
def test_the_promise_holds_at_every_tolerance(use, kind, task, layout):
    use(kind)
    X, y = sparse_data(task, n=120, p=7)
    best = reference(task, X, y, l2=0.01)[2]
    model = estimator(task, "l2", alpha=0.01, solver="newton")
    for tol in (1e-4, 1e-6, 1e-10):
        optimality = model.set_params(tol=tol).fit(FORMATS[layout](X), y).optimality_
        assert optimality.converged and optimality.tol == tol
        assert optimality.objective - best <= tol * optimality.null_loss + 1e-14


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("params", [{}, {"fit_intercept": False}])
def test_scikit_learn_finds_the_same_coefficients(use, kind, n_classes, params):
    use(kind)
    X, y = class_data(200, 6, n_classes)
    weights = uneven_weights(200)
    expected = sklearn_logistic(0.02, 0, weights.sum(), **params).fit(X, y, weights)
    model = PenalizedLogisticRegression("l2", alpha=0.02, tol=1e-10, solver="newton", **params).fit(X, y, weights)
    np.testing.assert_allclose(model.coef_, expected.coef_, atol=1e-6)
    centred = expected.intercept_ - expected.intercept_.mean() * (n_classes > 2)
    np.testing.assert_allclose(model.intercept_, centred, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("task", ["logistic", "softmax"])
@pytest.mark.parametrize("params", [
    {"penalty": None},
    {"penalty": "l2", "penalty_factor": [0.0, 1.0, 0.0, 3.0, 0.1, 1.0]},
    {"penalty": "l2", "standardize": True},
], ids=["no penalty", "factors", "standardize"])  # fmt: skip
def test_free_and_scaled_columns(use, kind, task, params):
    X, y = task_data(task, 150)
    X = X * [1.0, 1e3, 1e-3, 1.0, 10.0, 0.1] + [0.0, 0.0, 1.0, 100.0, 0.0, 0.0]
    expected = estimator(task, alpha=0.02, tol=1e-12, **params).fit(X, y)
    use(kind)
    model = estimator(task, alpha=0.02, tol=1e-10, solver="newton", **params).fit(X, y)
    assert model.optimality_.converged
    np.testing.assert_allclose(model.optimality_.objective, expected.optimality_.objective, rtol=0, atol=1e-10)
    np.testing.assert_allclose(model.coef_ * X.std(axis=0), expected.coef_ * X.std(axis=0), atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_targets", [None, 3])
def test_a_loss_of_ones_own(use, kind, n_targets):
    """Several targets are as many single ones, whatever stands in for the Hessian."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((150, 5))
    Y = X @ rng.standard_normal((5, n_targets or 1)) + rng.standard_t(2, size=(150, n_targets or 1))
    use(kind)
    model = PenalizedRegression("l2", loss=PseudoHuber(), alpha=0.05, tol=1e-10, solver="newton")
    together = model.fit(X, Y if n_targets else Y.ravel()).coef_.reshape(-1, 5)
    for target, coef in zip(Y.T, together, strict=True):
        alone = PenalizedRegression("l2", loss=PseudoHuber(), alpha=0.05, tol=1e-12, solver="proximal_gradient")
        np.testing.assert_allclose(coef, alone.fit(X, target).coef_, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_any_start_of_a_softmax_leads_to_coefficients_that_sum_to_zero(use, kind):
    use(kind)
    X, y = class_data(120, 5, 3)
    problem = make_problem(X, one_hot(y), penalty="l2", loss="softmax")
    start = np.random.default_rng(1).standard_normal((5, 3)) + 4.0, np.array([3.0, 0.0, 1.0])
    solution = next(get_solver("newton", problem).solve(problem, [0.05], start, tol=1e-10))
    assert solution.optimality.converged
    np.testing.assert_allclose(solution.coef.sum(axis=1), 0.0, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_bits_whatever_the_global_random_state(use, kind):
    use(kind)
    X, y = class_data(150, 5, 3)
    coefs = []
    for seed in (0, 1):
        np.random.seed(seed)  # noqa: NPY002
        coefs.append(PenalizedLogisticRegression("l2", alpha=0.03).fit(X, y).coef_)
    np.testing.assert_array_equal(*coefs)


@pytest.mark.parametrize("task", ["logistic", "softmax"])
def test_a_path_makes_few_stand_ins(use, monkeypatch, task):
    use("blocks")
    X, y = task_data(task, 300)
    problem = make_problem(X, one_hot(y) if task == "softmax" else y.astype(float), penalty="l2", loss=task)
    made = []
    original = NewtonSystem._blockwise
    monkeypatch.setattr(NewtonSystem, "_blockwise", lambda self, point: made.append(1) or original(self, point))
    alphas = np.geomspace(1.0, 1e-3, 20)
    solutions = list(get_solver("newton", problem).solve(problem, alphas, tol=1e-8))
    assert all(solution.optimality.converged for solution in solutions)
    assert 1 <= len(made) <= 10
    for alpha, solution in list(zip(alphas, solutions, strict=True))[::6]:
        best = reference(task, X, y, l2=alpha)[2]
        assert solution.optimality.objective - best <= 1e-8 * problem.null_loss


# -- the system --------------------------------------------------------------------------------------------------------


def system_of(task, alpha=0.1, weights=None, seed=0, penalty=None, **params):
    X, y = task_data(task, 60, 4, seed)
    problem = make_problem(
        X, one_hot(y) if task == "softmax" else y.astype(float), penalty=penalty or L2(), loss=task,
        sample_weight=weights, **params,
    )  # fmt: skip
    newton = NewtonSystem(problem)
    newton.charge(alpha)
    return X - problem.design.shift, y, problem, newton


@pytest.mark.parametrize("task", ["logistic", "softmax"])
def test_the_exact_system_is_the_hessian(task):
    X, y, problem, newton = system_of(task, weights=(weights := uneven_weights(60)))
    rng = np.random.default_rng(3)
    coef, intercept = rng.standard_normal(problem.coef_shape), rng.standard_normal(problem.coef_shape[1:])
    assert newton.solve(np.zeros(5 * problem.n_outputs)) is None
    newton.renew(problem.point(coef, intercept if intercept.size > 1 else float(intercept), 0.1))
    hessian = hessian_of(task, X, y, coef.T, intercept, weights)
    hessian[np.diag_indices(4 * problem.n_outputs)] += 0.1
    vector = rng.standard_normal(len(hessian))
    if task == "softmax":
        # No gradient points along equal intercepts.
        vector[-3:] -= vector[-3:].mean()
    np.testing.assert_allclose(hessian @ newton.solve(vector), vector, atol=1e-10)


@pytest.mark.parametrize("task", ["logistic", "softmax"])
def test_the_blocks_are_exact_at_the_null_model_of_equal_classes(use, task):
    use("blocks")
    X = task_data(task, 60, 4)[0]
    y = np.arange(60) % (3 if task == "softmax" else 2)
    problem = make_problem(X, one_hot(y) if task == "softmax" else y.astype(float), penalty="l2", loss=task)
    newton = NewtonSystem(problem)
    newton.charge(0.1)
    null = problem.point(np.zeros(problem.coef_shape), problem.null_intercept, 0.1)
    assert newton.renew(null) and not newton.renew(null)
    hessian = hessian_of(task, X - problem.design.shift, y, null.coef.T, null.intercept)
    hessian[np.diag_indices(4 * problem.n_outputs)] += 0.1
    # That of several outputs has seven digits.
    vector, atol = np.random.default_rng(0).standard_normal(len(hessian)), 1e-5 if task == "softmax" else 1e-10
    if task == "softmax":
        vector[-3:] -= vector[-3:].mean()
    np.testing.assert_allclose(hessian @ newton.solve(vector), vector, atol=atol)


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_class_needs_no_coefficients(use, kind):
    use(kind)
    X = np.random.default_rng(0).standard_normal((40, 3))
    problem = make_problem(X, np.ones((40, 1)), penalty="l2", loss="softmax")
    solution = next(get_solver("newton", problem).solve(problem, [0.1], (np.ones((3, 1)), np.zeros(1)), tol=1e-8))
    assert solution.optimality.converged
    np.testing.assert_allclose(solution.coef, 0.0, atol=1e-6)


def test_directions_that_seven_digits_hide(use):
    """Without an intercept a mean that is large beside the spread hides all of that: such Hessians are made again."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 20)) + 1000.0
    y = np.argmax(X[:, :4] + rng.gumbel(size=(300, 4)), axis=1)
    problem = make_problem(X, one_hot(y), penalty="l2", loss="softmax", fit_intercept=False)
    best = next(get_solver("newton", problem).solve(problem, [1e-3], tol=1e-12)).optimality.objective
    use("blocks")
    solution = next(get_solver("newton", problem).solve(problem, [1e-3], tol=1e-8))
    assert solution.optimality.converged and solution.n_iter < 30
    assert solution.optimality.objective - best <= 1e-8 * problem.null_loss


@pytest.mark.parametrize("layout", ["F", "C"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [0.1, 0.0])
def test_blocks_of_softmax_are_hessians_of_single_outputs_between_projections(use, layout, fit_intercept, alpha):
    use("blocks")
    X, y = task_data("softmax", 60, 4)
    problem = make_problem(
        np.array(X, order=layout), one_hot(y), penalty="l2", loss="softmax", fit_intercept=fit_intercept
    )
    newton, rng = NewtonSystem(problem), np.random.default_rng(3)
    newton.charge(alpha)
    coef, intercept = rng.standard_normal((4, 3)), rng.standard_normal(3) * fit_intercept
    newton.renew(problem.point(coef, intercept, alpha))
    X = X - problem.design.shift if fit_intercept else X
    hessian, size = hessian_of("softmax", X, y, coef.T, intercept), 4 + fit_intercept
    vector = rng.standard_normal((size, 3))
    vector -= vector.mean(axis=1, keepdims=True)
    moves = np.empty_like(vector)
    for k in range(3):
        own = 1.5 * hessian[k::3, k::3][:size, :size] + alpha * np.diag(np.arange(size) < 4)
        moves[:, k] = np.linalg.solve(own, vector[:, k])
    moves -= moves.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(newton.solve(vector.ravel()), moves.ravel(), rtol=1e-4, atol=1e-6)
    # Where all outputs move alike there is the penalty only.
    alike = np.outer(np.arange(size) < 4, np.ones(3)).ravel()
    np.testing.assert_allclose(alpha * newton.solve(alike), alike if alpha else 0.0, atol=1e-6)


@pytest.mark.parametrize("kind", ["blocks", "sample", "diagonal"])
def test_a_system_does_what_it_was_taught_also_at_another_alpha(use, kind):
    use(kind)
    _, _, problem, newton = system_of("logistic", weights=uneven_weights(60))
    newton.renew(problem.point(np.zeros(4), problem.null_intercept, 0.1))
    rng = np.random.default_rng(0)
    root = rng.standard_normal((5, 5))
    for _ in range(30):
        step = rng.standard_normal(5)
        newton.learn(step, root @ root.T @ step, 0.0)
    for alpha in (0.1, 2.0):
        newton.charge(alpha)
        change = root @ root.T @ step
        change[:4] += alpha * step[:4]
        np.testing.assert_allclose(newton.solve(change), step, atol=1e-10)
        inverse = np.array([newton.solve(unit) for unit in np.eye(5)])
        np.testing.assert_allclose(inverse, inverse.T, atol=1e-8)
        assert np.linalg.eigvalsh(inverse + inverse.T).min() > 0
    assert newton.forget() and not newton.forget()


def test_what_rounding_says_of_the_curvature_is_not_learned(use):
    use("blocks")
    _, _, problem, newton = system_of("logistic")
    newton.renew(problem.point(np.zeros(4), problem.null_intercept, 0.1))
    newton.learn(np.ones(5), -np.ones(5), 1.0)
    assert not newton.forget()


# -- what it stands on -------------------------------------------------------------------------------------------------


def test_rows_of_a_sample_are_spread_and_always_the_same():
    rows = system._spread(1000, 90)
    np.testing.assert_array_equal(rows, system._spread(1000, 90))
    edges = np.linspace(0, 1000, 91).astype(int)
    assert np.all((edges[:-1] <= rows) & (rows < edges[1:]))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_sample_of_a_design_keeps_shift_and_scale(order, dtype):
    rng = np.random.default_rng(0)
    X = np.asarray(5.0 + rng.standard_normal((40, 6)), dtype=dtype, order=order)
    design = make_design(X, np.full(40, 1 / 40), True, True)
    rows, weights = np.array([3, 4, 11, 39]), rng.random(4)
    part = design.sample(rows)
    Z = (X[rows].astype(float) - design.shift) / design.scale
    np.testing.assert_allclose(part.dot(np.ones(6)), Z.sum(axis=1), atol=1e-6)
    np.testing.assert_allclose(part.dot_t(weights), Z.T @ weights, atol=1e-6)
    np.testing.assert_allclose(part.gram(slice(None), row_weights=weights), (Z.T * weights) @ Z, atol=1e-6)
    np.testing.assert_allclose(part.squared_norms(weights), weights @ Z**2, atol=1e-6)
    assert design.shape == (40, 6) and part.shape == (4, 6)


class OwnSoftmax(Softmax):
    """A subclass: its total is found from its product."""


@pytest.mark.parametrize("loss", [Softmax(), OwnSoftmax()])
@pytest.mark.parametrize("size", [1.0, 30.0])
def test_total_hessian(loss, size):
    rng = np.random.default_rng(0)
    y, eta, weights = np.eye(4)[rng.integers(0, 4, 30)], size * rng.standard_normal((30, 4)), rng.random(30)
    p = softmax(eta, axis=1)
    expected = sum(w * (np.diag(q) - np.outer(q, q)) for w, q in zip(weights, p, strict=True))
    total = loss.total_hessian(y, eta, weights)
    np.testing.assert_allclose(total, expected, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(PseudoHuber().total_hessian(y[:, 0], y[:, 0], weights), [[weights.sum()]])


def test_rows_are_read_once_for_a_step_and_the_gradient_where_it_leads(monkeypatch):
    rng = np.random.default_rng(5)
    X = rng.standard_normal((9000, 30))
    y = (X[:, 0] + rng.standard_normal(9000) > 0).astype(float)
    expected = PenalizedLogisticRegression("l2", alpha=0.01, tol=1e-12).fit(np.asfortranarray(X), y)
    calls, both = [], DenseDesign.dot_and_back
    monkeypatch.setattr(DenseDesign, "dot_and_back", lambda *args: calls.append(1) or both(*args))
    monkeypatch.setattr(dense, "MANY", X.size)
    monkeypatch.setattr(dense, "LARGE_BLOCK", 500 * 30)
    problem = make_problem(X, y, loss="logistic", penalty="l2")
    solution = next(get_solver("newton", problem).solve(problem, [0.01], tol=1e-12))
    assert calls and solution.optimality.converged
    np.testing.assert_allclose(solution.coef, expected.coef_[0], atol=1e-9)
