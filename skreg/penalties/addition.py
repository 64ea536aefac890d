"""Sums of penalties whose prox is known: which penalty they are."""

from typing import NamedTuple

import numpy as np
from sklearn.base import clone

from skreg.penalties.base import Penalty
from skreg.penalties.combine import Bounded, Scaled, WithSquare, scaled
from skreg.penalties.concave import L0, LogSum, Lq
from skreg.penalties.constraints import Box, L1Ball, L2Ball, Monotone, NonNegative, Simplex
from skreg.penalties.convex import L1, L2, ElasticNet
from skreg.penalties.differences import FusedLasso, TrendFilter
from skreg.penalties.groups import L21, Grouped, GroupLasso, SparseGroupLasso
from skreg.penalties.names import NoPenalty, get_penalty
from skreg.penalties.structured import SLOPE, NuclearNorm
from skreg.penalties.tikhonov import GeneralizedRidge

__all__ = ["added"]

# Prices that are multiples of alpha: twice one is the same at twice the alpha.
PROPORTIONAL = (L0, L21, SLOPE, FusedLasso, GeneralizedRidge, LogSum, Lq, NuclearNorm, TrendFilter)

# Twice one of these is itself.
CONSTRAINTS = (L1Ball, L2Ball, Monotone, Simplex)


def added(left, right):
    """``left + right``, where the prox of the sum is known.

    Parameters
    ----------
    left, right : Penalty

    Returns
    -------
    Penalty
        One that charges what both charge together.

    Raises
    ------
    TypeError
        If no prox of the sum is known; the message says which sums have one.
    """
    if not isinstance(right, Penalty):
        return NotImplemented
    if isinstance(left, NoPenalty) or isinstance(right, NoPenalty):
        return right if isinstance(left, NoPenalty) else left
    for rule in (_within_bounds, _beside_bounds, _norms_together, _with_square, _beside_square, _twice):
        for one, other in ((left, right), (right, left)):
            known = rule(one, other)
            if known is not None:
                return known
    raise TypeError(
        f"{left!r} + {right!r} has no prox in closed form that skreg knows. Known sums: L1, L2, ElasticNet and groups "
        "(GroupLasso, SparseGroupLasso) with each other; anything with a multiple of L2; a separable convex penalty with Box or "
        "NonNegative; multiples of the same penalty, where its price is a multiple of alpha. For another penalty on each set "
        "of columns there is ByColumn."
    )


def _parts(penalty):
    """What is multiplied, and the factor."""
    if type(penalty) is not Scaled:
        return penalty, 1.0
    inside, factor = _parts(get_penalty(penalty.penalty))
    return inside, factor * penalty.factor


# -- bounds ------------------------------------------------------------------------------------------------------------


def _bounds(penalty):
    """Lower and upper ones, if the penalty is nothing but that; else None."""
    penalty, _ = _parts(penalty)
    if type(penalty) is NonNegative:
        return 0.0, np.inf
    return (penalty.lower, penalty.upper) if type(penalty) is Box else None


def _within_bounds(penalty, constraint):
    bounds = _bounds(constraint)
    return None if bounds is None else _bounded(penalty, *bounds)


def _bounded(penalty, lower, upper):
    """A penalty between bounds, next to those that it has already; None if that has no known prox."""
    inside, factor = _parts(penalty)
    own = _bounds(inside)
    if own is not None:
        return _box(*_narrower(own, (lower, upper)))
    if factor != 1.0:
        within = _bounded(inside, lower, upper)
        return None if within is None else Scaled(within, factor)
    if type(inside) is Bounded:
        return Bounded(inside.penalty, *_narrower((inside.lower, inside.upper), (lower, upper)))
    if type(inside) in (L1, L2, ElasticNet) and np.ndim(lower) == 0 and lower == 0 and np.all(np.equal(upper, np.inf)):
        return clone(inside).set_params(positive=True)
    return Bounded(inside, lower, upper) if inside.separable and inside.convex else None


def _beside_bounds(penalty, other):
    """Of a penalty that has bounds, and another one: the sum of both without them has the same bounds."""
    inside, _ = _parts(penalty)
    free = _inside_together(penalty, other, Bounded)
    return None if free is None else _bounded(free, inside.lower, inside.upper)


def _inside_together(penalty, other, wrapper):
    """What is inside of a wrapper, and another penalty; None if that is not one, or there is no wrapper."""
    inside, factor = _parts(penalty)
    if type(inside) is not wrapper:
        return None
    try:
        return added(_times(get_penalty(inside.penalty), factor), other)
    except TypeError:
        return None


def _narrower(one, other):
    """The higher of two lower bounds, and the lower of two upper ones."""
    ends = np.maximum(one[0], other[0]), np.minimum(one[1], other[1])
    return [end if np.ndim(end) else float(end) for end in ends]


def _box(lower, upper):
    everywhere = np.ndim(lower) == 0 and np.ndim(upper) == 0
    return NonNegative() if everywhere and lower == 0 and upper == np.inf else Box(lower, upper)


# -- norms and squares -------------------------------------------------------------------------------------------------


class _Norms(NamedTuple):
    """``l1 |w|_1 + square/2 |w|_2^2 + group * (that of ``groups``)``, all times alpha, with signs fixed or not."""

    l1: float = 0.0
    square: float = 0.0
    group: float = 0.0
    groups: GroupLasso | None = None
    positive: bool = False

    def times(self, factor):
        return self._replace(l1=factor * self.l1, square=factor * self.square, group=factor * self.group)

    def penalty(self):
        """The penalty that charges this."""
        if self.groups is None:
            total = self.l1 + self.square
            if self.square == 0:
                return _times(L1(self.positive), total)
            if self.l1 == 0:
                return _times(L2(self.positive), total)
            return _times(ElasticNet(self.l1 / total, self.positive), total)
        total = self.l1 + self.group
        inside = self.groups
        if self.l1 > 0:
            inside = SparseGroupLasso(inside.groups, self.l1 / total, inside.weights)
        inside = _times(inside, total)
        return inside if self.square == 0 else WithSquare(inside, self.square)


def _times(penalty, factor):
    return penalty if factor == 1.0 else Scaled(penalty, factor)


def _norms(penalty):
    """What a penalty charges, if it is made of norms and squares; else None."""
    kind = type(penalty)
    if kind is L1:
        return _Norms(l1=1.0, positive=penalty.positive)
    if kind is L2:
        return _Norms(square=1.0, positive=penalty.positive)
    if kind is ElasticNet:
        return _Norms(penalty.l1_ratio, 1.0 - penalty.l1_ratio, positive=penalty.positive)
    if kind is GroupLasso:
        return _Norms(group=1.0, groups=penalty)
    if kind is SparseGroupLasso:
        groups = GroupLasso(penalty.groups, penalty.weights)
        return _Norms(penalty.l1_ratio, group=1.0 - penalty.l1_ratio, groups=groups)
    if kind not in (Scaled, WithSquare):
        return None
    inside = _norms(get_penalty(penalty.penalty))
    if inside is None:
        return None
    return inside.times(penalty.factor) if kind is Scaled else inside._replace(square=inside.square + penalty.square)


def _norms_together(left, right):
    one, other = _norms(left), _norms(right)
    if one is None or other is None or min(*one[:3], *other[:3]) < 0:
        return None
    groups = one.groups or other.groups
    if one.groups is not None and other.groups is not None and not _same(one.groups, other.groups):
        return None
    positive = bool(one.positive or other.positive)
    if groups is not None and positive:
        return None
    return _Norms(*(a + b for a, b in zip(one[:3], other[:3], strict=True)), groups, positive).penalty()


def _with_square(penalty, other):
    square = _uniform_square(other)
    if square is None:
        return None
    if isinstance(penalty, WithSquare):
        return WithSquare(penalty.penalty, penalty.square + square)
    return WithSquare(penalty, square)


def _beside_square(penalty, other):
    inside, factor = _parts(penalty)
    free = _inside_together(penalty, other, WithSquare)
    return None if free is None else added(free, _times(L2(), factor * inside.square))


def _uniform_square(penalty):
    """The factor of alpha, if the price is that of all squares alike; else None."""
    try:
        at_one, at_two = penalty.quadratic(1.0), penalty.quadratic(2.0)
    except (TypeError, ValueError):
        return None
    if at_one is None or np.ndim(at_one) or at_two != 2.0 * at_one:
        return None
    return float(at_one)


# -- the same twice ----------------------------------------------------------------------------------------------------


def _twice(left, right):
    (one, factor), (other, more) = _parts(left), _parts(right)
    if not _same(one, other):
        return None
    if type(one) in CONSTRAINTS:
        return one
    return scaled(one, factor + more) if _proportional(one) else None


def _proportional(penalty):
    if type(penalty) is Grouped:
        inside = get_penalty(penalty.penalty)
        return _proportional(inside) or type(inside) in (L1, L2, ElasticNet)
    return type(penalty) in PROPORTIONAL


def _same(one, other):
    """Whether two penalties, or parameters of them, are the same."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, Penalty):
        left, right = one.get_params(deep=False), other.get_params(deep=False)
        return all(_same(left[name], right[name]) for name in left)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return isinstance(one, (str, int, float, np.ndarray, np.generic)) and np.array_equal(one, other)
