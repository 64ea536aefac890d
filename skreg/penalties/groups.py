"""Penalties on groups of features: a group is in the model or out of it as a whole."""

import copy

import numpy as np

from skreg._validation import check_real
from skreg.penalties.base import Penalty
from skreg.penalties.concave import MCP, SCAD
from skreg.penalties.convex import L1, soft_threshold
from skreg.penalties.labels import resolve_groups
from skreg.penalties.names import get_penalty, register

__all__ = ["L21", "GroupLasso", "GroupMCP", "GroupSCAD", "Grouped", "SparseGroupLasso"]


class _OnGroups(Penalty):
    """What all of them share: which feature belongs where, and the norm of every group.

    Subclasses have the parameters ``groups`` and ``weights``.
    """

    # Whether ``groups=None`` means that every feature is a group.
    _alone = False

    def bind(self, n_features, feature_names=None):
        """Resolve groups and weights; a copy that knows them is returned."""
        bound = copy.copy(self)
        bound._groups = self._resolved(n_features, feature_names)
        return bound

    def restrict(self, features):
        """On some features; a group of which some are missing is as if those were zero."""
        label, weight = self._layout()
        kept = np.zeros(len(weight), dtype=bool)
        kept[label[features]] = True
        part = copy.copy(self)
        part._groups = (np.cumsum(kept) - 1)[label[features]], weight[kept]
        return part

    def blocks(self):
        """The number of its group for every feature."""
        return self._layout()[0].copy()

    def unpenalised(self):
        """Features of groups with weight 0."""
        label, weight = self._layout()
        return (weight == 0)[label]

    def _resolved(self, n_features, feature_names=None):
        return resolve_groups(self.groups, self.weights, n_features, feature_names, self._alone)

    def _layout(self, n_features=None):
        """Number of the group of every feature, weight of every group."""
        known = getattr(self, "_groups", None)
        return self._resolved(n_features) if known is None else known

    def _norms(self, coef):
        """Euclidean norm of every group, over all outputs."""
        label, weight = self._layout(len(coef))
        square = np.square(np.asarray(coef, dtype=float))
        square = square if square.ndim == 1 else square.sum(axis=1)
        return np.sqrt(np.bincount(label, square, minlength=len(weight)))

    def _of_groups(self, number):
        """A number per feature, the same within each group, as one per group."""
        if np.ndim(number) == 0:
            return number
        label, weight = self._layout(len(number))
        one = np.empty(len(weight))
        one[label] = np.ravel(number)
        return one

    def _stretched(self, coef, norms, wanted):
        """``coef`` with other norms of its groups."""
        factor = (wanted / np.where(norms > 0, norms, 1.0))[self._layout(len(coef))[0]]
        return (np.asarray(coef, dtype=float).T * factor).T


class _Radial(_OnGroups):
    """A penalty of one coefficient, charged to the norm of every group."""

    def _base(self):
        raise NotImplementedError

    @property
    def convex(self):
        """Whether the penalty of one coefficient is."""
        return bool(self._base().convex)

    def bind(self, n_features, feature_names=None):
        """Check the parameters, and resolve groups and weights."""
        self._base().bind(n_features)
        return super().bind(n_features, feature_names)

    def radial(self):
        """The price of a norm, the weight of every group, and the share of L1."""
        return self._base(), self._layout()[1], 0.0

    def _strength(self, alpha, n_features=None):
        return self._of_groups(alpha) * self._layout(n_features)[1]

    def value(self, coef, alpha):
        """Sum of the prices of the norms."""
        return float(self._base().value(self._norms(coef), self._strength(alpha, len(coef))))

    def prox(self, coef, step, alpha):
        """The direction of a group stays; its norm becomes what the prox of one coefficient makes of it."""
        norms = self._norms(coef)
        wanted = self._base().prox(norms, self._of_groups(step), self._strength(alpha, len(coef)))
        return self._stretched(coef, norms, wanted)

    def concavity(self, alpha):
        """That of one coefficient, for every feature of a group."""
        label, weight = self._layout()
        return np.broadcast_to(self._base().concavity(self._strength(alpha)), weight.shape)[label]

    def quadratic(self, alpha):
        """Weights of the squares if the norms are charged by squares, else None."""
        label, weight = self._layout()
        squares = self._base().quadratic(self._strength(alpha))
        return None if squares is None else np.broadcast_to(squares, weight.shape)[label]

    def conjugate(self, dual, alpha):
        """That of one coefficient, at the norms of ``dual``."""
        return self._base().conjugate(self._norms(dual), self._strength(alpha))

    def dual_scale(self, dual, alpha):
        """That of one coefficient, at the norms of ``dual``."""
        return self._base().dual_scale(self._norms(dual), self._strength(alpha))


class Grouped(_Radial):
    r"""Any penalty of single coefficients, charged to the norms of groups of features.

    .. math:: P(w; \alpha) = \sum_g p(\|w_g\|_2;\, \omega_g \alpha), \qquad
              \mathrm{prox}(w)_g = \frac{w_g}{\|w_g\|_2}\, \mathrm{prox}_p(\|w_g\|_2)

    Parameters
    ----------
    penalty : str or Penalty
        The price :math:`p`: separable and the same for both signs.
    groups : int, array-like, list of lists, or dict
        Which features belong together: their number per group, if all have the same and stand
        side by side; a label per feature; the columns of every group (names or positions);
        or the same as a dict ``{label: columns}``. Every feature belongs to one group.
    weights : "sqrt", None, array-like or dict, default="sqrt"
        Factor :math:`\omega_g` of alpha for every group, 0 for not penalised: the root of its size,
        1 for all, one per group (in the order of the sorted labels, or of the list), or a
        dict ``{label: factor}``, others having the root of their size.

    References
    ----------
    J. Huang, P. Breheny, S. Ma, "A selective review of group selection in
    high-dimensional models", Statist. Sci. 27 (2012) 481-499, sec. 2.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import Grouped
    >>> Grouped("l0", groups=[0, 0, 1], weights=None).prox(np.array([3.0, 4.0, 0.5]), step=1.0, alpha=1.0)
    array([3., 4., 0.])
    """

    def __init__(self, penalty, groups, weights="sqrt"):
        self.penalty = penalty
        self.groups = groups
        self.weights = weights

    def bind(self, n_features, feature_names=None):
        """Check the parameters, and resolve groups and weights."""
        base = get_penalty(self.penalty)
        if not base.separable or base.joint_outputs:
            raise ValueError(f"penalty must be separable, to be charged to norms; got {self.penalty!r}.")
        if base.value(np.array([-1.0]), 1.0) != base.value(np.array([1.0]), 1.0):
            raise ValueError(f"penalty must cost the same for both signs, as norms have none; got {self.penalty!r}.")
        return super().bind(n_features, feature_names)

    def _base(self):
        return get_penalty(self.penalty)


class GroupLasso(_Radial):
    r"""The lasso on groups of features: a group enters or stays out as a whole.

    .. math:: P(w; \alpha) = \alpha \sum_g \omega_g \|w_g\|_2

    Parameters
    ----------
    groups : int, array-like, list of lists, or dict
        Which features belong together: their number per group, if all have the same and stand
        side by side; a label per feature; the columns of every group (names or positions);
        or the same as a dict ``{label: columns}``. Every feature belongs to one group.
    weights : "sqrt", None, array-like or dict, default="sqrt"
        Factor :math:`\omega_g` of alpha for every group, 0 for not penalised: the root of its size,
        1 for all, one per group (in the order of the sorted labels, or of the list), or a
        dict ``{label: factor}``, others having the root of their size.

    References
    ----------
    M. Yuan and Y. Lin, "Model selection and estimation in regression with grouped
    variables", J. R. Stat. Soc. B 68 (2006) 49-67, eq. (2.1).

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import GroupLasso
    >>> GroupLasso([0, 0, 1], weights=None).prox(np.array([3.0, 4.0, 0.5]), step=1.0, alpha=1.0)
    array([2.4, 3.2, 0. ])
    """

    def __init__(self, groups, weights="sqrt"):
        self.groups = groups
        self.weights = weights

    def _base(self):
        return L1()


class GroupMCP(_Radial):
    r"""MCP on groups of features: large groups are left alone.

    .. math:: P(w; \alpha) = \sum_g \mathrm{MCP}(\|w_g\|_2;\, \omega_g \alpha)

    Parameters
    ----------
    groups : int, array-like, list of lists, or dict
        As in `GroupLasso`.
    gamma : float, default=3.0
        As in `MCP`.
    weights : "sqrt", None, array-like or dict, default="sqrt"
        As in `GroupLasso`.

    References
    ----------
    P. Breheny and J. Huang, "Group descent algorithms for nonconvex penalized
    linear and logistic regression models with grouped predictors", Stat. Comput.
    25 (2015) 173-187, eq. (2.2).

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import GroupMCP
    >>> GroupMCP([0, 0, 1], weights=None).prox(np.array([3.0, 4.0, 0.5]), step=1.0, alpha=1.0)
    array([3., 4., 0.])
    """

    def __init__(self, groups, gamma=3.0, weights="sqrt"):
        self.groups = groups
        self.gamma = gamma
        self.weights = weights

    def _base(self):
        return MCP(self.gamma)


class GroupSCAD(_Radial):
    r"""SCAD on groups of features: large groups are left alone.

    .. math:: P(w; \alpha) = \sum_g \mathrm{SCAD}(\|w_g\|_2;\, \omega_g \alpha)

    Parameters
    ----------
    groups : int, array-like, list of lists, or dict
        As in `GroupLasso`.
    gamma : float, default=3.7
        As in `SCAD`.
    weights : "sqrt", None, array-like or dict, default="sqrt"
        As in `GroupLasso`.

    References
    ----------
    L. Wang, G. Chen, H. Li, "Group SCAD regression analysis for microarray time course gene
    expression data", Bioinformatics 23 (2007) 1486-1494, eq. (4).

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import GroupSCAD
    >>> GroupSCAD([0, 0, 1], weights=None).prox(np.array([3.0, 4.0, 0.5]), step=1.0, alpha=1.0)
    array([3., 4., 0.])
    """

    def __init__(self, groups, gamma=3.7, weights="sqrt"):
        self.groups = groups
        self.gamma = gamma
        self.weights = weights

    def _base(self):
        return SCAD(self.gamma)


@register("l21")
class L21(_Radial):
    r"""A feature is in or out for all outputs at once: several targets, or the classes of a softmax.

    .. math:: P(W; \alpha) = \alpha \sum_j \|W_{j\cdot}\|_2

    With a single output it is L1.

    Parameters
    ----------
    groups : None, int, array-like, list of lists, or dict, default=None
        Features that are in or out together, as in `GroupLasso`; every one on its own by default.
    weights : "sqrt", None, array-like or dict, default="sqrt"
        As in `GroupLasso`.

    References
    ----------
    G. Obozinski, B. Taskar, M. I. Jordan, "Joint covariate selection and joint subspace
    selection for multiple classification problems", Stat. Comput. 20 (2010) 231-252, eq. (3).

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import L21
    >>> L21().prox(np.array([[3.0, 4.0], [0.5, 0.0]]), step=1.0, alpha=1.0)
    array([[2.4, 3.2],
           [0. , 0. ]])
    """

    joint_outputs = True
    _alone = True

    def __init__(self, groups=None, weights="sqrt"):
        self.groups = groups
        self.weights = weights

    def _base(self):
        return L1()


class SparseGroupLasso(_OnGroups):
    r"""Mixture of the group lasso and the lasso: few groups, and few features in them.

    .. math:: P(w; \alpha) = \alpha \left(\rho \|w\|_1 + (1 - \rho) \sum_g \omega_g \|w_g\|_2\right)

    Parameters
    ----------
    groups : int, array-like, list of lists, or dict
        As in `GroupLasso`.
    l1_ratio : float in [0, 1], default=0.5
        The share :math:`\rho` of the lasso: 0 is the group lasso, 1 the lasso.
    weights : "sqrt", None, array-like or dict, default="sqrt"
        As in `GroupLasso`, for the second part only.

    References
    ----------
    N. Simon, J. Friedman, T. Hastie, R. Tibshirani, "A sparse-group lasso", J. Comput. Graph.
    Stat. 22 (2013) 231-245, eq. (3).

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import SparseGroupLasso
    >>> SparseGroupLasso([0, 0, 1], weights=None).prox(np.array([3.5, 4.5, 0.6]), step=1.0, alpha=1.0)
    array([2.7, 3.6, 0. ])
    """

    convex = True

    def __init__(self, groups, l1_ratio=0.5, weights="sqrt"):
        self.groups = groups
        self.l1_ratio = l1_ratio
        self.weights = weights

    def bind(self, n_features, feature_names=None):
        """Check the parameters, and resolve groups and weights."""
        check_real("l1_ratio", self.l1_ratio, low=0, high=1)
        return super().bind(n_features, feature_names)

    def unpenalised(self):
        """Features of groups with weight 0, where there is no L1 part."""
        return super().unpenalised() & (self.l1_ratio == 0)

    def radial(self):
        """The price of a norm, the weight of every group, and the share of L1."""
        return L1(), (1.0 - self.l1_ratio) * self._layout()[1], self.l1_ratio

    def _group_strength(self, alpha):
        return (1.0 - self.l1_ratio) * self._of_groups(alpha) * self._layout()[1]

    def value(self, coef, alpha):
        """The price of both parts."""
        groups = np.sum(self._group_strength(alpha) * self._norms(coef))
        return float(groups + np.sum(self.l1_ratio * alpha * np.abs(coef)))

    def prox(self, coef, step, alpha):
        """Soft-thresholding of the coefficients, then of the norms."""
        coef = soft_threshold(np.asarray(coef, dtype=float), step * alpha * self.l1_ratio)
        norms = self._norms(coef)
        return self._stretched(
            coef, norms, np.maximum(norms - self._of_groups(step) * self._group_strength(alpha), 0.0)
        )

    def conjugate(self, dual, alpha):
        """0 where what exceeds the L1 part has norms within the other, else inf."""
        excess = self._norms(soft_threshold(np.asarray(dual, dtype=float), self.l1_ratio * alpha))
        # Rounding of a norm may exceed its limit.
        return 0.0 if np.all(excess <= self._group_strength(alpha) * (1.0 + 1e-15)) else np.inf
