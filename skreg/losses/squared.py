"""The loss of least squares."""

import numpy as np

from skreg.losses.base import Loss
from skreg.sums import inner

__all__ = ["Squared"]


class Squared(Loss):
    r"""Squared error :math:`\frac12 (y - \eta)^2`, the loss of least squares.

    With the half and the mean over samples, ``alpha`` equals the one of
    scikit-learn's ``Lasso`` and ``ElasticNet``.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import Squared
    >>> Squared().value(np.array([1.0, 2.0]), np.array([0.0, 2.0]))
    array([0.5, 0. ])
    """

    quadratic = True
    shift_invariant = True

    def value(self, y, eta):
        """``0.5 * (y - eta)**2``."""
        return 0.5 * np.square(y - eta)

    def gradient(self, y, eta):
        """``eta - y``."""
        return eta - y

    def curvature(self, y, eta):
        """One."""
        return np.ones_like(eta)

    def hessian_product(self, y, eta, direction):
        """The direction itself."""
        return np.array(direction)

    def conjugate(self, y, dual):
        """``dual**2 / 2 + dual * y``."""
        return dual * (0.5 * dual + y)

    def null_eta(self, y, weights):
        """The weighted mean."""
        return inner(weights, y)
