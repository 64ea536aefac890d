"""Checks of what every loss must do, and of what it declares."""

import functools
import warnings

import numpy as np
from scipy.optimize import minimize

from skreg.testing import _common
from skreg.testing._loss_case import loss_check

EXTREME = (1e3, 1e10, 1e150, 1e300)
WIDTHS = 10.0 ** -np.arange(2.0, 7.0)
POINTWISE = ("value", "gradient", "curvature", "hessian_product")


# -- a loss as a scikit-learn object ------------------------------------------


@loss_check()
def check_parameters(case):
    """``__init__`` only stores; get_params, set_params and repr agree."""
    _common.assert_init_only_stores(case.loss)
    _common.assert_params_round_trip(case.loss)


@loss_check()
def check_copies(case):
    """clone, deepcopy and pickle give a loss with the same answers."""
    eta = case.normal()
    for how, copy in _common.copies(case.loss):
        if not np.array_equal(copy.value(case.y, eta), case.loss.value(case.y, eta)):
            case.fail("a copy gives other answers.", "__init__ changes its parameters.", copied_with=how)


@loss_check()
def check_facts(case):
    """The declared facts are True or False."""
    for fact in ("convex", "quadratic", "shift_invariant", "coupled_outputs"):
        if not isinstance(getattr(case.loss, fact), (bool, np.bool_)):
            case.fail(f"{fact} must be True or False.", "it is a method or a number.", found=getattr(case.loss, fact))


# -- shapes, rows, side effects -----------------------------------------------


def _shape(case, method):
    return (case.n_samples,) if method == "value" else case.y.shape


@loss_check()
def check_output(case):
    """Every result is a finite float array of the right shape."""
    for method in POINTWISE:
        for eta in case.etas():
            got = case.call(method, eta, *case.more(method))
            if not isinstance(got, np.ndarray) or got.shape != _shape(case, method) or got.dtype.kind != "f":
                found = {"shape": np.shape(got), "expected_shape": _shape(case, method), "type": type(got).__name__}
                case.fail(f"{method} must return a float array.", "a mean or a sum over the rows.", **found)
            if not np.isfinite(got).all():
                row = int(np.argwhere(~np.isfinite(got))[0][0])
                case.fail(f"{method} is not finite.", "exp of a large number.", row=row, eta=eta, found=got)


@loss_check()
def check_float32(case):
    """A linear predictor in float32 gives the same, to the accuracy of float32."""
    eta = case.normal(3.0).astype(np.float32)
    for method in POINTWISE:
        more = case.more(method)
        single, double = case.call(method, eta, *more), case.call(method, eta.astype(float), *more)
        tolerance, hint = 1e-4 * (1 + np.abs(double)), "a constant that only float64 can hold."
        case.assert_close(single, double, tolerance, f"{method} of float32 is wrong.", hint, eta=eta)


@loss_check()
def check_rows(case):
    """Row ``i`` of a result depends on row ``i`` of the arguments only."""
    half = np.arange(case.n_samples)[::2]
    for method in POINTWISE:
        for eta in case.etas()[::3]:
            more = case.more(method)
            whole = case.call(method, eta, *more)[half]
            alone = getattr(case.loss, method)(case.y[half], eta[half], *(item[half] for item in more))
            if not np.allclose(whole, alone, rtol=1e-10, atol=1e-14):
                hint = "a sum, a mean, a maximum or a sort over the rows."
                case.fail(f"{method} mixes the rows.", hint, all_rows=whole[:3], every_second_row=alone[:3])


def _coupled(case):
    flat = case.y.ndim == 1
    return None if flat else "It is for losses of one output, which are summed over several targets."


@loss_check(skips=_coupled)
def check_several_targets(case):
    """Targets with two columns give the results of each column."""
    y, eta = np.column_stack([case.y, case.y[::-1]]), np.column_stack([case.normal(), case.normal(5.0)])
    for method in ("value", "gradient", "curvature"):
        both = np.asarray(getattr(case.loss, method)(y, eta))
        each = np.column_stack([getattr(case.loss, method)(y[:, k], eta[:, k]) for k in range(2)])
        if method == "value":
            both, each = both.reshape(case.n_samples, -1).sum(axis=1), each.sum(axis=1)
        if both.shape != each.shape or not np.allclose(both, each, rtol=1e-10, atol=1e-14):
            hint = "a sum over all entries, or an index that expects one column."
            case.fail(f"{method} of several targets is not that of each.", hint, found=both[:3], expected=each[:3])


def _calls(case, eta):
    """Every method that solvers and estimators call, as ``(name, arguments)``."""
    y, weights = case.y, np.full(case.n_samples, 1.0 / case.n_samples)
    yield from ((method, (y, eta, *case.more(method))) for method in POINTWISE)
    yield "conjugate", (y, case.call("gradient", eta))
    yield "inverse_link", (eta,)
    yield "null_eta", (y, weights)
    yield "check_target", (y,)


@loss_check()
def check_input_unchanged(case):
    """No method writes to its arguments, nor returns them."""
    for eta in case.etas()[::2]:
        for name, arguments in _calls(case, eta):
            given = [item.copy() for item in arguments]
            got = getattr(case.loss, name)(*given)
            for before, after in zip(arguments, given, strict=True):
                if not np.array_equal(before, after):
                    case.fail(f"{name} writes to its input.", "an in-place operation.", before=before, after=after)
                # Prediction may be eta itself; what a solver works on may not.
                if name in POINTWISE and np.shares_memory(got, after):
                    case.fail(f"{name} returns its input.", "return a copy.", input=after)
            _call_read_only(case, name, arguments)


def _call_read_only(case, name, arguments):
    frozen = [item.copy() for item in arguments]
    for item in frozen:
        item.flags.writeable = False
    try:
        getattr(case.loss, name)(*frozen)
    except ValueError as error:
        case.fail(f"{name} cannot read a read-only array.", "an in-place operation.", raised=error)


@loss_check()
def check_self_unchanged(case):
    """No method writes to ``self``."""
    before = _common.state(case.loss)
    for name, arguments in _calls(case, case.normal()):
        getattr(case.loss, name)(*arguments)
        if _common.state(case.loss) != before:
            case.fail(f"{name} writes to self.", "a cache or a counter; the same object serves many fits.")


@loss_check()
def check_deterministic(case):
    """The same call gives the same answer."""
    for name, arguments in _calls(case, case.normal()):
        once, twice = (np.asarray(getattr(case.loss, name)(*arguments), dtype=float) for _ in range(2))
        if not np.array_equal(once, twice, equal_nan=True):
            case.fail(f"{name} gives two answers to one question.", "random numbers.", first=once, second=twice)


@loss_check()
def check_extreme_eta(case):
    """Linear predictors up to 1e300 give no NaN, and no warning unless the result is truly infinite."""
    for size in EXTREME:
        for method in (*POINTWISE, "inverse_link"):
            eta = case.rng.choice([-size, 0.0, size], case.y.shape)
            got, seen = _recorded(case, method, eta)
            if method == "value" and case.loss.convex:
                _assert_infinite_only_where_steep(case, eta, got)
            if np.isnan(got).any() or (method == "value" and np.isneginf(got).any()):
                row = int(np.argwhere(np.isnan(got) | np.isneginf(got))[0][0])
                hint = "inf - inf or inf / inf after exp: use logaddexp, expit, log_softmax."
                case.fail(f"{method} breaks at a large eta.", hint, row=row, eta=eta, found=got)
            # Beyond 1e150 squares overflow, be it in a branch that is not used.
            if seen and size <= 1e150 and not (np.isinf(got).any() and all("overflow" in text for text in seen)):
                hint = "exp of a large number, even where its result is not used: use logaddexp, expit."
                case.fail(f"{method} warns at a large eta.", hint, largest_eta=size, warnings=seen)


def _assert_infinite_only_where_steep(case, eta, value):
    """A convex loss exceeds its value at 0 by ``gradient * eta`` at most: while that is finite, so is the loss."""
    rise = np.abs(case.call("gradient", eta) * eta).reshape(case.n_samples, -1).sum(axis=1)
    wrong = np.isinf(value) & np.isfinite(rise)
    if wrong.any():
        hint = "exp overflows on the way: use logaddexp, log_softmax."
        case.fail("value is inf where it is finite.", hint, row=int(wrong.argmax()), eta=eta, largest_value=rise)


def _recorded(case, method, eta):
    with warnings.catch_warnings(record=True) as seen, np.errstate(all="warn", under="ignore"):
        warnings.simplefilter("always")
        got = case.loss.inverse_link(eta) if method == "inverse_link" else case.call(method, eta, *case.more(method))
    return np.asarray(got), sorted({str(warning.message) for warning in seen})


# -- derivatives --------------------------------------------------------------


def _numeric(function, eta, direction, guess):
    """The central difference, among several widths, that is nearest to ``guess`` in each entry."""
    best = np.full(np.shape(guess), np.inf)
    for width in WIDTHS:
        slope = (function(eta + width * direction) - function(eta - width * direction)) / (2.0 * width)
        best = np.where(np.abs(slope - guess) < np.abs(best - guess), slope, best)
    return best


def _directions(case):
    """One direction per output."""
    if case.y.ndim == 1:
        return [(..., np.ones_like(case.y))]
    return [((slice(None), k), np.eye(case.y.shape[1])[np.full(case.n_samples, k)]) for k in range(case.y.shape[1])]


@loss_check()
def check_gradient(case):
    """``gradient`` is the derivative of ``value``."""
    for eta in case.etas():
        gradient, value = case.call("gradient", eta), case.call("value", eta)
        for output, direction in _directions(case):
            got = gradient[output]
            want = _numeric(functools.partial(case.call, "value"), eta, direction, got)
            hint = "a sign (eta - y, not y - eta), a factor of 2, or a mean over the rows."
            tolerance = 1e-6 * (1 + np.abs(got) + np.abs(value))
            case.assert_close(got, want, tolerance, "gradient is not the derivative of value.", hint, eta=eta)


@loss_check()
def check_curvature(case):
    """``curvature`` is the derivative of ``gradient``, one output at a time."""
    for eta in case.etas():
        curvature, gradient = case.call("curvature", eta), case.call("gradient", eta)
        for output, direction in _directions(case):
            got = curvature[output]
            want = _numeric(lambda eta, at=output: case.call("gradient", eta)[at], eta, direction, got)
            hint = "a factor of 2, or a formula for another link."
            tolerance = 1e-6 * (1 + np.abs(got) + np.abs(gradient[output]))
            case.assert_close(got, want, tolerance, "curvature is not the derivative of gradient.", hint, eta=eta)


@loss_check()
def check_hessian_product(case):
    """``hessian_product`` is the derivative of ``gradient`` along a direction."""
    for eta in case.etas():
        direction = case.normal()
        got = case.call("hessian_product", eta, direction)
        want = _numeric(functools.partial(case.call, "gradient"), eta, direction, got)
        hint = "outputs that depend on each other need a hessian_product of their own."
        tolerance = 1e-6 * (1 + np.abs(got) + np.abs(case.call("gradient", eta)))
        broken = "hessian_product is not the derivative of gradient."
        case.assert_close(got, want, tolerance, broken, hint, eta=eta, direction=direction)


# -- declared facts and optional methods --------------------------------------


def _not_convex(case):
    return None if case.loss.convex else "It does not declare convex = True."


def _not_quadratic(case):
    return None if case.loss.quadratic else "It does not declare quadratic = True."


def _not_shift_invariant(case):
    return None if case.loss.shift_invariant else "It does not declare shift_invariant = True."


@loss_check(skips=_not_shift_invariant)
def check_shift_invariant(case):
    """The same number added to ``y`` and ``eta`` changes nothing."""
    for eta in case.etas():
        shift = case.normal(10.0)
        value, shifted = case.call("value", eta), case.loss.value(case.y + shift, eta + shift)
        broken, hint = "value contradicts shift_invariant = True.", "a link, or labels: set it to False."
        case.assert_close(shifted, value, 1e-9 * (1 + np.abs(value)), broken, hint, eta=eta, shift=shift)


def _no_null_eta(case):
    weights = np.full(case.n_samples, 1.0 / case.n_samples)
    return "null_eta() is None." if case.loss.null_eta(case.y, weights) is None else None


def _no_conjugate(case):
    return "conjugate() is None." if case.call("conjugate", 0.0 * case.y) is None else None


@loss_check(skips=_not_convex)
def check_convex(case):
    """``value`` is convex in ``eta``, ``curvature`` not negative."""
    for left, right in zip(case.etas(), case.etas()[::-1], strict=True):
        middle, ends = case.call("value", 0.5 * (left + right)), (case.call("value", left), case.call("value", right))
        chord = 0.5 * sum(ends)
        excess = middle - chord - 1e-10 * (1 + np.abs(chord))
        if excess.max() > 0:
            row = int(excess.argmax())
            where = {"left": left, "right": right, "value between": middle, "value on the chord": chord}
            case.fail("value contradicts convex = True.", "set convex = False.", row=row, **where)
        if case.call("curvature", left).min() < 0:
            row = int(np.argwhere(case.call("curvature", left) < 0)[0][0])
            case.fail("curvature is negative.", "set convex = False.", row=row, eta=left)


@loss_check(skips=_not_quadratic)
def check_quadratic(case):
    """A quadratic loss has curvature 1 everywhere."""
    for eta in case.etas():
        curvature = case.call("curvature", eta)
        case.assert_close(curvature, 1.0, 1e-12, "quadratic contradicts curvature.", "the half in front.", eta=eta)


@loss_check(skips=_no_null_eta)
def check_null_eta(case):
    """``null_eta`` minimises the weighted mean of ``value``."""
    random = case.rng.uniform(0.5, 2.0, case.n_samples)
    some = np.where(np.arange(case.n_samples) < 0.8 * case.n_samples, random, 0.0)
    for weights in (np.ones(case.n_samples), random, some):
        weights = weights / weights.sum()
        null = case.loss.null_eta(case.y.copy(), weights.copy())
        shape = case.y.shape[1:]
        if np.shape(null) != shape:
            found = {"shape": np.shape(null), "expected": shape}
            case.fail("null_eta has a wrong shape.", "a sum over the wrong axis.", **found)
        best = minimize(_mean_loss, np.zeros(shape).ravel(), args=(case, weights), jac=True, method="BFGS").x
        mine, theirs = _mean_loss(np.ravel(null), case, weights)[0], _mean_loss(best, case, weights)[0]
        if not mine <= theirs + 1e-9 * (1 + abs(theirs)):
            where = {"null_eta": null, "mean loss": mine, "better": best, "mean loss there": theirs}
            case.fail("null_eta does not minimise the loss.", "weights are not used, or a link is missing.", **where)


def _mean_loss(constant, case, weights):
    eta = np.broadcast_to(constant if case.y.ndim == 2 else constant[0], case.y.shape)
    return weights @ case.call("value", eta), np.atleast_1d(weights @ case.call("gradient", eta))


@loss_check(skips=_no_conjugate)
def check_conjugate(case):
    """Fenchel and Young: ``value + conjugate >= eta * dual``, and equal at ``dual = gradient``."""
    for eta in case.etas():
        slope = case.call("gradient", eta)
        value = case.call("value", eta)
        for dual in (slope, case.call("gradient", case.normal()), case.normal(), 0.5 * slope):
            conjugate, product = case.call("conjugate", dual), (eta * dual).reshape(case.n_samples, -1).sum(axis=1)
            size = 1 + np.abs(value) + np.abs(product)
            where = {"eta": eta, "dual": dual, "value": value, "conjugate": conjugate}
            hint = "a forgotten half, a sign, or a domain that is too small."
            broken = "value + conjugate is below eta * dual."
            case.assert_close(np.minimum(value + conjugate - product, 0.0), 0.0, 1e-9 * size, broken, hint, **where)
            if dual is slope and case.loss.convex:
                broken = "value + conjugate is not eta * dual at the gradient."
                case.assert_close(value + conjugate, product, 1e-8 * size, broken, hint, **where)


@loss_check()
def check_inverse_link(case):
    """``inverse_link`` keeps the shape and is finite."""
    for eta in case.etas():
        got = case.loss.inverse_link(eta.copy())
        if np.shape(got) != eta.shape or not np.isfinite(got).all():
            case.fail("inverse_link must keep the shape and be finite.", "exp overflows.", shape=np.shape(got))


LOSS_CHECKS = (
    check_parameters,
    check_facts,
    check_deterministic,
    check_input_unchanged,
    check_self_unchanged,
    check_copies,
    check_output,
    check_float32,
    check_rows,
    check_several_targets,
    check_gradient,
    check_curvature,
    check_hessian_product,
    check_convex,
    check_quadratic,
    check_shift_invariant,
    check_null_eta,
    check_conjugate,
    check_inverse_link,
    check_extreme_eta,
)
