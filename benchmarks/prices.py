"""What coefficients pay, and from which alpha on they are all zero: the definitions, penalty by penalty.

The strength is alpha everywhere; what else there is to choose is fixed here. Coefficients are an array of shape
(n_features,) or (n_outputs, n_features).
"""

import numpy as np
from scipy.stats import norm

# Neighbours in groups of this size, with the same weight for all; MCP's gamma; the false discoveries of SLOPE's sequence.
GROUP = 10
GAMMA = 3.0
Q = 0.1

L1_RATIO = {"l1": 1.0, "weighted l1": 1.0, "elastic net": 0.5, "l2": 0.0}


def slope_sequence(n_features):
    """That of Benjamini and Hochberg."""
    return norm.isf(np.arange(1, n_features + 1) * Q / (2.0 * n_features))


def group_norms(coef):
    return np.linalg.norm(coef.reshape(-1, GROUP), axis=1)


def mcp(coef, alpha):
    size = np.minimum(np.abs(coef), GAMMA * alpha)
    return np.sum(alpha * size - size**2 / (2.0 * GAMMA))


def slope(coef, alpha):
    return alpha * slope_sequence(coef.size) @ np.sort(np.abs(coef))[::-1]


# penalty -> (its price, the alpha from which on a gradient leaves the null model as it is)
OTHERS = {
    "mcp": (mcp, lambda gradient: np.abs(gradient).max()),
    "group lasso": (
        lambda coef, alpha: alpha * group_norms(coef).sum(),
        lambda gradient: group_norms(gradient).max(),
    ),
    "l21": (
        lambda coef, alpha: alpha * np.linalg.norm(coef, axis=0).sum(),
        lambda gradient: np.linalg.norm(gradient, axis=0).max(),
    ),
    "slope": (
        slope,
        lambda gradient: np.max(np.cumsum(np.sort(np.abs(gradient))[::-1]) / np.cumsum(slope_sequence(gradient.size))),
    ),
}
CONCAVE = ("mcp",)
PENALTIES = (*L1_RATIO, *OTHERS)


def price(penalty, coef, alpha, weights=None):
    """What the coefficients pay."""
    if penalty in OTHERS:
        return float(OTHERS[penalty][0](coef, alpha))
    l1_ratio = L1_RATIO[penalty]
    pays = l1_ratio * np.abs(coef) + 0.5 * (1.0 - l1_ratio) * np.square(coef)
    return float(alpha * np.sum(pays if weights is None else pays * weights))


def largest_alpha(penalty, gradient, weights=None):
    """The unit of alpha: where L1 and the like leave the null model; the largest derivative for L2."""
    if penalty in OTHERS:
        return float(OTHERS[penalty][1](gradient))
    gradient = np.abs(gradient if weights is None else gradient / weights)
    return float(gradient.max()) / (L1_RATIO[penalty] or 1.0)
