"""Convex separable penalties: L1, L2 and their mixture."""

import math

import numpy as np

from skreg._validation import check_bool, check_real
from skreg.penalties.base import Penalty
from skreg.penalties.names import register

__all__ = ["L1", "L2", "ElasticNet"]

# One unit in the last place less than 1.
BELOW = 1.0 - float(np.finfo(np.float64).eps)


def soft_threshold(coef, threshold, positive=False):
    """Move every coefficient towards zero by ``threshold``, and stop there."""
    if positive:
        return np.maximum(coef - threshold, 0.0)
    return coef - np.clip(coef, -threshold, threshold)


def _violates(coef, positive):
    return positive and coef.min(initial=0.0) < 0


@register("l1")
class L1(Penalty):
    r"""The lasso's penalty: every unit of weight costs the same.

    .. math:: P(w; \alpha) = \alpha \|w\|_1, \qquad
              \mathrm{prox}(w)_j = \mathrm{sign}(w_j)\,(|w_j| - step\,\alpha)_+

    The pull towards zero does not depend on the size of a weight, so small
    weights become exactly zero and large ones keep a bias of ``alpha``.

    Parameters
    ----------
    positive : bool, default=False
        Allow only coefficients that are zero or positive.

    References
    ----------
    R. Tibshirani, "Regression shrinkage and selection via the lasso",
    J. R. Stat. Soc. B 58 (1996) 267-288, eq. (1).

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import L1
    >>> L1().prox(np.array([3.0, -0.5, -2.0]), step=1.0, alpha=1.0)
    array([ 2.,  0., -1.])
    """

    separable = True
    convex = True

    def __init__(self, positive=False):
        self.positive = positive

    @property
    def constrains(self):
        """Whether signs are fixed."""
        return bool(self.positive)

    def bind(self, n_features, feature_names=None):
        """Check the parameters."""
        check_bool("positive", self.positive)
        return self

    def value(self, coef, alpha):
        """Sum of ``alpha * |coef|``; inf for a negative one if `positive`."""
        return np.inf if _violates(coef, self.positive) else float((alpha * np.abs(coef)).sum())

    def prox(self, coef, step, alpha):
        """Soft-thresholding by ``step * alpha``."""
        return soft_threshold(coef, step * alpha, self.positive)

    def conjugate(self, dual, alpha):
        """0 where ``|dual| <= alpha``, else inf."""
        return _conjugate(dual, alpha, 0.0, self.positive)

    def dual_scale(self, dual, alpha):
        """The factor that brings ``|dual|`` down to ``alpha``."""
        return _dual_scale(dual, alpha, 0.0, self.positive)


@register("l2")
class L2(Penalty):
    r"""The ridge penalty: a weight pays by its own size, the largest most.

    .. math:: P(w; \alpha) = \frac{\alpha}{2} \|w\|_2^2, \qquad
              \mathrm{prox}(w) = \frac{w}{1 + step\,\alpha}

    Parameters
    ----------
    positive : bool, default=False
        Allow only coefficients that are zero or positive.

    References
    ----------
    A. E. Hoerl and R. W. Kennard, "Ridge regression: biased estimation for
    nonorthogonal problems", Technometrics 12 (1970) 55-67, eq. (2.1).

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import L2
    >>> L2().prox(np.array([3.0, -0.5]), step=1.0, alpha=1.0)
    array([ 1.5 , -0.25])
    """

    separable = True
    convex = True

    def __init__(self, positive=False):
        self.positive = positive

    @property
    def constrains(self):
        """Whether signs are fixed."""
        return bool(self.positive)

    def bind(self, n_features, feature_names=None):
        """Check the parameters."""
        check_bool("positive", self.positive)
        return self

    def value(self, coef, alpha):
        """Half the sum of ``alpha * coef**2``; inf for a negative one if `positive`."""
        return np.inf if _violates(coef, self.positive) else float(0.5 * ((alpha * coef) * coef).sum())

    def prox(self, coef, step, alpha):
        """Division by ``1 + step * alpha``."""
        shrunk = coef / (1.0 + step * alpha)
        return np.maximum(shrunk, 0.0) if self.positive else shrunk

    def quadratic(self, alpha):
        """``alpha`` itself, unless `positive`."""
        return None if self.positive else alpha

    def conjugate(self, dual, alpha):
        """Half the sum of ``dual**2 / alpha``."""
        return _conjugate(dual, 0.0, alpha, self.positive)

    def dual_scale(self, dual, alpha):
        """1: every dual point is allowed."""
        return _dual_scale(dual, 0.0, alpha, self.positive)


@register("elasticnet")
class ElasticNet(Penalty):
    r"""Mixture of L1 and L2: sparse, and kind to correlated features.

    .. math:: P(w; \alpha) = \alpha \left(\rho \|w\|_1 + \frac{1 - \rho}{2} \|w\|_2^2\right), \qquad
              \mathrm{prox}(w)_j = \frac{\mathrm{sign}(w_j)\,(|w_j| - step\,\alpha\rho)_+}{1 + step\,\alpha(1 - \rho)}

    Parameters
    ----------
    l1_ratio : float in [0, 1], default=0.5
        The share :math:`\rho` of L1: 1 is the lasso, 0 is ridge.
    positive : bool, default=False
        Allow only coefficients that are zero or positive.

    References
    ----------
    H. Zou and T. Hastie, "Regularization and variable selection via the elastic
    net", J. R. Stat. Soc. B 67 (2005) 301-320; mixing parameter as in
    J. Friedman, T. Hastie, R. Tibshirani, J. Stat. Softw. 33(1) (2010), eq. (2).

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import ElasticNet
    >>> ElasticNet(l1_ratio=0.5).prox(np.array([3.0, -0.5]), step=2.0, alpha=1.0)
    array([1., 0.])
    """

    separable = True
    convex = True

    def __init__(self, l1_ratio=0.5, positive=False):
        self.l1_ratio = l1_ratio
        self.positive = positive

    @property
    def constrains(self):
        """Whether signs are fixed."""
        return bool(self.positive)

    def bind(self, n_features, feature_names=None):
        """Check the parameters."""
        check_real("l1_ratio", self.l1_ratio, low=0, high=1)
        check_bool("positive", self.positive)
        return self

    def value(self, coef, alpha):
        """The price of both parts; inf for a negative coefficient if `positive`."""
        if _violates(coef, self.positive):
            return np.inf
        size = np.abs(coef)
        return float(np.sum(alpha * size * (self.l1_ratio + 0.5 * (1.0 - self.l1_ratio) * size)))

    def prox(self, coef, step, alpha):
        """Soft-thresholding, then division."""
        strength = step * alpha
        shrunk = soft_threshold(coef, strength * self.l1_ratio, self.positive)
        return shrunk / (1.0 + strength * (1.0 - self.l1_ratio))

    def quadratic(self, alpha):
        """``alpha`` when there is no L1 part and no constraint."""
        return alpha if self.l1_ratio == 0 and not self.positive else None

    def conjugate(self, dual, alpha):
        """What exceeds the L1 part, squared, over twice the L2 part."""
        return _conjugate(dual, alpha * self.l1_ratio, alpha * (1.0 - self.l1_ratio), self.positive)

    def dual_scale(self, dual, alpha):
        """1 where there is an L2 part, else as for L1."""
        return _dual_scale(dual, alpha * self.l1_ratio, alpha * (1.0 - self.l1_ratio), self.positive)


def _largest(dual, positive):
    """The largest size; of the positive ones, where no other is allowed. Without an array in between."""
    largest = dual.max(initial=0.0)
    return float(largest if positive else max(largest, -dual.min(initial=0.0)))


def _numbers(l1, l2):
    """Whether all coefficients have the same strengths."""
    return not (isinstance(l1, np.ndarray) or isinstance(l2, np.ndarray))


def _conjugate(dual, l1, l2, positive):
    """Conjugate of ``l1 * |w| + l2 / 2 * w**2``, summed."""
    if _numbers(l1, l2) and l2 == 0.0:
        return np.inf if _largest(dual, positive) > l1 else 0.0
    size = np.asarray(dual if positive else np.abs(dual))
    excess = np.maximum(size - l1, 0.0)
    if np.min(l2) > 0:
        return float(np.sum(np.square(excess) / (2.0 * l2)))
    l2 = np.broadcast_to(l2, excess.shape)
    free = l2 == 0
    if np.any(excess[free] > 0):
        return np.inf
    return float(np.sum(np.square(excess[~free]) / (2.0 * l2[~free])))


def _dual_scale(dual, l1, l2, positive):
    """Largest factor in [0, 1] that keeps `_conjugate` finite."""
    if _numbers(l1, l2):
        largest = 0.0 if l2 > 0 else _largest(dual, positive)
        return math.nextafter(l1 / largest, 0.0) * BELOW if largest > l1 else 1.0
    if np.min(l2) > 0:
        return 1.0
    size = np.asarray(dual if positive else np.abs(dual))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((size > l1) & (np.asarray(l2) == 0), l1 / size, 1.0)
    scale = float(np.min(ratio, initial=1.0))
    # The division may round up by one unit in the last place.
    return scale if scale == 1.0 else math.nextafter(scale, 0.0) * BELOW
