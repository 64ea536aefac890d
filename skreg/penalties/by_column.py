"""Another penalty for each set of columns."""

import copy
import re
from numbers import Integral

import numpy as np

from skreg.penalties.base import Penalty
from skreg.penalties.constraints import pick
from skreg.penalties.names import get_penalty

__all__ = ["ByColumn"]


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

    @property
    def constrains(self):
        """Whether any does."""
        return any(getattr(penalty, "constrains", False) for penalty in (*self.penalties.values(), self.rest))

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
