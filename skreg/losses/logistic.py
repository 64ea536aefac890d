"""The loss of two classes."""

import numpy as np
from scipy.special import entr, expit

from skreg import _kernels
from skreg.losses.base import Loss
from skreg.sums import inner

__all__ = ["Logistic"]


class Logistic(Loss):
    r"""Logistic loss :math:`\log(1 + e^\eta) - y\eta` of a target in {0, 1}.

    References
    ----------
    T. Hastie, R. Tibshirani, J. Friedman, "The Elements of Statistical
    Learning", 2nd ed., eq. (4.20).

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import Logistic
    >>> Logistic().value(np.array([1.0, 0.0]), np.array([0.0, -50.0])).round(3)
    array([0.693, 0.   ])
    """

    def value(self, y, eta):
        """``log(1 + exp(eta)) - y * eta``, without overflow or cancellation."""
        return np.logaddexp(0.0, (1.0 - 2.0 * y) * eta)

    def gradient(self, y, eta):
        """``p - y`` with ``p = 1 / (1 + exp(-eta))``."""
        sign = 1.0 - 2.0 * y
        return sign * expit(sign * eta)

    def curvature(self, y, eta):
        """``p * (1 - p)``, also where ``p`` rounds to 1."""
        return expit(eta) * expit(-eta)

    def expansion(self, y, eta):
        """All three from one exponential."""
        if type(self) is not Logistic:
            # A subclass may have changed one of the three.
            return super().expansion(y, eta)
        value, gradient, curvature = np.empty(eta.shape), np.empty(eta.shape), np.empty(eta.shape)
        if eta.ndim == 1 and eta.dtype == y.dtype == np.float64 and eta.flags.c_contiguous and y.flags.c_contiguous:
            _kernels.logistic_expansion(y, eta, value, gradient, curvature)
            return value, gradient, curvature
        flat = [np.ascontiguousarray(array, dtype=np.float64).reshape(-1) for array in (y, eta)]
        _kernels.logistic_expansion(*flat, value.reshape(-1), gradient.reshape(-1), curvature.reshape(-1))
        return value, gradient, curvature

    def check_target(self, y):
        """Only 0 and 1."""
        if not ((y == 0) | (y == 1)).all():
            raise ValueError(
                f"y must hold only 0 and 1 for loss='logistic'; got values such as {y[(y != 0) & (y != 1)][0]!r}."
            )

    def conjugate(self, y, dual):
        """Negative entropy of ``dual + y``, inf outside [0, 1]."""
        if dual.ndim == 1 and dual.dtype == y.dtype == np.float64 and dual.flags.c_contiguous and y.flags.c_contiguous:
            out = np.empty(dual.shape)
            _kernels.logistic_conjugate(y, dual, out)
            return out
        p = dual + y
        entropy = entr(p)
        entropy += entr(np.subtract(1.0, p, out=p))
        return np.negative(entropy, out=entropy)

    def inverse_link(self, eta):
        """Probability of class 1."""
        return expit(eta)

    def separates(self, y, eta):
        """Whether every row is on the right side."""
        return bool(np.all(np.where(y == 1, eta, -eta) > 0))

    def null_eta(self, y, weights):
        """Log-odds of the weighted share of ones."""
        with np.errstate(divide="ignore"):
            return np.log(inner(weights, y)) - np.log(inner(weights, 1.0 - y))
