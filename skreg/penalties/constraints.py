"""Constraints as penalties: free inside, forbidden outside, at every alpha."""

import copy

import numpy as np
from scipy.optimize import isotonic_regression

from skreg._validation import check_bool, check_real
from skreg.penalties.base import Penalty
from skreg.penalties.basis import Basis

__all__ = ["Box", "L1Ball", "L2Ball", "Monotone", "NonNegative", "Simplex"]

# A sum or a norm of rounded numbers is never exact: this share of the limit is forgiven.
ROUNDING = 1e-9


class NonNegative(Penalty):
    r"""Coefficients that are zero or positive, free of charge.

    .. math:: P(w; \alpha) = \begin{cases} 0 & w \ge 0 \\ \infty & \text{otherwise} \end{cases}

    ``L1(positive=True)`` and the like have this constraint and a price.

    References
    ----------
    C. L. Lawson and R. J. Hanson, "Solving least squares problems", Prentice-Hall (1974), ch. 23.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import NonNegative
    >>> NonNegative().prox(np.array([3.0, -0.5]), step=1.0, alpha=1.0)
    array([3., 0.])
    """

    separable = True
    convex = True
    constrains = True

    def value(self, coef, alpha):
        """0, or inf if one is negative."""
        return np.inf if np.min(coef, initial=0.0) < 0 else 0.0

    def prox(self, coef, step, alpha):
        """Negative ones become zero."""
        return np.maximum(coef, 0.0)

    def unpenalised(self):
        """True: only the sign is fixed."""
        return True

    def conjugate(self, dual, alpha):
        """0 where ``dual <= 0``, else inf."""
        return np.inf if np.max(dual, initial=0.0) > 0 else 0.0

    def dual_scale(self, dual, alpha):
        """1 inside the domain, else 0."""
        return 0.0 if np.max(dual, initial=0.0) > 0 else 1.0


class Box(Penalty):
    r"""Coefficients between bounds, free of charge.

    .. math:: P(w; \alpha) = \begin{cases} 0 & l \le w \le u \\ \infty & \text{otherwise} \end{cases}

    Bounds are in units of the coefficients of X, also with ``standardize=True``.

    Parameters
    ----------
    lower : float or array-like of shape (n_features,), default=-inf
        Lower bounds.
    upper : float or array-like of shape (n_features,), default=inf
        Upper bounds.

    References
    ----------
    P. B. Stark and R. L. Parker, "Bounded-variable least-squares: an algorithm and applications",
    Comput. Stat. 10 (1995) 129-141.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import Box
    >>> Box(-1, [2, np.inf]).prox(np.array([3.0, 3.0]), step=1.0, alpha=1.0)
    array([2., 3.])
    """

    separable = True
    convex = True

    def __init__(self, lower=-np.inf, upper=np.inf):
        self.lower = lower
        self.upper = upper

    @property
    def constrains(self):
        """Whether there is a bound."""
        # Compared as objects: a bound that is no number is for `bind` to refuse.
        lower, upper = np.array(self.lower, dtype=object), np.array(self.upper, dtype=object)
        return not (np.all(lower == -np.inf) and np.all(upper == np.inf))

    def bind(self, n_features, feature_names=None):
        """Check the parameters."""
        _check_bounds(self.lower, self.upper, n_features)
        return self

    def restrict(self, features):
        """The bounds of some features."""
        return Box(pick(self.lower, features), pick(self.upper, features))

    def rescaled(self, scale):
        """Bounds of coefficients that are ``scale`` times as large."""
        return Box(_scaled_bound(self.lower, scale), _scaled_bound(self.upper, scale))

    def unpenalised(self):
        """Where there is no bound but zero, and not from both sides."""
        lower, upper = np.asarray(self.lower, dtype=float), np.asarray(self.upper, dtype=float)
        return ((lower == 0) & np.isposinf(upper)) | (np.isneginf(lower) & (np.isposinf(upper) | (upper == 0)))

    def value(self, coef, alpha):
        """0, or inf if one is outside."""
        inside = np.all((coef >= np.asarray(self.lower)) & (coef <= np.asarray(self.upper)))
        return 0.0 if inside else np.inf

    def prox(self, coef, step, alpha):
        """The nearest value inside."""
        return np.clip(np.asarray(coef, dtype=float), self.lower, self.upper)

    def conjugate(self, dual, alpha):
        """Sum of ``dual`` times the bound that it points to."""
        dual = np.asarray(dual, dtype=float)
        bound = np.where(dual > 0, self.upper, np.where(dual < 0, self.lower, 0.0))
        return float(np.sum(dual * bound))


class _WholeVector(Penalty):
    """Constraints on all coefficients together, which have no meaning in units that differ per column."""

    convex = True
    standardizes = False
    constrains = True


class Simplex(_WholeVector):
    r"""Coefficients that are shares: none negative, with a fixed sum.

    .. math:: P(w; \alpha) = \begin{cases} 0 & w \ge 0, \; \sum_j w_j = r \\ \infty & \text{otherwise} \end{cases}

    Parameters
    ----------
    total : float, default=1.0
        The sum :math:`r`, > 0.

    References
    ----------
    J. Duchi, S. Shalev-Shwartz, Y. Singer, T. Chandra, "Efficient projections onto the
    l1-ball for learning in high dimensions", ICML 2008, fig. 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import Simplex
    >>> Simplex().prox(np.array([0.9, 0.5, -1.0]), step=1.0, alpha=1.0)
    array([0.7, 0.3, 0. ])
    """

    def __init__(self, total=1.0):
        self.total = total

    def bind(self, n_features, feature_names=None):
        """Check the parameters."""
        check_real("total", self.total, low=0, low_open=True)
        return self

    def value(self, coef, alpha):
        """0, or inf if one is negative or the sum is another."""
        inside = np.min(coef, initial=0.0) >= 0 and abs(np.sum(coef) - self.total) <= ROUNDING * self.total
        return 0.0 if inside else np.inf

    def prox(self, coef, step, alpha):
        """The nearest point of the simplex."""
        return _project_on_simplex(np.asarray(coef, dtype=float), self.total)

    def conjugate(self, dual, alpha):
        """``total`` times the largest entry."""
        return float(self.total * np.max(dual))


class _Ball(_WholeVector):
    """A norm that is no more than a radius."""

    def __init__(self, radius=1.0):
        self.radius = radius

    def bind(self, n_features, feature_names=None):
        """Check the parameters."""
        check_real("radius", self.radius, low=0, low_open=True)
        return self


class L1Ball(_Ball):
    r"""Coefficients whose absolute values sum to no more than a radius: the lasso as it was first written.

    .. math:: P(w; \alpha) = \begin{cases} 0 & \|w\|_1 \le r \\ \infty & \text{otherwise} \end{cases}

    Parameters
    ----------
    radius : float, default=1.0
        The radius :math:`r`, > 0.

    References
    ----------
    R. Tibshirani, J. R. Stat. Soc. B 58 (1996) 267-288, eq. (1); projection as in
    J. Duchi et al., ICML 2008, sec. 4.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import L1Ball
    >>> L1Ball().prox(np.array([1.5, -1.0]), step=1.0, alpha=1.0)
    array([ 0.75, -0.25])
    """

    def value(self, coef, alpha):
        """0, or inf outside."""
        return 0.0 if np.sum(np.abs(coef)) <= self.radius * (1.0 + ROUNDING) else np.inf

    def prox(self, coef, step, alpha):
        """The nearest point of the ball."""
        coef = np.array(coef, dtype=float)
        if np.sum(np.abs(coef)) <= self.radius:
            return coef
        return np.sign(coef) * _project_on_simplex(np.abs(coef), self.radius)

    def conjugate(self, dual, alpha):
        """``radius`` times the largest absolute value."""
        return float(self.radius * np.max(np.abs(dual), initial=0.0))


class L2Ball(_Ball):
    r"""Coefficients whose Euclidean norm is no more than a radius: ridge as a constraint.

    .. math:: P(w; \alpha) = \begin{cases} 0 & \|w\|_2 \le r \\ \infty & \text{otherwise} \end{cases}

    Parameters
    ----------
    radius : float, default=1.0
        The radius :math:`r`, > 0.

    References
    ----------
    N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014) 127-239, sec. 6.5.1.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import L2Ball
    >>> L2Ball().prox(np.array([3.0, -4.0]), step=1.0, alpha=1.0)
    array([ 0.6, -0.8])
    """

    def value(self, coef, alpha):
        """0, or inf outside."""
        return 0.0 if np.linalg.norm(coef) <= self.radius * (1.0 + ROUNDING) else np.inf

    def prox(self, coef, step, alpha):
        """The nearest point of the ball."""
        norm = np.linalg.norm(coef)
        return np.asarray(coef, dtype=float) * (self.radius / norm if norm > self.radius else 1.0)

    def conjugate(self, dual, alpha):
        """``radius`` times the norm."""
        return float(self.radius * np.linalg.norm(dual))


class Monotone(_WholeVector):
    r"""Coefficients in ascending or descending order, as the columns stand in X.

    .. math:: P(w; \alpha) = \begin{cases} 0 & w_1 \le w_2 \le \dots \\ \infty & \text{otherwise} \end{cases}

    Parameters
    ----------
    increasing : bool, default=True
        Ascending order; False for descending.

    References
    ----------
    R. E. Barlow, D. J. Bartholomew, J. M. Bremner, H. D. Brunk, "Statistical inference
    under order restrictions", Wiley (1972), sec. 1.2 (pool adjacent violators).

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import Monotone
    >>> Monotone().prox(np.array([1.0, 3.0, 2.0]), step=1.0, alpha=1.0)
    array([1. , 2.5, 2.5])
    """

    def __init__(self, increasing=True):
        self.increasing = increasing

    def bind(self, n_features, feature_names=None):
        """Check the parameters; a copy that knows the number of features is returned."""
        check_bool("increasing", self.increasing)
        bound = copy.copy(self)
        bound._n_features = n_features
        return bound

    def null_space(self):
        """A constant."""
        return np.ones((self._n_features, 1))

    def basis(self):
        """The first coefficient, and the jumps: these have one sign."""
        limit = np.zeros(self._n_features)
        limit[0] = np.inf
        jumps = Box(lower=-limit) if self.increasing else Box(upper=limit)

        def forward(theta):
            # The first coefficient is added last, so that rounding keeps the order.
            return theta[:1] + np.concatenate([np.zeros_like(theta[:1]), np.cumsum(theta[1:], axis=0)])

        def adjoint(array):
            return np.cumsum(array[::-1], axis=0)[::-1]

        def inverse(coef):
            return np.concatenate([coef[:1], np.diff(coef, axis=0)])

        return Basis(forward, adjoint, inverse, jumps, np.ones(self._n_features))

    def value(self, coef, alpha):
        """0, or inf if two neighbours are in the wrong order."""
        rise = np.diff(coef) if self.increasing else -np.diff(coef)
        return 0.0 if np.all(rise >= 0) else np.inf

    def prox(self, coef, step, alpha):
        """Isotonic regression."""
        return isotonic_regression(np.asarray(coef, dtype=float), increasing=self.increasing).x


def _project_on_simplex(coef, total):
    """Subtract a number from all, and stop at zero, so that the sum is ``total``."""
    # A common shift changes nothing, and keeps small sums exact.
    shifted = coef - np.max(coef)
    ordered = np.sort(shifted)[::-1]
    excess = (np.cumsum(ordered) - total) / np.arange(1, coef.size + 1)
    threshold = excess[np.flatnonzero(ordered > excess)[-1]]
    return np.maximum(shifted - threshold, 0.0)


def pick(bound, features):
    """Of a number for all features, or one for each, what belongs to some."""
    return bound if np.ndim(bound) == 0 else np.asarray(bound)[features]


def _scaled_bound(bound, scale):
    """Bounds in units of standardised coefficients; a column that is constant (scale inf) keeps its own."""
    scale = np.where(np.isfinite(scale), scale, 1.0)
    return np.broadcast_to(np.asarray(bound, dtype=float), scale.shape) * scale


def _check_bounds(lower, upper, n_features):
    """Bounds that leave room, one for all or one per feature, or a sentence that says what is wrong."""
    arrays = []
    for name, bound in (("lower", lower), ("upper", upper)):
        allowed = f"{name} must be a number or one for each of the {n_features} features, not NaN"
        array = np.asarray(bound)
        if array.dtype.kind not in "iuf":
            raise TypeError(f"{allowed}; got {bound!r}.")
        if array.shape not in ((), (n_features,)) or np.isnan(array).any():
            raise ValueError(f"{allowed}; got {bound!r}.")
        arrays.append(array)
    if np.any(arrays[0] > arrays[1]) or np.any(arrays[0] == np.inf) or np.any(arrays[1] == -np.inf):
        raise ValueError(f"lower must not exceed upper; got lower={lower!r}, upper={upper!r}.")
