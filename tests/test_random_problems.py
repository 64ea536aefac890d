"""Problems that nobody thought of: whatever is drawn ends certified, and the certificate is true.

The seeds are fixed, so a failure names the problem: ``draw(seed, wild)``.
"""

import warnings

import numpy as np
import pytest
from helpers import FORMATS, estimator, normalised, null_loss, one_hot, plain, price, row_losses
from sklearn.exceptions import ConvergenceWarning

from skreg import L1, L2, ElasticNet, alpha_max


def draw(seed, wild):
    """Data, penalty and settings; ``wild`` columns differ by ten decades and lie far from zero."""
    rng = np.random.default_rng(seed)
    task = str(rng.choice(["squared", "logistic", "softmax"]))
    n, p = int(rng.integers(4, 60)), int(rng.integers(1, 40))
    X = rng.standard_normal((n, p)) + rng.choice([0.0, 0.0, 3.0]) * rng.standard_normal((n, 1))
    X *= 10.0 ** rng.uniform(-5, 5, p) if wild else rng.choice([1.0, 10.0], p)
    X += rng.choice([0.0, 1e4 if wild else 10.0])
    if rng.random() < 0.3:
        X[:, rng.integers(p)] = rng.choice([0.0, 1.0, -7.0])
    if rng.random() < 0.3:
        X[:, 0] = X[:, -1]
    layout = str(rng.choice(list(FORMATS)))
    if layout in ("csr", "csc"):
        X[rng.random(X.shape) < 0.6] = 0.0
    eta = 3.0 * (X / np.maximum(np.abs(X).max(axis=0), 1e-300)) @ rng.standard_normal((p, 4))
    if task == "squared":
        y = (eta[:, 0] + rng.standard_normal(n)) * 10.0 ** rng.uniform(-3, 3) + rng.choice([0.0, 5.0])
    else:
        y = np.argmax(eta[:, : 2 if task == "logistic" else int(rng.integers(3, 5))] + rng.gumbel(size=(n, 1)), axis=1)
        y[:4] = [0, 1, 2, 2] if task == "softmax" else [0, 1, 0, 1]
        y = np.unique(y, return_inverse=True)[1]
    weights = rng.exponential(size=n) ** 2 * (rng.random(n) < 0.8) if rng.random() < 0.3 else None
    if weights is not None:
        weights[:4] = 1.0
    l1_ratio = float(rng.choice([0.0, 0.01, 0.3, 1.0]))
    positive = bool(rng.random() < 0.2)
    penalty = {0.0: L2(positive), 1.0: L1(positive)}.get(l1_ratio, ElasticNet(l1_ratio, positive))
    params = {
        "standardize": bool(rng.random() < 0.4),
        "fit_intercept": bool(rng.random() < 0.8),
        "penalty_factor": rng.choice([0.1, 0.5, 3.0], p) if rng.random() < 0.3 else None,
    }
    X = FORMATS[layout](X)
    target = one_hot(y).astype(float) if task == "softmax" else y
    top = alpha_max(X, target, penalty="l1", loss=task, sample_weight=weights, **params | {"penalty_factor": None})
    params["alpha"] = float(top * 10.0 ** rng.uniform(-4, 0.3)) or 1.0
    return task, X, y, weights, penalty, params


def objective(task, model, X, y, weights, penalty, params):
    """In long double: columns far from zero must not blur what is compared."""
    coef, intercept = plain(model)
    X = (X if isinstance(X, np.ndarray) else X.toarray()).astype(np.longdouble)
    share = normalised(weights, len(y))
    eta = X @ coef.T.astype(np.longdouble) + intercept
    losses = row_losses(task, y * np.longdouble(1) if task == "squared" else y, eta)
    spread = np.sqrt(share @ np.square(X - share @ X)).astype(float)
    spread[spread <= 1e-10 * np.abs(X).max(axis=0)] = 1.0
    scale = (spread if params["standardize"] else 1.0) * np.ones(X.shape[1])
    factor = 1.0 if params["penalty_factor"] is None else params["penalty_factor"]
    strength, l1_ratio = params["alpha"] * factor, getattr(penalty, "l1_ratio", float(isinstance(penalty, L1)))
    return float(share @ losses.astype(float)) + price(coef * scale, strength * l1_ratio, strength * (1 - l1_ratio))


@pytest.mark.parametrize("wild", [False, True], ids=["tame", "wild"])
@pytest.mark.parametrize("seed", range(140))
def test_every_problem_ends_certified(seed, wild):
    task, X, y, weights, penalty, params = draw(seed, wild)
    tol = 10.0 ** -(4 + seed % 4)
    model = estimator(task, penalty, tol=tol, **params).fit(X, y, sample_weight=weights)
    assert model.optimality_.converged
    assert np.all(np.isfinite(model.coef_)) and np.all(np.isfinite(model.intercept_))
    with warnings.catch_warnings():
        # This tolerance may be out of reach; the answer still is as good as rounding allows.
        warnings.simplefilter("ignore", ConvergenceWarning)
        best = estimator(task, penalty, tol=1e-11, **params).fit(X, y, sample_weight=weights)
    mine, least = (objective(task, fit, X, y, weights, penalty, params) for fit in (model, best))
    unit, gap = null_loss(task, y, weights, params["fit_intercept"]), model.optimality_.gap
    assert mine - least <= (tol if gap is None else gap) * unit * (1 + 1e-6) + 1e-10 * unit
