"""Along a path: what alphas share (moments, working sets, looks ahead) changes nothing of the solutions."""

import numpy as np
import pytest
from scipy import sparse

from skreg import L1, L2, Box, ElasticNet, _active, make_problem
from skreg.elastic import certify_together
from skreg.grid import null_alpha
from skreg.model import QuadraticModel
from skreg.problem import Problem
from skreg.solvers import CoordinateDescent, ProximalGradient, ahead, coordinate, engine, sampling
from skreg.solvers.compiled import compiled_prox
from skreg.solvers.engine import HALFWAY, REMOTE, Engine
from skreg.solvers.hessian import KeptHessian
from skreg.solvers.quadratic import Quadratic
from skreg.solvers.small import SmallNewton

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


@pytest.mark.parametrize("order", ["falling", "rising", "any", "pairs"])
@pytest.mark.parametrize("layout", ["F", "C"])
def test_logistic_paths_between_two_hessians(order, layout, monkeypatch):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((6000, 40)) + 0.7 * rng.standard_normal((6000, 1))
    y = (X[:, :6] @ rng.standard_normal(6) + rng.logistic(size=6000) > 0) + 0.0
    problem = make_problem(np.array(X, order=layout), y, penalty="l1", loss="logistic")
    alphas = null_alpha(problem) * np.geomspace(1.0, 1e-3, 30)
    alphas = {
        "falling": alphas,
        "rising": alphas[::-1],
        "any": rng.permutation(alphas),
        "pairs": np.repeat(alphas[::2], 2),
    }
    led, real = [], ahead._from_both_ends
    monkeypatch.setattr(ahead, "_from_both_ends", lambda *args: led.append(len(args[2])) or real(*args))
    for solution in CoordinateDescent().solve(problem, alphas[order], tol=1e-8):
        single = next(iter(CoordinateDescent().solve(problem, [solution.alpha], tol=1e-12)))
        assert solution.optimality.converged
        excess = solution.optimality.objective - single.optimality.objective
        assert -1e-13 <= excess / problem.null_loss <= 1e-8
    assert max(led) > 4


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


@pytest.mark.parametrize("penalty", [L1(), L1(positive=True), L2(positive=True), ElasticNet(0.3)], ids=str)
@pytest.mark.parametrize("n_alphas", [1, 40])
def test_moments_are_followed_without_an_engine(penalty, n_alphas, monkeypatch):
    X, y, rng = path_data("tall", 11)
    problem = make_problem(X, y, penalty=penalty, penalty_factor=rng.uniform(0.5, 2.0, 12))
    alphas = np.geomspace(0.5, 1e-3, 40)[:n_alphas]
    expected = [next(ProximalGradient().solve(problem, [alpha], tol=1e-12)) for alpha in alphas[::13]]
    monkeypatch.setattr(coordinate, "Engine", None)
    path = list(CoordinateDescent().solve(problem, alphas, tol=1e-10))
    assert len(path) == n_alphas and all(solution.optimality.converged for solution in path)
    for solution, known in zip(path[::13], expected, strict=True):
        np.testing.assert_allclose(solution.coef, known.coef, atol=1e-5)
        check = problem.certificate(solution.coef, solution.intercept, solution.alpha, 1e-10)
        assert check.converged and check.objective == pytest.approx(solution.optimality.objective, rel=1e-12)


def test_what_an_active_set_cannot_do_alone_is_left_to_an_engine():
    """Kinks elsewhere than at zero, and solutions that start at one."""
    X, y, _ = path_data("tall", 12)
    for penalty in (Box(0.0, 0.3), Box(0.1, 0.5), L1() + Box(-0.2, 0.4)):
        problem, alphas = make_problem(X, y, penalty=penalty), np.geomspace(0.5, 1e-3, 10)
        for solution in CoordinateDescent().solve(problem, alphas, tol=1e-9):
            other = next(ProximalGradient().solve(problem, [solution.alpha], tol=1e-12))
            np.testing.assert_allclose(solution.coef, other.coef, atol=1e-5)


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


@pytest.mark.parametrize("penalty", ["l1", ElasticNet(0.3)], ids=str)
@pytest.mark.parametrize("layout", ["F", "C", "csc"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("copied", [True, False])
def test_a_path_of_the_logistic_loss_on_copied_columns_or_few_hessians(shape, layout, penalty, copied, monkeypatch):
    X, y, rng = path_data(shape, 3, layout)
    kept = []
    if not copied:
        monkeypatch.setattr(SmallNewton, "fits", lambda *args: False)
    monkeypatch.setattr(ahead, "KeptHessian", lambda *args: kept.append(1) or KeptHessian(*args))
    problem = make_problem(
        X,
        (y + 2.0 * rng.standard_normal(len(y)) > np.median(y)).astype(float),
        penalty=penalty,
        loss="logistic",
        sample_weight=rng.random(len(y)),
        standardize=copied,
    )
    assert_path_is_single_fits(problem, lowest=0.05)
    assert len(kept) == 0 if copied else 1 <= len(kept) < 15


@pytest.mark.parametrize("layout", ["F", "C", "csc"])
def test_a_path_of_the_logistic_loss_reads_x_for_many_alphas_at_once(layout, monkeypatch):
    X, y, rng = path_data("wide", 8, layout)
    problem = make_problem(X, (y > np.median(y)).astype(float), penalty="l1", loss="logistic")
    passes, original = [], type(problem.design).dot_t
    monkeypatch.setattr(
        type(problem.design),
        "dot_t",
        lambda self, rows, index=None: passes.append(index is None) or original(self, rows, index),
    )
    alphas = null_alpha(problem) * np.geomspace(1.0, 0.05, 60)
    path = list(CoordinateDescent().solve(problem, alphas, tol=1e-6))
    assert all(solution.optimality.converged for solution in path)
    assert sum(passes) <= 20


def test_a_path_of_the_logistic_loss_with_free_columns_on_separable_classes():
    """Below some alpha nothing but the penalty holds the solution; at 0 there is none, and the path says so."""
    X, y, _ = path_data("tall", 4)
    problem = make_problem(X, (y > 0).astype(float), penalty="l1", loss="logistic", penalty_factor=[0.0] + [1.0] * 11)
    assert_path_is_single_fits(problem, lowest=1e-3)
    separable = make_problem(X, (X[:, 0] > 0).astype(float), penalty="l1", loss="logistic")
    *path, last = CoordinateDescent().solve(separable, [*(null_alpha(separable) * np.geomspace(1, 1e-3, 10)), 0.0])
    assert all(solution.optimality.converged for solution in path)
    assert last.diverges and np.isfinite(last.coef).all()


@pytest.mark.parametrize("layout", ["F", "C", "csc"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_kept_hessian_is_that_of_the_point_however_it_grew(layout, fit_intercept):
    X, y, rng = path_data("square", 5, layout, far=3.0)
    problem = make_problem(X, (y > np.median(y)).astype(float), loss="logistic", fit_intercept=fit_intercept)
    point = problem.point(0.1 * rng.standard_normal(40), 0.3 * fit_intercept, 0.1)
    entries = rng.permutation(40)[:17]
    model = QuadraticModel(point, entries)
    kept = KeptHessian(problem, point.row_curvature)
    for size in (3, 4, 17):
        np.testing.assert_allclose(kept.on(entries[:size]), model.hessian[:size, :size], atol=1e-12)
    np.testing.assert_allclose(kept.gradient(point, entries), model.gradient, atol=1e-13)
    move = rng.standard_normal(17)
    np.testing.assert_allclose(kept.intercept_move(point, move, entries), model.intercept_move(move), atol=1e-12)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_hessian_between_two_is_that_of_the_weights_between(fit_intercept):
    X, y, rng = path_data("square", 9, far=3.0)
    problem = make_problem(X, (y > np.median(y)).astype(float), loss="logistic", fit_intercept=fit_intercept)
    one, other, entries = rng.random(60), rng.random(60), rng.permutation(40)[:9]
    between = KeptHessian(problem, one).towards(KeptHessian(problem, other), 0.3, entries)
    made = KeptHessian(problem, 0.7 * one + 0.3 * other)
    np.testing.assert_allclose(between.on(entries), made.on(entries), rtol=1e-11, atol=1e-11)
    point, move = problem.point(np.zeros(40), 0.0, 0.1), rng.standard_normal(9)
    np.testing.assert_allclose(between.gradient(point, entries), made.gradient(point, entries), atol=1e-12)
    shift = made.intercept_move(point, move, entries)
    np.testing.assert_allclose(between.intercept_move(point, move, entries), shift, atol=1e-11)


@pytest.mark.parametrize("penalty", ["l1", L1(positive=True), ElasticNet(0.3)], ids=str)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_gaps_of_the_logistic_loss_found_together_bound_the_suboptimality(penalty, fit_intercept):
    X, y, rng = path_data("square", 10)
    problem = make_problem(
        X,
        (y > np.median(y)).astype(float),
        loss="logistic",
        penalty=penalty,
        fit_intercept=fit_intercept,
        penalty_factor=rng.uniform(0.5, 2.0, 40),
    )
    points, least = [], []
    for alpha in null_alpha(problem) * np.array([0.7, 0.3, 0.1]):
        best = next(CoordinateDescent().solve(problem, [alpha], tol=1e-12))
        least.append(best.optimality.objective)
        # The intercept is not the best one: a dual point has to be made orthogonal to it.
        points.append(problem.point(0.99 * best.coef, best.intercept + 0.01 * fit_intercept, alpha))
    coefs, gradients = (np.array([getattr(point, name) for point in points]) for name in ("coef", "gradient"))
    certify_together(points, coefs, gradients, 0.5)
    for point, lowest in zip(points, least, strict=True):
        gap, excess = point.__dict__["plain_gap"], (point.objective - lowest) / problem.null_loss
        assert 0.0 < excess <= gap <= 0.1
        alone = problem.point(point.coef, point.intercept, point.alpha)
        assert point.price == pytest.approx(alone.price, rel=1e-12)
        # Beside an intercept the dual points are two; both are near the best one.
        assert gap <= 2.0 * alone.gap() if fit_intercept else gap == pytest.approx(alone.gap(), rel=1e-9)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("layout", ["F", "C", "csc", "csr"])
@pytest.mark.parametrize("single", [True, False])
def test_gram_matrices_for_several_weights_with_a_column_of_ones(layout, dtype, single):
    X, y, rng = path_data("tall", 6, layout, far=1.0)
    design, weights = make_problem(X.astype(dtype), y, standardize=True).design, rng.random((200, 3))
    Z = np.column_stack([design.columns(slice(None)), np.ones(200)])
    for some in (weights, weights - 0.5):
        for gram, own in zip(design.weighted_grams(some, single), some.T, strict=True):
            np.testing.assert_allclose(gram, (Z.T * own) @ Z, atol=1e-3 if single or dtype == np.float32 else 1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layout", ["F", "C", "csc"])
def test_squared_norms_for_several_weights_are_those_of_each(layout, dtype):
    X, y, rng = path_data("tall", 6, layout, far=10.0)
    design = make_problem(X.astype(dtype), y, standardize=True).design
    weights = rng.random((200, 3))
    together, some = design.squared_norms(weights), np.array([9, 2, 5])
    np.testing.assert_allclose(design.squared_norms(weights, some), together[some], rtol=1e-5)
    np.testing.assert_allclose(design.squared_norms(weights[:, 0], some), together[some, 0], rtol=1e-5)
    for k in range(3):
        alone = design.squared_norms(np.ascontiguousarray(weights[:, k]))
        np.testing.assert_allclose(together[:, k], alone, rtol=1e-5 if dtype == np.float32 else 1e-12)


# -- where single fits begin ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("penalty", ["l1", "mcp"])
@pytest.mark.parametrize("layout", ["F", "csc"])
def test_a_fit_far_below_the_null_model_goes_there_by_way_of_a_stronger_penalty(monkeypatch, penalty, layout):
    X, y, _ = path_data("wide", 7, layout)
    problem, seen = make_problem(X, y, penalty=penalty), []
    solve = Engine.solve
    monkeypatch.setattr(
        Engine,
        "solve",
        lambda self, alpha, *args: (seen.append((alpha, args[0] is None)), solve(self, alpha, *args))[1],
    )
    for share in (0.9, 1.1):
        seen.clear()
        alpha = share * null_alpha(problem) / REMOTE
        (solution,) = CoordinateDescent().solve(problem, [alpha], tol=1e-9)
        assert solution.optimality.converged
        far = share < 1.0 and penalty == "l1" and layout == "F"
        assert seen == ([(HALFWAY * alpha, True), (alpha, False)] if far else [(alpha, True)])
        monkeypatch.setattr(Engine, "from_afar", lambda *args: None)
        (direct,) = CoordinateDescent().solve(problem, [alpha], tol=1e-9)
        monkeypatch.undo()
        monkeypatch.setattr(
            Engine,
            "solve",
            lambda self, alpha, *args: (seen.append((alpha, args[0] is None)), solve(self, alpha, *args))[1],
        )
        difference = solution.optimality.objective - direct.optimality.objective
        assert abs(difference) <= 2e-9 * problem.null_loss


def test_what_a_sample_finds_is_corrected_by_all_rows(monkeypatch):
    rng = np.random.default_rng(8)
    X = np.asfortranarray(rng.standard_normal((24_000, 60)) + 0.7 * rng.standard_normal((24_000, 1)) + 3.0)
    y = X[:, :5] @ [3.0, -2.0, 1.0, 1.0, -1.0] + 5.0 * rng.standard_normal(24_000)
    monkeypatch.setattr(sampling, "MANY", 1e5)
    problem = make_problem(X, y)
    alpha = 0.02 * null_alpha(problem)
    (solution,) = CoordinateDescent().solve(problem, [alpha], tol=1e-12)
    assert solution.optimality.converged

    monkeypatch.setattr(engine, "ALL_AT_ONCE", 0)

    def first_set():
        engine = Engine(problem)
        assert sampling.worth_a_sample(engine)
        return sampling.sampled(engine, alpha)[0]

    monkeypatch.setattr(sampling, "DEAR", np.inf)
    noisy = first_set()
    monkeypatch.setattr(sampling, "DEAR", 0)
    corrected, used = first_set(), np.flatnonzero(solution.coef)
    # One row in twenty asks for many columns in vain; the gradient of all rows knows better.
    assert len(corrected) < 0.9 * len(noisy)
    assert np.isin(used, corrected).all()
    (again,) = CoordinateDescent().solve(problem, [alpha], tol=1e-12)
    np.testing.assert_allclose(again.coef, solution.coef, atol=1e-8)
    # With too few rows for its columns the sample is taken at its word.
    monkeypatch.setattr(sampling, "ROWS", 1_000)
    np.testing.assert_array_equal(first_set(), noisy)


def test_inner_problems_that_share_an_active_set_are_solved_each_on_its_own():
    """It belongs to whichever is being solved: which was made last does not matter."""
    rng = np.random.default_rng(3)
    gram, penalty = np.cov(rng.standard_normal((40, 8)), rowvar=False), L1()
    pulls, strengths, active = rng.standard_normal((3, 8)), np.full(8, 0.4), _active.ActiveSet(100)
    shared, alone = (
        [Quadratic(gram, np.zeros(8), -q, penalty, strengths.copy(), compiled_prox(penalty), own) for q in pulls]
        for own in (active, None)
    )
    for one in (0, 2, 1, 0):
        assert shared[one].minimise(1e-12) and alone[one].minimise(1e-12)
        np.testing.assert_allclose(shared[one].coef, alone[one].coef, rtol=1e-10, atol=1e-12)
        assert np.count_nonzero(shared[one].coef) > 0
    gradient = gram @ shared[1].coef - pulls[1]
    np.testing.assert_allclose(
        gradient[shared[1].coef != 0], -0.4 * np.sign(shared[1].coef[shared[1].coef != 0]), rtol=1e-9
    )


@pytest.mark.parametrize("make", [np.asarray, np.asfortranarray, sparse.csc_array, sparse.csr_array])
def test_the_linear_predictor_beyond_two_points_is_that_of_the_coefficients_there(make):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 12)) * (rng.random((30, 12)) < 0.4) + 0.0
    problem = make_problem(make(X), rng.integers(0, 2, 30).astype(float), penalty="l1", loss="logistic")
    coefs = rng.standard_normal((2, 12)) * (rng.random((2, 12)) < 0.6)
    # One that the line would take through zero, and one that has just come in.
    coefs[:, :2] = [[1.0, 0.0], [0.1, 1.0]]
    before, last = (problem.point(*each) for each in zip(coefs, [0.3, -0.2], [0.02, 0.016], strict=True))
    for points, alpha in (((before, last), 0.01), ((None, last), 0.01), ((last, last), 0.016)):
        coef, _ = ahead._beyond(*points, alpha, slice(None))
        np.testing.assert_allclose(
            ahead._eta_beyond(*points, alpha, coef), problem.design.dot(coef), rtol=1e-12, atol=1e-13
        )
    assert coef.any() and ahead._beyond(before, last, 0.01, slice(None))[0][0] == 0.0
    bounded = problem.changed(penalty=L1(positive=True)).point(coefs[1], 0.0, 0.02)
    assert ahead._eta_beyond(None, bounded, 0.01, coefs[1]) is None
