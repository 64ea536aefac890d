"""Penalties of the differences between neighbouring coefficients: the order of the columns has a meaning."""

import copy

import numpy as np

from skreg import _structured
from skreg._validation import check_integer, check_real
from skreg.penalties._trend import differences, jump_basis, polynomials, trend_prox
from skreg.penalties.base import Penalty
from skreg.penalties.basis import Basis
from skreg.penalties.convex import L1, soft_threshold
from skreg.penalties.names import register

__all__ = ["FusedLasso", "TrendFilter"]


class _Chain(Penalty):
    """What penalties of neighbours share."""

    convex = True
    standardizes = False

    def bind(self, n_features, feature_names=None):
        """Check the parameters; a copy that knows how many features there are."""
        self._check()
        bound = copy.copy(self)
        bound._n_features = n_features
        return bound

    def restrict(self, features):
        """All features in their order: others have no neighbours.

        Raises
        ------
        ValueError
            If some are left out or moved.
        """
        if not np.array_equal(features, np.arange(self._n_features)):
            raise ValueError(
                f"{type(self).__name__} charges differences between neighbouring columns, so it has no meaning "
                "on some of them: fit all of them, in their order."
            )
        return self


@register("fused")
class FusedLasso(_Chain):
    r"""Sparse and piecewise constant along the columns: total variation, with L1 on top.

    .. math:: P(w; \alpha) = \alpha \Big( \rho \sum_{j=1}^{p} |w_j|
              + (1 - \rho) \sum_{j=1}^{p-1} |w_{j+1} - w_j| \Big)

    For columns that have an order (time, position on a chromosome, wavelength):
    neighbours share a weight unless the data say otherwise. ``l1_ratio=0`` is
    total variation alone: a constant weight for all columns is then free of charge.

    Parameters
    ----------
    l1_ratio : float in [0, 1], default=0.5
        The share :math:`\rho` of L1.

    See Also
    --------
    TrendFilter : Piecewise linear, quadratic, ... instead of constant.

    References
    ----------
    R. Tibshirani, M. Saunders, S. Rosset, J. Zhu, K. Knight, "Sparsity and smoothness
    via the fused lasso", J. R. Stat. Soc. B 67 (2005), eq. (3);
    N. Johnson, "A dynamic programming algorithm for the fused lasso and L0-segmentation",
    J. Comput. Graph. Stat. 22 (2013) (the prox for ``l1_ratio=0``);
    J. Friedman, T. Hastie, H. Hoefling, R. Tibshirani, "Pathwise coordinate optimization",
    Ann. Appl. Stat. 1 (2007), prop. 1 (soft-thresholding of it is the prox of the sum).

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import FusedLasso
    >>> signal = np.array([0.1, -0.1, 0.0, 3.2, 2.8, 3.0])
    >>> FusedLasso(l1_ratio=0.0).prox(signal, step=1.0, alpha=0.3).round(2)
    array([0.1, 0.1, 0.1, 2.9, 2.9, 2.9])
    >>> FusedLasso(l1_ratio=0.5).prox(signal, step=1.0, alpha=0.6).round(2)
    array([0. , 0. , 0. , 2.6, 2.6, 2.6])
    """

    def __init__(self, l1_ratio=0.5):
        self.l1_ratio = l1_ratio

    def _check(self):
        check_real("l1_ratio", self.l1_ratio, low=0, high=1)

    def value(self, coef, alpha):
        """Sizes and differences, weighed by `l1_ratio`."""
        variation = np.sum(np.abs(np.diff(coef)))
        return float(alpha * (self.l1_ratio * np.sum(np.abs(coef)) + (1.0 - self.l1_ratio) * variation))

    def prox(self, coef, step, alpha):
        """The piecewise constant sequence nearest by, then soft-thresholding."""
        coef = np.array(coef, dtype=np.float64)
        smooth = _total_variation(coef, step * alpha * (1.0 - self.l1_ratio))
        return soft_threshold(smooth, step * alpha * self.l1_ratio)

    def null_space(self):
        """A constant, where there is no L1 part."""
        return np.ones((self._n_features, 1)) if self.l1_ratio == 0 else None

    def conjugate(self, dual, alpha):
        """0 where ``prox(dual, 1, alpha)`` is zero, else inf; None without an L1 part: see `basis`."""
        if self.l1_ratio == 0:
            return None
        # Zero minimises 0.5 * ||u - dual||^2 + value(u) exactly if dual @ u <= value(u) for every u.
        left = np.max(np.abs(self.prox(dual, 1.0, alpha)), initial=0.0)
        return 0.0 if left <= 1e-13 * np.max(np.abs(dual), initial=0.0) else np.inf

    def basis(self):
        """Jumps where there is no L1 part, the coefficients themselves where there is nothing else."""
        if self.l1_ratio == 0:
            return jump_basis(self._n_features, 1)
        return Basis(_same, _same, _same, L1(), np.ones(self._n_features)) if self.l1_ratio == 1 else None

    def pattern(self, coef):
        """Which neighbours are equal.

        Parameters
        ----------
        coef : ndarray of shape (n_features,)
            Coefficients.

        Returns
        -------
        labels : ndarray of int, shape (n_features,)
            Number of the run; -1 for zeros.
        signs : ndarray of shape (n_features,)
            Ones.
        """
        labels = np.cumsum(np.diff(coef, prepend=coef[:1]) != 0)
        kept, labels = np.unique(np.where(coef == 0, -1, labels), return_inverse=True)
        return labels - (kept.size > 0 and kept[0] == -1), np.ones(len(coef))


@register("trend")
class TrendFilter(_Chain):
    r"""Piecewise polynomial along the columns, the knots found from the data.

    .. math:: P(w; \alpha) = \alpha \, \| D^{(k+1)} w \|_1

    with differences of order ``k + 1``: they are zero where the weights follow a
    polynomial of degree ``k``, so the fit has few knots. Polynomials of degree ``k``
    over all columns are free of charge.

    Parameters
    ----------
    order : int >= 0, default=1
        The degree ``k``: 0 is total variation (piecewise constant), 1 piecewise
        linear, 2 piecewise quadratic.

    See Also
    --------
    FusedLasso : Piecewise constant and sparse.

    Notes
    -----
    Fits are made in the basis of the jumps of the k-th derivative, where the penalty
    is L1; condition numbers grow like ``n_features**(2 * order + 2)``.

    References
    ----------
    S.-J. Kim, K. Koh, S. Boyd, D. Gorinevsky, "l1 trend filtering", SIAM Rev. 51 (2009), eq. (2);
    R. Tibshirani, "Adaptive piecewise polynomial estimation via trend filtering",
    Ann. Stat. 42 (2014), eq. (2), and lemma 1 for the basis.

    Examples
    --------
    A bend stays, noise goes:

    >>> import numpy as np
    >>> from skreg import TrendFilter
    >>> signal = np.array([0.0, 1.1, 1.9, 3.0, 2.1, 0.9, 0.0])
    >>> TrendFilter(order=1).prox(signal, step=1.0, alpha=0.2).round(2)
    array([0.09, 1.03, 1.97, 2.91, 1.95, 1.  , 0.05])
    """

    def __init__(self, order=1):
        self.order = order

    def _check(self):
        check_integer("order", self.order, low=0)

    def value(self, coef, alpha):
        """Sum of ``alpha`` times the sizes of the differences."""
        bends = np.abs(differences(np.asarray(coef, dtype=np.float64), self.order + 1))
        # What rounding leaves of the differences of a polynomial is not a bend.
        rounding = np.finfo(np.float64).eps * 2.0 ** (self.order + 1) * np.max(np.abs(coef), initial=0.0)
        return float(alpha * np.sum(bends[bends > rounding]))

    def prox(self, coef, step, alpha):
        """The piecewise polynomial sequence nearest by."""
        if self.order == 0:
            return _total_variation(np.array(coef, dtype=np.float64), step * alpha)
        return trend_prox(coef, step * alpha, self.order + 1)

    def null_space(self):
        """The polynomials of degree ``order``."""
        return polynomials(self._n_features, self.order + 1)

    def basis(self):
        """Polynomials, and the jumps of the derivative."""
        return jump_basis(self._n_features, self.order + 1)


def _total_variation(coef, strength):
    """Minimise ``0.5 * ||u - coef||^2`` plus ``strength`` times the total variation of u."""
    # The mean is free of charge: without it no digits are spent on it.
    mean = np.mean(coef) if coef.size else 0.0
    centred = coef - mean
    if strength >= np.max(np.abs(np.cumsum(centred)), initial=0.0):
        return np.full_like(coef, mean)
    if strength == 0:
        return coef
    out = np.empty_like(coef)
    _structured.total_variation(centred, strength, out)
    return out + mean


def _same(array):
    return array
