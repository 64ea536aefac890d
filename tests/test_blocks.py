"""Block coordinate descent: against proximal gradient, which shares no line with it, and the twins of its kernel."""

import numpy as np
import pytest
from helpers import one_hot, regression_data, sparse_data
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import MultiTaskLasso
from skreg._blocks import block_descent, block_prox

from skreg import (
    L2,
    L21,
    MCP,
    Bounded,
    ByColumn,
    Grouped,
    GroupLasso,
    GroupMCP,
    GroupSCAD,
    PenalizedRegression,
    SparseGroupLasso,
    alpha_max,
    fastest_solver,
    make_problem,
)
from skreg.blocks import Blocks, numbered
from skreg.solvers import base, block_columns, blocks, get_solver
from skreg.solvers.block_columns import BlocksOfColumns, DenseColumns, WorkingColumns
from skreg.solvers.block_dual import ProximalPoint
from skreg.solvers.block_newton import Bends, ColumnSystem, GramSystem, norms
from skreg.solvers.compiled import compiled_blocks

# Neighbours are not together, and groups have different sizes.
GROUPS = [[0, 6, 9], [1, 2], [3, 4, 5, 11], [7], [8, 10]]
LABELS = np.array([0, 1, 1, 2, 2, 2, 0, 3, 4, 0, 4, 2])


class OwnGroups(GroupLasso):
    """NumPy only: a subclass with a prox of its own has no twin."""

    def prox(self, coef, step, alpha):
        return super().prox(coef, step, alpha)


class OwnConcave(GroupMCP):
    """The same, and not convex."""

    def prox(self, coef, step, alpha):
        return super().prox(coef, step, alpha)


CONVEX = {
    "groups": GroupLasso(GROUPS),
    "a free group": GroupLasso(GROUPS, weights={0: 0.0}),
    "sparse": SparseGroupLasso(GROUPS, 0.4),
    "square": 0.5 * (GroupLasso(GROUPS) + L2()),
    "rows": L21(),
    "rows in groups": L21(GROUPS),
    "own": OwnGroups(GROUPS),
    "by column": ByColumn({(0, 1, 2, 3): GroupLasso([0, 0, 1, 1]), (4, 5): Bounded("l1", -0.1, 0.1)}, rest="l1"),
}
CONCAVE = {
    "mcp": GroupMCP(GROUPS),
    "scad": GroupSCAD(GROUPS),
    "l0": Grouped("l0", GROUPS),
    "logsum": Grouped("logsum", GROUPS),
    "own": OwnConcave(GROUPS),
}
TASKS = {"squared": "squared", "logistic": "logistic", "softmax": "softmax", "targets": "squared"}


def problem_of(task, penalty, layout=np.asarray, n=60, p=12, **params):
    X, y = sparse_data("squared" if task == "targets" else task, n, p, seed=1)
    if task == "softmax":
        y = one_hot(y)
    if task == "targets":
        y = np.column_stack([y, X[:, 0] - 2.0 * X[:, 3], X[:, 5] + np.sin(np.arange(n))])
    return make_problem(layout(X), y.astype(float), penalty=penalty, loss=TASKS[task], **params)


def solved(problem, alphas, solver="block_coordinate_descent", tol=1e-9):
    solutions = list(get_solver(solver, problem).solve(problem, alphas, tol=tol))
    assert all(solution.optimality.converged for solution in solutions)
    return [solution.optimality for solution in solutions]


@pytest.mark.parametrize("layout", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("penalty", CONVEX.values(), ids=CONVEX)
@pytest.mark.parametrize("task", TASKS)
def test_the_objective_is_that_of_proximal_gradient(task, penalty, layout):
    problem = problem_of(task, penalty, layout)
    assert fastest_solver(problem).name == "block_coordinate_descent"
    alpha = 0.05
    (one,), (other,) = solved(problem, [alpha]), solved(problem, [alpha], "proximal_gradient")
    assert one.kind == "global" and one.penalty > 0
    assert abs(one.objective - other.objective) <= 1e-8 * problem.null_loss


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("penalty", [GroupLasso(6), L21(6), OwnGroups(6)], ids=["groups", "rows", "own"])
def test_working_sets(task, penalty):
    """Beyond 200 coefficients blocks enter as they are needed."""
    problem = problem_of(task, penalty, n=40, p=300)
    (one,), (other,) = solved(problem, [0.1]), solved(problem, [0.1], "proximal_gradient")
    assert abs(one.objective - other.objective) <= 1e-8 * problem.null_loss


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("penalty", [*CONCAVE.values(), 0.7 * CONCAVE["mcp"]], ids=[*CONCAVE, "scaled"])
def test_concave_blocks_end_where_no_step_leads_on(task, penalty):
    problem = problem_of(task, penalty)
    for optimality in solved(problem, [0.3, 0.1], tol=1e-8):
        assert optimality.objective <= problem.null_loss * (1 + 1e-12) and optimality.violation <= 1e-6


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("p", [12, 300])
def test_a_path_is_its_single_fits(task, p):
    problem = problem_of(task, SparseGroupLasso(3), n=40, p=p)
    alphas = np.geomspace(0.3, 0.03, 8)
    for alpha, optimality in zip(alphas, solved(problem, alphas), strict=True):
        (single,) = solved(problem, [alpha])
        assert abs(optimality.objective - single.objective) <= 2e-9 * problem.null_loss


@pytest.mark.parametrize("penalty", [GroupLasso(2), OwnGroups(2)], ids=["compiled", "own"])
def test_collinear_columns_in_blocks_and_between_them(penalty):
    X, _ = regression_data()
    X = np.column_stack(
        [X, X[:, :4] + 1e-7 * np.sin(np.arange(4 * len(X)).reshape(-1, 4)), X[:, :2], np.ones((len(X), 2))]
    )
    y = X[:, 0] + X[:, 9] - X[:, 3]
    problem = make_problem(X, y, penalty=penalty)
    (one,), (other,) = solved(problem, [1e-3], tol=1e-8), solved(problem, [1e-3], "proximal_gradient", tol=1e-6)
    assert one.objective <= other.objective + 1e-8 * problem.null_loss


def test_blocks_of_one_feature_are_the_lasso():
    X, y = regression_data()
    one = PenalizedRegression(GroupLasso(1), alpha=0.1, tol=1e-12).fit(X, y)
    assert_allclose(one.coef_, PenalizedRegression("l1", alpha=0.1, tol=1e-12).fit(X, y).coef_, atol=1e-9)


@pytest.mark.parametrize(
    "penalty",
    [
        GroupLasso(GROUPS),
        SparseGroupLasso(GROUPS, 0.3),
        *list(CONCAVE.values())[:-1],
        0.7 * (GroupMCP(GROUPS) + 2.0 * L2()),
        L21(GROUPS),
    ],
    ids=repr,
)
def test_the_compiled_prox_is_its_text(penalty):
    penalty = penalty.bind(12)
    twin = compiled_blocks(penalty)
    rng = np.random.default_rng(0)
    blocks = Blocks(penalty.blocks())
    for scale in (0.1, 1.0, 3.0):
        coef = scale * rng.standard_normal((12, 2 if penalty.joint_outputs else 1))
        step, alpha = rng.exponential(size=len(blocks)), rng.exponential(size=len(blocks))
        arrays = [array[blocks.label] for array in (step, alpha)]
        if penalty.joint_outputs:
            expected = penalty.prox(coef, *(array[:, None] for array in arrays))
        else:
            expected = penalty.prox(coef[:, 0], *arrays)[:, None]
        answer = np.ascontiguousarray(coef.T)
        strengths = [alpha * factor for factor in (twin.weight, twin.l1, twin.square)]
        block_prox(answer, blocks.members, blocks.start, step, *strengths, twin.address, twin.params)
        assert_allclose(answer.T, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("factor", [None, np.array([0.5, 1.5, 0.0, 2.0, 1.0])[LABELS]], ids=["same", "factors"])
@pytest.mark.parametrize("penalty", [SparseGroupLasso(GROUPS, 0.4), GroupMCP(GROUPS), L21(GROUPS)], ids=repr)
@pytest.mark.parametrize("task", ["squared", "targets", "softmax"])
def test_compiled_violations_are_those_of_the_text(task, penalty, factor):
    problem = problem_of(task, penalty, penalty_factor=factor, standardize=True)
    compiled = get_solver("block_coordinate_descent", problem).engine(problem).problem
    assert (compiled.block_residuals is None) == (task != "squared" and not penalty.joint_outputs)
    coef = np.random.default_rng(0).standard_normal(problem.coef_shape)
    coef[np.isin(LABELS, [1, 3])] = 0.0
    violations = [one.point(coef, problem.null_intercept, 0.3).violations for one in (problem, compiled)]
    assert_allclose(violations[1], violations[0], rtol=1e-9, atol=1e-13)


def test_a_penalty_of_ones_own_inside_groups_stays_numpy():
    class Own(MCP):
        def prox(self, coef, step, alpha):
            return super().prox(coef, step, alpha)

    assert compiled_blocks(Grouped(Own(), GROUPS).bind(12)) is None
    assert compiled_blocks(2.0 * CONCAVE["own"].bind(12)) is None
    problem = problem_of("squared", Grouped(Own(), GROUPS))
    assert fastest_solver(problem).name == "block_coordinate_descent"
    (own,), (shipped,) = solved(problem, [0.2]), solved(problem_of("squared", GroupMCP(GROUPS)), [0.2])
    assert own.objective == pytest.approx(shipped.objective, rel=1e-9)


@pytest.mark.parametrize("labels", [[0, 0, 1, 3], [2, 2], [5], [], ["a", "a", "b"], [1, 0, 1], ["b", "a"]], ids=str)
def test_labels_are_numbered_in_their_order(labels):
    order = sorted(set(labels))
    assert numbered(np.array(labels)).tolist() == [order.index(label) for label in labels]


def test_blocks():
    blocks = Blocks(np.array([7, 3, 7, 3, 9]))
    assert len(blocks) == 3
    assert_allclose(blocks.label, [1, 0, 1, 0, 2])
    assert_allclose(blocks.sums(np.arange(5.0)), [4.0, 2.0, 4.0])
    pairs = [(0, 0), (0, 2), (1, 1), (1, 3), (2, 0), (2, 2), (3, 1), (3, 3), (4, 4)]
    assert list(zip(*(side.tolist() for side in blocks.pairs()), strict=True)) == pairs
    assert_allclose(blocks.first(np.array([5.0, 4.0, 5.0, 4.0, 6.0])), [4.0, 5.0, 6.0])
    X = np.random.default_rng(0).standard_normal((9, 5))
    steepest = [np.linalg.norm(X[:, own], 2) ** 2 for own in ([1, 3], [0, 2], [4])]
    assert_allclose(blocks.steepest(blocks.parts(X.T @ X)), steepest, rtol=1e-9)
    some = blocks.of([4, 2, 0])
    assert some.label.tolist() == [1, 0, 0] and some.members.tolist() == [1, 2, 0] and some.start.tolist() == [0, 2, 3]


@pytest.mark.parametrize("n_outputs", [1, 2, 4, 5, 9])
@pytest.mark.parametrize("n_samples", [3, 8, 21])
def test_sweeps_over_columns_are_those_over_their_gram_matrix(n_samples, n_outputs):
    # The kernels take four vectors at a time and eight rows, and then what is left.
    rng = np.random.default_rng(n_samples + n_outputs)
    blocks = Blocks(rng.permutation(np.repeat(np.arange(6), [1, 2, 3, 4, 5, 9])))
    columns, y = rng.standard_normal((24, n_samples)), rng.standard_normal((n_outputs, n_samples))
    start = rng.standard_normal((n_outputs, 24)) * (blocks.label % 2)
    gram = columns @ columns.T
    parts = blocks.parts(gram)
    twin = compiled_blocks(GroupLasso(blocks.label, weights=None).bind(24))
    settings = (
        blocks.members, blocks.start, parts, 1.0 / blocks.steepest(parts), np.full(6, 0.8), np.full(6, 0.1), np.full(6, 0.2),
        twin.address, twin.params, 0.0,
    )  # fmt: skip
    for used in (False, True):
        one, other = start.copy(), start.copy()
        rest, gradient = y - start @ columns, (start @ columns - y) @ columns.T
        block_descent(None, columns, one, rest, *settings, 3, used)
        block_descent(gram, None, other, gradient, *settings, 3, used)
        assert_allclose(one, other, atol=1e-10)
        assert_allclose(rest, y - one @ columns, atol=1e-11)
        assert_allclose(gradient, (one @ columns - y) @ columns.T, atol=1e-10)
        assert not np.any(one[:, start[0] == 0]) if used else np.any(one != start)


# -- more columns than rows: no Gram matrix ----------------------------------------------------------------------------


def sizes_on_columns(monkeypatch, method="__init__"):
    """Of the models without a Gram matrix from now on the sizes, noted when a method of theirs is called."""
    sizes, run = [], getattr(BlocksOfColumns, method)
    monkeypatch.setattr(
        BlocksOfColumns, method, lambda self, *args: (run(self, *args), sizes.append(len(self.coef)))[0]
    )
    return sizes


@pytest.mark.parametrize("params", [{}, {"fit_intercept": False}, {"standardize": True}], ids=str)
@pytest.mark.parametrize("penalty", [GroupLasso(5), SparseGroupLasso(5, 0.3), GroupMCP(5)], ids=repr)
def test_wide_data_without_a_gram_matrix(monkeypatch, penalty, params):
    X, y = regression_data(n=40, p=600, seed=5, mean=2.0)
    weights = np.random.default_rng(0).exponential(size=40)
    alpha = 0.05 * alpha_max(X, y, penalty=penalty, sample_weight=weights, **params)
    model = PenalizedRegression(penalty, alpha=alpha, tol=1e-10, **params)
    sizes = sizes_on_columns(monkeypatch)
    one = clone(model).fit(X, y, weights)
    assert sizes and min(sizes) > 40 and one.optimality_.converged
    monkeypatch.setattr(blocks._BlockEngine, "_column_model", lambda self, point: None)
    other = clone(model).fit(X, y, weights)
    assert max(sizes) < 300 and len(sizes) < 30
    # A concave penalty has many minima: there the certificate is all that can be asked for.
    if penalty.convex:
        assert_allclose(one.coef_, other.coef_, atol=1e-6)
        assert_allclose(one.optimality_.objective, other.optimality_.objective, rtol=1e-9)


def test_who_wants_some_digits_does_not_wait_for_more(monkeypatch):
    X, y = regression_data(n=60, p=900, seed=5)
    model = PenalizedRegression(GroupLasso(5), alpha=0.3 * alpha_max(X, y, penalty=GroupLasso(5)), tol=1e-2)
    one = clone(model).fit(X, y)
    monkeypatch.setattr(base, "SHARPNESS", 0.0)
    other = clone(model).fit(X, y)
    assert one.n_iter_ < other.n_iter_ and 0.0 < one.optimality_.gap <= 1e-2
    lower = one.optimality_.objective - other.optimality_.objective
    assert 0.0 <= lower <= one.optimality_.gap * one.optimality_.null_loss


def test_no_gram_matrix_while_many_columns_enter(monkeypatch):
    n, p = 300, 2_500
    X, y = regression_data(n=n, p=p, seed=5)
    sizes = sizes_on_columns(monkeypatch)
    alpha = 0.1 * alpha_max(X, y, penalty=GroupLasso(5))
    model = PenalizedRegression(GroupLasso(5), alpha=alpha).fit(X, y)
    assert model.optimality_.converged and np.count_nonzero(model.coef_) > n > sizes[0]


def solved_on_columns(monkeypatch, penalty, n_targets, fraction, without):
    """Calls of descent, and the solution, on 100 columns of 60 rows; then the same without one of the methods."""
    X, y = regression_data(n=60, p=100, n_targets=n_targets, seed=5)
    problem = make_problem(X, y, penalty=penalty, loss="squared")
    alpha = fraction * alpha_max(X, y, penalty=penalty)
    engine = blocks.BlockCoordinateDescent().engine(problem)
    point = problem.point(np.zeros(problem.coef_shape), problem.null_intercept, alpha)
    engine.entries = np.arange(100)
    sizes = sizes_on_columns(monkeypatch, "descend")

    def solved():
        model = DenseColumns(point, engine.entries, WorkingColumns(problem, engine.blocks))
        inner = engine.quadratic(model, point.coef.copy(), None, alpha)
        del sizes[:]
        assert inner.minimise(1e-8)
        return len(sizes), inner.coef

    yield solved()
    monkeypatch.setattr(BlocksOfColumns, without, lambda self, *args: False)
    yield solved()


WIDE_BLOCKS = pytest.mark.parametrize(
    "penalty, n_targets",
    [(GroupLasso(5), None), (SparseGroupLasso(5, 0.2), None), ("l21", 3), (L21(5), 2)],
    ids=["groups", "sparse", "rows", "rows in groups"],
)


@WIDE_BLOCKS
def test_sweeps_over_columns_are_extrapolated(monkeypatch, penalty, n_targets):
    monkeypatch.setattr(BlocksOfColumns, "_proximal_point", lambda self, tol: False)
    (sweeps, coef), (more, same) = solved_on_columns(monkeypatch, penalty, n_targets, 0.1, "_extrapolate")
    assert sweeps < 0.8 * more
    assert_allclose(coef, same, atol=1e-5)


@pytest.mark.parametrize("way", ["_newton", "_proximal_point"])
@WIDE_BLOCKS
def test_newton_steps_end_slow_sweeps_over_columns(monkeypatch, penalty, n_targets, way):
    if way == "_newton":
        monkeypatch.setattr(block_columns, "MAX_DUAL", 0)
    (sweeps, coef), (more, same) = solved_on_columns(monkeypatch, penalty, n_targets, 0.02, way)
    assert sweeps < 0.5 * more
    assert_allclose(coef, same, atol=1e-4)


@pytest.mark.parametrize(
    "penalty, n_outputs",
    [(SparseGroupLasso(LABELS, 0.3), None), (GroupLasso(LABELS) + L2(), None), (L21(LABELS), 3), (L21(LABELS), 1)],
    ids=["sparse", "square", "rows", "one row"],
)
@pytest.mark.parametrize("reach", [0.5, 1e3])
def test_proximal_points_of_blocks(penalty, n_outputs, reach):
    """Where moving away in any direction of a block, or of all of them, costs something."""
    rng, blocks_of = np.random.default_rng(3), Blocks(LABELS)
    shape = (12,) if n_outputs is None else (12, n_outputs)
    columns, centre = rng.standard_normal((12, 7)), rng.standard_normal(shape)
    centre[LABELS == 1], columns[LABELS == 1] = 0.0, 0.01 * columns[LABELS == 1]
    target, alpha = 4.0 * rng.standard_normal((n_outputs or 1, 7)), np.full(12, 3.0)
    step = reach * rng.uniform(0.001, 0.002, size=5)
    entries = np.arange(12)
    problem = make_problem(columns.T, target.T if n_outputs else target[0], penalty=penalty, loss="squared")
    priced = blocks._PenaltyOnEntries(problem, entries, n_outputs is not None, blocks_of)
    point = ProximalPoint(columns, priced, blocks_of, alpha, step)
    coef, near = point.solve(centre, target, target, 1e-12)

    def cost(coef):
        away = np.square(coef - centre).reshape(12, -1).sum(axis=1) / (2.0 * step[LABELS])
        rest = target - coef.T @ columns
        return 0.5 * np.sum(rest * rest) + problem.penalty_value(coef, 3.0) + np.sum(away)

    assert near and np.any(coef == 0) and np.any(coef != 0)
    moves = rng.standard_normal((200, *shape)) * (rng.random((200, 12)) < 0.3).reshape(200, 12, *[1] * (len(shape) - 1))
    moves = np.concatenate([moves, -coef * np.eye(5)[LABELS].T.reshape(5, 12, *[1] * (len(shape) - 1))])
    assert all(cost(coef + size * move) >= cost(coef) - 1e-13 for move in moves for size in (1e-6, 1e-3, 1.0))


@pytest.mark.parametrize("penalty, n_targets", [(SparseGroupLasso(3, 0.3), None), (L21(), 3)], ids=["sparse", "rows"])
def test_hardly_penalised_groups_of_many_columns(penalty, n_targets):
    """Of the many that fit y the cheapest one: what the dual finds, without a word of rounding."""
    X, y = regression_data(n=40, p=300, n_targets=n_targets, seed=5)
    alpha = 1e-5 * alpha_max(X, y, penalty=penalty)
    model = PenalizedRegression(penalty, alpha=alpha, tol=1e-8).fit(X, y)
    assert model.optimality_.gap <= 1e-8 and np.count_nonzero(model.coef_) > 40


def test_a_stop_has_its_true_reason():
    rng, penalty = np.random.default_rng(5), Grouped("logsum", 3)
    X = rng.standard_normal((60, 900))
    y = X[:, :3].sum(axis=1) + rng.standard_normal(60)
    model = PenalizedRegression(penalty, alpha=1e-5 * alpha_max(X, y, penalty=penalty))
    with pytest.warns(ConvergenceWarning, match=r"steps gain next to nothing after n_iter=\d+ .* or increase alpha"):
        model.fit(X, y)


@pytest.mark.parametrize("n_outputs", [None, 3])
@pytest.mark.parametrize("n_samples", [9, 40])
def test_newton_systems_of_blocks(n_samples, n_outputs):
    # Against the Hessian itself, differentiated where nothing is zero.
    rng = np.random.default_rng(n_samples)
    shape = (12,) if n_outputs is None else (12, n_outputs)
    columns, coef = rng.standard_normal((12, n_samples)), rng.standard_normal(shape)
    penalty, parts = (L21 if n_outputs else GroupLasso)(LABELS).bind(12), Blocks(LABELS)
    twin, alpha, step = compiled_blocks(penalty), np.full(12, 1.5), np.full(5, 0.1)

    def pull(coef):
        return 1.5 * penalty.radial()[1][LABELS] * (coef.T / norms(parts, coef)[LABELS])

    bends = Bends(parts, step, alpha, twin, coef + 0.1 * pull(coef).T, coef)
    units = 1e-6 * np.eye(coef.size).reshape(-1, *shape)
    second = np.stack([(pull(coef + unit) - pull(coef - unit)).T.ravel() / 2e-6 for unit in units])
    gram = columns @ columns.T
    hessian = np.kron(gram, np.eye(n_outputs or 1)) + second
    used, wanted = np.ones(shape, dtype=bool), rng.standard_normal(shape)
    expected = np.linalg.solve(hessian, wanted.ravel()).reshape(shape)
    for system in (ColumnSystem(columns, bends, used), GramSystem(gram, bends, used)):
        assert_allclose(system.solve(wanted, 1e-10), expected, atol=1e-5)
    # Of some only: the others stay where they are.
    some = np.isin(LABELS, [0, 2, 3])
    rows = np.flatnonzero(some)
    inside = np.repeat(some, n_outputs or 1)
    expected = np.linalg.solve(hessian[np.ix_(inside, inside)], wanted[some].ravel()).reshape(wanted[some].shape)
    part = ColumnSystem(columns[rows], bends.of(rows), used[rows])
    assert_allclose(part.solve(wanted[rows], 1e-10), expected, atol=1e-5)


def test_several_targets_with_more_coefficients_than_a_factorisation_takes(monkeypatch):
    # Thousands of sweeps were needed, and never reached the end.
    X, y = regression_data(n=250, p=230, n_targets=10, seed=5)
    monkeypatch.setattr(blocks, "MAX_NEWTON", 1_000)
    model = PenalizedRegression("l21", alpha=0.01 * alpha_max(X, y, penalty="l21"), tol=1e-8).fit(X, y)
    assert np.count_nonzero(model.coef_) > 1_000 and model.optimality_.converged and model.n_iter_ < 10


def test_working_columns_keep_what_they_know():
    problem = make_problem(*regression_data(n=20, p=12, seed=3), penalty=GroupLasso(GROUPS), loss="squared")
    blocks, asked = Blocks(LABELS), []
    columns, copied = problem.design.columns, problem.design.copy_columns
    problem.design.copy_columns = lambda index, *args: (asked.extend(index), copied(index, *args))
    working = WorkingColumns(problem, blocks)
    for chosen in ([2], [2, 0], [2, 0], [2, 0, 3, 4, 1]):
        entries = np.concatenate([GROUPS[number] for number in chosen])
        rows, parts, steepest = working.of(entries)
        own = blocks.of(entries)
        expected = (columns(entries).T @ columns(entries)) / 20
        assert_allclose(rows @ rows.T, expected, atol=1e-14)
        assert_allclose(parts, own.parts(expected), atol=1e-14)
        assert_allclose(steepest, own.steepest(own.parts(expected)), rtol=1e-9)
    assert sorted(asked) == list(range(12))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_wide_data_with_several_targets(dtype):
    X, y = regression_data(n=30, p=400, n_targets=3, seed=5)
    X = X.astype(dtype)
    model = PenalizedRegression("l21", alpha=0.3, tol=1e-10).fit(X, y)
    theirs = MultiTaskLasso(alpha=0.3, tol=1e-10, max_iter=100_000).fit(X.astype(float), y)
    assert_allclose(model.coef_, theirs.coef_, atol=1e-5)
    assert model.optimality_.gap <= 1e-10
