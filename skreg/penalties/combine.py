"""New penalties from old ones: factors, sums, bounds, another for each set of columns."""

import copy
import re
from numbers import Integral, Real

import numpy as np

from skreg._validation import check_real
from skreg.penalties.base import NoPenalty, Penalty, get_penalty
from skreg.penalties.constraints import Box, pick

__all__ = ["Bounded", "ByColumn", "Scaled", "WithSquare"]


class _Wrapper(Penalty):
    """A penalty made of one other, ``penalty``, whose facts it has."""

    @property
    def inner(self):
        """The penalty inside, bound if this one is."""
        known = getattr(self, "_bound", None)
        return get_penalty(self.penalty) if known is None else known

    def _around(self, inner):
        """A copy of self around another one."""
        made = copy.copy(self)
        made._bound = inner
        return made

    def bind(self, n_features, feature_names=None):
        """Check the parameters, and bind what is inside."""
        return self._around(get_penalty(self.penalty).bind(n_features, feature_names))

    def restrict(self, features):
        """The same around the penalty on some features."""
        return self._around(self.inner.restrict(features))

    def rescaled(self, scale):
        """The same around the rescaled penalty."""
        return self._around(self.inner.rescaled(scale))

    @property
    def separable(self):
        """As inside."""
        return self.inner.separable

    @property
    def convex(self):
        """As inside."""
        return self.inner.convex

    @property
    def joint_outputs(self):
        """As inside."""
        return self.inner.joint_outputs

    @property
    def standardizes(self):
        """As inside."""
        return self.inner.standardizes

    def blocks(self):
        """As inside."""
        return self.inner.blocks()

    def unpenalised(self):
        """As inside."""
        return self.inner.unpenalised()

    def null_space(self):
        """As inside."""
        return self.inner.null_space()


class Scaled(_Wrapper):
    r"""A penalty at a multiple of alpha; what ``0.7 * L1()`` makes.

    .. math:: P(w; \alpha) = p(w; c\,\alpha)

    Parameters
    ----------
    penalty : str or Penalty
        The penalty :math:`p`.
    factor : float
        The factor :math:`c`, >= 0.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import L1
    >>> 0.5 * L1()
    Scaled(factor=0.5, penalty=L1())
    >>> (0.5 * L1()).prox(np.array([3.0, -0.5]), step=1.0, alpha=1.0)
    array([2.5, 0. ])
    """

    def __init__(self, penalty, factor):
        self.penalty = penalty
        self.factor = factor

    def bind(self, n_features, feature_names=None):
        """Check the parameters, and bind what is inside."""
        check_real("factor", self.factor, low=0)
        return super().bind(n_features, feature_names)

    def value(self, coef, alpha):
        """The price at ``factor * alpha``."""
        return self.inner.value(coef, self.factor * alpha)

    def prox(self, coef, step, alpha):
        """The prox at ``factor * alpha``."""
        return self.inner.prox(coef, step, self.factor * alpha)

    def concavity(self, alpha):
        """That at ``factor * alpha``."""
        return self.inner.concavity(self.factor * alpha)

    def quadratic(self, alpha):
        """That at ``factor * alpha``."""
        return self.inner.quadratic(self.factor * alpha)

    def conjugate(self, dual, alpha):
        """That at ``factor * alpha``."""
        return self.inner.conjugate(dual, self.factor * alpha)

    def dual_scale(self, dual, alpha):
        """That at ``factor * alpha``."""
        return self.inner.dual_scale(dual, self.factor * alpha)


class WithSquare(_Wrapper):
    r"""A penalty and a share of ridge; what ``MCP() + 0.1 * L2()`` makes.

    .. math:: P(w; \alpha) = p(w; \alpha) + \frac{c\,\alpha}{2} \|w\|_2^2, \qquad
              \mathrm{prox}_{s}(w) = \mathrm{prox}_{p,\, s / (1 + s c \alpha)}\left(\frac{w}{1 + s c \alpha}\right)

    The square makes correlated features share their weight, as in the elastic net.

    Parameters
    ----------
    penalty : str or Penalty
        The penalty :math:`p`, of any kind.
    square : float, default=1.0
        The factor :math:`c`, >= 0.

    References
    ----------
    N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014), sec. 2.2.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import L1, L2
    >>> L1() + L2()
    WithSquare(penalty=L1())
    >>> (L1() + L2()).prox(np.array([3.0, -0.5]), step=1.0, alpha=1.0)
    array([1., 0.])
    """

    def __init__(self, penalty, square=1.0):
        self.penalty = penalty
        self.square = square

    def bind(self, n_features, feature_names=None):
        """Check the parameters, and bind what is inside."""
        check_real("square", self.square, low=0)
        return super().bind(n_features, feature_names)

    def unpenalised(self):
        """As inside, if there is no square."""
        return np.logical_and(self.inner.unpenalised(), self.square == 0)[()]

    def null_space(self):
        """As inside, if there is no square."""
        return None if self.square > 0 else self.inner.null_space()

    def value(self, coef, alpha):
        """The price of both."""
        return float(self.inner.value(coef, alpha) + 0.5 * np.sum(self.square * alpha * np.square(coef)))

    def prox(self, coef, step, alpha):
        """The prox inside, of a shorter vector at a shorter step."""
        shrink = 1.0 + step * self.square * alpha
        return self.inner.prox(coef / shrink, step / shrink, alpha)

    def concavity(self, alpha):
        """That inside, less what the square makes good."""
        strength = np.ravel(alpha) if np.ndim(alpha) > 1 else alpha
        return np.maximum(self.inner.concavity(alpha) - self.square * strength, 0.0)

    def quadratic(self, alpha):
        """The sum of both, if both are squares."""
        inner = self.inner.quadratic(alpha)
        return None if inner is None else inner + self.square * alpha


class Bounded(_Wrapper):
    r"""A penalty, and bounds on the coefficients.

    .. math:: P(w; \alpha) = \begin{cases} p(w; \alpha) & l \le w \le u \\ \infty & \text{otherwise} \end{cases}, \qquad
              \mathrm{prox}(w) = \min(\max(\mathrm{prox}_p(w), l), u)

    Bounds are in units of the coefficients of X, also with ``standardize=True``.

    Parameters
    ----------
    penalty : str or Penalty
        The penalty :math:`p`, separable and convex.
    lower : float or array-like of shape (n_features,), default=-inf
        Lower bounds.
    upper : float or array-like of shape (n_features,), default=inf
        Upper bounds.

    Notes
    -----
    The best value inside the bounds is the one nearest to the best without them only if
    there is no other valley: for penalties that are not convex that fails, for those that
    see several coefficients at once it fails too, and both are refused.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import L1, Bounded
    >>> Bounded(L1(), upper=1.5).prox(np.array([3.0, -3.0]), step=1.0, alpha=1.0)
    array([ 1.5, -2. ])
    """

    def __init__(self, penalty, lower=-np.inf, upper=np.inf):
        self.penalty = penalty
        self.lower = lower
        self.upper = upper

    def bind(self, n_features, feature_names=None):
        """Check the parameters, and bind what is inside."""
        inner = get_penalty(self.penalty)
        if not (inner.separable and inner.convex):
            raise ValueError(
                f"penalty must be separable and convex to be bounded: clipping the prox of {inner!r} would not give the "
                "best value inside the bounds."
            )
        self._box.bind(n_features)
        return super().bind(n_features, feature_names)

    @property
    def _box(self):
        return Box(self.lower, self.upper)

    @staticmethod
    def _within(part, box):
        """A copy, given the bounds of ``box``."""
        part.lower, part.upper = box.lower, box.upper
        return part

    def restrict(self, features):
        """The same on some features."""
        return self._within(super().restrict(features), self._box.restrict(features))

    def rescaled(self, scale):
        """The same for coefficients that are ``scale`` times as large."""
        return self._within(super().rescaled(scale), self._box.rescaled(scale))

    def unpenalised(self):
        """As inside, where there is no bound but zero."""
        return np.logical_and(self.inner.unpenalised(), self._box.unpenalised())[()]

    def value(self, coef, alpha):
        """The price inside, inf outside."""
        return np.inf if self._box.value(coef, alpha) else float(self.inner.value(coef, alpha))

    def prox(self, coef, step, alpha):
        """The prox inside, clipped."""
        return self._box.prox(self.inner.prox(coef, step, alpha), step, alpha)


class ByColumn(Penalty):
    r"""Another penalty for each set of columns, by name, regular expression or position.

    .. math:: P(w; \alpha) = \sum_k p_k(w_{C_k}; \alpha)

    Parameters
    ----------
    penalties : dict
        ``{columns: penalty}``. Columns are a name, a regular expression that matches the
        whole name, a position, or a tuple of these; a penalty is a name, an object, or None
        for none. A name that stands there as it is goes before expressions.
    rest : str, Penalty or None, default="error"
        The penalty of all other columns; by default there may be none.

    Notes
    -----
    Names are those of the data frame that the estimator is fitted with, in a pipeline
    those that the step before gives its output (``set_output(transform="pandas")``).

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import L1, ByColumn
    >>> names = np.array(["age", "gene_a", "gene_b"], dtype=object)
    >>> penalty = ByColumn({"age": None, "gene_.*": L1()}).bind(3, names)
    >>> penalty.prox(np.array([3.0, 2.0, 0.5]), step=1.0, alpha=1.0)
    array([3., 1., 0.])
    """

    def __init__(self, penalties, rest="error"):
        self.penalties = penalties
        self.rest = rest

    def bind(self, n_features, feature_names=None):
        """Resolve the columns, and bind the penalty of each set; a copy that knows them is returned."""
        penalties, sets = self._sets(n_features, feature_names)
        bound = copy.copy(self)
        bound._parts = [
            (columns, penalty.bind(len(columns), None if feature_names is None else feature_names[columns]))
            for penalty, columns in zip(penalties, sets, strict=True)
            if len(columns)
        ]
        if any(part.joint_outputs for _, part in bound._parts):
            raise ValueError(
                "penalties must act on one output at a time; L21 and the like cannot be combined by column."
            )
        return bound

    def _sets(self, n_features, feature_names):
        """The penalties, and of each the positions of its columns."""
        if not isinstance(self.penalties, dict) or not self.penalties:
            raise TypeError(f"penalties must be a dict {{columns: penalty}}, not empty; got {self.penalties!r}.")
        penalties = [get_penalty(penalty) for penalty in self.penalties.values()]
        names = None if feature_names is None else list(feature_names)
        exact, owner = np.zeros(n_features, dtype=bool), np.full(n_features, -1)
        keys = list(self.penalties)
        for number, key in enumerate(keys):
            for one in key if isinstance(key, tuple) else (key,):
                positions, named = _positions(one, n_features, names)
                for j in positions:
                    if owner[j] >= 0 and owner[j] != number and (exact[j] == named):
                        raise ValueError(
                            f"penalties: column {j if names is None else names[j]!r} belongs to {keys[owner[j]]!r} and to {key!r}."
                        )
                    if owner[j] < 0 or named:
                        owner[j], exact[j] = number, named
        left = np.flatnonzero(owner < 0)
        sets = [np.flatnonzero(owner == number) for number in range(len(penalties))]
        if isinstance(self.rest, str) and self.rest == "error":
            if left.size:
                shown = left.tolist() if names is None else [names[j] for j in left]
                raise ValueError(f"penalties names no penalty for the columns {shown}: name them, or set rest.")
            return penalties, sets
        return [*penalties, get_penalty(self.rest)], [*sets, left]

    @property
    def parts(self):
        """(columns, penalty) of every set of columns, once they are known."""
        known = getattr(self, "_parts", None)
        if known is None:
            raise ValueError("ByColumn knows its columns after bind(n_features, feature_names), which fit calls.")
        return known

    def _facts(self, fact):
        known = getattr(self, "_parts", None)
        parts = [get_penalty(p) for p in self.penalties.values()] if known is None else [part for _, part in known]
        return all(bool(getattr(part, fact)) for part in parts)

    @property
    def separable(self):
        """Whether all are."""
        return self._facts("separable")

    @property
    def convex(self):
        """Whether all are."""
        return self._facts("convex")

    @property
    def standardizes(self):
        """Whether all may be."""
        return self._facts("standardizes")

    def _n_features(self):
        return sum(len(columns) for columns, _ in self.parts)

    def restrict(self, features):
        """Each penalty on what is left of its columns."""
        place = np.full(self._n_features(), -1)
        owner = np.empty(self._n_features(), dtype=int)
        for number, (columns, _) in enumerate(self.parts):
            place[columns], owner[columns] = np.arange(len(columns)), number
        made, features = copy.copy(self), np.asarray(features)
        made._parts = []
        for number, (_, part) in enumerate(self.parts):
            kept = np.flatnonzero(owner[features] == number)
            if kept.size:
                made._parts.append((kept, part.restrict(place[features[kept]])))
        return made

    def rescaled(self, scale):
        """Each penalty for the scales of its columns."""
        made = copy.copy(self)
        made._parts = [(columns, part.rescaled(scale[columns])) for columns, part in self.parts]
        return made

    def blocks(self):
        """The blocks of each penalty; None if one acts on all of its columns at once, or all are separable."""
        if self.separable:
            return None
        label, used = np.empty(self._n_features(), dtype=int), 0
        for columns, part in self.parts:
            own = np.arange(len(columns)) if part.separable else part.blocks()
            if own is None:
                return None
            number = np.unique(own, return_inverse=True)[1]
            label[columns] = used + number
            used += number.max() + 1
        return label

    def _spread(self, ask):
        """A number per feature, from what each part answers."""
        answer = None
        for columns, part in self.parts:
            own = np.asarray(ask(columns, part))
            answer = np.empty(self._n_features(), own.dtype) if answer is None else answer
            answer[columns] = own
        return answer

    def unpenalised(self):
        """Those of each part."""
        return self._spread(lambda columns, part: part.unpenalised())

    def value(self, coef, alpha):
        """The sum of the prices."""
        coef = np.asarray(coef)
        return float(sum(part.value(coef[columns], pick(alpha, columns)) for columns, part in self.parts))

    def prox(self, coef, step, alpha):
        """Each on its columns."""
        coef, answer = np.asarray(coef), np.empty(np.shape(coef))
        for columns, part in self.parts:
            answer[columns] = part.prox(coef[columns], pick(step, columns), pick(alpha, columns))
        return answer

    def concavity(self, alpha):
        """Those of each part."""
        return self._spread(lambda columns, part: np.asarray(part.concavity(pick(alpha, columns)), dtype=float))

    def quadratic(self, alpha):
        """Those of each part, if all are squares."""
        if any(part.quadratic(pick(alpha, columns)) is None for columns, part in self.parts):
            return None
        return self._spread(lambda columns, part: np.asarray(part.quadratic(pick(alpha, columns)), dtype=float))

    def conjugate(self, dual, alpha):
        """The sum of those of the parts, if all have one."""
        parts = [part.conjugate(np.asarray(dual)[columns], pick(alpha, columns)) for columns, part in self.parts]
        return None if any(part is None for part in parts) else float(sum(parts))

    def dual_scale(self, dual, alpha):
        """The smallest of the parts."""
        dual = np.asarray(dual)
        return min(part.dual_scale(dual[columns], pick(alpha, columns)) for columns, part in self.parts)


def _positions(key, n_features, names):
    """Positions that one key means, and whether it names the column as it is."""
    if isinstance(key, Integral) and not isinstance(key, bool):
        if not 0 <= key < n_features:
            raise ValueError(f"penalties names the column {key}, but positions are 0 to {n_features - 1}.")
        return [int(key)], True
    if not isinstance(key, str):
        raise TypeError(f"penalties must have names, regular expressions, positions or tuples of them; got {key!r}.")
    if names is None:
        raise ValueError(f"penalties names the column {key!r}, but X has no column names: give positions.")
    if key in names:
        return [names.index(key)], True
    try:
        matching = [j for j, name in enumerate(names) if re.fullmatch(key, name)]
    except re.error as error:
        raise ValueError(f"penalties names {key!r}, which is no column and no regular expression: {error}.") from error
    if not matching:
        raise ValueError(f"penalties names {key!r}, which is no column of X and matches none of {names}.")
    return matching, False


def scaled(penalty, factor):
    """``factor * penalty``."""
    if isinstance(factor, bool) or not isinstance(factor, Real):
        return NotImplemented
    if isinstance(penalty, Scaled):
        return Scaled(penalty.penalty, factor * penalty.factor)
    return Scaled(penalty, factor)


def added(left, right):
    """``left + right``, where the prox of the sum is known."""
    if not isinstance(right, Penalty):
        return NotImplemented
    if isinstance(left, NoPenalty) or isinstance(right, NoPenalty):
        return right if isinstance(left, NoPenalty) else left
    for one, other in ((left, right), (right, left)):
        square = _uniform_square(other)
        if square is not None:
            if isinstance(one, WithSquare):
                return WithSquare(one.penalty, one.square + square)
            return WithSquare(one, square)
    raise TypeError(
        f"{left!r} + {right!r} has no prox in closed form that skreg knows. Known sums: anything with a multiple of L2; L1 "
        "and groups (SparseGroupLasso); a separable convex penalty within bounds (Bounded); another for each set of "
        "columns (ByColumn)."
    )


def _uniform_square(penalty):
    """The factor of alpha, if the price is that of all squares alike; else None."""
    try:
        at_one, at_two = penalty.quadratic(1.0), penalty.quadratic(2.0)
    except (TypeError, ValueError):
        return None
    if at_one is None or np.ndim(at_one) or at_two != 2.0 * at_one:
        return None
    return float(at_one)
