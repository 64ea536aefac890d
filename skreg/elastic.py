"""Prices and duality gaps of many points at once, for the elastic net: on a Gram matrix one by one they cost more than the path."""

import numpy as np

from skreg.penalties.convex import L1, ElasticNet

__all__ = ["elastic_sums"]

# What the formulas below are the text of; a subclass with a text of its own is not meant.
TEXTS = ("value", "conjugate", "dual_scale")


def elastic_sums(penalty, coefs, gradients, losses, strengths, moments):
    """Prices and duality gaps of points along alpha, where both follow from a few sums; None for other penalties.

    Parameters
    ----------
    penalty : Penalty
    coefs, gradients : ndarray of shape (n_alphas, n_features)
    losses : ndarray of shape (n_alphas,)
    strengths : ndarray of shape (n_alphas, 1) or (n_alphas, n_features)
        None of them zero.
    moments : Moments
        Of one output.

    Returns
    -------
    prices, gaps : ndarray of shape (n_alphas,)
    """
    share, positive = _shape(penalty)
    if share is None:
        return None
    sizes = np.abs(coefs)
    prices = (strengths * sizes * (share + 0.5 * (1.0 - share) * sizes)).sum(axis=1)
    correlations = -gradients if positive else np.abs(gradients)
    if positive:
        prices[(coefs < 0.0).any(axis=1)] = np.inf
    if share == 1.0:
        # The residual is scaled until no correlation exceeds the price; what is then conjugate to the penalty costs nothing.
        excess = (correlations / strengths).max(axis=1)
        scales = np.where(excess > 1.0, 1.0 / np.maximum(excess, 1.0), 1.0) * (1.0 - 2.0 * np.finfo(float).eps)
        conjugates = 0.0
    else:
        scales, beyond = 1.0, np.maximum(correlations - share * strengths, 0.0)
        conjugates = (beyond * beyond / (2.0 * (1.0 - share) * strengths)).sum(axis=1)
    duals = scales * (moments.square - coefs @ moments.product - scales * losses)
    return prices, np.maximum(losses + prices + conjugates - duals, 0.0)


def _shape(penalty):
    """Share of the L1 part, and whether coefficients must be positive; None for other penalties."""
    for family in (L1, ElasticNet):
        if all(getattr(type(penalty), name) is getattr(family, name) for name in TEXTS):
            return getattr(penalty, "l1_ratio", 1.0), penalty.positive
    return None, False
