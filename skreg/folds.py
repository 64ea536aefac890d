"""The data of a search and of its folds, and the sums that save most of their work.

For the squared loss a training set is known by its moments, and they are sums over
rows. Rows that are in the same training sets are read once, together; every
training set adds up its groups. All share one shift, so that the correction for
the mean of a training set is small and of rank one; nothing is ever subtracted
from a total, which would lose digits.
"""

from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from skreg.design import make_design
from skreg.fitting import encode_classes
from skreg.losses import Loss
from skreg.moments import Moments

__all__ = ["Data", "blamed", "grouped_moments", "path_scores", "with_moments"]

# Gram matrices that are held at the same time: 256 MB.
MAX_HELD = 32_000_000

# As in coordinate descent: more columns are left to working sets.
MAX_FEATURES = 2_000


class Data(NamedTuple):
    """What is fitted to, or scored on.

    Attributes
    ----------
    X : ndarray or CSR/CSC matrix of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,) or (n_samples, n_targets)
        As the user gave it: what splitters and scorers see.
    target : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        As the loss wants it.
    weights : ndarray of shape (n_samples,) or None
    loss : Loss
    labels : ndarray of shape (n_classes,) or None
        Classes, sorted.
    """

    X: np.ndarray
    y: np.ndarray
    target: np.ndarray
    weights: np.ndarray | None
    loss: Loss
    labels: np.ndarray | None = None

    def rows(self, index):
        """Some of the rows."""
        weights = None if self.weights is None else self.weights[index]
        if weights is not None and not np.any(weights > 0):
            raise ValueError("sample_weight must not be 0 for all rows.")
        return self._replace(X=self.X[index], y=self.y[index], target=self.target[index], weights=weights)

    def encoded(self, weights, labels=None):
        """With other weights, and with targets for the classes that count with them (or for given ones)."""
        if self.labels is None:
            return self._replace(weights=weights)
        try:
            classes = encode_classes(self.y, weights, labels)
        except ValueError as error:
            raise ValueError(
                f"{error} A stratified splitter keeps every class in every fold; scores that need no probabilities, such as "
                "'accuracy', allow for classes that are only tested."
            ) from error
        return self._replace(weights=weights, target=classes.target, loss=classes.loss, labels=classes.labels)


class _Group:
    """Sums over the rows of one group, around a common shift."""

    def __init__(self, X, y, weights, shift, offset):
        design = make_design(X, weights, False, False)
        design.shift = shift
        y = y - offset
        weighted = (y.T * weights).T
        self.weight = weights.sum()
        self.gram = design.gram(slice(None), row_weights=weights)
        self.product = design.dot_t(weighted)
        self.square = np.einsum("i...,i...->...", y, weighted)
        self.x_sum, self.y_sum = design.dot_t(weights), weighted.sum(axis=0)


def grouped_moments(X, y, weights, splits, fit_intercept):
    """Moments of every training set, or None where working sets are the better way.

    Parameters
    ----------
    X : ndarray or CSR/CSC matrix of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,) or (n_samples, n_targets)
    weights : ndarray of shape (n_samples,) or None
        Sample weights.
    splits : list of (train, test)
        Positions of the rows.
    fit_intercept : bool

    Returns
    -------
    None or list
        For every split ``(gram, product, square)`` of centred columns in the units of
        X, with weights of sum 1; at the end those of all rows.
    """
    n_samples, n_features = X.shape
    smallest = min(len(train) for train, _ in splits)
    if smallest < 2 * n_features or n_features > MAX_FEATURES:
        return None
    member = np.zeros((n_samples, len(splits)), dtype=bool)
    for k, (train, _) in enumerate(splits):
        member[train, k] = True
        if np.count_nonzero(member[:, k]) < len(train):
            return None  # a bootstrap
    code = np.zeros(n_samples, dtype=np.intp)
    for inside in member.T:
        _, first, code = np.unique(2 * code + inside, return_index=True, return_inverse=True)
    patterns = member[first]
    if len(patterns) > 2 * len(splits) or (len(patterns) + 1) * n_features**2 > MAX_HELD:
        return None
    weights = np.full(n_samples, 1.0 / n_samples) if weights is None else weights / weights.sum()
    if not all(np.any(weights[train]) for train, _ in splits):
        return None  # there is nothing to fit, which is said elsewhere
    shift = offset = None
    if fit_intercept:
        shift, offset = make_design(X, weights, False, False).dot_t(weights), weights @ y
    chosen = [np.flatnonzero(code == g) for g in range(len(patterns))]
    groups = [_Group(X[rows], y[rows], weights[rows], shift, 0.0 if offset is None else offset) for rows in chosen]
    member = np.vstack([patterns.T, np.ones(len(groups), dtype=bool)])
    return [_total([g for g, inside in zip(groups, row, strict=True) if inside], fit_intercept) for row in member]


def _total(groups, fit_intercept):
    weight = sum(group.weight for group in groups)
    gram = sum(group.gram for group in groups) / weight
    product = sum(group.product for group in groups) / weight
    square = sum(group.square for group in groups) / weight
    if fit_intercept:
        x_mean = sum(group.x_sum for group in groups) / weight
        y_mean = sum(group.y_sum for group in groups) / weight
        gram -= np.outer(x_mean, x_mean)
        product -= np.multiply.outer(x_mean, y_mean)
        # Rounding may leave less than nothing of a constant y.
        square = np.maximum(square - y_mean**2, 0.0)
    return gram, product, square


def with_moments(problem, sums):
    """The problem with its moments given, in the units of its design.

    Parameters
    ----------
    problem : Problem
    sums : tuple (gram, product, square)
        From `grouped_moments`.

    Returns
    -------
    Problem
    """
    gram, product, square = sums
    scale = problem.design.scale
    if scale is not None:
        gram, product = gram / np.outer(scale, scale), (product.T / scale).T
    return problem.changed(moments=Moments(gram, product, square))


def path_scores(data, coefs, intercepts, weights):
    """Negative mean loss of every member of a path: one product for all of them."""
    coefs, intercepts = coefs.astype(np.float64), intercepts.astype(np.float64)
    n_alphas, n_rows = len(coefs), data.X.shape[0]
    eta = np.asarray(data.X @ coefs.reshape(-1, data.X.shape[1]).T).reshape(n_rows, *coefs.shape[:-1]) + intercepts
    # Losses act row by row: one call for the rows of all members.
    eta = np.ascontiguousarray(np.moveaxis(eta, 1, 0)).reshape(n_alphas * n_rows, *data.target.shape[1:])
    values = data.loss.value(np.concatenate([data.target] * n_alphas), eta).reshape(n_alphas, n_rows, -1)
    return -np.average(values.sum(axis=2), axis=1, weights=weights)


@contextmanager
def blamed(place):
    """Say where bad data are."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{error} This is in {place}.") from error
