"""The loss of three classes and more."""

import numpy as np
from scipy.special import logsumexp, softmax, xlogy

from skreg import _kernels
from skreg.losses.base import Loss
from skreg.sums import inner

__all__ = ["Softmax"]


class Softmax(Loss):
    r"""Multinomial loss :math:`\log\sum_k e^{\eta_k} - \eta_y`, symmetric in the classes.

    ``y`` is one-hot, shape ``(n_samples, n_classes)``.

    References
    ----------
    J. Friedman, T. Hastie, R. Tibshirani, "Regularization paths for generalized
    linear models via coordinate descent", J. Stat. Softw. 33(1) (2010), sec. 4.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import Softmax
    >>> Softmax().value(np.array([[0, 1, 0]]), np.zeros((1, 3))).round(3)
    array([1.099])
    """

    coupled_outputs = True
    translation_invariant = True

    def value(self, y, eta):
        """``log(sum(exp(eta))) - eta[class]``, without overflow or cancellation."""
        own = np.einsum("ij,ij->i", y, eta)
        others = np.where(y == 1, -np.inf, eta - own[:, None])
        return np.logaddexp(0.0, logsumexp(others, axis=1))

    def gradient(self, y, eta):
        """``p - y`` with ``p = softmax(eta)``."""
        others = np.where(y == 1, 0.0, softmax(eta, axis=1))
        return others - y * others.sum(axis=1, keepdims=True)

    def curvature(self, y, eta):
        """``p * (1 - p)``: what moving one class alone meets."""
        p = softmax(eta, axis=1)
        return p * (1.0 - p)

    def hessian_product(self, y, eta, direction):
        """``p * direction - p * (p . direction)``."""
        p = self._probabilities(y, eta)
        return p * (direction - np.einsum("ij,ij->i", p, direction)[:, None])

    def total_hessian(self, y, eta, weights):
        """``diag(weights @ p) - p' diag(weights) p``."""
        if type(self) is not Softmax:
            return super().total_hessian(y, eta, weights)
        p = self._probabilities(y, eta)
        total = -(p.T * weights) @ p
        # Rows sum to zero: so the diagonal keeps its digits where p rounds to 1.
        np.fill_diagonal(total, 0.0)
        np.fill_diagonal(total, -total.sum(axis=0))
        return total

    def coupling(self, y, eta):
        """The probabilities."""
        return self._probabilities(y, eta) if type(self) is Softmax else None

    def _probabilities(self, y, eta):
        """Softmax of every row, by the exponentials of `expansion`."""
        y, eta = np.ascontiguousarray(y, dtype=np.float64), np.ascontiguousarray(eta, dtype=np.float64)
        value, gradient, curvature = np.empty(len(eta)), np.empty(eta.shape), np.empty(eta.shape)
        _kernels.softmax_expansion(y, eta, value, gradient, curvature)
        # Those of the other classes are their derivatives.
        return np.where(y == 1.0, np.exp(-value)[:, None], gradient)

    def expansion(self, y, eta):
        """All three from one exponential."""
        if type(self) is not Softmax:
            return super().expansion(y, eta)
        value, gradient, curvature = np.empty(len(eta)), np.empty(eta.shape), np.empty(eta.shape)
        y, eta = np.ascontiguousarray(y, dtype=np.float64), np.ascontiguousarray(eta, dtype=np.float64)
        _kernels.softmax_expansion(y, eta, value, gradient, curvature)
        return value, gradient, curvature

    def check_target(self, y):
        """Rows of zeros with a single one."""
        if y.ndim != 2 or not np.all((y == 0) | (y == 1)) or not np.all(y.sum(axis=1) == 1):
            raise ValueError("y must be one-hot for loss='softmax': rows of zeros with a single 1.")

    def conjugate(self, y, dual):
        """Negative entropy of ``dual + y``, inf outside the simplex."""
        p = dual + y
        inside = np.all(p >= 0, axis=1) & (np.abs(p.sum(axis=1) - 1.0) <= 1e-14 * p.shape[1])
        return np.where(inside, xlogy(p, np.maximum(p, 0.0)).sum(axis=1), np.inf)

    def inverse_link(self, eta):
        """Probabilities of the classes."""
        return softmax(eta, axis=1)

    def separates(self, y, eta):
        """Whether the right class of every row has the largest predictor."""
        own = np.einsum("ij,ij->i", y, eta)
        return bool(np.all(own > np.max(np.where(y == 1, -np.inf, eta), axis=1)))

    def sets_apart(self, y, eta):
        """Classes whose predictor is larger on each of their own rows than on any other row."""
        least = np.min(np.where(y == 1, eta, np.inf), axis=0)
        return least > np.max(np.where(y == 1, -np.inf, eta), axis=0)

    def null_eta(self, y, weights):
        """Logarithms of the weighted shares, with sum 0."""
        with np.errstate(divide="ignore"):
            share = np.log(inner(weights, y))
        return share - np.mean(share)
