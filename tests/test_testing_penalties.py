"""check_penalty passes right penalties, fails wrong ones at the check that says why, and runs like check_estimator."""

import inspect
import pickle
import re
from unittest import SkipTest

import numpy as np
import pytest
from helpers import failures
from scipy import sparse
from scipy.optimize import isotonic_regression
from sklearn.base import clone
from sklearn.exceptions import EstimatorCheckFailedWarning
from sklearn.utils.estimator_checks import check_estimator

from skreg.penalties import L1, L2, GeneralizedRidge, Penalty
from skreg.testing import (
    _common,
    _twins,
    check_penalty,
    parametrize_penalty_checks,
)

# -- right penalties, as a user would write them ------------------------------


class UserMCP(Penalty):
    """Zhang (2010), with the hard threshold that large steps need."""

    separable = True

    def __init__(self, gamma=3.0):
        self.gamma = gamma

    def concavity(self, alpha):
        return 1.0 / self.gamma

    def value(self, coef, alpha):
        size = np.minimum(np.abs(coef), self.gamma * alpha)
        return np.sum(alpha * size - size**2 / (2 * self.gamma))

    def prox(self, coef, step, alpha):
        size = np.abs(coef)
        firm = np.maximum(size - step * alpha, 0) / np.where(step < self.gamma, 1 - step / self.gamma, 1)
        small = np.where(size <= self.gamma * alpha, np.sign(coef) * firm, coef)
        large = np.where(size > alpha * np.sqrt(self.gamma * step), coef, 0.0)
        return np.where(step < self.gamma, small, large)


class UserSCAD(Penalty):
    """Fan and Li (2001); the prox compares the best point of each of the three pieces."""

    separable = True

    def __init__(self, gamma=3.7):
        self.gamma = gamma

    def concavity(self, alpha):
        return 1.0 / (self.gamma - 1)

    def _price(self, size, alpha):
        bend = (2 * self.gamma * alpha * size - size**2 - alpha**2) / (2 * (self.gamma - 1))
        pieces = [size <= alpha, size <= self.gamma * alpha]
        return np.select(pieces, [alpha * size, bend], 0.5 * alpha**2 * (self.gamma + 1))

    def value(self, coef, alpha):
        return np.sum(self._price(np.abs(coef), alpha))

    def prox(self, coef, step, alpha):
        size, slope = np.abs(coef), self.gamma - 1
        room = np.where(slope > step, slope - step, 1.0)
        bend = (slope * size - step * self.gamma * alpha) / room
        ends = np.clip(size - step * alpha, 0, alpha), np.clip(bend, alpha, self.gamma * alpha)
        pieces = np.stack([*ends, np.maximum(size, self.gamma * alpha)])
        cost = self._price(pieces, alpha) + (pieces - size) ** 2 / (2 * step)
        return np.sign(coef) * np.take_along_axis(pieces, cost.argmin(axis=0)[None], axis=0)[0]


class UserL0(Penalty):
    separable = True

    def value(self, coef, alpha):
        return np.sum(alpha * (coef != 0))

    def prox(self, coef, step, alpha):
        return np.where(coef**2 > 2 * step * alpha, coef, 0.0)


class UserBox(Penalty):
    """Bounds, one for all or one per feature."""

    separable = convex = True

    def __init__(self, lower=-0.5, upper=1.0):
        self.lower = lower
        self.upper = upper

    def value(self, coef, alpha):
        return 0.0 if np.all((coef >= self.lower) & (coef <= self.upper)) else np.inf

    def prox(self, coef, step, alpha):
        return np.clip(coef, self.lower, self.upper).astype(float)

    def restrict(self, features):
        def pick(bound):
            return np.asarray(bound)[features] if np.ndim(bound) else bound

        return type(self)(pick(self.lower), pick(self.upper))


class UserGroupLasso(Penalty):
    convex = True

    def __init__(self, groups):
        self.groups = groups

    def bind(self, n_features, feature_names=None):
        if len(self.groups) != n_features:
            raise ValueError(f"groups has {len(self.groups)} labels for {n_features} features.")
        return self

    def blocks(self):
        return np.asarray(self.groups)

    def restrict(self, features):
        return type(self)(np.asarray(self.groups)[features])

    def _norms(self, coef):
        """Of every feature that of its group, and the size of the group."""
        _, label, size = np.unique(self.groups, return_inverse=True, return_counts=True)
        return np.sqrt(np.bincount(label, coef**2))[label], size[label]

    def value(self, coef, alpha):
        norms, size = self._norms(coef)
        return np.sum(alpha * norms / size)

    def prox(self, coef, step, alpha):
        norms, _ = self._norms(coef)
        return coef * np.maximum(norms - step * alpha, 0) / np.where(norms > 0, norms, 1)


class UserSLOPE(Penalty):
    """Sorted L1 (Bogdan et al. 2015) through isotonic regression."""

    convex = True

    def _weights(self, coef):
        return 1.0 - np.arange(coef.size) / (coef.size + 1.0)

    def value(self, coef, alpha):
        return alpha * np.sum(self._weights(coef) * np.sort(np.abs(coef))[::-1])

    def prox(self, coef, step, alpha):
        order = np.argsort(-np.abs(coef), kind="stable")
        shrunk = np.abs(coef)[order] - step * alpha * self._weights(coef)
        answer = np.empty(coef.shape)
        answer[order] = np.maximum(isotonic_regression(shrunk, increasing=False).x, 0)
        return np.sign(coef) * answer


class UserL21(Penalty):
    convex = joint_outputs = True

    def value(self, coef, alpha):
        return np.sum(alpha * np.linalg.norm(coef, axis=1, keepdims=True))

    def prox(self, coef, step, alpha):
        norms = np.linalg.norm(coef, axis=1, keepdims=True)
        return coef * (np.maximum(norms - step * alpha, 0) / np.where(norms > 0, norms, 1))


class UserL21WithBlocks(UserL21):
    def __init__(self, n_features=6):
        self.n_features = n_features

    def blocks(self):
        return np.arange(self.n_features)

    def restrict(self, features):
        return type(self)(len(features))


class UserNuclear(Penalty):
    convex = joint_outputs = True

    def value(self, coef, alpha):
        return alpha * np.linalg.norm(coef, "nuc")

    def prox(self, coef, step, alpha):
        left, size, right = np.linalg.svd(coef, full_matrices=False)
        return (left * np.maximum(size - step * alpha, 0)) @ right


class UserSimplex(Penalty):
    """Non-negative coefficients with sum 1: zero itself is forbidden."""

    convex = True

    def value(self, coef, alpha):
        inside = np.all(coef >= 0) and abs(np.sum(coef) - 1) <= 1e-9
        return 0.0 if inside else np.inf

    def prox(self, coef, step, alpha):
        # A common shift changes nothing, and keeps small sums exact.
        shifted = np.sort(coef - np.max(coef))[::-1]
        excess = (np.cumsum(shifted) - 1) / np.arange(1, coef.size + 1)
        threshold = excess[np.flatnonzero(shifted > excess)[-1]]
        return np.maximum(coef - np.max(coef) - threshold, 0)


class UserFusedPair(Penalty):
    """The smallest fused lasso, |w_0 - w_1|, and no opinion about the rest."""

    convex = True

    def value(self, coef, alpha):
        return alpha * abs(coef[0] - coef[1])

    def prox(self, coef, step, alpha):
        answer = np.array(coef, dtype=float)
        middle, half = answer[:2].mean(), 0.5 * (answer[0] - answer[1])
        half = np.sign(half) * max(abs(half) - step * alpha, 0)
        answer[:2] = middle + half, middle - half
        return answer


RIGHT = [
    UserMCP(),
    UserMCP(gamma=1.2),
    UserMCP(gamma=30.0),
    UserSCAD(),
    UserSCAD(gamma=2.1),
    UserL0(),
    UserBox(),
    UserBox(lower=0.0, upper=np.inf),
    UserBox(lower=np.array([-1.0, 0.0, -np.inf, 1.0]), upper=np.array([1.0, 2.0, 3.0, 4.0])),
    UserGroupLasso(groups=[0, 1, 1, 0, 2]),
    UserGroupLasso(groups=["b", "a", "b", "c", "c", "c", "a"]),
    UserSLOPE(),
    UserL21(),
    UserL21WithBlocks(),
    UserNuclear(),
    UserSimplex(),
    UserFusedPair(),
]


@parametrize_penalty_checks(RIGHT)
def test_right_penalties_pass(penalty, check):
    check(penalty)


@pytest.mark.parametrize("penalty", RIGHT, ids=lambda penalty: re.sub(r"\s", "", repr(penalty)))
def test_right_penalties_pass_at_other_points(penalty):
    statuses = {result["status"] for result in check_penalty(penalty, random_state=1)}
    assert statuses == {"passed", "skipped"}


# -- wrong penalties ----------------------------------------------------------


class ForgetsStep(L1):
    def prox(self, coef, step, alpha):
        return super().prox(coef, 1.0, alpha)


class ForgetsAlpha(L1):
    def prox(self, coef, step, alpha):
        return super().prox(coef, step, 1.0)


class SmallStepMCP(UserMCP):
    """The formula for step < gamma everywhere, as it is often printed."""

    def prox(self, coef, step, alpha):
        firm = np.sign(coef) * np.maximum(np.abs(coef) - step * alpha, 0) / (1 - step / self.gamma)
        return np.where(np.abs(coef) <= self.gamma * alpha, firm, coef)


class SeparableSLOPE(UserSLOPE):
    separable = True


class ConvexMCP(UserMCP):
    convex = True

    def concavity(self, alpha):
        return 0.0


class TooLittleConcavity(UserMCP):
    def concavity(self, alpha):
        return 0.1


class WritesToInput(L1):
    def prox(self, coef, step, alpha):
        coef -= np.clip(coef, -step * alpha, step * alpha)
        return coef.copy()


class WritesToAlpha(L1):
    def value(self, coef, alpha):
        alpha *= np.abs(coef) if np.ndim(alpha) else np.abs(coef).sum()
        return np.sum(alpha)


class ValueWritesToSelf(L1):
    def value(self, coef, alpha):
        self.last_ = np.array(coef)
        return super().value(coef, alpha)


class ProxCounts(L1):
    def __init__(self, positive=False, calls=0):
        super().__init__(positive)
        self.calls = calls

    def prox(self, coef, step, alpha):
        self.calls += 1
        return super().prox(coef, step, alpha)


class ReturnsInput(L1):
    def prox(self, coef, step, alpha):
        return coef if np.all(np.equal(alpha, 0)) else super().prox(coef, step, alpha)


class ReturnsBuffer(L1):
    buffer = np.empty(6)

    def prox(self, coef, step, alpha):
        if coef.shape != (6,):
            return super().prox(coef, step, alpha)
        self.buffer[:] = super().prox(coef, step, alpha)
        return self.buffer


class NaNForLarge(L1):
    """|w| the long way round: inf / inf where the fourth power overflows."""

    def value(self, coef, alpha):
        return np.sum(alpha * coef**4 / np.maximum(np.abs(coef) ** 3, 1e-300))


class ScaledConstraint(Penalty):
    separable = convex = True

    def value(self, coef, alpha):
        return float(np.sum(alpha * np.where(coef < 0, np.inf, 0.0)))

    def prox(self, coef, step, alpha):
        return np.maximum(coef, 0.0)


class FreeAtZero(ScaledConstraint):
    """The same constraint without NaN: it vanishes at alpha = 0."""

    def value(self, coef, alpha):
        return np.inf if np.any((coef < 0) & (alpha > 0)) else 0.0

    def prox(self, coef, step, alpha):
        return np.where((coef < 0) & (np.asarray(alpha) > 0), 0.0, coef)


class MissesConstraint(UserBox):
    def prox(self, coef, step, alpha):
        return super().prox(coef, step, alpha) * (1 + 1e-12)


class WrongConjugate(L2):
    def conjugate(self, dual, alpha):
        return 2 * super().conjugate(dual, alpha)


class SmallConjugate(L2):
    def conjugate(self, dual, alpha):
        return 0.5 * super().conjugate(dual, alpha)


class SmallDualDomain(L1):
    def conjugate(self, dual, alpha):
        return super().conjugate(2 * dual, alpha)


class SmallDualScale(L1):
    def dual_scale(self, dual, alpha):
        return 0.5 * super().dual_scale(dual, alpha)


class LargeDualScale(L1):
    def dual_scale(self, dual, alpha):
        return 1.0


class WrongQuadratic(L2):
    def quadratic(self, alpha):
        return 2 * alpha


class WrongForm(GeneralizedRidge):
    def quadratic_form(self, alpha):
        return 2 * alpha * self.M


class QuadraticL1(L1):
    def quadratic(self, alpha):
        return alpha


class TwiceTheValue(L1):
    def value(self, coef, alpha):
        return 2 * super().value(coef, alpha)


class StochasticProx(L1):
    def prox(self, coef, step, alpha):
        return super().prox(coef, step, alpha) * (1 + 1e-12 * np.random.default_rng().standard_normal(coef.shape))


class InitChecks(L1):
    def __init__(self, positive=False):
        if not isinstance(positive, bool):
            raise TypeError("positive must be a bool")
        self.positive = positive


class InitConverts(UserMCP):
    def __init__(self, gamma=3):
        self.gamma = gamma * 1.0 if isinstance(gamma, int) else str(gamma)


class InitAddsState(UserMCP):
    def __init__(self, gamma=3.0):
        self.gamma = gamma
        self.inverse = 1


class LosesStateInCopies(UserMCP):
    def __init__(self, gamma=3.0):
        self.gamma = gamma

    def __deepcopy__(self, memo):
        return type(self)(gamma=2.0)


class BindWrites(L1):
    def bind(self, n_features, feature_names=None):
        self.n_features_ = n_features
        return self


class BindForgetsReturn(L1):
    def bind(self, n_features, feature_names=None):
        pass


class BindForgetsNames(L1):
    def bind(self, n_features):
        return self


class AlphaIsC(L2):
    def value(self, coef, alpha):
        return super().value(coef, 1.0 / (1e-3 + alpha))

    def prox(self, coef, step, alpha):
        return super().prox(coef, step, 1.0 / (1e-3 + alpha))

    def quadratic(self, alpha):
        return 1.0 / (1e-3 + alpha)


class ValuePerCoefficient(L1):
    def value(self, coef, alpha):
        return alpha * np.abs(coef)


class IntegerProx(L1):
    def prox(self, coef, step, alpha):
        return super().prox(coef, step, alpha).astype(coef.dtype)


class ShrinksShape(L1):
    def prox(self, coef, step, alpha):
        return super().prox(coef, step, alpha)[:, None]


class ProxNaN(L1):
    def prox(self, coef, step, alpha):
        return coef * np.maximum(1 - step * alpha / np.abs(coef), 0)


class WarnsInUnusedBranch(L1):
    def prox(self, coef, step, alpha):
        return np.where(coef == 0, 0.0, coef * np.maximum(1 - step * alpha / np.abs(coef), 0))


class OnlyFirstAlpha(L1):
    def prox(self, coef, step, alpha):
        return super().prox(coef, step, np.ravel(alpha)[0])


class BoxWithoutRestrict(UserBox):
    def __init__(self, lower=(-1.0, -2.0, -3.0), upper=1.0):
        super().__init__(lower, upper)

    def value(self, coef, alpha):
        return 0.0 if np.all((coef >= np.array(self.lower)) & (coef <= self.upper)) else np.inf

    def restrict(self, features):
        return self


class RestrictSorts(UserBox):
    """Right on sorted features only."""

    def __init__(self, lower=(-1.0, -2.0, -3.0), upper=1.0):
        super().__init__(lower, upper)

    def value(self, coef, alpha):
        return 0.0 if np.all((coef >= np.array(self.lower)) & (coef <= self.upper)) else np.inf

    def restrict(self, features):
        return type(self)(np.array(self.lower)[np.sort(features)], self.upper)


class WrongBlocks(UserGroupLasso):
    def blocks(self):
        return np.roll(self.groups, 1)


class ListOfBlocks(UserGroupLasso):
    def blocks(self):
        return np.unique(self.groups)


class FlatL21(UserL21):
    def prox(self, coef, step, alpha):
        return super().prox(coef, step, alpha)[:, :3]


class ContradictingFacts(L1):
    def concavity(self, alpha):
        return 0.5


class ConcavityIsNumber(UserMCP):
    concavity = 0.5


class OneAlphaForAll(UserGroupLasso):
    def value(self, coef, alpha):
        return np.max(alpha) * super().value(coef, 1.0)


class FreePositions(L1):
    def unpenalised(self):
        return np.array([0, 1])


class NotFree(L1):
    def unpenalised(self):
        return True


class NoConstant(L1):
    def null_space(self):
        return np.ones((6, 1))


class OneDirection(L1):
    def null_space(self):
        return np.ones(6)


class FactIsMethod(Penalty):
    def separable(self):
        return True

    def value(self, coef, alpha):
        return 0.0

    def prox(self, coef, step, alpha):
        return np.array(coef, dtype=float)


MINIMISES = {"check_prox_minimises", "check_prox_against_brute_force"}
CONVEX = {"check_prox_three_points"}

# Wrong penalty, checks that must fail.
WRONG = [
    (ForgetsStep(), MINIMISES | CONVEX),
    (ForgetsAlpha(), MINIMISES | CONVEX),
    (SmallStepMCP(), MINIMISES),
    (SeparableSLOPE(), {"check_separable_prox"}),
    (ConvexMCP(), {"check_convex_value", "check_prox_firmly_nonexpansive"} | CONVEX),
    (TooLittleConcavity(), {"check_convex_value"}),
    (WritesToInput(), {"check_input_unchanged"}),
    (WritesToAlpha(), {"check_input_unchanged"}),
    (ValueWritesToSelf(), {"check_self_unchanged"}),
    (ProxCounts(), {"check_self_unchanged"}),
    (ReturnsInput(), {"check_prox_output"}),
    (ReturnsBuffer(), {"check_prox_output"}),
    (NaNForLarge(), {"check_huge_and_tiny"}),
    (ScaledConstraint(), {"check_value", "check_constraint"}),
    (FreeAtZero(), {"check_constraint"}),
    (MissesConstraint(), {"check_constraint"}),
    (WrongConjugate(), {"check_conjugate"}),
    (SmallConjugate(), {"check_conjugate"}),
    (SmallDualDomain(), {"check_conjugate"}),
    (SmallDualScale(), {"check_dual_scale"}),
    (LargeDualScale(), {"check_dual_scale"}),
    (WrongQuadratic(), {"check_quadratic"}),
    (QuadraticL1(), {"check_quadratic"}),
    (WrongForm(np.eye(6)), {"check_quadratic_form"}),
    (TwiceTheValue(), MINIMISES | CONVEX),
    (StochasticProx(), {"check_deterministic"}),
    (InitChecks(), {"check_parameters"}),
    (InitConverts(), {"check_parameters"}),
    (InitAddsState(), {"check_parameters"}),
    (LosesStateInCopies(), {"check_copies"}),
    (BindWrites(), {"check_bind"}),
    (BindForgetsReturn(), {"check_bind"}),
    (BindForgetsNames(), {"check_bind"}),
    (AlphaIsC(), {"check_alpha_is_strength"}),
    (ValuePerCoefficient(), {"check_value"}),
    (IntegerProx(), {"check_prox_input"}),
    (ShrinksShape(), {"check_prox_output"}),
    (ProxNaN(), {"check_prox_output", "check_no_warnings"}),
    (WarnsInUnusedBranch(), {"check_no_warnings"}),
    (OnlyFirstAlpha(), {"check_separable_arrays"}),
    (BoxWithoutRestrict(), {"check_separable_arrays", "check_restrict"}),
    (RestrictSorts(), {"check_restrict"}),
    (WrongBlocks([0, 1, 1, 0, 2]), {"check_blocks"}),
    (ListOfBlocks([0, 1, 1, 0, 2]), {"check_blocks"}),
    (FlatL21(), {"check_joint_outputs"}),
    (ContradictingFacts(), {"check_facts"}),
    (FactIsMethod(), {"check_facts"}),
    (ConcavityIsNumber(), {"check_facts"}),
    (FreePositions(), {"check_facts"}),
    (NotFree(), {"check_unpenalised"}),
    (NoConstant(), {"check_null_space"}),
    (OneDirection(), {"check_null_space"}),
    (OneAlphaForAll([0, 1, 1, 0, 2]), {"check_blocks"}),
]


@pytest.mark.parametrize(("penalty", "names"), WRONG, ids=[type(penalty).__name__ for penalty, _ in WRONG])
def test_wrong_penalties_fail_the_right_checks(penalty, names):
    (cases,) = parametrize_penalty_checks([penalty]).args[1:]
    checks = {_common.check_name(check): check for _, check in (case.values for case in cases)}
    results = _common.run_checks("penalty", penalty, [checks[name] for name in sorted(names)], None, None, None)
    assert names == failures(results).keys()


def first_failure(penalty, **settings):
    with pytest.raises(AssertionError) as caught:
        check_penalty(penalty, **settings)
    return str(caught.value), caught.value.__notes__


@pytest.mark.parametrize(
    ("penalty", "check", "broken", "cause"),
    [
        (ForgetsStep(), "check_prox_minimises", "prox does not minimise", "twice the step: does it use step?"),
        (ForgetsAlpha(), "check_prox_minimises", "prox does not minimise", "twice the alpha: does it use alpha?"),
        (TwiceTheValue(), "check_prox_minimises", "prox does not minimise", "prox would be right with 2 * step"),
        (SeparableSLOPE(), "check_separable_prox", "it claims separable", "leave separable = False"),
        (ConvexMCP(), "check_convex_value", "value contradicts convex = True", "the declared fact is wrong"),
        (ScaledConstraint(), "check_value", "value is NaN", "0 * inf"),
        (WritesToInput(), "check_input_unchanged", "prox writes to its input", "in-place"),
        (ValueWritesToSelf(), "check_self_unchanged", "value writes to self", "a cache or a counter"),
        (ReturnsInput(), "check_prox_output", "prox returns its input", "return coef.copy()"),
        (StochasticProx(), "check_deterministic", "prox gives two answers", "random numbers"),
        (WrongQuadratic(), "check_quadratic", "quadratic contradicts value", "a forgotten half"),
    ],
    ids=lambda item: type(item).__name__ if isinstance(item, Penalty) else None,
)
def test_the_first_failure_says_what_is_wrong(penalty, check, broken, cause):
    text, notes = first_failure(penalty)
    assert text.startswith(f"{penalty!r}: {broken}")
    assert cause in text.splitlines()[-1]
    assert notes == [f"{check} of {penalty!r}"]


def test_a_failure_can_be_tried_again():
    text, _ = first_failure(
        SmallStepMCP(),
        expected_failed_checks=dict.fromkeys(
            ("check_constraint", "check_prox_output", "check_separable_prox"), "for another test"
        ),
    )
    for part in (
        "coef = [",
        "step = ",
        "alpha = ",
        "prox = [",
        "better point = [",
        "lower by = ",
        "MCP for step >= gamma",
    ):
        assert part in text


# -- the runner ---------------------------------------------------------------


def test_results_have_the_shape_of_check_estimator():
    theirs = check_estimator(_Constant(), on_fail=None, on_skip=None)[0]
    for result in check_penalty(L1()):
        assert list(result) == ["penalty" if key == "estimator" else key for key in theirs]
        assert result["status"] in ("passed", "skipped")
        assert (result["status"] == "passed") == (result["exception"] is None)
        assert result["expected_to_fail"] is False


class _Constant(L1):
    """Something that check_estimator accepts as a subject; whether it passes does not matter."""

    def fit(self, X, y=None):
        return self


def test_parameters_agree_with_check_estimator():
    theirs, ours = inspect.signature(check_estimator).parameters, inspect.signature(check_penalty).parameters
    for name in ("on_fail", "callback", "expected_failed_checks"):
        assert ours[name].default == theirs[name].default


def test_skipped_checks_say_why():
    skipped = {result["check_name"]: result["exception"] for result in check_penalty(L1()) if result["exception"]}
    assert str(skipped["check_blocks"]) == "blocks() is None."
    assert all(isinstance(reason, SkipTest) and str(reason) for reason in skipped.values())


def test_warn_instead_of_raise():
    with pytest.warns(EstimatorCheckFailedWarning, match="check_quadratic"):
        results = check_penalty(WrongQuadratic(), on_fail="warn")
    assert list(failures(results)) == ["check_quadratic"]


def test_callback_sees_every_result():
    seen = []
    results = check_penalty(WrongQuadratic(), on_fail=None, callback=lambda **result: seen.append(result))
    assert seen == results
    with pytest.raises(ValueError, match="callback cannot be provided together with on_fail='raise'"):
        check_penalty(L1(), callback=print)


def test_expected_failures():
    results = check_penalty(WrongQuadratic(), expected_failed_checks={"check_quadratic": "known"})
    (expected,) = (result for result in results if result["expected_to_fail"])
    assert expected["status"] == "xfail"
    assert expected["expected_to_fail_reason"] == "known"


def test_bad_arguments():
    with pytest.raises(ValueError, match="on_fail must be 'raise', 'warn' or None; got 'shout'"):
        check_penalty(L1(), on_fail="shout")
    with pytest.raises(TypeError, match=r"L1 is a class; give an instance: L1\(\)"):
        check_penalty(L1)
    with pytest.raises(TypeError, match=r"Give instances, not classes: L1\(\) instead of L1"):
        parametrize_penalty_checks([L1])
    with pytest.raises(TypeError, match=r"subclass of skreg\.Penalty"):
        check_penalty(object())


def test_a_name_will_do():
    assert {result["status"] for result in check_penalty("l1")} == {"passed", "skipped"}


def test_parametrize_gives_readable_ids_and_marks():
    mark = parametrize_penalty_checks(
        [L1(positive=True), WrongQuadratic()],
        expected_failed_checks=lambda penalty: {"check_quadratic": "on purpose"} if type(penalty) is not L1 else {},
    ).mark
    names, cases = mark.args
    assert names == ("penalty", "check")
    ids = [case.id for case in cases]
    assert "L1(positive=True)-check_prox_minimises" in ids
    # What does not apply is left out: nothing is skipped.
    assert "L1(positive=True)-check_quadratic" not in ids
    (marked,) = (case for case in cases if case.marks)
    assert marked.id == "WrongQuadratic()-check_quadratic"
    assert marked.marks[0].kwargs["reason"] == "on purpose"


def test_parametrize_keeps_what_cannot_be_decided():
    ids = [case.id for case in parametrize_penalty_checks([BindForgetsReturn()]).mark.args[1]]
    assert "BindForgetsReturn()-check_blocks" in ids


def test_long_ids_are_cut():
    (case, *_) = parametrize_penalty_checks([UserBox(np.arange(50.0), np.arange(50.0) + 1)]).mark.args[1]
    assert len(case.id) < 120


def test_number_of_features():
    with pytest.raises(ValueError, match="2 labels for 5 features"):
        check_penalty(UserGroupLasso([0, 1]), n_features=5)
    check_penalty(UserGroupLasso([0, 1]), n_features=2)
    for n_features in (1, 2, 20):
        check_penalty(UserMCP(), n_features=n_features)


def test_the_penalty_is_left_alone():
    penalty = BindWrites()
    check_penalty(penalty, on_fail=None)
    assert vars(penalty) == {"positive": False}


def test_the_same_seed_gives_the_same_failure():
    assert first_failure(ForgetsStep(), random_state=3) == first_failure(ForgetsStep(), random_state=3)
    assert first_failure(ForgetsStep(), random_state=3) != first_failure(ForgetsStep(), random_state=4)


def test_a_class_inside_a_function_need_not_be_picklable():
    class Local(L1):
        pass

    with pytest.raises((AttributeError, pickle.PicklingError)):
        pickle.dumps(Local())
    check_penalty(Local())


def test_state_sees_arrays_nested_objects_and_sparse_matrices():
    inner, matrix = UserBox(np.zeros(3)), sparse.eye_array(3, format="csr")
    penalty = UserBox(lower=inner, upper=[matrix, {"f": np.mean}])
    before = _common.state(penalty)
    assert _common.state(clone(penalty, safe=False)) == before
    for write in (lambda: inner.lower.__setitem__(1, 1e-300), lambda: matrix.data.__setitem__(0, 2.0)):
        write()
        assert _common.state(penalty) != before
        before = _common.state(penalty)


@pytest.mark.parametrize(("factor", "fails"), [(1.0, False), (1 + 1e-9, True)])
def test_compiled_twins_are_compared_with_their_text(monkeypatch, factor, fails):
    def compiled(penalty):
        return lambda coef, step, alpha: factor * penalty.prox(coef, step, alpha)

    def status(penalty):
        return {result["check_name"]: result["status"] for result in check_penalty(penalty)}["check_compiled_twin"]

    assert status(L1()) == "passed"
    assert status(UserMCP()) == "skipped"
    monkeypatch.setattr(_twins, "_compiled_prox", compiled)
    assert ("check_compiled_twin" in failures(check_penalty(L1(), on_fail=None))) == fails
