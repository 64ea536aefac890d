"""Constraints and combinations: against SciPy, and in words where there is no answer."""

import numpy as np
import pandas as pd
import pytest
from helpers import class_data, regression_data
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.optimize import lsq_linear, minimize, nnls
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skreg._twins import apply_prox

from skreg import (
    L0,
    L1,
    L2,
    L21,
    MCP,
    SCAD,
    SLOPE,
    Bounded,
    Box,
    ByColumn,
    ElasticNet,
    FusedLasso,
    GeneralizedRidge,
    Grouped,
    GroupLasso,
    L1Ball,
    L2Ball,
    LogSum,
    Monotone,
    NonNegative,
    PenalizedLogisticRegression,
    PenalizedRegression,
    Scaled,
    Simplex,
    SparseGroupLasso,
    WithSquare,
    alpha_max,
)
from skreg.penalties import NoPenalty
from skreg.solvers.compiled import compiled_prox


def fit(penalty, X, y, **params):
    model = PenalizedRegression(penalty, **{"tol": 1e-12, "fit_intercept": False, **params}).fit(X, y)
    assert model.optimality_.converged
    return model


# -- constraints ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", [np.asarray, sparse.csc_array])
def test_non_negative_least_squares(layout):
    X, y = regression_data(seed=3)
    expected = nnls(X, y)[0]
    assert 0 < np.count_nonzero(expected) < 8
    model = fit(NonNegative(), layout(X), y)
    assert_allclose(model.coef_, expected, atol=1e-6)
    assert model.solver_ == "coordinate_descent"


def test_boxes():
    X, y = regression_data(seed=3)
    lower, upper = (
        np.array([-1, -1, 0, 0, -np.inf, 0.5, -np.inf, -2.0]),
        np.array([1, 0, 1, np.inf, 0.1, 0.7, np.inf, 2.0]),
    )
    expected = lsq_linear(X, y, (lower, upper), tol=1e-14).x
    assert_allclose(fit(Box(lower, upper), X, y).coef_, expected, atol=1e-6)
    # Bounds are in units of X, whatever the fit does to the columns.
    X = X * np.arange(1, 9)
    expected = lsq_linear(X - X.mean(axis=0), y - y.mean(), (lower, upper), tol=1e-14).x
    model = fit(Box(lower, upper), X, y, standardize=True, fit_intercept=True)
    assert_allclose(model.coef_, expected, atol=1e-6)


def test_bounds_on_a_penalty():
    X, y = regression_data(seed=3)
    model = fit(Bounded("l1", -0.5, 0.7), X, y, alpha=0.1)
    split = np.hstack([X, -X])

    def objective(parts):
        residual = y - split @ parts
        return 0.5 * residual @ residual / len(y) + 0.1 * parts.sum(), -split.T @ residual / len(y) + 0.1

    bounds = [(0, 0.7)] * 8 + [(0, 0.5)] * 8
    best = minimize(objective, np.zeros(16), jac=True, bounds=bounds, options={"ftol": 1e-15, "gtol": 1e-12})
    assert model.optimality_.objective == pytest.approx(best.fun, rel=1e-8)
    assert model.coef_.min() >= -0.5 and model.coef_.max() <= 0.7


@pytest.mark.parametrize("penalty", [MCP(), GroupLasso([0] * 8), L21()], ids=repr)
def test_what_clipping_would_get_wrong_is_refused(penalty):
    with pytest.raises(ValueError, match="separable and convex to be bounded"):
        Bounded(penalty, 0, 1).bind(8)


@pytest.mark.parametrize(
    ("penalty", "constraints"),
    [
        (Simplex(2.0), [{"type": "ineq", "fun": lambda w: w}, {"type": "eq", "fun": lambda w: w.sum() - 2.0}]),
        (L2Ball(0.8), [{"type": "ineq", "fun": lambda w: 0.64 - w @ w}]),
        (Monotone(), [{"type": "ineq", "fun": np.diff}]),
        (Monotone(increasing=False), [{"type": "ineq", "fun": lambda w: -np.diff(w)}]),
    ],
    ids=["simplex", "ball", "ascending", "descending"],
)
def test_constraints_against_slsqp(penalty, constraints):
    X, y = regression_data(seed=3)
    model = fit(penalty, X, y)

    def objective(coef):
        return 0.5 * np.mean((y - X @ coef) ** 2)

    best = minimize(
        objective,
        model.coef_ + 0.1,
        jac=lambda coef: X.T @ (X @ coef - y) / len(y),
        constraints=constraints,
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    assert model.optimality_.objective == pytest.approx(best.fun, rel=1e-6)
    assert np.isfinite(penalty.value(model.coef_, 1.0))


def test_the_ball_of_the_lasso_is_the_lasso():
    X, y = regression_data(seed=3)
    lasso = fit("l1", X, y, alpha=0.2)
    ball = fit(L1Ball(np.abs(lasso.coef_).sum()), X, y)
    assert_allclose(ball.coef_, lasso.coef_, atol=1e-5)


@pytest.mark.parametrize("penalty", [Simplex(), L1Ball(), L2Ball(), Monotone()], ids=repr)
def test_units_matter_to_whole_vectors(penalty):
    X, y = regression_data()
    with pytest.raises(ValueError, match=f"standardize must be False for {type(penalty).__name__}"):
        PenalizedRegression(penalty, standardize=True).fit(X, y)
    with pytest.raises(ValueError, match=f"penalty_factor must be None for {type(penalty).__name__}"):
        PenalizedRegression(penalty, penalty_factor=np.ones(8)).fit(X, y)


def test_no_strength_matters_to_a_constraint():
    X, y = regression_data()
    for penalty in (NonNegative(), Simplex()):
        assert alpha_max(X, y, penalty=penalty) == np.inf
        assert_allclose(fit(penalty, X, y, alpha=0.0).coef_, fit(penalty, X, y, alpha=100.0).coef_, atol=1e-6)


# -- multiples and sums -----------------------------------------------------------------------------------------------


def test_multiples():
    assert repr(0.7 * L1()) == repr(L1() * 0.7) == "Scaled(factor=0.7, penalty=L1())"
    assert repr(2 * (0.5 * MCP())) == "Scaled(factor=1.0, penalty=MCP())"
    X, y = regression_data()
    for penalty in (L1(), MCP(), GroupLasso([0, 0, 1, 1, 2, 2, 3, 3])):
        assert_allclose(
            fit(0.5 * penalty, X, y, alpha=0.6, tol=1e-12).coef_,
            fit(penalty, X, y, alpha=0.3, tol=1e-12).coef_,
            atol=1e-5,
        )
    assert alpha_max(X, y, penalty=0.5 * L1()) == pytest.approx(2 * alpha_max(X, y), rel=1e-12)
    with pytest.raises(TypeError):
        "a" * L1()
    with pytest.raises(TypeError):
        L1() * True
    with pytest.raises(ValueError, match="factor"):
        (-1 * L1()).bind(3)


def test_sums_with_squares():
    X, y = regression_data()
    net = fit(0.3 * L1() + 0.7 * L2(), X, y, alpha=0.5)
    assert_allclose(net.coef_, fit(ElasticNet(0.3), X, y, alpha=0.5).coef_, atol=1e-7)
    assert repr(L2() + SCAD()) == "WithSquare(penalty=SCAD())"
    assert repr(MCP() + 0.5 * L2() + 0.25 * L2()) == "WithSquare(penalty=MCP(), square=0.75)"
    assert repr(L1() + NoPenalty()) == "L1()"
    assert WithSquare("l2", 2.0).quadratic(0.5) == pytest.approx(1.5)
    # Enough of a square makes a concave penalty convex, and the certificate knows.
    assert fit(MCP(gamma=0.5) + 200.0 * L2(), X, y, alpha=0.01).optimality_.kind == "global"
    assert fit(MCP(gamma=0.5), X, y, alpha=0.01).optimality_.kind == "local"


PAIRS = [0, 0, 1, 1]
SUMS = [
    (L1(), L1(), "Scaled(factor=2.0, penalty=L1())"),
    (L1(), L2(), "Scaled(factor=2.0, penalty=ElasticNet())"),
    (0.3 * L1(), 0.7 * L2(), "ElasticNet(l1_ratio=0.3)"),
    (0.5 * ElasticNet(0.4), L1(positive=True), None),
    (L1(), NonNegative(), "L1(positive=True)"),
    (2 * NonNegative(), 0.5 * ElasticNet(), "Scaled(factor=0.5, penalty=ElasticNet(positive=True))"),
    (L1(), Box(-0.5, [0.7, np.inf, 0.1, 2.0]), None),
    (Box(-0.5, 1), Box([-1, -2, 0, -0.1], 2.0), None),
    (Box(-1, np.inf), NonNegative(), "NonNegative()"),
    (Bounded("l1", -1, 1), Box(-0.2, 3), "Bounded(lower=-0.2, penalty='l1', upper=1.0)"),
    (0.5 * Bounded("l1", -0.3, 1), L2(), None),
    (Bounded("l2", -0.3, 1), 0.4 * L1(), None),
    (MCP(2.0), 0.4 * L2(), "WithSquare(penalty=MCP(gamma=2.0), square=0.4)"),
    (L0() + L2(), 0.5 * L0() + L2(), None),
    (0.5 * LogSum(), LogSum(), "Scaled(factor=1.5, penalty=LogSum())"),
    (L1(), GroupLasso(PAIRS), "Scaled(factor=2.0, penalty=SparseGroupLasso(groups=[0, 0, 1, 1]))"),
    (GroupLasso(PAIRS) + L2(), 0.5 * SparseGroupLasso(PAIRS, 0.2) + L1(), None),
    (GroupLasso(np.array(PAIRS), {0: 2.0}), GroupLasso(np.array(PAIRS), {0: 2.0}), None),
    (Grouped("lq", PAIRS), Grouped("lq", PAIRS), None),
    (SLOPE(), 2 * SLOPE(), "Scaled(factor=3.0, penalty=SLOPE())"),
    (FusedLasso(), FusedLasso(), "Scaled(factor=2.0, penalty=FusedLasso())"),
    (GeneralizedRidge(np.eye(4)), GeneralizedRidge(np.eye(4)), None),
    (0.5 * Simplex(), Simplex(), "Simplex()"),
    (Monotone(), NoPenalty(), "Monotone()"),
]


@pytest.mark.parametrize(("left", "right", "text"), SUMS, ids=[f"{a!r} + {b!r}" for a, b, _ in SUMS])
def test_sums_charge_what_both_charge(left, right, text):
    """The price is that of both, and nothing near what the prox answers, or far from it, is cheaper."""
    together = left + right
    assert text is None or repr(together) == text
    rng = np.random.default_rng(0)
    left, right, *sums = (penalty.bind(4) for penalty in (left, right, together, right + left))

    def cost(coef, alpha):
        return left.value(coef, alpha) + right.value(coef, alpha)

    for scale, alpha in ((0.3, 0.05), (1.0, 0.3), (3.0, 1.0)):
        points = scale * rng.standard_normal((60, 4)) * (rng.random((60, 4)) < 0.7)
        points[::3] = np.abs(points[::3])
        for penalty in sums:
            assert_allclose(
                [penalty.value(point, alpha) for point in points], [cost(point, alpha) for point in points], rtol=1e-12
            )
            for coef, step in zip(points[:3], (0.1, 1.0, 10.0), strict=True):
                answer = penalty.prox(coef, step, alpha)

                def far(u, coef=coef, step=step, alpha=alpha):
                    return cost(u, alpha) + np.sum(np.square(u - coef)) / (2 * step)

                near = answer + 10.0 ** rng.uniform(-5, 0, size=(60, 1)) * rng.standard_normal((60, 4))
                edges = answer * (rng.random((15, 4)) < 0.5)
                best = min(map(far, (*near, *edges, *np.clip(near, 0, 1), *points)))
                assert far(answer) <= best + 1e-9 * (1 + abs(best))


def test_a_sum_is_fitted_as_what_it_is():
    X, y = regression_data()
    expected = fit(ElasticNet(0.25, positive=True), X, y, alpha=0.4)
    model = fit(sum([0.25 * L1(), NonNegative(), 0.75 * L2()]), X, y, alpha=0.4)
    assert_allclose(model.coef_, expected.coef_, atol=1e-9)
    assert model.optimality_.gap <= 1e-12 and model.coef_.min() == 0.0 < model.coef_.max()
    groups = [0, 0, 1, 1, 2, 2, 3, 3]
    model = fit(0.3 * L1() + 0.7 * GroupLasso(groups), X, y, alpha=0.4)
    assert_allclose(model.coef_, fit(SparseGroupLasso(groups, 0.3), X, y, alpha=0.4).coef_, atol=1e-6)


@pytest.mark.parametrize(
    "inside",
    [
        GroupLasso([0, 0, 1, 1, 2, 2, 3, 3]),
        SparseGroupLasso([0, 0, 1, 1, 2, 2, 3, 3], 0.3),
        SLOPE(),
        Bounded("l1", -0.1, 0.2),
        L21(),
    ],
    ids=repr,
)
def test_a_square_beside_a_convex_penalty_has_a_gap(inside):
    """The conjugate is a supremum, and the gap bounds the suboptimality, far from the optimum and near it."""
    penalty, rng = WithSquare(inside, 0.5).bind(8), np.random.default_rng(0)
    shape = (8, 1) if penalty.joint_outputs else (8,)
    for dual in rng.standard_normal((5, *shape)):
        tops = rng.standard_normal((500, *shape)) * 10.0 ** rng.uniform(-2, 0.5, size=(500, *[1] * len(shape)))
        known = penalty.conjugate(dual, 0.3)
        assert all(np.sum(dual * top) - penalty.value(top, 0.3) <= known + 1e-12 for top in tops)
        best = minimize(
            lambda top, dual=dual: min(penalty.value(top.reshape(shape), 0.3) - np.sum(dual.ravel() * top), 1e3),
            np.zeros(8),
            method="Powell",
            options={"xtol": 1e-10, "ftol": 1e-14, "maxiter": 20_000},
        )
        assert known <= -best.fun + 1e-3 * (1 + abs(known))
    X, y = regression_data()
    certificates = [
        PenalizedRegression(WithSquare(inside, 0.5), alpha=0.3, tol=tol).fit(X, y).optimality_ for tol in (1e-2, 1e-12)
    ]
    for one in certificates:
        assert one.gap <= one.tol
        assert one.objective - certificates[1].objective <= one.gap * one.null_loss + 1e-12


class Own(L1):
    """Nobody knows whether it is a multiple of alpha."""


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (L1(), MCP()),
        (MCP(), MCP()),
        (SCAD(), NonNegative()),
        (Grouped("mcp", PAIRS), Grouped("mcp", PAIRS)),
        (GroupLasso(PAIRS), GroupLasso([0, 1, 1, 1])),
        (GroupLasso(PAIRS), GroupLasso(PAIRS, weights=None)),
        (GroupLasso(PAIRS), Box(0, 1)),
        (L1(positive=True), GroupLasso(PAIRS)),
        (L1(), L21()),
        (L1(), Simplex()),
        (Simplex(), Simplex(2.0)),
        (SLOPE(), SLOPE(q=0.2)),
        (Own(), Own()),
        (L1(), -1 * L1()),
        (Bounded("l1", 0, 1), MCP()),
        (ByColumn({0: "l1"}), L1()),
    ],
    ids=repr,
)
def test_sums_without_a_prox_say_so(left, right):
    for one, other in ((left, right), (right, left)):
        with pytest.raises(TypeError, match="no prox in closed form that skreg knows"):
            one + other
    with pytest.raises(TypeError):
        left + 3.0
    with pytest.raises(TypeError):
        1 + left


# -- another penalty for each set of columns --------------------------------------------------------------------------


def frame_data():
    X, y = regression_data()
    return pd.DataFrame(X, columns=["age", "sex", "gene_a", "gene_b", "gene_c", "site_1", "site_2", "site_3"]), y


def test_by_column():
    frame, y = frame_data()
    penalty = ByColumn({"age": None, "gene_.*": "l1", "site_.*": GroupLasso([0, 0, 0]), "sex": 0.5 * L2()})
    model = PenalizedRegression(penalty, alpha=0.3, tol=1e-12).fit(frame, y)
    gradient = -frame.to_numpy().T @ (y - model.predict(frame)) / len(y)
    coef = model.coef_
    assert_allclose(gradient[0], 0.0, atol=1e-6)
    assert_allclose(gradient[1] + 0.15 * coef[1], 0.0, atol=1e-6)
    assert_allclose((gradient + 0.3 * np.sign(coef))[2:5][coef[2:5] != 0], 0.0, atol=1e-6)
    assert np.all(np.abs(gradient[2:5]) <= 0.3 + 1e-6)
    norm = np.linalg.norm(coef[5:])
    assert norm == 0 or np.allclose(gradient[5:] + 0.3 * np.sqrt(3) * coef[5:] / norm, 0.0, atol=1e-6)


def test_by_column_of_separable_penalties_runs_in_coordinate_descent():
    frame, y = frame_data()
    penalty = ByColumn({"age": None, ("gene_.*", "sex"): ElasticNet(0.5)}, rest="l1")
    model = PenalizedRegression(penalty, alpha=0.3, tol=1e-12).fit(frame, y)
    assert model.solver_ == "coordinate_descent" and model.optimality_.gap is not None
    factors = np.array([0, 0.5, 0.5, 0.5, 0.5, 1, 1, 1])
    gradient = -frame.to_numpy().T @ (y - model.predict(frame)) / len(y)
    pull = 0.3 * factors * np.sign(model.coef_) + 0.3 * np.array([0, 0.5, 0.5, 0.5, 0.5, 0, 0, 0]) * model.coef_
    assert_allclose((gradient + pull)[model.coef_ != 0], 0.0, atol=1e-6)
    classes, labels = class_data(p=8)
    model = PenalizedLogisticRegression(penalty, alpha=0.02).fit(pd.DataFrame(classes, columns=frame.columns), labels)
    assert model.optimality_.converged
    # The free column is fitted first.
    top = alpha_max(frame.to_numpy(), y, penalty=ByColumn({0: None}, rest="l1"))
    factor = np.array([0.0] + [1.0] * 7)
    assert top == pytest.approx(alpha_max(frame.to_numpy(), y, penalty_factor=factor), rel=1e-6)


def test_by_column_in_a_pipeline_and_a_grid():
    frame, y = frame_data()
    scaler = StandardScaler().set_output(transform="pandas")
    model = make_pipeline(scaler, PenalizedRegression(alpha=0.1))
    choices = [ByColumn({"gene_.*": "l1"}, rest=None), ByColumn({"gene_.*": MCP(), "age": Box(0, 1)}, rest="l2")]
    search = GridSearchCV(model, {"penalizedregression__penalty": choices}, cv=3, error_score="raise").fit(frame, y)
    assert search.best_score_ > 0.1
    # Expressions that match the columns of the step before are factors at their positions.
    model.set_params(penalizedregression__penalty=choices[0], penalizedregression__tol=1e-12).fit(frame, y)
    factor = [float(name.startswith("gene_")) for name in frame.columns]
    plain = PenalizedRegression("l1", alpha=0.1, penalty_factor=factor, tol=1e-12)
    plain.fit(StandardScaler().fit_transform(frame.to_numpy()), y)
    np.testing.assert_allclose(model[-1].coef_, plain.coef_, rtol=1e-7, atol=1e-9)
    assert 0 < sum(factor) < len(factor)


@pytest.mark.parametrize(
    ("penalties", "rest", "error", "words"),
    [
        ({"agee": None}, "l1", ValueError, "'agee', which is no column of X"),
        ({"gene_(": None}, "l1", ValueError, "no regular expression"),
        ({"age": None}, "error", ValueError, r"no penalty for the columns \['sex'"),
        ({"gene_.*": "l1", "gene_[ab]": "l2"}, "l1", ValueError, "'gene_a' belongs to 'gene_.*' and to"),
        ({"age": None, 0: "l1"}, "l1", ValueError, "'age' belongs to 'age' and to 0"),
        ({9: None}, "l1", ValueError, "positions are 0 to 7"),
        ({1.5: None}, "l1", TypeError, "got 1.5"),
        ({}, "l1", TypeError, "not empty"),
        ({"age": "lasso"}, "l1", ValueError, "'lasso'"),
        ({"age": L21()}, "l1", ValueError, "one output at a time"),
    ],
)
def test_wrong_columns_are_told(penalties, rest, error, words):
    frame, _ = frame_data()
    with pytest.raises(error, match=words):
        ByColumn(penalties, rest).bind(8, np.array(frame.columns, dtype=object))


def test_a_name_goes_before_expressions():
    frame, _ = frame_data()
    names = np.array(frame.columns, dtype=object)
    for penalties in ({".*": "l1", "age": None}, {"age": None, ".*": "l1"}):
        assert_allclose(ByColumn(penalties).bind(8, names).unpenalised(), [True] + [False] * 7)
    with pytest.raises(ValueError, match="has no column names"):
        ByColumn({"age": None}, "l1").bind(8)


def test_wrappers_restrict_to_what_is_inside():
    scaled = Scaled(Box([0, 1, 2], [3, 4, 5]), 2.0).bind(3).restrict(np.array([2, 0]))
    assert_allclose(scaled.prox(np.array([9.0, 9.0]), 1.0, 1.0), [5.0, 3.0])


@pytest.mark.parametrize(
    "penalty",
    [
        0.5 * MCP(),
        MCP() + 0.3 * L2(),
        0.5 * (Bounded(L1(), -0.3, 0.4) + L2()),
        Bounded(ElasticNet(), np.array([-1.0, -0.1, 0.0, -np.inf]), 0.4),
        ByColumn({0: "scad", (1, 2): Bounded("l1", 0.1)}, rest=None),
        Box(-0.5, np.array([0.1, 0.2, 0.3, np.inf])),
        NonNegative(),
    ],
    ids=str,
)
def test_wrappers_are_compiled(penalty):
    rng = np.random.default_rng(0)
    penalty = penalty.bind(4)
    twin = compiled_prox(penalty)
    for part, keep in ((penalty, [0, 1, 2, 3]), (penalty.restrict(np.array([3, 1])), [3, 1])):
        twin = compiled_prox(part)
        for _ in range(20):
            coef, step, alpha = rng.standard_normal(4)[keep], rng.exponential(size=4)[keep], np.full(len(keep), 0.3)
            answer = np.empty(len(keep))
            apply_prox(*twin, coef, step, alpha, answer)
            assert_allclose(answer, part.prox(coef, step, alpha), rtol=1e-13)


def test_a_wrapper_without_a_twin_inside_has_none():
    class Own(L1):
        def prox(self, coef, step, alpha):
            return super().prox(coef, step, alpha)

    for penalty in (2.0 * Own(), ByColumn({0: Own()}, rest="l1").bind(2)):
        assert compiled_prox(penalty) is None
