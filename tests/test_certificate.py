"""The certificate tells the truth, and a fit that stops short says so."""

import dataclasses
import pickle
import re
import warnings

import numpy as np
import pytest
from helpers import (
    class_data,
    estimator,
    model_objective,
    null_loss,
    objective,
    one_hot,
    plain,
    reference,
    regression_data,
    sparse_data,
    task_data,
    uneven_weights,
)
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from test_user_penalty import OwnL1, OwnMCP, OwnSLOPE

from skreg import L1, L2, ElasticNet, GroupMCP, Loss, Optimality, PenalizedRegression, _kernels, make_problem
from skreg.intercept import best_intercept
from skreg.solvers.compiled import compiled_prox

TASKS = ["squared", "logistic", "softmax"]
PENALTIES = {"l1": ("l1", 1.0), "l2": ("l2", 0.0), "elasticnet": (ElasticNet(0.4), 0.4)}
each_task = pytest.mark.parametrize("task", TASKS)
each_penalty = pytest.mark.parametrize("name", PENALTIES)
ALPHA = 0.04


def problem_of(task, penalty, seed=1, **params):
    X, y = sparse_data(task, seed=seed)
    return make_problem(X, (one_hot(y) if task == "softmax" else y).astype(float), penalty=penalty, loss=task, **params)


def fit_quietly(model, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(*args, **kwargs)


# -- the gap is a bound -------------------------------------------------------------------------------------------------


@each_task
@each_penalty
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_gap_bounds_the_suboptimality_of_every_fit(task, name, fit_intercept, weighted):
    X, y = sparse_data(task, seed=1)
    weights = uneven_weights(len(y), seed=1) if weighted else None
    penalty, share = PENALTIES[name]
    prices = ALPHA * share, ALPHA * (1 - share)
    best = reference(task, X, y, *prices, weights, fit_intercept)[2]
    unit = null_loss(task, y, weights, fit_intercept)
    for solver in ("auto", "proximal_gradient"):
        for tol in (1.0, 0.1, 1e-2, 1e-4, 1e-8, 1e-12):
            model = estimator(task, penalty, alpha=ALPHA, fit_intercept=fit_intercept, solver=solver, tol=tol)
            optimality = fit_quietly(model, X, y, sample_weight=weights).optimality_
            np.testing.assert_allclose(optimality.null_loss, unit, rtol=1e-10)
            mine = model_objective(task, model, X, y, *prices, weights)
            np.testing.assert_allclose(optimality.objective, mine, rtol=1e-10)
            if optimality.gap is not None:
                assert mine - best <= optimality.gap * unit + 4e-15 * best
            assert tol < 1e-11 or mine - best <= tol * unit + 4e-15 * best


@each_task
@each_penalty
@pytest.mark.parametrize("free", [(), (1, 3)])
@pytest.mark.parametrize("n, p", [(80, 6), (25, 40)])
def test_the_gap_bounds_the_suboptimality_of_every_point(task, name, free, n, p):
    """Also far from the optimum, and where more coefficients are alive than there are rows."""
    penalty, share = PENALTIES[name]
    X, y = task_data(task, n, p, seed=1)
    strength = np.full(p, ALPHA)
    strength[list(free)] = 0.0
    target = (one_hot(y) if task == "softmax" else y).astype(float)
    problem = make_problem(X, target, penalty=penalty, loss=task, penalty_factor=strength / ALPHA)
    prices = share * strength, (1 - share) * strength
    best_coef, _, best = reference(task, X, y, *prices)
    rng = np.random.default_rng(0)
    known = 0
    for size in (0.0, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-2, 1.0, 10.0):
        coef = best_coef.T + size * rng.standard_normal(best_coef.T.shape)
        profiled = best_intercept(problem, problem.design.dot(coef))
        for shift in (0.0, size):
            for tol in (1e-4, 1e-8):
                optimality = problem.certificate(coef, profiled + shift, ALPHA, tol)
                # A design with an intercept is centred: its intercept is the prediction at the means.
                intercept = profiled + shift + problem.offset - problem.design.shift @ coef
                mine = objective(task, X, y, coef.T, intercept, *prices)
                np.testing.assert_allclose(optimality.objective, mine, rtol=1e-10)
                if optimality.gap is not None:
                    known += 1
                    assert mine - best <= optimality.gap * optimality.null_loss + 1e-13 * mine
    assert known >= 4


@each_task
@each_penalty
def test_gap_and_violation_vanish_at_the_optimum(task, name):
    penalty, share = PENALTIES[name]
    X, y = sparse_data(task, seed=2)
    optimality = estimator(task, penalty, alpha=ALPHA, tol=1e-13).fit(X, y).optimality_
    assert 0.0 <= optimality.gap <= 1e-13
    assert 0.0 <= optimality.violation <= 1e-6


# -- the violation looks at everything ----------------------------------------------------------------------------------


@each_task
@each_penalty
def test_the_violation_sees_a_wrong_intercept(task, name):
    problem = problem_of(task, PENALTIES[name][0])
    coef = np.zeros(problem.coef_shape)
    moved = problem.null_intercept + np.eye(problem.n_outputs)[0] if task == "softmax" else problem.null_intercept + 1.0
    huge = 1e6  # no coefficient wants to move
    right, wrong = (problem.certificate(coef, at, huge, 1e-6) for at in (problem.null_intercept, moved))
    assert right.violation < 1e-8 and right.converged or name == "l2"
    assert wrong.violation > 0.05 and not wrong.converged


@each_task
@each_penalty
def test_the_violation_sees_an_unpenalised_column(task, name):
    problem = problem_of(task, PENALTIES[name][0], penalty_factor=[1.0, 0.0, 1.0, 1.0, 1.0, 1.0])
    optimality = problem.certificate(np.zeros(problem.coef_shape), problem.null_intercept, 1e6, 1e-6)
    assert optimality.violation > 1e-3 and not optimality.converged


@each_task
def test_the_violation_is_the_formula(task):
    """max_j sqrt(L_j) |w_j - prox(w - g / L)_j| / sqrt(2 F0), at a point where the intercept is right."""
    problem = problem_of(task, "l1")
    coef = np.random.default_rng(0).standard_normal(problem.coef_shape)
    intercept = best_intercept(problem, problem.design.dot(coef))
    X, y = sparse_data(task, seed=1)
    X = X - X.mean(axis=0)
    eta = X @ coef + intercept
    if task == "squared":
        rows, curve = eta - (y - y.mean()), np.ones(eta.shape)
    elif task == "logistic":
        p = 1 / (1 + np.exp(-eta))
        rows, curve = p - y, p * (1 - p)
    else:
        p = np.exp(eta) / np.exp(eta).sum(axis=1, keepdims=True)
        rows, curve = p - one_hot(y), p * (1 - p)
    gradient, L = X.T @ rows / len(y), (X**2).T @ curve / len(y)
    target = coef - gradient / L
    target = np.sign(target) * np.maximum(np.abs(target) - ALPHA / L, 0.0)
    expected = np.max(np.sqrt(L) * np.abs(coef - target)) / np.sqrt(2 * null_loss(task, y))
    np.testing.assert_allclose(problem.certificate(coef, intercept, ALPHA, 1e-6).violation, expected, rtol=1e-6)


# -- what it says -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", ["logistic", "softmax"])
@pytest.mark.parametrize("penalty", ["l1", OwnL1(), ElasticNet(0.4, positive=True)], ids=str)
@pytest.mark.parametrize("convert", [np.asfortranarray, np.ascontiguousarray, sparse.csc_array, sparse.csr_array])
def test_zeros_that_stay_need_no_curvature(task, penalty, convert):
    X, y = sparse_data(task, seed=4)
    target = (one_hot(y) if task == "softmax" else y).astype(float)
    problem = make_problem(
        convert(X), target, penalty=penalty, loss=task, penalty_factor=np.linspace(0.5, 2, X.shape[1])
    )
    coef = np.random.default_rng(0).standard_normal(problem.coef_shape)
    coef[1:] = 0.0
    coef = np.abs(coef)
    for alpha in (0.01, 0.05, 0.2):
        point, full = (problem.point(coef, problem.null_intercept, alpha) for _ in range(2))
        assert np.all(full.curvature > 0)
        np.testing.assert_allclose(point.violations, full.violations, rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(point.curvature_of(np.array([0, 3])), full.curvature[[0, 3]], rtol=1e-10)
        np.testing.assert_array_equal(point.at(0.9 * alpha).violations > 0, full.at(0.9 * alpha).violations > 0)
        step = 1.0 / full.curvature
        move = coef - problem.prox(coef - step * full.gradient, step, alpha)
        np.testing.assert_allclose(point.violations, np.abs(move) / np.sqrt(step), rtol=1e-10, atol=1e-14)


def test_it_is_a_frozen_record():
    optimality = PenalizedRegression("l1").fit(*regression_data()).optimality_
    assert isinstance(optimality, Optimality) and dataclasses.is_dataclass(optimality)
    with pytest.raises(dataclasses.FrozenInstanceError):
        optimality.gap = 0.0
    assert pickle.loads(pickle.dumps(optimality)) == optimality
    record = dataclasses.asdict(optimality)
    assert {"objective", "loss", "penalty", "gap", "violation", "tol", "converged", "kind"} <= record.keys()
    assert all(type(value) in (float, bool, str) for value in record.values()), record


@each_task
@pytest.mark.parametrize("penalty", ["l1", "l2", None, OwnL1(), OwnSLOPE()], ids=str)
def test_the_objective_has_two_terms_and_numbers_are_floats(task, penalty):
    X, y = task_data(task)
    model = estimator(task, penalty, alpha=ALPHA, tol=1e-4).fit(X, y)
    optimality = model.optimality_
    assert optimality.objective == optimality.loss + optimality.penalty
    np.testing.assert_allclose(optimality.loss, model_objective(task, model, X, y), rtol=1e-10)
    assert optimality.tol == 1e-4
    assert optimality.gap is None or type(optimality.gap) is float
    assert type(optimality.violation) is float and type(optimality.converged) is bool


@pytest.mark.parametrize(
    "penalty, kind",
    [
        ("l1", "global"),
        (None, "global"),
        (OwnSLOPE(), "global"),
        (OwnMCP(), "local"),
        (GroupMCP(2, gamma=0.5), "stationary"),
        (GroupMCP(1, gamma=0.5), "local"),
    ],
    ids=str,
)
def test_kind(penalty, kind):
    X, y = regression_data()
    assert PenalizedRegression(penalty, alpha=0.1).fit(X, y).optimality_.kind == kind


@each_task
@pytest.mark.parametrize("penalty", ["l1", "l2", "elasticnet", None, OwnL1(), OwnMCP(), OwnSLOPE()], ids=str)
@pytest.mark.parametrize("unit", [1e-5, 1.0, 1e5])
def test_tol_does_not_depend_on_units(task, penalty, unit):
    """Everything relative is the same when X is measured in other units and the penalty follows."""
    X, y = task_data(task)
    one = estimator(task, penalty, alpha=ALPHA, standardize=True).fit(X, y)
    other = estimator(task, penalty, alpha=ALPHA, standardize=True).fit(unit * X, y)
    assert one.n_iter_ == other.n_iter_ and one.solver_ == other.solver_
    np.testing.assert_allclose(one.optimality_.violation, other.optimality_.violation, rtol=1e-2, atol=1e-9)
    if task == "squared" and penalty in ("l1", "l2", None):
        alpha = ALPHA * unit if penalty == "l1" else ALPHA
        other = estimator(task, penalty, alpha=alpha, standardize=True).fit(X, unit * y)
        assert one.n_iter_ == other.n_iter_
        np.testing.assert_allclose(one.optimality_.gap, other.optimality_.gap, rtol=1e-2, atol=1e-9)


# -- converged, and the warning -----------------------------------------------------------------------------------------

STOPPED = [
    ("squared", "l1", {"solver": "coordinate_descent"}),
    ("squared", ElasticNet(0.5), {"solver": "proximal_gradient"}),
    ("squared", OwnSLOPE(), {}),
    ("logistic", "l1", {}),
    ("logistic", "l2", {}),
    ("softmax", "l2", {}),
    ("softmax", "elasticnet", {}),
]


@pytest.mark.parametrize("task, penalty, params", STOPPED, ids=str)
def test_a_fit_cut_short_says_so(task, penalty, params):
    # With many columns, as one iteration may be all that a small problem of the squared loss takes.
    X, y = task_data(task, p=50)
    model = estimator(task, penalty, alpha=0.01, max_iter=1, tol=2.5e-9, **params)
    with pytest.warns(ConvergenceWarning) as caught:
        model.fit(X, y)
    assert len(caught) == 1 and caught[0].filename == __file__
    message = str(caught[0].message)
    optimality = model.optimality_
    assert not optimality.converged
    name = "violation" if optimality.gap is None else "gap"
    reached = optimality.violation if optimality.gap is None else optimality.gap
    for word in (type(model).__name__, model.solver_, "tol=2.5e-09", "max_iter=1", f"{name}={reached:.1e}"):
        assert word in message, (word, message)
    # One knob, and it is the right one.
    assert "increase max_iter" in message and "set tol" not in message
    assert np.all(np.isfinite(model.coef_))
    assert fit_quietly(model.set_params(max_iter=10_000), X, y).optimality_.converged


@each_task
@pytest.mark.parametrize("penalty", ["l1", "l2", "elasticnet", OwnL1(), OwnSLOPE()], ids=str)
def test_a_tolerance_below_rounding_says_so(task, penalty):
    X, y = sparse_data(task, seed=3)
    model = estimator(task, penalty, alpha=ALPHA, tol=1e-300)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    assert model.n_iter_ < model.max_iter
    assert model.optimality_.violation < 1e-5
    if model.optimality_.converged:
        # A gap (or, without one, a violation) of exactly zero is possible, and then it is true.
        assert model.optimality_.measure == 0.0 and not caught
        return
    assert caught[0].category is ConvergenceWarning
    message = str(caught[0].message)
    assert "tol=1e-300" in message and "rounding" in message and "increase max_iter" not in message
    # The advice works.
    advised = float(re.search(r"set tol to (\S+) or more", message).group(1))
    assert model.set_params(tol=advised).fit(X, y).optimality_.converged


@each_task
@each_penalty
def test_converged_is_what_it_says(task, name):
    X, y = task_data(task)
    for tol in (1e-1, 1e-5, 1e-9):
        for max_iter in (1, 2, 3, 100):
            model = estimator(task, PENALTIES[name][0], alpha=ALPHA, tol=tol, max_iter=max_iter)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                optimality = model.fit(X, y).optimality_
            assert optimality.converged == (not caught)
            if optimality.gap is not None:
                assert optimality.converged == (optimality.gap <= tol)
            assert model.n_iter_ <= max_iter


def test_a_warm_start_from_a_solution_needs_no_warning_after_one_iteration():
    X, y = class_data()
    model = estimator("logistic", "l1", alpha=ALPHA, warm_start=True).fit(X, y)
    assert model.set_params(max_iter=1).fit(X, y).optimality_.converged
    np.testing.assert_allclose(plain(model)[0], plain(estimator("logistic", "l1", alpha=ALPHA).fit(X, y))[0], atol=1e-4)


@pytest.mark.parametrize(
    "penalty", [L1(), L1(positive=True), L2(), ElasticNet(0.3), ElasticNet(0.3, positive=True)], ids=str
)
@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_point_with_a_twin_says_what_the_text_says(penalty, loss, fit_intercept):
    """Some of it in one pass over coefficients and gradient; without a twin every number is asked for on its own."""
    rng = np.random.default_rng(5)
    X, factor = rng.standard_normal((60, 9)), rng.uniform(0.5, 2.0, 9)
    y = X[:, 0] + rng.standard_normal(60) + 3.0
    y = y if loss == "squared" else (y > 3.0).astype(float)
    options = {"penalty": penalty, "loss": loss, "fit_intercept": fit_intercept, "penalty_factor": factor}
    problem = make_problem(X, y, **options)
    compiled = problem.changed(twin=compiled_prox(problem.penalty))
    for alpha in (0.5, 0.05, 0.0):
        coef = np.abs(rng.standard_normal(9)) * (rng.random(9) < 0.5)
        for intercept in (problem.null_intercept, 0.1 * fit_intercept):
            point, text = compiled.point(coef, intercept, alpha), problem.point(coef, intercept, alpha)
            assert point.price == pytest.approx(text.price, rel=1e-13)
            assert point.violation == pytest.approx(text.violation, rel=1e-12)
            np.testing.assert_allclose(point.violations, text.violations, rtol=1e-12, atol=1e-15)
            np.testing.assert_array_equal(point.restless, text.restless)
            np.testing.assert_array_equal(
                point.restless, _kernels.restless(coef, point.gradient, compiled.strengths(alpha), *compiled.twin)
            )
            if loss == "squared":
                # That of another loss has another dual point where the intercept is not the best one.
                gap, known = point.gap(), text.gap()
                assert gap == known or gap == pytest.approx(known, rel=1e-9)


@pytest.mark.parametrize("n_features", [1, 31, 32, 33, 100])
@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("positive", [False, True])
def test_who_moves_is_counted_in_blocks(n_features, share, positive):
    rng = np.random.default_rng(n_features)
    coef = rng.uniform(0.5, 1.0, n_features) * (rng.random(n_features) < 0.03)
    gradient = rng.standard_normal(n_features)
    gradient[rng.integers(n_features)] = np.nan
    pull = -gradient if positive else np.abs(gradient)
    for strength in (np.array([1.5]), rng.uniform(1.0, 3.0, n_features)):
        for factor in (1.0, 1e3):
            wanted = np.flatnonzero((coef != 0) | ~(pull <= share * factor * strength))
            some = _kernels.elastic_restless(coef, gradient, factor * strength, share, positive)
            assert some.tolist() == wanted.tolist()


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_the_price_alone_reads_no_gradient(loss):
    problem = problem_of(loss, "l1")
    compiled = problem.changed(twin=compiled_prox(problem.penalty))
    coef = np.random.default_rng(0).standard_normal(problem.coef_shape)
    alone, known = (compiled.point(coef, 0.5, 0.3) for _ in range(2))
    assert alone.price == pytest.approx(0.3 * np.abs(coef).sum(), rel=1e-13)
    assert not {"eta", "gradient"} & vars(alone).keys()
    assert known.gradient.any() and known.price == pytest.approx(alone.price, rel=1e-13)


class LogCosh(Loss):
    """Less a constant, which may make it negative."""

    def __init__(self, less=0.0):
        self.less = less

    def value(self, y, eta):
        return np.logaddexp(eta - y, y - eta) - np.log(2) - self.less

    def gradient(self, y, eta):
        return np.tanh(eta - y)

    def curvature(self, y, eta):
        return 1 / np.cosh(np.clip(eta - y, -300, 300)) ** 2


@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_a_loss_that_is_negative_is_measured_in_its_size(penalty):
    X, y = sparse_data("squared", seed=1)
    known = PenalizedRegression(penalty, alpha=ALPHA, loss=LogCosh(), tol=1e-12).fit(X, y)
    model = PenalizedRegression(penalty, alpha=ALPHA, loss=LogCosh(less=10.0), tol=1e-12).fit(X, y)
    assert model.optimality_.objective < 0 < model.optimality_.null_loss
    assert model.optimality_.null_loss == pytest.approx(10.0 - known.optimality_.null_loss)
    np.testing.assert_allclose(model.coef_, known.coef_, atol=1e-6)
