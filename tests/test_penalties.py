"""Every penalty of the library keeps the contract, and gives what a pencil or a brute force gives."""

import inspect
import itertools
import re

import numpy as np
import pytest
from helpers import penalty_classes
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize_scalar
from settings import SETTINGS, all_penalties, instances, required

import skreg.penalties
from skreg.penalties import (
    L0,
    L1,
    L2,
    L21,
    MCP,
    SCAD,
    Bounded,
    Box,
    ByColumn,
    ElasticNet,
    Grouped,
    GroupLasso,
    GroupMCP,
    GroupSCAD,
    L1Ball,
    L2Ball,
    LogSum,
    Lq,
    Monotone,
    NonNegative,
    NoPenalty,
    Penalty,
    Simplex,
    SparseGroupLasso,
    get_penalty,
    penalty_names,
)
from skreg.testing import parametrize_penalty_checks

PENALTIES = all_penalties()
# Those that are ready before they are bound.
SEPARABLE = [penalty for penalty in PENALTIES if penalty.separable and not isinstance(penalty, ByColumn)]
CONVEX = [penalty for penalty in SEPARABLE if penalty.convex]


def each(penalties):
    return pytest.mark.parametrize("penalty", penalties, ids=repr)


@parametrize_penalty_checks(PENALTIES)
def test_contract(penalty, check):
    check(penalty)


@each(PENALTIES)
def test_what_forbids_coefficients_says_so(penalty):
    bound, rng = penalty.bind(5), np.random.default_rng(0)
    points = [10.0**size * rng.standard_normal((5, 2) if penalty.joint_outputs else 5) for size in (-3, 0, 3)]
    assert penalty.constrains == bound.constrains == any(np.isinf(bound.value(point, 1.0)) for point in points)


@parametrize_penalty_checks(PENALTIES[::3], random_state=1)
def test_contract_at_other_points(penalty, check):
    check(penalty)


def test_discovery_finds_what_is_exported():
    exported = {name for name in skreg.penalties.__all__ if inspect.isclass(getattr(skreg.penalties, name))}
    assert exported - {"Penalty"} == {cls.__name__ for cls in penalty_classes()}


def test_a_missing_entry_in_the_table_is_loud():
    class Demanding(Penalty):
        def __init__(self, groups):
            self.groups = groups

    with pytest.raises(LookupError, match=r"Demanding requires \['groups'\]"):
        instances(Demanding)


def test_every_setting_belongs_to_a_penalty():
    assert set(SETTINGS) <= {cls.__name__ for cls in penalty_classes()}


# -- by hand ------------------------------------------------------------------

INF = np.inf

VALUES = [
    (L1(), [1.0, -2.0], 0.5, 1.5),
    (L1(), [1.0, -2.0], 0.0, 0.0),
    (L1(), [1.0, -2.0], [0.0, 3.0], 6.0),
    (L1(positive=True), [1.0, 2.0], 0.5, 1.5),
    (L1(positive=True), [1.0, -2.0], 0.5, INF),
    (L1(positive=True), [1.0, -1e-300], 0.0, INF),
    (L2(), [3.0, -4.0], 2.0, 25.0),
    (L2(), [3.0, -4.0], [0.0, 1.0], 8.0),
    (L2(positive=True), [3.0, -4.0], 2.0, INF),
    (L2(positive=True), [3.0, 4.0], 2.0, 25.0),
    (ElasticNet(), [2.0, -4.0], 2.0, 16.0),
    (ElasticNet(l1_ratio=0.25), [2.0, -4.0], 2.0, 18.0),
    (ElasticNet(l1_ratio=0.25), [2.0, -4.0], [1.0, 0.0], 2.0),
    (ElasticNet(positive=True), [2.0, -4.0], 0.0, INF),
    (NoPenalty(), [2.0, -4.0], 7.0, 0.0),
    (MCP(gamma=2), [1.0, -2.0, 4.0, -9.0], 2.0, 1.75 + 3.0 + 4.0 + 4.0),
    (MCP(gamma=2), [1.0, -9.0], [0.0, 2.0], 4.0),
    (SCAD(gamma=3), [1.0, -2.0, 4.0, 6.0, -9.0], 2.0, 2.0 + 4.0 + 7.0 + 8.0 + 8.0),
    (SCAD(gamma=3), [1.0, -9.0], [0.0, 2.0], 8.0),
    (LogSum(eps=2.0), [2.0, -6.0, 0.0], 3.0, 9.0 * np.log(2.0)),
    (Lq(), [4.0, -9.0, 0.0], 2.0, 10.0),
    (Lq(q=2 / 3), [8.0, -27.0, 0.0], 2.0, 26.0),
    (L0(), [4.0, -9.0, 0.0], 2.0, 4.0),
    (L0(), [4.0, -9.0, 0.0], [3.0, 0.0, 1.0], 3.0),
    (NonNegative(), [4.0, 0.0], 2.0, 0.0),
    (NonNegative(), [4.0, -1e-300], 0.0, INF),
    (Box(-1, 2), [-1.0, 2.0], 3.0, 0.0),
    (Box(-1, 2), [-1.1, 2.0], 0.0, INF),
    (Simplex(2.0), [0.5, 1.5], 3.0, 0.0),
    (Simplex(), [0.5, 0.4], 3.0, INF),
    (Simplex(), [1.5, -0.5], 0.0, INF),
    (L1Ball(2.0), [0.5, -1.5], 3.0, 0.0),
    (L1Ball(2.0), [0.5, -1.6], 3.0, INF),
    (L2Ball(5.0), [3.0, -4.0], 3.0, 0.0),
    (L2Ball(4.9), [3.0, -4.0], 3.0, INF),
    (Monotone(), [-1.0, 2.0, 2.0], 3.0, 0.0),
    (Monotone(), [-1.0, 2.0, 1.9], 3.0, INF),
    (Monotone(increasing=False), [2.0, 2.0, -3.0], 3.0, 0.0),
    (GroupLasso([0, 1, 1]), [-2.0, 3.0, -4.0], 3.0, 6.0 + 15.0 * np.sqrt(2.0)),
    (GroupLasso([0, 1, 1], weights=None), [-2.0, 3.0, -4.0], [1.0, 3.0, 3.0], 17.0),
    (GroupLasso([[2, 0], [1]], weights=[1, 5]), [-3.0, 7.0, 4.0], 2.0, 80.0),
    (GroupLasso([0, 1, 1], weights={0: 0}), [-2.0, 3.0, -4.0], 1.0, 5.0 * np.sqrt(2.0)),
    (GroupMCP([0, 1, 1], gamma=2, weights=None), [1.0, 6.0, -8.0], 2.0, 1.75 + 4.0),
    (GroupSCAD([0, 1, 1], gamma=3, weights=None), [1.0, 6.0, -8.0], 2.0, 2.0 + 8.0),
    (SparseGroupLasso([0, 1, 1], 0.25, weights=None), [-2.0, 3.0, -4.0], 4.0, 9.0 + 21.0),
    (L21(), [[3.0, 4.0], [0.0, -2.0]], 2.0, 14.0),
    (L21([0, 0], weights=None), [[1.0, 1.0], [-1.0, -1.0]], 2.0, 4.0),
    (L21(), [3.0, -4.0], 2.0, 14.0),
    (Grouped("l0", [0, 1, 1], weights=None), [0.0, 3.0, 0.0], 2.0, 2.0),
    (0.5 * L1(), [1.0, -2.0], 3.0, 4.5),
    (L1() + 2 * L2(), [1.0, -2.0], 3.0, 9.0 + 15.0),
    (Bounded("l1", -1, 3), [-1.0, 3.0], 2.0, 8.0),
    (Bounded("l1", -1, 3), [-1.1, 3.0], 2.0, INF),
]

# The coefficients, step and alpha, and what is left of the coefficients.
PROXES = [
    (L1(), [3.0, -0.5, -2.0, 0.0], 1.0, 1.0, [2.0, 0.0, -1.0, 0.0]),
    (L1(), [3.0, -0.5, -2.0, 0.0], 2.0, 0.25, [2.5, 0.0, -1.5, 0.0]),
    (L1(), [3.0, -3.0], [1.0, 2.0], [0.0, 1.0], [3.0, -1.0]),
    (L1(), [1.0, -1.0], 1.0, 1.0, [0.0, 0.0]),
    (L1(positive=True), [3.0, -3.0, 0.5], 1.0, 1.0, [2.0, 0.0, 0.0]),
    (L1(positive=True), [3.0, -3.0], 1.0, 0.0, [3.0, 0.0]),
    (L2(), [3.0, -6.0], 0.5, 4.0, [1.0, -2.0]),
    (L2(), [3.0, -6.0], [1.0, 2.0], [0.0, 1.0], [3.0, -2.0]),
    (L2(positive=True), [3.0, -6.0], 0.5, 4.0, [1.0, 0.0]),
    (ElasticNet(l1_ratio=0.25), [2.0, -2.0, 0.25], 0.5, 2.0, [1.0, -1.0, 0.0]),
    (ElasticNet(l1_ratio=0.25, positive=True), [2.0, -2.0], 0.5, 2.0, [1.0, 0.0]),
    (ElasticNet(l1_ratio=0.25), [2.0, -2.0], [0.5, 1.0], [2.0, 0.0], [1.0, -2.0]),
    (NoPenalty(), [2.0, -2.0], 3.0, 4.0, [2.0, -2.0]),
    (MCP(gamma=2), [1.0, -1.5, 2.0, -2.5], 1.0, 1.0, [0.0, -1.0, 2.0, -2.5]),
    # Steps of gamma and more: nothing, or all.
    (MCP(gamma=2), [1.99, 2.01, -2.01], 2.0, 1.0, [0.0, 2.01, -2.01]),
    (MCP(gamma=2), [3.99, -4.01], 8.0, 1.0, [0.0, -4.01]),
    (MCP(gamma=2), [3.0, -3.0, 4.01], [1.0, 8.0, 8.0], [0.0, 1.0, 1.0], [3.0, 0.0, 4.01]),
    (SCAD(gamma=4), [0.5, -1.5, 3.0, 5.0], 1.0, 1.0, [0.0, -0.5, 2.5, 5.0]),
    # Steps beyond gamma - 1: a jump from the soft threshold; beyond gamma + 1: from zero.
    (SCAD(gamma=4), [3.5, 4.4, -4.6], 4.0, 1.0, [0.0, 4.4 - 4.0, -4.6]),
    (SCAD(gamma=4), [9.9, -10.1], 20.0, 1.0, [0.0, -10.1]),
    (LogSum(eps=1.0), [2.0, -0.5], 1.0, 1.0, [(1 + np.sqrt(5)) / 2, 0.0]),
    (LogSum(eps=3.0), [1.0, -1.0], 3.0, [0.9, 1.1], [-1.0 + np.sqrt(16 - 10.8) / 2, 0.0]),
    (L0(), [1.9, -2.1, 2.1], [2.0, 2.0, 4.0], 1.0, [0.0, -2.1, 0.0]),
    (NonNegative(), [1.9, -2.1], 3.0, 1.0, [1.9, 0.0]),
    (Box([-1, 0], [2, 1]), [-3.0, 3.0], 3.0, 1.0, [-1.0, 1.0]),
    (Simplex(), [0.75, 0.5, -3.0], 3.0, 1.0, [0.625, 0.375, 0.0]),
    (L1Ball(2.0), [3.0, -2.0, 0.25], 3.0, 1.0, [1.5, -0.5, 0.0]),
    (L1Ball(6.0), [3.0, -2.0], 3.0, 1.0, [3.0, -2.0]),
    (L2Ball(2.5), [3.0, -4.0], 3.0, 1.0, [1.5, -2.0]),
    (Monotone(), [1.0, 3.0, 2.0, 5.0], 3.0, 1.0, [1.0, 2.5, 2.5, 5.0]),
    (Monotone(increasing=False), [1.0, 3.0, 2.0], 3.0, 1.0, [2.0, 2.0, 2.0]),
    (GroupLasso([0, 1, 1], weights=None), [-2.0, 3.0, -4.0], 2.0, 0.5, [-1.0, 2.4, -3.2]),
    (GroupLasso([0, 1, 1], weights=[0, 10]), [-2.0, 3.0, -4.0], 2.0, 0.5, [-2.0, 0.0, 0.0]),
    (GroupLasso([0, 1, 1], weights=None), [-2.0, 3.0, -4.0], [4.0, 2.0, 2.0], [1.0, 0.5, 0.5], [0.0, 2.4, -3.2]),
    (GroupMCP([0, 0], gamma=2, weights=None), [0.9, 1.2], 1.0, 1.0, [0.6, 0.8]),
    (SparseGroupLasso([0, 0], 0.5, weights=None), [3.5, -4.5], 1.0, 1.0, [2.7, -3.6]),
    (0.5 * L1(), [3.0, -0.4], 1.0, 1.0, [2.5, 0.0]),
    (MCP(gamma=2) + L2(), [2.0, -6.0], 1.0, 1.0, [2.0 / 3.0, -3.0]),
    (Bounded("l1", -1, 3), [-5.0, 5.0], 1.0, 1.0, [-1.0, 3.0]),
]

CONJUGATES = [
    (L1(), [0.5, -1.0], 1.0, 0.0),
    (L1(), [0.5, -1.1], 1.0, INF),
    (L1(), [0.5, 0.0], [1.0, 0.0], 0.0),
    (L1(), [0.5, 1e-3], [1.0, 0.0], INF),
    (L1(positive=True), [-100.0, 1.0], 1.0, 0.0),
    (L1(positive=True), [-100.0, 1.1], 1.0, INF),
    (L2(), [2.0, -4.0], 2.0, 5.0),
    (L2(), [2.0, 0.0], [2.0, 0.0], 1.0),
    (L2(), [2.0, 1.0], [2.0, 0.0], INF),
    (L2(positive=True), [2.0, -4.0], 2.0, 1.0),
    (ElasticNet(), [3.0, -2.0, 0.5], 2.0, 2.5),
    (ElasticNet(positive=True), [3.0, -2.0, 0.5], 2.0, 2.0),
    (ElasticNet(), [0.0, 0.0], 0.0, 0.0),
    (ElasticNet(l1_ratio=1), [3.0], 2.0, INF),
    (NonNegative(), [-3.0, 0.0], 2.0, 0.0),
    (NonNegative(), [-3.0, 0.1], 2.0, INF),
    (Box(-1, 3), [-3.0, 2.0, 0.0], 2.0, 9.0),
    (Box(upper=3), [-3.0, 2.0], 2.0, INF),
    (Box(), [0.0, 0.0], 2.0, 0.0),
    (Simplex(2.0), [-3.0, 2.0], 1.0, 4.0),
    (L1Ball(2.0), [-3.0, 2.0], 1.0, 6.0),
    (L2Ball(2.0), [-3.0, 4.0], 1.0, 10.0),
    (GroupLasso([0, 1, 1], weights=None), [1.0, 0.6, 0.8], 1.0, 0.0),
    (GroupLasso([0, 1, 1], weights=None), [1.0, 0.7, 0.8], 1.0, INF),
    (SparseGroupLasso([0, 0], 0.5, weights=None), [1.1, -1.3], 2.0, 0.0),
    (SparseGroupLasso([0, 0], 0.5, weights=None), [1.7, -1.9], 2.0, INF),
    (0.5 * L2(), [2.0], 1.0, 4.0),
]

DUAL_SCALES = [
    (L1(), [2.0, -4.0], 1.0, 0.25),
    (L1(), [0.2, -0.4], 1.0, 1.0),
    (L1(), [2.0, -4.0], [1.0, 0.0], 0.0),
    (L1(), [0.0, 0.0], 0.0, 1.0),
    (L1(positive=True), [2.0, -4.0], 1.0, 0.5),
    (L2(), [2.0, -4.0], 1.0, 1.0),
    (L2(), [2.0, -4.0], 0.0, 0.0),
    (ElasticNet(), [2.0, -4.0], 1.0, 1.0),
    (ElasticNet(l1_ratio=1.0), [2.0, -4.0], 1.0, 0.25),
]


def array(numbers):
    return np.array(numbers) if isinstance(numbers, list) else numbers


@pytest.mark.parametrize(("penalty", "coef", "alpha", "value"), VALUES)
def test_value_by_hand(penalty, coef, alpha, value):
    assert penalty.value(array(coef), array(alpha)) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(("penalty", "coef", "step", "alpha", "answer"), PROXES)
def test_prox_by_hand(penalty, coef, step, alpha, answer):
    assert_allclose(penalty.prox(array(coef), array(step), array(alpha)), answer, rtol=4e-16, atol=1e-15)


@pytest.mark.parametrize(("penalty", "dual", "alpha", "conjugate"), CONJUGATES)
def test_conjugate_by_hand(penalty, dual, alpha, conjugate):
    assert penalty.conjugate(array(dual), array(alpha)) == pytest.approx(conjugate, rel=1e-15)


@pytest.mark.parametrize(("penalty", "dual", "alpha", "scale"), DUAL_SCALES)
def test_dual_scale_by_hand(penalty, dual, alpha, scale):
    assert penalty.dual_scale(array(dual), array(alpha)) == pytest.approx(scale, rel=1e-14)


@pytest.mark.parametrize(
    ("penalty", "weights"),
    [
        (L1(), None),
        (L2(), 0.3),
        (L2(positive=True), None),
        (ElasticNet(), None),
        (ElasticNet(l1_ratio=0), 0.3),
        (ElasticNet(l1_ratio=0.0, positive=True), None),
        (NoPenalty(), 0.0),
    ],
)
def test_quadratic_by_hand(penalty, weights):
    assert penalty.quadratic(0.3) == weights


def test_no_coefficients_cost_nothing():
    none = np.empty(0)
    for penalty in SEPARABLE:
        assert penalty.value(none, 1.0) == 0.0
        assert penalty.prox(none, 1.0, 1.0).shape == (0,)
        if penalty.conjugate(np.zeros(1), 1.0) is not None:
            assert penalty.conjugate(none, 1.0) == 0.0
            assert penalty.dual_scale(none, 1.0) == 1.0


# -- by brute force -----------------------------------------------------------


@each(SEPARABLE)
@pytest.mark.parametrize("start", range(3))
def test_prox_by_brute_force(penalty, start):
    steps, alphas = (1e-3, 0.1, 1.0, 2.0, 5.0, 10.0, 30.0, 1e3), (0.0, 0.1, 1.0, 5.0)
    everything = itertools.product(steps, alphas, (-50.0, -3.0, -0.3, 0.0, 1e-3, 0.5, 2.0, 2.9, 17.0))
    # Every 21st of 288, each start others: every step, every alpha and every coefficient among them.
    for step, alpha, coef in itertools.islice(everything, start, None, 21):

        def objective(number, step=step, alpha=alpha, coef=coef):
            return penalty.value(np.array([number]), alpha) + (number - coef) ** 2 / (2 * step)

        (answer,) = penalty.prox(np.array([coef]), step, alpha)
        best = min(_local_minima(objective, reach=1.5 * abs(coef) + alpha + 0.1), key=objective)
        assert objective(answer) <= objective(best) + 1e-9 * (1 + objective(best))
        if penalty.convex:
            # The objective is strongly convex with 1 / step: a value found to 1e-12 gives the point to its root.
            assert answer == pytest.approx(best, abs=1e-5 * (1 + abs(coef)))


def _local_minima(objective, reach):
    """Zero, and SciPy's minimiser in each of many intervals (an infinite end keeps it away)."""
    ends = np.sort(np.append(np.linspace(-reach, reach, 14), 0.0))
    yield 0.0
    for left, right in itertools.pairwise(ends):
        if np.isfinite(objective(left)) or np.isfinite(objective(right)):
            # Where a constraint begins its parabolas fail and golden sections take over.
            with np.errstate(invalid="ignore"):
                yield minimize_scalar(objective, bounds=(left, right), method="bounded", options={"xatol": 1e-9}).x
        if np.isfinite(objective(left)) != np.isfinite(objective(right)):
            yield _border(objective, left, right)


def _border(objective, left, right):
    """The last number that is allowed between one that is and one that is not."""
    inside, outside = (left, right) if np.isfinite(objective(left)) else (right, left)
    for _ in range(60):
        middle = 0.5 * (inside + outside)
        inside, outside = (middle, outside) if np.isfinite(objective(middle)) else (inside, middle)
    return inside


# -- relatives ----------------------------------------------------------------

POINT = np.array([-3.0, -0.2, 0.0, 0.4, 7.0])


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize(("l1_ratio", "relative"), [(1, L1), (0, L2)])
def test_elastic_net_ends_at_its_relatives(l1_ratio, relative, positive):
    mixed, pure = ElasticNet(l1_ratio, positive), relative(positive)
    for coef, (step, alpha) in itertools.product((POINT, abs(POINT)), ((1.0, 0.5), (3.0, 2.0), (0.1, 0.0))):
        assert_allclose(mixed.prox(coef, step, alpha), pure.prox(coef, step, alpha), rtol=1e-15)
        assert mixed.value(coef, alpha) == pytest.approx(pure.value(coef, alpha), rel=1e-15)
        dual = 0.1 * POINT
        assert mixed.conjugate(dual, alpha) == pytest.approx(pure.conjugate(dual, alpha), rel=1e-15)
        assert mixed.dual_scale(dual, alpha) == pytest.approx(pure.dual_scale(dual, alpha), rel=1e-15)


def test_alpha_zero_changes_nothing_but_signs():
    for penalty in PENALTIES:
        if penalty.joint_outputs:
            continue
        bound = penalty.bind(5)
        coef = abs(POINT) if getattr(penalty, "positive", False) else POINT
        if bound.value(coef, 0.0) != np.inf:
            assert_allclose(bound.prox(coef, 2.0, 0.0), coef, rtol=4e-16)
            assert bound.value(coef, 0.0) == 0.0


# -- parameters ---------------------------------------------------------------

NOT_BOOL = [(1, TypeError), (0, TypeError), ("True", TypeError), (None, TypeError), (np.array([True]), TypeError)]
NOT_A_SHARE = [
    (-0.1, ValueError),
    (1.0000001, ValueError),
    (np.nan, ValueError),
    (INF, ValueError),
    ("0.5", TypeError),
    (None, TypeError),
    (True, TypeError),
    ([0.5], TypeError),
    (0.5j, TypeError),
]

# For each parameter: what must be refused, what the sentence must say is allowed, and what must be accepted.
NOT_POSITIVE = [
    (0, ValueError),
    (0.0, ValueError),
    (-1.0, ValueError),
    (np.nan, ValueError),
    (INF, ValueError),
    ("3", TypeError),
    (None, TypeError),
    (True, TypeError),
    ([3.0], TypeError),
]
NOT_ABOVE_TWO = [(2, ValueError), (2.0, ValueError), (1.5, ValueError), *NOT_POSITIVE]
NOT_INSIDE = [(0, ValueError), (1.0, ValueError), (1, ValueError), *NOT_POSITIVE]

NOT_BOUNDS = [
    (np.nan, ValueError),
    ([0.0, 0.0], ValueError),
    ("1", TypeError),
    (None, TypeError),
]

PARAMETERS = {
    ("Box", "lower"): ([*NOT_BOUNDS, (INF, ValueError)], ("lower",), [-INF, 0, -1.5, np.zeros(5)]),
    ("Box", "upper"): ([*NOT_BOUNDS, (-INF, ValueError)], ("upper",), [INF, 0, 1.5, np.zeros(5)]),
    ("Simplex", "total"): (NOT_POSITIVE, ("total", "(0, inf)"), [3, 1e-3, np.float32(2.5)]),
    ("L1Ball", "radius"): (NOT_POSITIVE, ("radius", "(0, inf)"), [3, 1e-3, np.float32(2.5)]),
    ("L2Ball", "radius"): (NOT_POSITIVE, ("radius", "(0, inf)"), [3, 1e-3, np.float32(2.5)]),
    ("Monotone", "increasing"): (NOT_BOOL, ("increasing", "True or False"), [True, False, np.True_]),
    ("L21", "groups"): (
        [("abc", TypeError), (0.5, TypeError), ([0, 1], ValueError), ([0, 1, None], TypeError), (2, ValueError)],
        ("groups",),
        [None, [0, 1, 1, 0, 2], 5, list("ababa"), [[0, 4], [2, 1, 3]]],
    ),
    ("L21", "weights"): (
        [("abc", TypeError), ([1, 2], ValueError), ([1, 2, -1], ValueError), ([1, 2, np.nan], ValueError)],
        ("weights",),
        [None, "sqrt", [0, 1, 2.5, 1, 1], {0: 3}],
    ),
    ("MCP", "gamma"): (NOT_POSITIVE, ("gamma", "(0, inf)"), [3, 1e-3, np.float32(2.5), 1e6]),
    ("SCAD", "gamma"): (NOT_ABOVE_TWO, ("gamma", "(2, inf)"), [3, 2.001, np.float32(2.5), 1e6]),
    ("LogSum", "eps"): (NOT_POSITIVE, ("eps", "(0, inf)"), [3, 1e-3, np.float32(2.5), 1e6]),
    ("Lq", "q"): (NOT_INSIDE, ("q", "(0, 1)"), [0.5, 2 / 3, np.float32(0.25), 0.01, 0.99]),
    ("SLOPE", "lambdas"): (
        [("bh", TypeError), ({}, TypeError)],
        ("lambdas", "one per feature"),
        [None, range(5, 0, -1)],
    ),
    ("SLOPE", "q"): (NOT_INSIDE, ("q", "(0, 1)"), [0.5, np.float32(0.25), 0.01, 0.99]),
    ("FusedLasso", "l1_ratio"): (NOT_A_SHARE, ("l1_ratio", "[0, 1]"), [0, 1, 0.5, np.float32(0.25), np.int64(1)]),
    ("TrendFilter", "order"): (
        [(-1, ValueError), (1.0, TypeError), ("1", TypeError), (None, TypeError), (True, TypeError)],
        ("order", "integer"),
        [0, 3, np.int64(2), 9],
    ),
    ("GeneralizedRidge", "M"): (
        [("I", TypeError), ({}, TypeError)],
        ("M", "symmetric"),
        [np.eye(5), np.eye(5).tolist()],
    ),
    ("ElasticNet", "l1_ratio"): (NOT_A_SHARE, ("l1_ratio", "[0, 1]"), [0, 1, 0.5, np.float32(0.25), np.int64(1)]),
    **{
        (name, "positive"): (NOT_BOOL, ("positive", "True or False"), [True, False, np.True_])
        for name in ("L1", "L2", "ElasticNet")
    },
}


def test_every_parameter_has_its_wrong_and_right_values():
    # Groups and combinations, which have parameters that they cannot do without, have tests of their own.
    ready = [cls for cls in penalty_classes() if not required(cls)]
    wanted = {(cls.__name__, name) for cls in ready for name in cls._get_param_names()}
    known = {(cls.__name__, name) for cls in penalty_classes() for name in cls._get_param_names()}
    assert wanted <= set(PARAMETERS) <= known


@pytest.mark.parametrize(
    ("cls", "name", "wrong", "error", "words"),
    [
        pytest.param(cls, name, wrong, error, words, id=f"{cls}-{name}={wrong!r}")
        for (cls, name), (wrongs, words, _) in PARAMETERS.items()
        for wrong, error in wrongs
    ],
)
def test_wrong_parameters_are_named(cls, name, wrong, error, words):
    penalty = getattr(skreg.penalties, cls)(**{name: wrong})
    with pytest.raises(error) as caught:
        penalty.bind(3)
    for word in (*words, repr(wrong)):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("cls", "name", "right"),
    [
        pytest.param(cls, name, right, id=f"{cls}-{name}={right!r}")
        for (cls, name), (_, _, rights) in PARAMETERS.items()
        for right in rights
    ],
)
def test_right_parameters_are_accepted(cls, name, right):
    bound = getattr(skreg.penalties, cls)(**{name: right}).bind(len(POINT))
    assert bound.prox(POINT, 1.0, 0.5).dtype == float


# -- names --------------------------------------------------------------------


@pytest.mark.parametrize("estimator", ["PenalizedRegression", "PenalizedLogisticRegression"])
def test_docstring_lists_every_name(estimator):
    text = getattr(skreg, estimator).__doc__
    listed = re.findall(r'"(\w+)"', text[text.index("penalty : ") : text.index("alpha : ")])
    assert sorted(listed[1:]) == penalty_names()


def test_names():
    assert penalty_names() == sorted(penalty_names())
    for name in penalty_names():
        assert get_penalty(name).get_params() == type(get_penalty(name))().get_params()
        assert get_penalty(name) is not get_penalty(name)
    assert isinstance(get_penalty("l1"), L1)
    assert isinstance(get_penalty("l2"), L2)
    assert isinstance(get_penalty("elasticnet"), ElasticNet)
    assert isinstance(get_penalty(None), NoPenalty)
    penalty = L1()
    assert get_penalty(penalty) is penalty


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ("lasso", ValueError, ("'lasso'", "'l1'", "'elasticnet'", "None")),
        ("L1", ValueError, ("'L1'", "'l1'")),
        (L1, TypeError, ("L1 is a class", "L1()")),
        (3, TypeError, ("penalty=3", "'l1'", "Penalty", "int")),
        (object(), TypeError, ("Penalty", "object")),
    ],
)
def test_wrong_names(wrong, error, words):
    with pytest.raises(error) as caught:
        get_penalty(wrong)
    for word in words:
        assert word in str(caught.value)


def test_the_base_class_says_what_is_missing():
    class Half(Penalty):
        def value(self, coef, alpha):
            return 0.0

    with pytest.raises(NotImplementedError, match=r"Half must define prox\(self, coef, step, alpha\)"):
        Half().prox(POINT, 1.0, 1.0)
    with pytest.raises(NotImplementedError, match=r"Penalty must define value\(self, coef, alpha\)"):
        Penalty().value(POINT, 1.0)


def test_dual_scale_of_the_base_class_bisects():
    for dual, alpha in (([2.0, -4.0], 1.0), ([0.5, 0.5], 1.0), ([3.0, 0.0], 0.0)):
        scale = Penalty.dual_scale(L1(), np.array(dual), alpha)
        assert scale == pytest.approx(L1().dual_scale(np.array(dual), alpha), rel=1e-12)


# -- properties ---------------------------------------------------------------

numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
coefs = arrays(float, 5, elements=numbers)
steps = st.floats(1e-3, 1e3)
alphas = st.one_of(st.just(0.0), st.floats(1e-6, 1e3))


@each(CONVEX)
@given(one=coefs, two=coefs, step=steps, alpha=alphas)
def test_prox_brings_points_closer(penalty, one, two, step, alpha):
    moved = penalty.prox(one, step, alpha) - penalty.prox(two, step, alpha)
    assert np.all(np.abs(moved) <= np.abs(one - two) * (1 + 1e-12) + 1e-9)


@each(CONVEX)
@given(coef=coefs, step=steps, alpha=alphas, factor=st.floats(1, 100))
def test_a_stronger_penalty_shrinks_more(penalty, coef, step, alpha, factor):
    weak, strong = penalty.prox(coef, step, alpha), penalty.prox(coef, step, factor * alpha)
    longer = penalty.prox(coef, factor * step, alpha)
    assert np.all(np.abs(strong) <= np.abs(weak) * (1 + 1e-12))
    assert np.all(np.abs(longer) <= np.abs(weak) * (1 + 1e-12))
    assert np.all(weak * coef >= 0)


@each([penalty for penalty in CONVEX if penalty.value(np.array([5.0]), 1.0) == penalty.value(np.array([-5.0]), 1.0)])
@given(coef=coefs, step=steps, alpha=alphas)
def test_signs_do_not_matter(penalty, coef, step, alpha):
    assert_array_equal(penalty.prox(-coef, step, alpha), -penalty.prox(coef, step, alpha))
    assert penalty.value(-coef, alpha) == penalty.value(coef, alpha)


@each(SEPARABLE)
@given(coef=coefs, step=steps, alpha=alphas, order=st.permutations(range(5)))
def test_order_does_not_matter(penalty, coef, step, alpha, order):
    assert_array_equal(penalty.prox(coef[order], step, alpha), penalty.prox(coef, step, alpha)[order])
    assert penalty.value(coef[order], alpha) == pytest.approx(penalty.value(coef, alpha), rel=1e-12)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.3, 1.0])
@given(coef=coefs, step=steps, alpha=alphas)
def test_slope_at_the_prox_is_a_subgradient(l1_ratio, coef, step, alpha):
    answer = ElasticNet(l1_ratio).prox(coef, step, alpha)
    slope = (coef - answer) / step - alpha * (1 - l1_ratio) * answer
    rounding = 1e-9 * (np.abs(coef) / step + alpha)
    assert np.all(np.abs(slope) <= alpha * l1_ratio + rounding)
    moved = answer != 0
    assert np.all(np.abs(slope - alpha * l1_ratio * np.sign(answer))[moved] <= rounding[moved])


@given(coef=coefs, step=steps, alpha=alphas, unit=st.floats(1e-3, 1e3))
def test_units_of_the_lasso(coef, step, alpha, unit):
    scaled = L1().prox(unit * coef, step, unit * alpha)
    assert_allclose(scaled, unit * L1().prox(coef, step, alpha), rtol=1e-9, atol=1e-9 * unit * (1 + np.abs(coef).max()))
