"""Violations, prices and duality gaps of many points along alpha at once: one by one they cost more than the path."""

import math
from functools import lru_cache

import numpy as np

from skreg import _kernels
from skreg.penalties.convex import L1, L2, ElasticNet
from skreg.sums import total

__all__ = ["certify_together", "costs_nothing_at_zero", "measure_together", "rest", "restless"]

# What the formulas below are the text of; a subclass with a text of its own is not meant.
TEXTS = ("value", "prox", "conjugate", "dual_scale")

# Shares of the L1 part that are no parameter.
SHARES = {L1: 1.0, L2: 0.0}

# Two units in the last place less than 1.
BELOW = 1.0 - 2.0 * float(np.finfo(np.float64).eps)


def measure_together(points, coefs, gradients, halves, products, imbalances=None, features=None):
    """Give points what their certificates are made of, where it follows from a few sums.

    Parameters
    ----------
    points : list of Point
        Of one problem along alpha: squared loss, one output.
    coefs, gradients : ndarray of shape (n_alphas, n_features)
        Or as many columns as there are ``features``.
    halves, products : list of float
        Half the weighted mean square of the residuals, balanced if there is an intercept, and that of their products with y.
    imbalances : list of float, optional
        Sizes of the weighted means of the residuals, if there is an intercept; 0 by default.
    features : ndarray of int, optional
        To which the columns of coefs and gradients belong, if the others are zero and stay it.
    """
    problem = points[0].problem
    if problem.twin is None:
        return
    alphas, norms, (address, params) = [point.alpha for point in points], problem.squared_norms, problem.twin
    if features is None:
        strengths = problem.strengths(alphas)
    else:
        strengths, norms = problem.strengths_of(features, alphas), norms[features]
        params = params[features] if len(params) > 1 else params
    rows, (share, positive), violations = (coefs, gradients), _shape(problem.penalty), None
    if share is None or problem.unpenalised(min(alphas)).size:
        worst = _kernels.largest_residuals(*rows, strengths, norms, address, params).tolist()
    else:
        if len(points) == 1 and features is None:
            # Of one point more is asked; for many that would be an array as large as the gradients.
            violations = np.zeros(coefs.shape)
            points[0].violations = violations[0]
        sums = _kernels.elastic_sums(*rows, strengths, share, positive, norms, violations)
        worst = sums[3].tolist()
        for point, half, product, (price, largest, conjugate, _) in zip(
            points, halves, products, sums.T.tolist(), strict=True
        ):
            # The residual is scaled until no correlation exceeds the price; what is then conjugate to the penalty costs nothing.
            scale = BELOW / largest if share == 1.0 else 1.0
            # The second half is by how much the negative dual objective exceeds zero.
            gap = max(point.loss + price + (conjugate - scale * (product - scale * half)), 0.0) / problem.null_loss
            point.price, point.plain_gap = price, gap if math.isfinite(gap) else None
    for point, violation, imbalance in zip(points, worst, imbalances or [0.0] * len(points), strict=True):
        point.violation = max(violation, imbalance) / problem.unit


def certify_together(points, coefs, gradients, tol, features=None):
    """Give points of a loss that is not squared what their certificates are made of, where the residuals show gaps within ``tol``.

    Parameters
    ----------
    points : list of Point
        Of one problem along alpha, with one output.
    coefs, gradients : ndarray of shape (n_alphas, n_features)
        Or as many columns as there are ``features``.
    tol : float
    features : ndarray of int, optional
        To which the columns belong, if all other coefficients are zero and stay it.
    """
    problem, alphas = points[0].problem, [point.alpha for point in points]
    share, positive = _shape(problem.penalty)
    if share is None or problem.any_unweighted or problem.unpenalised(min(alphas)).size:
        return
    strengths = problem.strengths(alphas) if features is None else problem.strengths_of(features, alphas)
    sums = _kernels.elastic_sums(coefs, gradients, strengths, share, positive)
    if features is not None:
        for point, *own in zip(points, coefs, gradients, strengths, strict=True):
            point.restless = features[_kernels.elastic_restless(*own, share, positive)]
    for point, (price, largest, conjugate, _) in zip(points, sums.T.tolist(), strict=True):
        # Another order of summation is another number: whoever has compared with the one goes on with it.
        vars(point).setdefault("price", price)
        dual = point.expansion[1]
        if problem.fit_intercept:
            # A centred design does not see it.
            dual = dual - total(problem.weights, dual)
        if share == 1.0:
            dual = dual * (BELOW / largest)
        excess = problem.loss.conjugate(problem.y, dual)
        if excess is None:
            continue
        gap = max(point.loss + price + total(problem.weights, excess) + conjugate, 0.0) / problem.null_loss
        if gap <= tol and math.isfinite(gap):
            point.plain_gap = gap


def restless(penalty, coef, gradient, strengths):
    """Which coefficients are not zero, or would not stay it; None where the penalty is another.

    Parameters
    ----------
    penalty : Penalty
    coef, gradient : ndarray of shape (n_features,)
    strengths : ndarray
        With one number for each coefficient, or for all.

    Returns
    -------
    None or ndarray of int
    """
    share, positive = _shape(penalty)
    return None if share is None else _kernels.elastic_restless(coef, gradient, strengths, share, positive)


def rest(penalty):
    """The share of its strength that a correlation must exceed to move a coefficient from zero; 0 where that is not all there is to know.

    Parameters
    ----------
    penalty : Penalty

    Returns
    -------
    float
    """
    return _shape(penalty)[0] or 0.0


def costs_nothing_at_zero(penalty):
    """Whether coefficients that are all zero are known to be allowed.

    Parameters
    ----------
    penalty : Penalty

    Returns
    -------
    bool
    """
    return _family(type(penalty)) is not None


def _shape(penalty):
    """Share of the L1 part, and whether coefficients must be positive; None for other penalties."""
    family = _family(type(penalty))
    if family is None:
        return None, False
    return penalty.l1_ratio if family is ElasticNet else SHARES[family], penalty.positive


@lru_cache
def _family(kind):
    """The elastic net, the lasso or ridge, if a class of penalties has its texts; else None."""
    for family in (*SHARES, ElasticNet):
        if all(getattr(kind, name) is getattr(family, name) for name in TEXTS):
            return family
    return None
