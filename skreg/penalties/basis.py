"""Another basis for the coefficients, in which a penalty is one that has a faster solver."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from skreg.penalties.base import Penalty

__all__ = ["Basis"]


class Basis(NamedTuple):
    """``coef = B @ theta``, with ``value(coef, alpha) == penalty.value(theta, alpha * factor)``.

    Attributes
    ----------
    forward : callable
        ``B @ theta``, of an array of shape (n_features,) or (n_features, n_columns).
    adjoint : callable
        ``B.T @ array``.
    inverse : callable
        ``B^-1 @ array``.
    penalty : Penalty
        Separable.
    factor : ndarray of shape (n_features,)
        1, or 0 for directions that are free of charge.
    """

    forward: Callable
    adjoint: Callable
    inverse: Callable
    penalty: Penalty
    factor: np.ndarray
