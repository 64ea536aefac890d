"""Gradients of many points along alpha, from the few directions in which their residuals lie.

Residuals along a path are on a curve that bends little: of sixteen of them all but a thousandth lies in the span of
eight directions ``d``. So do their correlations with a column ``z``,

    |z'r - sum_k c_k z'd_k| <= ||z|| ||r - sum_k c_k d_k||,

and most columns are so far from the model that this bound keeps them out of it at every alpha. X is read for the
directions instead of the residuals, and for these where that leaves a doubt. So what is certified is exact.
"""

from functools import partial

import numpy as np

from skreg import _kernels
from skreg.elastic import rest
from skreg.pages import in_large_pages

__all__ = ["differentiate", "differentiate_where_it_counts"]

# So many directions, of more points than what reads a sparse X once takes along.
DIRECTIONS, FEW = 8, 8

# Of an X with no more numbers the products are found as soon as the directions.
MANY = 300_000

# So many rows at once stay in the cache.
BLOCK = 2048

# Rounding, of squares and of bounds.
ROUNDING, SAFE = 1e-12, 1.0 - 1e-9


def differentiate(points, entries=None):
    """Give points their gradients, from one pass over X, or over the columns of ``entries``: the others' are not known then.

    Parameters
    ----------
    points : list of Point
        Of one problem with one output.
    entries : ndarray of int, optional

    Returns
    -------
    ndarray of shape (n_points, n_features)
    """
    design = points[0].problem.design
    gradients = design.dot_t(_row_gradients(points), entries)
    if entries is not None:
        some, gradients = gradients, np.full((design.shape[1], len(points)), np.nan)
        gradients[entries] = some
    gradients = np.ascontiguousarray(gradients.T)
    for gradient, point in zip(gradients, points, strict=True):
        point.gradient = gradient
    return gradients


def differentiate_where_it_counts(points, entries):
    """Gradients at features whose coefficients are not zero or are not surely kept there by the penalty.

    When the points are asked for their gradients, they give those, and at other features something near them under
    which the coefficients stay zero, too.

    Parameters
    ----------
    points : list of Point
        Along alpha, of one problem with one output.
    entries : ndarray of int
        Features outside which all coefficients are zero.

    Returns
    -------
    gradients : ndarray of shape (n_points, n_features) or (n_points, size of features)
    features : ndarray of int, or None if these are all
    """
    problem, alphas = points[0].problem, np.array([point.alpha for point in points])
    share = rest(problem.penalty)
    pays = len(points) > FEW and problem.design.X.size > MANY
    # Where most columns are in the working set, they are all read anyway.
    if not pays or not share * alphas.min() > 0.0 or 4 * entries.size > problem.n_features:
        return differentiate(points), None
    rows = _row_gradients(points)
    shares, directions, lost = _directions(rows, alphas, problem.weights)
    products = np.ascontiguousarray(problem.design.dot_t(directions).T)
    limits, norms = SAFE * share * problem.strengths(alphas), np.sqrt(problem.squared_norms)
    counts = _kernels.may_exceed(shares, products, norms, lost, limits)
    counts[entries[np.any([point.coef[entries] for point in points], axis=0)]] = True
    features = counts.nonzero()[0]
    gradients = np.ascontiguousarray(problem.design.dot_t(rows, features).T)
    for own, gradient, point in zip(shares, gradients, points, strict=True):
        vars(point).pop("gradient", None)
        point.exact, point.known_gradient = features, partial(_completed, own, products, features, gradient)
    return gradients, features


def _directions(rows, alphas, weights):
    """Directions, the share of each in every row gradient, and the weighted norms of what is then missing."""
    roots, gram = np.sqrt(weights), 0.0
    roots[roots == 0.0] = 1.0
    for start in range(0, len(rows), BLOCK):
        weighted = rows[start : start + BLOCK] / roots[start : start + BLOCK, None]
        gram += weighted.T @ weighted
    # What counts is how much is missing beside alpha.
    squares, vectors = np.linalg.eigh(gram / np.multiply.outer(alphas, alphas))
    main, others = vectors[:, -DIRECTIONS:], vectors[:, :-DIRECTIONS]
    lost = alphas * np.sqrt(np.square(others) @ np.maximum(squares[:-DIRECTIONS], 0.0) + ROUNDING * squares[-1])
    alphas = alphas[:, None]
    return alphas * main, ((main / alphas).T @ rows.T).T, lost


def _completed(shares, products, features, known):
    """The gradient of a point from its shares in the directions, and where it is known."""
    gradient = shares @ products
    gradient[features] = known
    return gradient


def _row_gradients(points):
    """Those of all points, one in each column."""
    problem = points[0].problem
    rows = in_large_pages((len(points), problem.design.shape[0])).T
    for row_gradient, point in zip(rows.T, points, strict=True):
        if problem.loss.quadratic or "row_gradient" in vars(point):
            row_gradient[:] = point.row_gradient
        else:
            # Where it is needed, it is made.
            point.row_gradient = np.multiply(point.expansion[1], problem.weights, out=row_gradient)
    return rows
