"""Squared loss without another pass over X: all there is to know of the data is a Gram matrix.

    mean loss = 0.5 * (y'Sy - 2 w'Z'Sy + w'Z'SZ w)

With more rows than columns this is what makes a path of many alphas cost little
more than its first fit.
"""

import math
from typing import NamedTuple

import numpy as np

from skreg import _kernels
from skreg.elastic import measure_together
from skreg.gap import EXACT
from skreg.lazy import cached_property
from skreg.model import scaled_inverse
from skreg.point import Point

__all__ = ["MomentPoint", "Moments", "moment_points"]

# Columns that are not penalised and nearer to each other than this, squared, are told apart by X alone.
FEW_DIGITS = 1e-8


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

    def resolves(self, entries):
        """Whether rounding hides no direction among these columns."""
        return scaled_inverse(self.gram[np.ix_(entries, entries)], FEW_DIGITS)[2]


class MomentPoint(Point):
    """A candidate solution; its loss, gradient and gap come from the moments."""

    @property
    def _moments(self):
        return self.problem.moments

    @cached_property
    def reach(self):
        """The size of what the coefficients add up to if nothing cancels."""
        return float(np.abs(self.coef) @ np.sqrt(self._moments.gram.diagonal()))

    def trusted(self, accuracy):
        """Whether the gradient, relative to the size of y, keeps this accuracy.

        Where large coefficients cancel, rounding of the Gram matrix shows.
        """
        return 1e-15 * self.reach <= accuracy * math.sqrt(self._moments.square)

    @cached_property
    def gradient(self):
        return self._gradient_at(self.coef)

    @cached_property
    def loss(self):
        return self._loss_at(self.coef, self.gradient)

    def _gradient_at(self, coef):
        used = (coef != 0).nonzero()[0]
        if 4 * used.size < coef.size:
            return coef[used] @ self._moments.gram[used] - self._moments.product
        return self._moments.gram @ coef - self._moments.product

    def _loss_at(self, coef, gradient):
        moments = self._moments
        return float(max(0.5 * (moments.square + coef @ (gradient - moments.product)), 0.0))

    def _balanced_sums(self):
        return self.loss, self._moments.square - self.coef @ self._moments.product, 0.0

    @property
    def imbalance(self):
        """None: everything is centred, so the intercept is at its best for every coef."""
        return 0.0

    def gap_of(self, entries, wanted):
        """Dual points are residuals of other coefficients: those at which ``entries`` are in balance."""
        if entries.size == 0:
            return self.plain_gap
        coef, gradient = self.coef.copy(), self.gradient
        system = self._moments.gram[np.ix_(entries, entries)]
        inverse, scale, _ = scaled_inverse(system)
        for _ in range(3):
            coef[entries] -= inverse @ ((gradient[entries] + wanted) / scale) / scale
            gradient = self._gradient_at(coef)
        if np.max(np.abs(gradient[entries] + wanted) / scale) <= self.problem.noise():
            gradient[entries] = -wanted
        return self._gap_with(coef, gradient, self._loss_at(coef, gradient))

    @cached_property
    def plain_gap(self):
        """The gap at the residual of ``coef`` itself, scaled."""
        known = self._measured("plain_gap")
        return known if known is not None else self._gap_with(self.coef, self.gradient, self.loss)

    def _gap_with(self, coef, gradient, residual):
        """The gap at the residual of ``coef``, scaled; ``residual`` is half its mean square."""
        problem = self.problem
        correlation, strength = -gradient, problem.strength(self.alpha)
        scale = problem.penalty.dual_scale(correlation, strength)
        price = problem.penalty.conjugate(scale * correlation, strength)
        # With residual r, the conjugate of the loss is r'Sr / 2 - y'Sr.
        total = (
            self.objective + price + scale * (scale * residual - (self._moments.square - self._moments.product @ coef))
        )
        if scale == 0.0 and not total <= EXACT * problem.null_loss:
            return np.inf
        return float(max(total, 0.0) / problem.null_loss) if np.isfinite(total) else None


def moment_points(problem, coefs, alphas):
    """Points along alpha; what one by one would cost more than a path is computed for all of them together.

    Parameters
    ----------
    problem : Problem
        In moments, with one output.
    coefs : ndarray of shape (n_alphas, n_features)
    alphas : sequence of float

    Returns
    -------
    list of MomentPoint
    """
    gram, product, square = problem.moments
    points = []
    if 4 * np.count_nonzero(coefs) < coefs.size:
        used = coefs.any(axis=0).nonzero()[0]
        gradients = coefs[:, used] @ gram[used]
    else:
        gradients = coefs @ gram
    gradients -= product
    losses, products, reaches = _kernels.moment_sums(gram, product, square, coefs, gradients).tolist()
    for coef, gradient, alpha, loss, reach in zip(coefs, gradients, alphas, losses, reaches, strict=True):
        point = MomentPoint(problem, coef, problem.null_intercept, alpha)
        point.gradient, point.loss, point.reach = gradient, loss, reach
        points.append(point)
    measure_together(points, coefs, gradients, losses, products)
    return points
