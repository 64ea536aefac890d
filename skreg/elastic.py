"""Prices and duality gaps of many points at once, for the elastic net: on a Gram matrix one by one they cost more than the path."""

import numpy as np

from skreg.penalties.convex import L1, ElasticNet

__all__ = ["price_together"]

# What the formulas below are the text of; a subclass with a text of its own is not meant.
TEXTS = ("value", "conjugate", "dual_scale")


def price_together(points):
    """Give points of one problem their price and their gap, where all follow from a few sums; else leave them alone.

    Parameters
    ----------
    points : list of MomentPoint
        With one output.
    """
    problem = points[0].problem
    share, positive = _shape(problem.penalty)
    alphas = np.array([[point.alpha] for point in points])
    if share is None or problem.unpenalised(np.min(alphas)).size:
        return
    coefs, gradients = np.stack([point.coef for point in points]), np.stack([point.gradient for point in points])
    losses = np.array([point.loss for point in points])
    strength = alphas if problem.penalty_factor is None else alphas * problem.penalty_factor
    sizes = np.abs(coefs)
    prices = (strength * sizes * (share + 0.5 * (1.0 - share) * sizes)).sum(axis=1)
    correlations = -gradients if positive else np.abs(gradients)
    if positive:
        prices[(coefs < 0.0).any(axis=1)] = np.inf
    if share == 1.0:
        # The residual is scaled until no correlation exceeds the price; what is then conjugate to the penalty costs nothing.
        excess = (correlations / strength).max(axis=1)
        scales = np.where(excess > 1.0, 1.0 / np.maximum(excess, 1.0), 1.0) * (1.0 - 2.0 * np.finfo(float).eps)
        conjugates = 0.0
    else:
        scales, beyond = 1.0, np.maximum(correlations - share * strength, 0.0)
        conjugates = (beyond * beyond / (2.0 * (1.0 - share) * strength)).sum(axis=1)
    moments = problem.moments
    duals = scales * (moments.square - coefs @ moments.product - scales * losses)
    gaps = np.maximum(losses + prices + conjugates - duals, 0.0) / problem.null_loss
    for point, price, gap in zip(points, prices.tolist(), gaps.tolist(), strict=True):
        point.price, point.plain_gap = price, gap if np.isfinite(gap) else None


def _shape(penalty):
    """Share of the L1 part, and whether coefficients must be positive; None for other penalties."""
    for family in (L1, ElasticNet):
        if all(getattr(type(penalty), name) is getattr(family, name) for name in TEXTS):
            return getattr(penalty, "l1_ratio", 1.0), penalty.positive
    return None, False
