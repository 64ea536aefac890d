"""Neutral ground: data, prices and references that share no code with skreg.

One notation throughout. ``task`` is "squared", "logistic" or "softmax"; ``y`` is numbers for the first and integer
codes for the others; ``l1`` and ``l2`` are the strengths of both parts (numbers, or one per feature), so that the price
of a coefficient is ``l1 * |w| + l2 / 2 * w**2``. Coefficients have scikit-learn's shape, outputs in rows.
"""

import importlib
import inspect
import pkgutil
import warnings

import numpy as np
import sklearn
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit, logsumexp, softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, Ridge
from sklearn.utils.fixes import parse_version

import skreg.penalties
from skreg import PenalizedLogisticRegression, PenalizedRegression, Penalty

# -- the catalogue --------------------------------------------------------------------------------------------------------


def penalty_classes(package=skreg.penalties):
    """Every public subclass of `Penalty` that lives in ``package``."""
    modules = [
        importlib.import_module(f"{package.__name__}.{info.name}") for info in pkgutil.iter_modules(package.__path__)
    ]
    found = {item for module in modules for item in vars(module).values() if inspect.isclass(item)}
    return sorted(
        (cls for cls in found if issubclass(cls, Penalty) and cls is not Penalty and not cls.__name__.startswith("_")),
        key=lambda cls: cls.__name__,
    )


# -- data ---------------------------------------------------------------------------------------------------------------


def regression_data(n=60, p=8, n_targets=None, seed=0, mean=0.0):
    """Correlated columns, a sparse truth, some noise."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + 0.5 * rng.standard_normal((n, 1)) + mean
    shape = (p,) if n_targets is None else (p, n_targets)
    truth = np.where(rng.random(shape) < 0.5, 2.0 * rng.standard_normal(shape), 0.0)
    y = (X - mean) @ truth + 3.0 + rng.standard_normal((n, *shape[1:]))
    return X, y


def class_data(n=90, p=6, n_classes=2, seed=0):
    """Overlapping classes: no separation, whatever the penalty."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + 0.5 * rng.standard_normal((n, 1))
    eta = X @ rng.standard_normal((p, n_classes)) + 0.5 * np.arange(n_classes)
    y = np.argmax(eta + 2.0 * rng.gumbel(size=eta.shape), axis=1)
    y[:n_classes] = np.arange(n_classes)
    return X, y


def task_data(task, n=80, p=6, seed=0):
    """Data of one task: "squared", "logistic" or "softmax" (three classes)."""
    if task == "squared":
        return regression_data(n, p, seed=seed)
    return class_data(n, p, n_classes=2 if task == "logistic" else 3, seed=seed)


def sparse_data(task, n=80, p=6, seed=0):
    """The same as an array in which two thirds of the entries are zero."""
    X, y = task_data(task, n, p, seed)
    X[np.random.default_rng(seed + 1).random(X.shape) < 0.65] = 0.0
    return X, y


def uneven_weights(n, seed=0):
    """Weights of very different size, some of them zero."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(n) < 0.2, 0.0, rng.exponential(size=n) ** 2)


def estimator(task, penalty="l2", **params):
    """The estimator that a task is for."""
    return (PenalizedRegression if task == "squared" else PenalizedLogisticRegression)(penalty, **params)


FORMATS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "csr": sparse.csr_array,
    "csc": sparse.csc_array,
}

# -- what is minimised --------------------------------------------------------------------------------------------------


def normalised(weights, n):
    """Weights with sum 1."""
    weights = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
    return weights / weights.sum()


def one_hot(y):
    """Integer codes as rows with a single 1."""
    return np.eye(int(np.max(y)) + 1)[y]


def row_losses(task, y, eta):
    """Loss of every row."""
    if task == "squared":
        return 0.5 * np.square(y - eta).reshape(len(y), -1).sum(axis=1)
    if task == "logistic":
        return np.where(y == 1, np.logaddexp(0.0, -eta), np.logaddexp(0.0, eta))
    return logsumexp(eta, axis=1) - eta[np.arange(len(y)), y]


def row_gradients(task, y, eta):
    """Derivative of every row's loss in its linear predictor."""
    if task == "squared":
        return eta - y
    if task == "logistic":
        return expit(eta) - y
    return softmax(eta, axis=1) - one_hot(y)


def predictor(X, coef, intercept):
    """Linear predictor in float64, outputs in columns (none for a single one)."""
    coef = np.asarray(coef, dtype=float)
    X = X.toarray() if sparse.issparse(X) else np.asarray(X)
    return X.astype(float) @ coef.T + np.asarray(intercept, dtype=float)


def price(coef, l1, l2):
    """The elastic net, with strengths per feature, in float64."""
    coef = np.asarray(coef, dtype=float)
    return float(np.sum(l1 * np.abs(coef) + 0.5 * l2 * np.square(coef)))


def plain(model):
    """Coefficients and intercept of a fitted model; one row of a binary classifier is no row at all."""
    coef, intercept = np.asarray(model.coef_), np.asarray(model.intercept_)
    if hasattr(model, "classes_") and len(model.classes_) == 2:
        return coef.ravel(), float(intercept.ravel()[0])
    return coef, intercept


def objective(task, X, y, coef, intercept, l1=0.0, l2=0.0, weights=None):
    """Weighted mean loss plus price, straight from the definition."""
    losses = row_losses(task, y, predictor(X, coef, intercept))
    return float(normalised(weights, len(y)) @ losses) + price(coef, l1, l2)


def model_objective(task, model, X, y, l1=0.0, l2=0.0, weights=None):
    """`objective` of a fitted model."""
    return objective(task, X, y, *plain(model), l1, l2, weights)


def gradients(task, X, y, coef, intercept, weights=None):
    """Derivatives of the weighted mean loss in coefficients and intercept."""
    rows = row_gradients(task, y, predictor(X, coef, intercept))
    rows = (rows.T * normalised(weights, len(y))).T
    X = X.toarray() if sparse.issparse(X) else np.asarray(X)
    return rows.T @ X.astype(float), rows.sum(axis=0)


def null_loss(task, y, weights=None, fit_intercept=True):
    """Loss of the intercept alone: the unit of tolerances."""
    share = normalised(weights, len(y))
    if task == "squared":
        return float(share @ row_losses(task, y, share @ y if fit_intercept else 0.0 * (share @ y)))
    k = int(np.max(y)) + 1
    if not fit_intercept:
        return float(np.log(k))
    counts = np.bincount(y, weights=share, minlength=k)
    counts = counts[counts > 0]
    return float(-np.sum(counts * np.log(counts)))


# -- a slow reference ---------------------------------------------------------------------------------------------------


def reference(task, X, y, l1=0.0, l2=0.0, weights=None, fit_intercept=True, positive=False):
    """Minimiser by L-BFGS-B on ``w = u - v`` with ``u, v >= 0``, restarted until it stands still.

    Returns coefficients (outputs in rows), intercept and the objective.
    """
    X = X.toarray() if sparse.issparse(X) else np.asarray(X, dtype=float)
    p = X.shape[1]
    outputs = (int(np.max(y)) + 1,) if task == "softmax" else y.shape[1:]
    n_outputs = int(np.prod(outputs, dtype=int))
    size = n_outputs * p
    l1 = np.broadcast_to(l1, (*outputs, p)).ravel()
    l2 = np.broadcast_to(l2, p)

    def unpack(z):
        coef = (z[:size] - z[size : 2 * size]).reshape(*outputs, p)
        return coef, z[2 * size :].reshape(outputs) if fit_intercept else np.zeros(outputs)

    def function(z):
        coef, intercept = unpack(z)
        slope, slope0 = gradients(task, X, y, coef, intercept, weights)
        slope = (slope + l2 * coef).ravel()
        value = objective(task, X, y, coef, intercept, 0.0, l2, weights) + l1 @ (z[:size] + z[size : 2 * size])
        parts = [slope + l1, -slope + l1] + ([np.ravel(slope0)] if fit_intercept else [])
        return value, np.concatenate(parts)

    free = n_outputs if fit_intercept else 0
    bounds = [(0, None)] * size + [(0, 0 if positive else None)] * size + [(None, None)] * free
    options = {"maxiter": 5000, "maxfun": 50_000, "ftol": 0.0, "gtol": 1e-14, "maxcor": 30}
    z = np.zeros(2 * size + free)
    best = np.inf
    for _ in range(50):
        result = minimize(function, z, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        # What both parts share only costs: take it out before the next start.
        z = result.x.copy()
        shared = np.minimum(z[:size], z[size : 2 * size])
        z[:size] -= shared
        z[size : 2 * size] -= shared
        if not result.fun < best - 1e-15 * abs(best):
            break
        best = result.fun
    coef, intercept = unpack(z)
    return coef, intercept, objective(task, X, y, coef, intercept, l1.reshape(*outputs, p), l2, weights)


# -- scikit-learn, through the documented mapping -----------------------------------------------------------------------


def sklearn_regression(alpha, l1_ratio, total_weight, **params):
    """Ridge (l1_ratio=0), Lasso (1) or ElasticNet with skreg's alpha; ``total_weight`` is the sum of the weights."""
    if l1_ratio == 0:
        return Ridge(alpha=alpha * total_weight, **params)
    params = {"tol": 1e-14, "max_iter": 100_000, **params}
    return Lasso(alpha=alpha, **params) if l1_ratio == 1 else ElasticNet(alpha=alpha, l1_ratio=l1_ratio, **params)


def sklearn_logistic(alpha, l1_ratio, total_weight, **params):
    """LogisticRegression with skreg's alpha, from scikit-learn 1.6 (``penalty=``) to 1.9 (``l1_ratio=``)."""
    if parse_version(sklearn.__version__) >= parse_version("1.8"):
        shape = {"l1_ratio": l1_ratio}
    else:
        shape = {"penalty": {0: "l2", 1: "l1"}.get(l1_ratio, "elasticnet")}
        shape |= {"l1_ratio": l1_ratio} if 0 < l1_ratio < 1 else {}
    strength = 1.0 / (alpha * total_weight) if alpha > 0 else np.inf
    fast = {"solver": "newton-cholesky", "tol": 1e-12, "max_iter": 1000}
    slow = {"solver": "saga", "tol": 1e-12, "max_iter": 20_000, "random_state": 0}
    return LogisticRegression(C=strength, **shape, **{**(fast if l1_ratio == 0 else slow), **params})


def fit_quietly(model, *args, **kwargs):
    """Fit a peer that may warn that it has not converged; its answer is judged by its objective."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(*args, **kwargs)


def failures(results):
    """Of the results of `skreg.testing`: the exceptions of checks that failed, by their names."""
    return {result["check_name"]: result["exception"] for result in results if result["status"] == "failed"}
