"""Every solver on every problem that it does not refuse: the same answer, and refusals in words."""

import numpy as np
import pytest
from helpers import estimator, one_hot, sparse_data, task_data, uneven_weights
from scipy import sparse
from scipy.sparse.linalg import aslinearoperator
from test_user_penalty import OwnGroupLasso, OwnL1, OwnMCP, OwnSLOPE

from skreg import (
    L1,
    L2,
    ElasticNet,
    GeneralizedRidge,
    GroupLasso,
    Loss,
    PenalizedRegression,
    fastest_solver,
    make_problem,
)
from skreg.solvers import FASTEST_FIRST, Solver, get_solver

TASKS = ["squared", "logistic", "softmax"]
PENALTIES = {
    "none": None,
    "l1": L1(),
    "l2": L2(),
    "elasticnet": ElasticNet(0.4),
    "l2 as elasticnet": ElasticNet(0.0),
    "l1+": L1(positive=True),
    "l2+": L2(positive=True),
    "own l1": OwnL1(),
    "own group lasso": OwnGroupLasso(),
    "own slope": OwnSLOPE(),
}
SHAPES = {"tall": (80, 6), "wide": (30, 40)}


class LogCosh(Loss):
    """Neither squared nor one of ours."""

    def value(self, y, eta):
        return np.logaddexp(eta - y, y - eta) - np.log(2.0)

    def gradient(self, y, eta):
        return np.tanh(eta - y)

    def curvature(self, y, eta):
        return 1.0 / np.cosh(np.clip(eta - y, -300.0, 300.0)) ** 2


def problem_of(task, penalty, shape="tall", convert=np.asarray, **params):
    X, y = sparse_data(task, *SHAPES[shape], seed=1)
    y = one_hot(y) if task == "softmax" else y
    return make_problem(convert(X), y.astype(float), penalty=penalty, loss=task, **params)


def willing(problem):
    return [solver for solver in FASTEST_FIRST if solver.refuses(problem) is None]


def solve(solver, problem, alphas, tol=1e-9):
    return list(solver.solve(problem, alphas, tol=tol))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
def test_all_agree_to_the_certificate(task, name, shape, convert):
    if name == "none" and shape == "wide" and task != "squared":
        return  # separable: there is no solution to agree on
    problem = problem_of(task, PENALTIES[name], shape, convert, sample_weight=None)
    alpha = 0.05
    solutions = {solver.name: solve(solver, problem, [alpha])[0] for solver in willing(problem)}
    assert "proximal_gradient" in solutions
    values = {}
    for solver, solution in solutions.items():
        assert solution.optimality.converged, (solver, solution.optimality)
        assert solution.alpha == alpha and solution.n_iter >= 1
        eta = problem.eta(solution.coef, solution.intercept)
        values[solver] = problem.loss_value(eta) + problem.penalty_value(solution.coef, alpha)
        np.testing.assert_allclose(values[solver], solution.optimality.objective, rtol=1e-10)
    assert np.ptp(list(values.values())) <= 1e-8 * problem.null_loss


@pytest.mark.parametrize("params", [
    {"fit_intercept": False},
    {"standardize": True},
    {"penalty_factor": [0.0, 1.0, 2.0, 0.5, 1.0, 0.0]},
    {"sample_weight": uneven_weights(80)},
], ids=lambda params: next(iter(params)))  # fmt: skip
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", ["l1", "l2", "elasticnet"])
def test_all_agree_whatever_is_asked(task, name, params):
    problem = problem_of(task, PENALTIES[name], **params)
    values = [solve(solver, problem, [0.05])[0].optimality for solver in willing(problem)]
    assert len(values) >= 2 and all(optimality.converged for optimality in values)
    assert np.ptp([optimality.objective for optimality in values]) <= 1e-8 * problem.null_loss


@pytest.mark.parametrize("penalty", [None, "l1", "l2"])
def test_a_loss_of_ones_own(penalty):
    X, y = task_data("squared")
    problem = make_problem(X, y, penalty=penalty, loss=LogCosh())
    values = [solve(solver, problem, [0.05])[0].optimality for solver in willing(problem)]
    assert len(values) >= 2 and all(optimality.converged for optimality in values)
    assert np.ptp([optimality.objective for optimality in values]) <= 1e-8 * problem.null_loss


@pytest.mark.parametrize("task", TASKS)
def test_concave_penalties_end_in_a_stationary_point(task):
    problem = problem_of(task, OwnMCP())
    for solver in willing(problem):
        solution = solve(solver, problem, [0.1], tol=1e-6)[0]
        assert solution.optimality.converged and solution.optimality.kind in ("local", "stationary")


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", ["l1", "l2", "elasticnet", "own slope"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_path_is_its_single_fits(task, name, shape):
    problem = problem_of(task, PENALTIES[name], shape)
    alphas = [0.3, 0.1, 0.03, 0.1, 0.01]
    for solver in willing(problem):
        path = solve(solver, problem, alphas)
        assert [solution.alpha for solution in path] == alphas
        for alpha, solution in zip(alphas, path, strict=True):
            single = solve(solver, problem, [alpha])[0]
            assert solution.optimality.converged and single.optimality.converged
            gap = solution.optimality.objective - single.optimality.objective
            assert abs(gap) <= 2e-9 * problem.null_loss + 1e-14
            np.testing.assert_allclose(solution.coef, single.coef, rtol=1e-2, atol=2e-3)
        # Solutions of a path are not views of one array that moves on.
        assert len({id(solution.coef) for solution in path}) == len(alphas)
        assert not np.array_equal(path[0].coef, path[-1].coef)


def test_the_caller_may_leave_a_path():
    path = get_solver("auto", problem := problem_of("squared", "l1")).solve(problem, iter([0.1, 0.01, 0.001]))
    assert next(path).alpha == 0.1
    path.close()


@pytest.mark.parametrize("start", ["zeros", "far", "infeasible"])
@pytest.mark.parametrize("task", TASKS)
def test_the_start_does_not_matter(task, start):
    problem = problem_of(task, L1(positive=True))
    outputs = problem.coef_shape[1:]
    coef = {"zeros": 0.0, "far": 5.0, "infeasible": -5.0}[start] * np.ones(problem.coef_shape)
    given = coef.copy()
    for solver in willing(problem):
        expected = solve(solver, problem, [0.05])[0].optimality.objective
        solution = next(solver.solve(problem, [0.05], start=(coef, np.ones(outputs) if outputs else 1.0), tol=1e-9))
        assert solution.optimality.converged
        np.testing.assert_allclose(solution.optimality.objective, expected, rtol=1e-8)
    np.testing.assert_array_equal(coef, given)


# -- choosing -----------------------------------------------------------------------------------------------------------

CHOICES = [  # task, penalty, params -> what runs
    ("squared", "l2", {}, "closed_form"),
    ("squared", None, {}, "closed_form"),
    ("squared", ElasticNet(0.0), {}, "closed_form"),
    ("squared", L2(positive=True), {}, "coordinate_descent"),
    ("squared", "l1", {}, "coordinate_descent"),
    ("squared", OwnSLOPE(), {}, "proximal_gradient"),
    ("logistic", "l2", {}, "newton"),
    ("logistic", None, {}, "newton"),
    ("logistic", "l1", {}, "coordinate_descent"),
    ("softmax", "l2", {}, "newton"),
    ("softmax", "elasticnet", {}, "coordinate_descent"),
    ("softmax", OwnGroupLasso(), {}, "proximal_gradient"),
]


@pytest.mark.parametrize("task, penalty, params, name", CHOICES, ids=str)
def test_the_fastest_that_does_not_refuse(task, penalty, params, name):
    choice = fastest_solver(problem_of(task, penalty, **params))
    assert choice.name == name and choice.solver.name == name and isinstance(choice.solver, Solver)
    faster = [solver.name for solver in FASTEST_FIRST]
    assert list(choice.refusals) == faster[: faster.index(name)]
    for reason in choice.refusals.values():
        assert reason.endswith(".") and reason[0].isupper() and " " in reason
    assert estimator(task, penalty, alpha=0.05).fit(*task_data(task)).solver_ == name


REFUSALS = [  # solver, task, penalty -> words
    ("newton", "squared", "l1", "Newton", "L1", "CoordinateDescent"),
    ("newton", "logistic", "l1", "Newton", "L1", "CoordinateDescent"),
    ("newton", "logistic", L2(positive=True), "Newton", "L2", "CoordinateDescent"),
    ("closed_form", "squared", "elasticnet", "ClosedForm", "ElasticNet", "CoordinateDescent"),
    ("closed_form", "logistic", "l2", "ClosedForm", "Logistic", "Newton"),
    ("closed_form", "softmax", "l2", "ClosedForm", "Softmax", "Newton"),
    ("coordinate_descent", "squared", OwnSLOPE(), "CoordinateDescent", "OwnSLOPE", "ProximalGradient"),
]


@pytest.mark.parametrize("name, task, penalty, solver, party, other", REFUSALS, ids=str)
def test_a_refusal_names_both_parties_and_who_would_do(name, task, penalty, solver, party, other):
    X, y = task_data(task)
    words = rf"^{solver} cannot fit this problem: .*\b{party}\b.*\. solver='auto' would use {other}\.$"
    with pytest.raises(ValueError, match=words):
        estimator(task, penalty, solver=name).fit(X, y)


@pytest.mark.parametrize("name", [solver.name for solver in FASTEST_FIRST])
def test_solver_by_name(name):
    X, y = task_data("squared")
    others = {"change_of_basis": GeneralizedRidge(np.eye(X.shape[1])), "cluster_newton": "slope"}
    others["newton_cg"] = GeneralizedRidge(aslinearoperator(np.eye(X.shape[1])))
    others["block_coordinate_descent"] = GroupLasso(1)
    penalty = others.get(name, "l2")
    model = PenalizedRegression(penalty, solver=name, tol=1e-10).fit(X, y)
    reference = {"cluster_newton": penalty, "block_coordinate_descent": "l1"}.get(name, "l2")
    solver = "proximal_gradient" if reference == "slope" else "auto"
    expected = PenalizedRegression(reference, solver=solver, tol=1e-10).fit(X, y)
    assert model.solver_ == name and model.n_iter_ >= 1
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-4, atol=1e-5)
