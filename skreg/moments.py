"""Squared loss without another pass over X: all there is to know of the data is a Gram matrix.

    mean loss = 0.5 * (y'Sy - 2 w'Z'Sy + w'Z'SZ w)

With more rows than columns this is what makes a path of many alphas cost little
more than its first fit.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np

from skreg.certificate import Point
from skreg.model import scaled_inverse

__all__ = ["MomentPoint", "Moments"]


class Moments(NamedTuple):
    """What the squared loss depends on; weights ``S`` of sum 1, ``Z`` and ``y`` centred if there is an intercept.

    Attributes
    ----------
    gram : ndarray of shape (n_features, n_features)
        ``Z'SZ``.
    product : ndarray of shape (n_features,) or (n_features, n_outputs)
        ``Z'Sy``.
    square : float or ndarray of shape (n_outputs,)
        ``y'Sy``.
    """

    gram: np.ndarray
    product: np.ndarray
    square: float

    def output(self, k):
        """Those of one column of y."""
        return Moments(self.gram, np.ascontiguousarray(self.product[:, k]), self.square[k])

    def trusted(self, coef, accuracy):
        """Whether gradients at ``coef``, relative to the size of y, keep this accuracy.

        Where large coefficients cancel, rounding of the Gram matrix shows.
        """
        size = np.sqrt(np.diagonal(self.gram)) @ np.abs(coef)
        return 1e-15 * size <= accuracy * np.sqrt(self.square)


class MomentPoint(Point):
    """A candidate solution; its loss, gradient and gap come from the moments."""

    @property
    def _moments(self):
        return self.problem.moments

    @cached_property
    def gradient(self):
        return self._gradient_at(self.coef)

    @cached_property
    def loss(self):
        return self._loss_at(self.coef, self.gradient)

    def _gradient_at(self, coef):
        used = np.flatnonzero(coef)
        if 4 * used.size < coef.size:
            return coef[used] @ self._moments.gram[used] - self._moments.product
        return self._moments.gram @ coef - self._moments.product

    def _loss_at(self, coef, gradient):
        moments = self._moments
        return float(max(0.5 * (moments.square + coef @ (gradient - moments.product)), 0.0))

    def _imbalance(self):
        # Everything is centred: the intercept is at its best for every coef.
        return 0.0

    def _gap_of(self, entries, wanted):
        """Dual points are residuals of other coefficients: those at which ``entries`` are in balance."""
        coef, gradient, problem, residual = self.coef, self.gradient, self.problem, self.loss
        if entries.size:
            system = self._moments.gram[np.ix_(entries, entries)]
            inverse, scale, complete = scaled_inverse(system)
            coef = coef.copy()
            for _ in range(3):
                coef[entries] -= inverse @ ((gradient[entries] + wanted) / scale) / scale
                gradient = self._gradient_at(coef)
            if np.max(np.abs(gradient[entries] + wanted) / scale) <= problem.noise(complete):
                gradient[entries] = -wanted
            residual = self._loss_at(coef, gradient)
        correlation, strength = -gradient, problem.strength(self.alpha)
        scale = problem.penalty.dual_scale(correlation, strength)
        if scale == 0.0:
            return np.inf
        price = problem.penalty.conjugate(scale * correlation, strength)
        # With residual r, the conjugate of the loss is r'Sr / 2 - y'Sr; ``residual`` is the first part.
        total = (
            self.objective + price + scale * (scale * residual - (self._moments.square - self._moments.product @ coef))
        )
        return float(max(total, 0.0) / problem.null_loss) if np.isfinite(total) else None
