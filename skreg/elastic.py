"""Violations, prices and duality gaps of many points along alpha at once: one by one they cost more than the path."""

import numpy as np

from skreg import _kernels
from skreg.penalties.convex import L1, ElasticNet
from skreg.sums import inner

__all__ = ["certify_together", "measure_together"]

# What the formulas below are the text of; a subclass with a text of its own is not meant.
TEXTS = ("value", "conjugate", "dual_scale")


def measure_together(points, coefs, gradients, halves, products, imbalances=0.0):
    """Give points what their certificates are made of, where it follows from a few sums.

    Parameters
    ----------
    points : list of Point
        Of one problem along alpha: squared loss, one output.
    coefs, gradients : ndarray of shape (n_alphas, n_features)
    halves, products : ndarray of shape (n_alphas,)
        Half the weighted mean square of the residuals, balanced if there is an intercept, and that of their products with y.
    imbalances : ndarray of shape (n_alphas,) or 0
        Sizes of the weighted means of the residuals, if there is an intercept.
    """
    problem, alphas = points[0].problem, np.array([[point.alpha] for point in points])
    if problem.twin is None:
        return
    strengths = alphas if problem.penalty_factor is None else alphas * problem.penalty_factor
    rows, (share, positive) = (coefs, gradients), _shape(problem.penalty)
    meet = problem.curvatures(None), *problem.twin
    if share is None or problem.unpenalised(alphas.min()).size:
        violations = _kernels.largest_residuals(*rows, strengths, *meet)
    else:
        prices, largest, conjugates, violations = _kernels.elastic_sums(*rows, strengths, share, positive, *meet)
        # The residual is scaled until no correlation exceeds the price; what is then conjugate to the penalty costs nothing.
        scales = _feasible(largest) if share == 1.0 else 1.0
        # By how much the negative dual objectives exceed zero.
        excesses = conjugates - scales * (products - scales * halves)
        for point, price, excess in zip(points, prices.tolist(), excesses.tolist(), strict=True):
            gap = max(point.loss + price + excess, 0.0) / problem.null_loss
            point.price, point.plain_gap = price, float(gap) if np.isfinite(gap) else None
    violations = np.maximum(violations, imbalances) / np.sqrt(2.0 * problem.null_loss)
    for point, violation in zip(points, violations.tolist(), strict=True):
        point.violation = violation


def certify_together(points, gradients, tol):
    """Give points of a loss that is not squared what their certificates are made of, where the residuals show gaps within ``tol``.

    Parameters
    ----------
    points : list of Point
        Of one problem along alpha, with one output.
    gradients : ndarray of shape (n_alphas, n_features)
    tol : float
    """
    problem, alphas = points[0].problem, np.array([[point.alpha] for point in points])
    share, positive = _shape(problem.penalty)
    if share is None or problem.any_unweighted or not problem.has_conjugate or problem.unpenalised(alphas.min()).size:
        return
    strengths = alphas if problem.penalty_factor is None else alphas * problem.penalty_factor
    coefs = np.array([point.coef for point in points])
    prices, largest, conjugates, _ = _kernels.elastic_sums(coefs, gradients, strengths, share, positive)
    scales = _feasible(largest) if share == 1.0 else np.ones(len(points))
    moving = np.logical_or(coefs, (-gradients if positive else np.abs(gradients)) > strengths * share)
    numbers = np.stack([prices, scales, conjugates], axis=1).tolist()
    for point, moves, (price, scale, conjugate) in zip(points, moving, numbers, strict=True):
        point.restless = np.flatnonzero(moves)
        dual = point.row_gradient / problem.weights
        if problem.fit_intercept:
            # A centred design does not see it.
            dual -= point.row_gradient.sum()
        dual *= scale
        excess = float(inner(problem.weights, problem.loss.conjugate(problem.y, dual)))
        gap = max(point.loss + price + excess + conjugate, 0.0) / problem.null_loss
        point.price = price
        if gap <= tol:
            point.plain_gap = float(gap)


def _feasible(largest):
    """The factors that bring correlations of these sizes, in units of their prices, down to the price."""
    return (1.0 - 2.0 * np.finfo(float).eps) / np.maximum(largest, 1.0)


def _shape(penalty):
    """Share of the L1 part, and whether coefficients must be positive; None for other penalties."""
    for family in (L1, ElasticNet):
        if all(getattr(type(penalty), name) is getattr(family, name) for name in TEXTS):
            return getattr(penalty, "l1_ratio", 1.0), penalty.positive
    return None, False
