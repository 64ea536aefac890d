"""Checks of what every penalty must do, whatever it declares."""

import copy
import itertools
import warnings
from numbers import Real

import numpy as np

from skreg.testing import _common
from skreg.testing._points import ALPHAS, Point, not_scalar, penalty_check

# Squares stay finite: alpha * coef**2 is fine as it is, though 0 * inf at 1e300.
HUGE = (1e-300, 1e10, 1e100, 1e150)


# -- a penalty as a scikit-learn object ---------------------------------------


@penalty_check()
def check_parameters(case):
    """``__init__`` only stores; get_params, set_params and repr agree."""
    _common.assert_init_only_stores(case.given)
    _common.assert_params_round_trip(case.given)


@penalty_check()
def check_copies(case):
    """clone, deepcopy and pickle give a penalty with the same answers."""
    point = Point(case.normal(2.0), 0.7, 0.3)
    for how, made in _common.copies(case.given):
        bound = made.bind(case.n_features)
        same_prox = np.array_equal(bound.prox(*point), case.prox(point))
        if not (same_prox and bound.value(*point[::2]) == case.value(*point[::2])):
            case.fail("a copy gives other answers.", "__init__ changes its parameters.", copied_with=how)


@penalty_check()
def check_bind(case):
    """``bind`` returns a usable penalty, takes column names, and leaves ``self`` alone."""
    names = np.array([f"x{j}" for j in range(case.n_features)], dtype=object)
    for arguments in ((case.n_features,), (case.n_features, names)):
        fresh = copy.deepcopy(case.given)
        bound = fresh.bind(*arguments)
        if _common.state(fresh) != _common.state(case.given):
            case.fail("bind writes to self.", "return a copy (copy.copy(self)) that holds what bind found out.")
        if not all(callable(getattr(bound, method, None)) for method in ("value", "prox", "restrict")):
            case.fail("bind does not return a penalty.", "`return self` is missing.", returned=repr(bound))
        if bound.prox(case.normal(), 1.0, 1.0).shape != case.shape:
            case.fail("the bound penalty cannot be used.", "bind returns something else than the penalty.")


@penalty_check()
def check_facts(case):
    """The declared facts have the right type and do not contradict each other."""
    penalty = case.penalty
    for fact in ("separable", "convex", "joint_outputs"):
        if not isinstance(getattr(penalty, fact), (bool, np.bool_)):
            case.fail(f"{fact} must be True or False.", "it is a method or a number.", found=getattr(penalty, fact))
    if not callable(penalty.concavity):
        case.fail("concavity must be a method of alpha.", "it is a number.", found=penalty.concavity)
    for alpha in case.strengths():
        concavity = penalty.concavity(alpha)
        if np.shape(concavity) not in ((), np.shape(alpha), case.shape[:1]) or not np.all(np.asarray(concavity) >= 0):
            hint = "it is NaN or negative, or has the wrong shape."
            case.fail("concavity must be >= 0, one number or one per feature.", hint, alpha=alpha, found=concavity)
        if penalty.convex and np.any(concavity):
            case.fail("it claims convex and a concavity above 0.", "one of both is wrong.", concavity=concavity)
    free = np.asarray(penalty.unpenalised())
    if free.dtype != bool or free.shape not in ((), case.shape[:1]):
        case.fail("unpenalised must be True, False or one of them per feature.", "it gives positions.", found=free)


# -- value --------------------------------------------------------------------


@penalty_check()
def check_value(case):
    """``value`` is a scalar, finite or inf, also at ``alpha=0``."""
    for point in case.points(arrays=False):
        _assert_price(case, case.value(point.coef, point.alpha), point.coef, point.alpha)


def _assert_price(case, price, coef, alpha):
    where = {"coef": coef, "alpha": alpha, "value": price}
    if not isinstance(price, Real):
        case.fail("value must return one number.", "the sum over the coefficients is missing.", **where)
    if np.isnan(price):
        hint = "0 * inf (a constraint is inf at every alpha, not alpha * inf), inf - inf, or a square root below zero."
        case.fail("value is NaN.", hint, **where)
    if price == -np.inf:
        case.fail("value is -inf.", "a logarithm of zero.", **where)


@penalty_check()
def check_constraint(case):
    """What is forbidden (value inf) is so at every alpha, and prox never ends there."""
    for point in case.points(every=3, arrays=False):
        forbidden = [np.isposinf(case.value(point.coef, alpha)) for alpha in ALPHAS]
        if len(set(forbidden)) > 1:
            verdicts = dict(zip(ALPHAS, forbidden, strict=True))
            hint = "alpha multiplies the constraint; return np.inf before alpha comes in."
            case.fail("a constraint must hold at every alpha.", hint, coef=point.coef, forbidden_at_alpha=verdicts)
        answer = case.prox(point)
        for alpha in (0.0, point.alpha):
            price = case.value(answer, alpha)
            if not np.isfinite(price):
                hint = "prox misses the constraint by rounding (give value a tolerance), or forgets it."
                case.fail("prox ends where value is not finite.", hint, point, prox=answer, value=price)


@penalty_check()
def check_alpha_is_strength(case):
    """``value`` does not decrease when alpha grows."""
    for point in case.points(every=5, arrays=False):
        for low, high in itertools.pairwise(ALPHAS):
            price, dearer = case.value(point.coef, low), case.value(point.coef, high)
            if dearer < price - 1e-9 * abs(price):
                details = {"coef": point.coef, f"value at alpha={low}": price, f"value at alpha={high}": dearer}
                case.fail("a larger alpha must not cost less.", "alpha is used as C, its inverse.", **details)


@penalty_check()
def check_huge_and_tiny(case):
    """Coefficients of 1e-300 and 1e150 give no NaN."""
    for size in HUGE:
        coef = case.rng.choice([-size, 0.0, size], case.shape)
        for step, alpha in ((1e-3, 1.0), (1.0, 0.0), (30.0, 1.0)):
            _assert_price(case, case.value(coef, alpha), coef, alpha)
            answer = case.prox(Point(coef, step, alpha))
            if np.isnan(answer).any():
                hint = "inf - inf or 0 / 0 after an overflow or a division by a tiny number."
                case.fail("prox is NaN.", hint, coef=coef, step=step, alpha=alpha, prox=answer)


# -- prox: what comes out -----------------------------------------------------


@penalty_check()
def check_prox_output(case):
    """``prox`` returns a new float array of the same shape, without NaN."""
    for point in case.points(every=3):
        coef = point.coef.copy()
        first, second = case.penalty.prox(coef, *point[1:]), case.penalty.prox(coef, *point[1:])
        if not isinstance(first, np.ndarray) or first.shape != case.shape:
            hint = "a broadcast or a reduction; several outputs need joint_outputs = True."
            shape = {"expected_shape": case.shape, "shape": np.shape(first)}
            case.fail("prox must return an array shaped like coef.", hint, point, **shape)
        if first.dtype.kind != "f":
            case.fail("prox must return floats.", "integer arithmetic.", point, dtype=first.dtype)
        if not np.isfinite(first).all():
            case.fail("prox is not finite.", "0 / 0, or a formula used outside its branch.", point, prox=first)
        if np.shares_memory(first, coef):
            case.fail("prox returns its input.", "a shortcut such as `return coef`: return coef.copy().", point)
        if np.shares_memory(first, second):
            case.fail("prox returns the same memory twice.", "a buffer kept on self or on the module.", point)


@penalty_check()
def check_prox_input(case):
    """Integer, float32, strided and read-only coefficients are as welcome as any."""
    base = np.round(case.normal(3.0))
    step, alpha = 0.7, 0.3
    wide = np.zeros((*case.shape, 2))
    wide[..., 1] = base
    frozen = base.copy()
    frozen.flags.writeable = False
    inputs = {
        "integer": base.astype(int),
        "float32": base.astype(np.float32),
        "strided": wide[..., 1],
        "Fortran-ordered": np.asfortranarray(base),
        "read-only": frozen,
    }
    want, price = case.prox(Point(base, step, alpha)), case.value(base, alpha)
    for kind, coef in inputs.items():
        got, got_price = case.penalty.prox(coef, step, alpha), case.penalty.value(coef, alpha)
        rtol = 1e-4 if kind == "float32" else 1e-10
        if got.dtype.kind != "f" or not np.allclose(got, want, rtol=rtol, atol=rtol):
            hint = "the result takes the dtype or the memory order of the input."
            details = {"coef": coef, "prox": got, "expected": want, "dtype": got.dtype}
            case.fail(f"prox of {kind} coefficients is wrong.", hint, **details)
        if not np.isclose(got_price, price, rtol=rtol):
            details = {"coef": coef, "value": got_price, "expected": price}
            case.fail(f"value of {kind} coefficients is wrong.", "integer arithmetic.", **details)


# -- prox: side effects -------------------------------------------------------


def _calls(case, point):
    """Every method a solver calls, as ``(name, arguments)``."""
    coef, step, alpha = point
    yield "value", (coef, alpha)
    yield "prox", (coef, step, alpha)
    yield "quadratic", (alpha,)
    yield "conjugate", (coef, alpha)
    if case.penalty.conjugate(coef.copy(), alpha) is not None:
        yield "dual_scale", (coef, alpha)
    yield "concavity", (alpha,)
    yield "unpenalised", ()
    yield "null_space", ()
    yield "blocks", ()
    yield "restrict", (np.arange(case.n_features),)


@penalty_check()
def check_input_unchanged(case):
    """No method writes to its arguments."""
    for point in case.points(every=7):
        for name, arguments in _calls(case, point):
            given = [np.array(item) if isinstance(item, np.ndarray) else item for item in arguments]
            getattr(case.penalty, name)(*given)
            for before, after in zip(arguments, given, strict=True):
                if not np.array_equal(before, after):
                    hint = "an in-place operation (coef *= ..., np.maximum(..., out=coef)); work on a copy."
                    case.fail(f"{name} writes to its input.", hint, before=before, after=after)


@penalty_check()
def check_self_unchanged(case):
    """No method writes to ``self``."""
    before = _common.state(case.penalty)
    for point in case.points(every=7):
        for name, arguments in _calls(case, point):
            getattr(case.penalty, name)(*arguments)
            after = _common.state(case.penalty)
            if after != before:
                changed = _changed(before, after)
                hint = "a cache or a counter; the same object serves many fits at once."
                case.fail(f"{name} writes to self.", hint, attributes=changed)


def _changed(before, after):
    before, after = before[1], after[1]
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


@penalty_check()
def check_deterministic(case):
    """The same call gives the same answer."""
    for point in case.points(every=7):
        if not np.array_equal(case.prox(point), case.prox(point), equal_nan=True):
            case.fail("prox gives two answers to one question.", "random numbers in prox.", point)
        if not np.array_equal(case.value(*point[::2]), case.value(*point[::2]), equal_nan=True):
            case.fail("value gives two answers to one question.", "random numbers in value.", point)


@penalty_check()
def check_no_warnings(case):
    """Ordinary coefficients give no floating-point warning."""
    points = case.points(every=3)
    with warnings.catch_warnings(), np.errstate(divide="warn", over="warn", invalid="warn", under="ignore"):
        warnings.simplefilter("error")
        for point in points:
            try:
                case.value(*point[::2])
                case.prox(point)
            except Warning as warning:
                hint = "np.where computes both branches; divide only where it is asked for, or use np.errstate."
                case.fail("a warning at ordinary coefficients.", hint, point, warning=repr(warning))


# -- prox: the right answer ---------------------------------------------------


@penalty_check()
def check_prox_minimises(case):
    """No competitor, near or far, is better than the prox."""
    for point in case.points(arrays=False):
        answer = case.prox(point)
        rival = _better_rival(case, point, answer)
        if rival is not None:
            mine, theirs = (case.objective(coef, point)[0] for coef in (answer, rival))
            _fail_prox(case, point, answer, rival, mine, theirs)


def _better_rival(case, point, answer):
    """The first competitor that is better than ``answer`` by more than rounding, or None."""
    mine, size = case.objective(answer, point)
    for rival in case.rivals(point, answer):
        theirs, their_size = case.objective(rival, point)
        if not mine <= theirs + case.slack(point, size, their_size):
            return rival
    return None


@penalty_check(skips=not_scalar)
def check_prox_against_brute_force(case):
    """Coefficient by coefficient, no point of a fine grid is better than the prox."""
    for point in case.points(every=5):
        index = case.index()
        one, at = case.restricted([index[0]]), Point(point.coef[[index]].ravel(), *point.at(index)[1:])
        alone = _OneCoefficient(one, at)
        answer = np.asarray(one.prox(at.coef.copy(), at.step, at.alpha), dtype=float)
        mine, rival = alone(answer[0]), alone.minimiser(answer[0])
        theirs = alone(rival)
        size = abs(one.value(answer, at.alpha)) + (answer[0] - at.coef[0]) ** 2 / at.step
        if not mine <= theirs + case.slack(at, size, abs(theirs)):
            _fail_prox(case, at, answer, np.array([rival]), mine, theirs)


class _OneCoefficient:
    """The objective of a prox along the line, and its minimiser found by looking everywhere."""

    def __init__(self, penalty, point):
        self.penalty, self.point = penalty, point

    def __call__(self, number):
        coef, step, alpha = self.point
        return float(self.penalty.value(np.array([number]), alpha)) + 0.5 * (number - coef[0]) ** 2 / step

    def minimiser(self, answer):
        reach = 2.0 * max(abs(self.point.coef[0]), abs(answer), self.point.alpha)
        best = 0.0
        # Each round looks five times closer at the best of the one before.
        for width in reach * 5.0 ** -np.arange(7.0):
            grid = best + width * np.linspace(-1, 1, 21)
            best = min((best, *grid), key=self)
        return best


def _fail_prox(case, point, answer, rival, mine, theirs):
    details = {
        "prox": answer,
        "objective there": mine,
        "better point": rival,
        "objective at it": theirs,
        "lower by": mine - theirs,
    }
    broken = "prox does not minimise value(u, alpha) + ||u - coef||^2 / (2 step)."
    case.fail(broken, _suspicion(case, point, answer), point, **details)


def _suspicion(case, point, answer):
    """The mistake that explains a wrong prox, when one can be recognised."""
    if np.shape(answer) != point.coef.shape:
        return (
            "a parameter has a number for each feature, and there is no restrict(features) that gives the penalty "
            "on some of the features."
        )
    if point.coef.shape == case.shape:
        coef, step, alpha = point
        moved = np.any(answer != 0) and np.any(answer != coef)
        if moved and np.array_equal(case.prox(Point(coef, 2 * step, alpha)), answer):
            return "prox gives the same at twice the step: does it use step?"
        if moved and np.array_equal(case.prox(Point(coef, step, 2 * alpha)), answer):
            return "prox gives the same at twice the alpha: does it use alpha?"
        for factor in (2.0, 0.5):
            other = case.prox(Point(coef, factor * step, alpha))
            if _better_rival(case, point, other) is None:
                return f"prox would be right with {factor:g} * step: do value and prox charge the same?"
    return (
        "prox forgets step or alpha, value and prox differ by a factor, or the formula holds for small steps only "
        "(concave penalties need another branch: MCP for step >= gamma)."
    )


# A cause stands before its effects: with on_fail="raise" the first failure is the one to mend.
CONTRACT_CHECKS = (
    check_parameters,
    check_bind,
    check_facts,
    check_deterministic,
    check_input_unchanged,
    check_self_unchanged,
    check_copies,
    check_value,
    check_constraint,
    check_alpha_is_strength,
    check_huge_and_tiny,
    check_prox_output,
    check_prox_input,
    check_prox_minimises,
    check_prox_against_brute_force,
    check_no_warnings,
)
