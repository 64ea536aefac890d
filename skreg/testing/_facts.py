"""Checks of what a penalty declares: convex, separable, blocks, joint_outputs, quadratic, conjugate."""

import itertools

import numpy as np

from skreg.testing._points import ALPHAS, RELATIVE, Point, not_scalar, not_separable, penalty_check

RESTRICT_HINT = "a parameter with one entry per feature, and no restrict(features) that picks from it."


# -- when a check does not apply ----------------------------------------------


def _not_convex(case):
    return None if case.convex else "It does not declare convex = True."


def _not_bowl(case):
    known = case.convex or np.all(np.isfinite(case.penalty.concavity(1.0)))
    return None if known else "It declares neither convex = True nor a finite concavity."


def _no_blocks(case):
    return "blocks() is None." if case.penalty.blocks() is None else None


def _all_penalised(case):
    return None if np.any(case.penalty.unpenalised()) else "unpenalised() is False."


def _no_null_space(case):
    return "null_space() is None." if case.penalty.null_space() is None else None


def _single_output(case):
    return None if case.penalty.joint_outputs else "It does not declare joint_outputs = True."


def _no_quadratic(case):
    return "quadratic() is None." if all(case.penalty.quadratic(alpha) is None for alpha in case.strengths()) else None


def _no_conjugate(case):
    return "conjugate() is None." if case.penalty.conjugate(case.normal(), 1.0) is None else None


# -- convex, concavity --------------------------------------------------------


@penalty_check(skips=_not_bowl)
def check_convex_value(case):
    """``value + concavity / 2 * ||coef||^2`` is convex: a chord never runs below it."""

    def bowl(coef):
        return case.value(coef, alpha) + 0.5 * float(np.sum((concavity * np.square(coef).T).T))

    for alpha in ALPHAS:
        concavity = np.zeros(1) if case.convex else np.atleast_1d(case.penalty.concavity(alpha))
        for left, right in _segments(case, alpha):
            share = case.rng.uniform(0.1, 0.9)
            middle = share * left + (1 - share) * right
            chord, found = share * bowl(left) + (1 - share) * bowl(right), bowl(middle)
            terms = abs(found) + abs(chord) + float(np.max(concavity)) * float(np.sum(left**2 + right**2))
            if np.isfinite(chord) and not found <= chord + 1e-10 * terms:
                claim = "convex = True" if case.convex else f"concavity = {np.max(concavity):g}"
                details = {"alpha": alpha, "left": left, "right": right, "between": middle}
                details |= {"value between": found, "value on the chord": chord, "above by": found - chord}
                hint = "the declared fact is wrong, or value has a wrong sign."
                case.fail(f"value contradicts {claim}.", hint, **details)


def _segments(case, alpha):
    """Pairs of points: far, near, one coefficient apart, and such that satisfy a constraint."""
    for scale in (0.1, 1.0, 3.0, 10.0) * 6:
        reach = scale * (alpha or 1.0)
        left, right = case.normal(reach), case.normal(reach)
        yield left, right
        yield case.prox(Point(left, 1.0, alpha)), case.prox(Point(right, 1.0, alpha))
        index = case.index()
        along = left.copy()
        along[index] = right[index]
        yield left, along
        alone = np.zeros(case.shape)
        alone[index] = abs(left[index])
        yield alone, 3.0 * alone


def _pairs_of_points(case):
    """Two coefficients each, at the same step and alpha."""
    for one, other in itertools.pairwise(case.points(arrays=False)):
        yield one, Point(other.coef, *one[1:])
        yield one, Point(one.coef + 0.1 * (abs(one.coef).max() + 0.1) * case.normal(), *one[1:])


@penalty_check(skips=_not_convex)
def check_prox_three_points(case):
    """The three-point inequality of Beck and Teboulle, which holds for the prox of a convex value."""
    for point, other in _pairs_of_points(case):
        answer = case.prox(point)
        mine, size = case.objective(answer, point)
        for rival in (other.coef, case.prox(other)):
            theirs, their_size = case.objective(rival, point)
            bound = theirs - 0.5 * float(np.sum((rival - answer) ** 2)) / point.step
            if not mine <= bound + case.slack(point, size, their_size):
                details = {"prox": answer, "third point": rival, "objective at prox": mine, "bound": bound}
                hint = "value is not convex, or prox does not minimise (see check_prox_minimises)."
                case.fail("prox breaks the three-point inequality.", hint, point, **details)


@penalty_check(skips=_not_convex)
def check_prox_firmly_nonexpansive(case):
    """Two points come closer: ``||prox(a) - prox(b)||^2 <= <prox(a) - prox(b), a - b>``."""
    for point, other in _pairs_of_points(case):
        apart, moved = point.coef - other.coef, case.prox(point) - case.prox(other)
        excess = float(np.sum(moved**2) - np.sum(moved * apart))
        if not excess <= RELATIVE * float(np.sum(apart**2)) + 1e-14 * float(np.sum(point.coef**2)):
            hint = "value is not convex, or prox does not minimise (see check_prox_minimises)."
            case.fail("prox is not firmly nonexpansive.", hint, point, other_coef=other.coef, excess=excess)


# -- separable, blocks, restrict ----------------------------------------------


def _close(got, want, coef):
    return np.allclose(got, want, rtol=RELATIVE, atol=1e-12 * (np.abs(coef).max(initial=0.0) + 1e-290))


def _elsewhere(case, coef, kept):
    """Other coefficients wherever ``kept`` is False."""
    return np.where(kept, coef, case.rng.permuted(coef) + case.normal(np.abs(coef).max() + 0.1))


@penalty_check(skips=not_separable)
def check_separable_prox(case):
    """The prox of one coefficient does not see the others."""
    for point in case.points(every=3, arrays=False):
        index, kept = case.index(), np.zeros(case.shape, dtype=bool)
        kept[index] = True
        other = Point(_elsewhere(case, point.coef, kept), *point[1:])
        one, two = case.prox(point)[index], case.prox(other)[index]
        if not _close(one, two, point.coef[index]):
            hint = "a sum, a norm or a sort over the coefficients: leave separable = False."
            details = {"other_coef": other.coef, "position": index, "prox there": one, "with the others changed": two}
            case.fail("it claims separable, but coefficients see each other.", hint, point, **details)


@penalty_check(skips=not_scalar)
def check_separable_arrays(case):
    """Arrays of step and alpha give what scalars give, one coefficient at a time."""
    parts = [case.restricted([j]) for j in range(case.n_features)]
    for point in case.array_points(25):
        whole, price = case.prox(point), case.value(*point[::2])
        alone = [Point(point.coef[[j]], *point.at(j)[1:]) for j in range(case.n_features)]
        try:
            each = np.array([part.prox(*one)[0] for part, one in zip(parts, alone, strict=True)])
            prices = sum(part.value(*one[::2]) for part, one in zip(parts, alone, strict=True))
        except (IndexError, ValueError) as error:
            case.fail("restrict to one feature cannot be used.", RESTRICT_HINT, raised=error)
        if not _close(whole, each, point.coef):
            hint = f"`if alpha > 0`, max(alpha) or alpha[0] in prox; or {RESTRICT_HINT}"
            case.fail("prox with arrays is not that of each coefficient.", hint, point, prox=whole, one_by_one=each)
        if np.ndim(price) != 0 or not np.isclose(price, prices, rtol=1e-9):
            hint = f"alpha stands outside the sum over the coefficients; or {RESTRICT_HINT}"
            where = {"coef": point.coef, "alpha": point.alpha, "value": price, "one_by_one": prices}
            case.fail("value with an array alpha is not the sum of its parts.", hint, **where)


@penalty_check(skips=not_separable)
def check_restrict(case):
    """On a subset of the features, in any order, the penalty does what it does on the whole."""
    for point in case.points(every=9, arrays=False):
        order = case.rng.permutation(case.n_features)
        head, tail = np.array_split(order, 2)
        _assert_parts(case, point, [part for part in (head, tail) if len(part)])
    twice = case.restricted(order).restrict(np.arange(len(head)))
    again = twice.prox(point.coef[head], *point[1:])
    if not _close(again, case.prox(point)[head], point.coef):
        case.fail("restrict cannot be applied twice.", "positions are kept, not what stands there.", features=head)


@penalty_check(skips=_no_blocks)
def check_blocks(case):
    """``blocks`` gives one label per feature, and prox acts block by block."""
    labels = case.penalty.blocks()
    labels = np.asarray(labels)
    if labels.shape != (case.n_features,):
        case.fail("blocks must give one label per feature.", "it gives a list of groups.", blocks=labels)
    blocks = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    for point in case.points(every=5, arrays=False):
        _assert_block_alone(case, point, blocks[case.rng.integers(len(blocks))])
        _assert_parts(case, point, blocks)
    for point in case.array_points(15):
        _assert_parts(case, point, blocks)


def _assert_block_alone(case, point, block):
    kept = np.zeros(case.shape, dtype=bool)
    kept[block] = True
    other = Point(_elsewhere(case, point.coef, kept), *point[1:])
    one, two = case.prox(point)[block], case.prox(other)[block]
    if not _close(one, two, point.coef[block]):
        details = {"other_coef": other.coef, "block": block, "prox there": one, "with the others changed": two}
        case.fail("blocks see each other in prox.", "labels in the wrong order, or a norm over all.", point, **details)


def _assert_parts(case, point, parts):
    """The whole is made of its parts: prox of each, sum of the values."""
    try:
        whole, price = case.prox(point), 0.0
        total = case.value(*point[::2])
    except (IndexError, ValueError) as error:
        hint = "arrays of step and alpha have one number per feature, the same within a block; see Penalty.blocks."
        case.fail("arrays of step and alpha cannot be used.", hint, point, raised=error)
    for features in parts:
        part, coef = case.restricted(features), point.coef[features]
        # Of arrays, one number holds for all.
        own = Point(coef, *(np.ravel(item[features])[0] if np.ndim(item) else item for item in point[1:]))
        try:
            answer = part.prox(coef.copy(), *own[1:])
            price += part.value(coef.copy(), own.alpha)
        except (IndexError, ValueError) as error:
            case.fail("restrict gives a penalty that cannot be used.", RESTRICT_HINT, features=features, raised=error)
        if not (answer.shape == coef.shape and _close(answer, whole[features], point.coef)):
            details = {"features": features, "prox": answer, "prox of the whole": whole[features]}
            case.fail("restrict changes prox.", RESTRICT_HINT, point, **details)
    if np.ndim(total) or not np.isclose(total, price, rtol=1e-9):
        details = {"value": total, "sum of the parts": price}
        case.fail("value is not the sum of its parts.", RESTRICT_HINT, point, **details)


@penalty_check(skips=_single_output)
def check_joint_outputs(case):
    """With several outputs, ``prox`` keeps the shape ``(n_features, n_outputs)`` and ``value`` is one number."""
    for n_outputs in (1, 2, 5):
        coef = case.rng.standard_normal((case.n_features, n_outputs))
        shape, price = case.penalty.prox(coef.copy(), 0.5, 0.3).shape, case.penalty.value(coef.copy(), 0.3)
        if shape != coef.shape or np.ndim(price) != 0:
            hint = "a sum over the wrong axis, or a missing keepdims=True."
            case.fail("joint_outputs breaks the shape.", hint, shape=coef.shape, prox_shape=shape, value=price)


@penalty_check(skips=_all_penalised)
def check_unpenalised(case):
    """Features that are free of charge cost nothing at any size; their prox is a projection, at every alpha."""
    free = np.broadcast_to(case.penalty.unpenalised(), case.n_features)
    for point in case.points(every=3, arrays=False):
        allowed = case.prox(point)
        for factor in (0.0, 0.5, 3.0, 1e3):
            other = np.where(free, factor * allowed.T, allowed.T).T
            price, want = case.value(other, point.alpha), case.value(allowed, point.alpha)
            if not np.isclose(price, want, rtol=1e-9):
                where = {"coef": other, "free": free, "value": price, "value with other free ones": want}
                case.fail("features claimed to be free of charge are not.", "unpenalised is wrong.", **where)
        unpaid = case.prox(point._replace(alpha=0.0))
        if not _close(allowed[free], unpaid[free], point.coef):
            hint = "unpenalised is wrong, or prox moves what value does not charge."
            case.fail("alpha moves features that are free of charge.", hint, point, free=free, prox=allowed)


@penalty_check(skips=_no_null_space)
def check_null_space(case):
    """Directions that are free of charge: `value` does not see them, `prox` leaves them alone."""
    basis = np.asarray(case.penalty.null_space())
    if basis.ndim != 2 or len(basis) != case.n_features or np.linalg.matrix_rank(basis) < basis.shape[1]:
        case.fail("null_space must be a basis in columns.", "it is transposed or not independent.", found=basis)
    for point in case.points(every=5, arrays=False):
        move = basis @ case.rng.standard_normal((basis.shape[1], *case.shape[1:]))
        price, want = case.value(point.coef + move, point.alpha), case.value(point.coef, point.alpha)
        size = point.alpha * float(np.sum(move**2) + np.sum(point.coef**2) + np.sum(np.abs(move)))
        # Outside a constraint both are inf.
        if price != want and not abs(price - want) <= 1e-9 * (abs(want) + size):
            details = {"coef": point.coef, "move": move, "value": want, "value after the move": price}
            case.fail("value charges a direction that is claimed to be free.", "null_space is wrong.", **details)
        answer = case.prox(point._replace(coef=point.coef + move))
        if not np.allclose(answer, case.prox(point) + move, rtol=1e-7, atol=1e-7 * (1 + np.abs(point.coef).max())):
            case.fail("prox moves a direction that is claimed to be free.", "null_space is wrong.", point, move=move)


# -- quadratic, conjugate -----------------------------------------------------


@penalty_check(skips=_no_quadratic)
def check_quadratic(case):
    """The weights of ``quadratic`` give ``value``."""
    for alpha in case.strengths():
        weights = case.penalty.quadratic(alpha)
        for coef in (case.normal(), case.normal(100.0)) if weights is not None else ():
            price, want = case.value(coef, alpha), 0.5 * float(np.sum(weights * coef**2))
            if not np.isclose(price, want, rtol=1e-9):
                hint = "a forgotten half, or a constraint: then quadratic must be None."
                where = {"coef": coef, "alpha": alpha, "value": price, "0.5 * sum(d * coef**2)": want}
                case.fail("quadratic contradicts value.", hint, **where)


def _no_quadratic_form(case):
    return "quadratic_form() is None." if case.penalty.quadratic_form(1.0) is None else None


@penalty_check(skips=_no_quadratic_form)
def check_quadratic_form(case):
    """The matrix of ``quadratic_form`` gives ``value``."""
    for alpha in ALPHAS:
        form, coef = case.penalty.quadratic_form(alpha), case.normal(3.0)
        price, want = case.value(coef, alpha), 0.5 * float(coef @ (form @ coef))
        if not np.isclose(price, want, rtol=1e-9):
            where = {"coef": coef, "alpha": alpha, "value": price, "0.5 * coef @ (Q @ coef)": want}
            case.fail("quadratic_form contradicts value.", "a forgotten half, or a forgotten alpha.", **where)


def _conjugate_points(case):
    for alpha, step in itertools.product(ALPHAS, (0.1, 1.0, 10.0)):
        yield Point(case.normal(2.0) * (1.0 + step * alpha), step, alpha)
    if case.separable:
        yield from (point._replace(step=1.0) for point in case.array_points(15))


@penalty_check(skips=_no_conjugate)
def check_conjugate(case):
    """Fenchel and Young: ``value(u) + conjugate(v) >= u . v``, and equal where ``v`` is a slope at ``u``."""
    for point in _conjugate_points(case):
        answer = case.prox(point)
        # A hair inside the domain, which rounding may leave.
        slope = (1.0 - 1e-9) * (point.coef - answer) / point.step
        for coef in (answer, point.coef, case.normal(), case.prox(point._replace(coef=case.normal()))):
            for dual in (slope, 0.1 * slope, case.normal(), case.normal(10.0)):
                gap, size = _fenchel_gap(case, coef, dual, point.alpha)
                if not gap >= -1e-9 * size:
                    _fail_conjugate(case, "value(u) + conjugate(v) is below u . v.", coef, dual, point.alpha, gap)
        gap, size = _fenchel_gap(case, answer, slope, point.alpha)
        if case.convex and not (np.isfinite(size) and gap <= 1e-6 * size):
            broken = "value(u) + conjugate(v) exceeds u . v at a slope v."
            _fail_conjugate(case, broken, answer, slope, point.alpha, gap)


def _fenchel_gap(case, coef, dual, alpha):
    """Fenchel and Young's gap, and the size of its terms."""
    price, conjugate, product = case.value(coef, alpha), case.penalty.conjugate(dual.copy(), alpha), coef * dual
    return price + conjugate - product.sum(), abs(price) + abs(conjugate) + np.abs(product).sum()


def _fail_conjugate(case, broken, coef, dual, alpha, gap):
    hint = "a forgotten half, alpha or sign; a domain too large or too small; or prox and value disagree."
    case.fail(broken, hint, coef=coef, dual=dual, alpha=alpha, conjugate=case.penalty.conjugate(dual, alpha), gap=gap)


@penalty_check(skips=_no_conjugate)
def check_dual_scale(case):
    """``dual_scale`` is the largest factor in [0, 1] that makes `conjugate` finite."""
    for point in _conjugate_points(case):
        for dual in (case.normal(0.01), case.normal(), case.normal(100.0)):
            scale = case.penalty.dual_scale(dual.copy(), point.alpha)
            where = {"dual": dual, "alpha": point.alpha, "dual_scale": scale}
            if not 0 <= scale <= 1:
                case.fail("dual_scale must be in [0, 1].", "a ratio without a limit.", **where)
            if not np.isfinite(case.penalty.conjugate(scale * dual, point.alpha)):
                case.fail("dual_scale leaves conjugate infinite.", "rounding: stay a hair inside.", **where)
            larger = scale * (1.0 + 1e-4) + 1e-9
            if larger < 1 and np.isfinite(case.penalty.conjugate(larger * dual, point.alpha)):
                case.fail("dual_scale could be larger.", "a norm that is too large.", **where)


FACT_CHECKS = (
    check_convex_value,
    check_prox_three_points,
    check_prox_firmly_nonexpansive,
    check_separable_prox,
    check_separable_arrays,
    check_restrict,
    check_blocks,
    check_joint_outputs,
    check_unpenalised,
    check_null_space,
    check_quadratic,
    check_quadratic_form,
    check_conjugate,
    check_dual_scale,
)
