"""Neutral ground: what is minimised, straight from the definition, in float64 and without a line of any peer.

    F(b, w) = mean_i loss(y_i, x_i' w + b)  +  P(w; alpha)

Squared loss is ``0.5 * (y - eta) ** 2`` (summed over targets), logistic and softmax are minus the log-likelihood.
The prices ``P`` are in `prices`: ``alpha * sum_j v_j * (l1_ratio * |w_j| + (1 - l1_ratio) / 2 * w_j ** 2)``, and others.
"""

import numpy as np
from prices import price
from scipy import sparse
from scipy.special import logsumexp


def mean_loss(loss, y, eta):
    """Mean loss over the rows; ``eta`` has a column per output, or none for a single one."""
    if loss == "squared":
        return 0.5 * np.mean(np.square(y - eta).reshape(len(y), -1).sum(axis=1))
    if loss == "logistic":
        return np.mean(np.logaddexp(0.0, np.where(y == 1, -eta, eta)))
    return np.mean(logsumexp(eta, axis=1) - eta[np.arange(len(y)), y])


def null_eta(loss, y, fit_intercept):
    """Linear predictor of the model without coefficients, one number per output."""
    n_classes = int(np.max(y)) + 1 if loss == "softmax" else None
    if not fit_intercept:
        return np.zeros(n_classes or y.shape[1:])
    if loss == "squared":
        return np.mean(y, axis=0)
    if loss == "logistic":
        return np.log(np.mean(y) / (1.0 - np.mean(y)))
    return np.log(np.bincount(y, minlength=n_classes) / len(y))


def null_objective(loss, y, fit_intercept):
    """F of the model without coefficients."""
    eta = null_eta(loss, y, fit_intercept)
    return float(mean_loss(loss, y, np.broadcast_to(eta, (len(y), *np.shape(eta)))))


def null_gradient(loss, X, y, fit_intercept):
    """Derivatives of the loss at the null model, shape (n_features,) or (n_outputs, n_features)."""
    eta = null_eta(loss, y, fit_intercept)
    if loss == "squared":
        rows = y - eta
    elif loss == "logistic":
        rows = y - 1.0 / (1.0 + np.exp(-eta))
    else:
        rows = (y[:, None] == np.arange(len(eta))) - np.exp(eta - logsumexp(eta))
    return (X.T @ rows).T / len(y)


def objectives(workload, data, coefs, intercepts):
    """F at every alpha.

    ``coefs`` is a sequence over the alphas (or a sparse matrix with a row for each), of shape (n_features,) or
    (n_outputs, n_features); ``intercepts`` a sequence of numbers or of one number per output.
    """
    coefs = coefs.toarray() if sparse.issparse(coefs) else np.asarray(coefs, dtype=np.float64)
    size, n_features = len(data.alphas), data.X.shape[1]
    outputs = np.shape(null_eta(workload.loss, data.y, True))
    coefs = coefs.reshape(size, *outputs, n_features)
    intercepts = np.asarray(intercepts, dtype=np.float64).reshape(size, *outputs)
    # One product for all: the long side of X is read once.
    eta = data.X @ coefs.reshape(-1, n_features).T.astype(data.X.dtype)
    eta = eta.astype(np.float64, copy=False).reshape(-1, size, *outputs)
    return np.array(
        [
            mean_loss(workload.loss, data.y, eta[:, k] + intercepts[k])
            + price(workload.penalty, coefs[k], data.alphas[k], data.weights)
            for k in range(size)
        ]
    )


def suboptimality(values, best, null):
    """The one definition of accuracy: ``(F(w) - F*) / (F(null) - F*)``.

    For a path, the largest excess over all its alphas, in units of what the path gains at its best alpha.
    """
    return float(np.max(np.asarray(values) - best) / np.max(null - np.asarray(best)))
