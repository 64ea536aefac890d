"""New penalties from old ones: factors, sums, bounds."""

import copy
from numbers import Real

import numpy as np

from skreg._validation import check_real
from skreg.penalties.base import Penalty
from skreg.penalties.constraints import Box
from skreg.penalties.names import get_penalty

__all__ = ["Bounded", "Scaled", "WithSquare"]

# Over less curvature than this numbers become too large.
LEAST = 1e-100


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

    @property
    def constrains(self):
        """As inside."""
        return getattr(self.penalty, "constrains", False)

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
    r"""A penalty and a share of ridge; what ``MCP() + 0.1 * L2()`` makes (``L1() + L2()`` makes an `ElasticNet`).

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
    >>> from skreg import L0, L2
    >>> L0() + L2()
    WithSquare(penalty=L0())
    >>> (L0() + L2()).prox(np.array([3.0, -0.5]), step=1.0, alpha=1.0)
    array([1.5, 0. ])
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

    def conjugate(self, dual, alpha):
        """That of the sum of convex ones, which is finite: its supremum is where the prox inside leads."""
        curvature = self.square * np.asarray(alpha, dtype=float)
        if not self.convex or not (np.all(curvature > LEAST) or np.all(curvature == 0)):
            return None
        if np.all(curvature == 0):
            return self.inner.conjugate(dual, alpha)
        best = self.inner.prox(dual / curvature, 1.0 / curvature, alpha)
        return float(np.sum(dual * best) - self.value(best, alpha))

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
    def constrains(self):
        """Whether there is a bound, or the penalty inside has one."""
        return super().constrains or self._box.constrains

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


def scaled(penalty, factor):
    """``factor * penalty``."""
    if isinstance(factor, bool) or not isinstance(factor, Real):
        return NotImplemented
    if isinstance(penalty, Scaled):
        return Scaled(penalty.penalty, factor * penalty.factor)
    return Scaled(penalty, factor)
