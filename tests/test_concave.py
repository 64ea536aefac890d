"""Concave penalties: their prox against closed forms, their fits against conditions written by hand."""

import numpy as np
import pytest
from helpers import class_data, regression_data, task_data
from numpy.testing import assert_allclose

from skreg import (
    L0,
    MCP,
    SCAD,
    LogSum,
    Lq,
    PenalizedLogisticRegression,
    PenalizedRegression,
    alpha_max,
    regularization_path,
)

CONCAVE = [MCP(), SCAD(), LogSum(eps=0.5), Lq(), L0()]
each = pytest.mark.parametrize("penalty", CONCAVE, ids=repr)


# -- the prox ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strength", [1e-3, 0.3, 1.0, 40.0])
def test_the_prox_of_lq_in_closed_form(strength):
    """Xu et al. (2012), eq. (9); for q = 2/3 the quartic of Cao et al. (2013), solved as a polynomial."""
    jump = 1.5 * strength ** (2 / 3)
    coef = jump * np.array([0.5, 0.999999, 1.000001, 1.2, 3.0, 1e3])
    angle = np.arccos(0.25 * strength * (np.maximum(coef, jump) / 3) ** -1.5)
    expected = np.where(coef > jump, 2 / 3 * coef * (1 + np.cos(2 * np.pi / 3 - 2 * angle / 3)), 0.0)
    assert_allclose(Lq(0.5).prox(coef, 2.0, strength / 2), expected, rtol=1e-11)
    jump = 2 * (2 * strength / 3) ** 0.75
    for number in jump * np.array([0.5, 0.999999, 1.000001, 1.2, 3.0, 1e3]):
        roots = np.roots([1.0, 0.0, 0.0, -number, 2 * strength / 3])
        expected = max(roots[np.abs(roots.imag) < 1e-9].real) ** 3 if number > jump else 0.0
        (answer,) = Lq(2 / 3).prox(np.array([-number]), 2.0, strength / 2)
        assert_allclose(answer, -expected, rtol=1e-9)


@pytest.mark.parametrize("penalty", [MCP(1.5), SCAD(2.5)], ids=repr)
def test_knots_scale_with_alpha(penalty):
    """As in ncvreg: in units of alpha, the price and the prox are the same at every strength."""
    coef = np.linspace(-6, 6, 41)
    for step in (0.1, 1.0, 2.0, 10.0):
        assert_allclose(
            penalty.prox(3.0 * coef, step, 3.0), 3.0 * penalty.prox(coef, step, 1.0), rtol=1e-13, atol=1e-13
        )
    assert penalty.value(3.0 * coef, 3.0) == pytest.approx(9.0 * penalty.value(coef, 1.0))


# -- fits: what must hold at a solution, in words of the papers -------------------------------------------------------


def slope(penalty, size, alpha):
    """Derivative of the price at ``size > 0``."""
    if isinstance(penalty, MCP):
        return np.maximum(alpha - size / penalty.gamma, 0.0)
    if isinstance(penalty, SCAD):
        return np.where(size <= alpha, alpha, np.maximum(penalty.gamma * alpha - size, 0.0) / (penalty.gamma - 1.0))
    if isinstance(penalty, LogSum):
        return alpha / (penalty.eps + size)
    return alpha * penalty.q * size ** (penalty.q - 1.0) if isinstance(penalty, Lq) else 0.0 * size


NODES, WEIGHTS = np.polynomial.legendre.leggauss(30)
SHARES, WEIGHTS = (NODES + 1.0) / 2.0, WEIGHTS / 2.0


def price(penalty, size, alpha):
    """The price of single coefficients, by integrating its slope from kink to kink (Gauss and Legendre)."""
    if isinstance(penalty, L0):
        return alpha * (size > 0)
    if isinstance(penalty, Lq):
        return alpha * size**penalty.q
    total, start = 0.0, np.zeros_like(size)
    for kink in (alpha, alpha * getattr(penalty, "gamma", 1.0), np.inf):
        end = np.minimum(size, kink)
        points = start[..., None] + np.multiply.outer(end - start, SHARES)
        total += (end - start) * (slope(penalty, points, alpha) @ WEIGHTS)
        start = end
    return total


def assert_coordinatewise_best(X, y, model, alpha):
    """Stationary on the support, and no other value of a single coefficient is better (squared loss)."""
    penalty, coef = model.penalty, model.coef_
    residual = y - model.predict(X)
    assert abs(residual.mean()) <= 1e-8 * y.std()
    X = X - X.mean(axis=0)
    gradient, variance = -X.T @ residual / len(y), np.mean(X**2, axis=0)
    support = coef != 0
    pull = slope(penalty, np.abs(coef[support]), alpha) * np.sign(coef[support])
    assert_allclose(gradient[support] + pull, 0.0, atol=2e-4 * y.std() * X.std())
    # Half a square along each coordinate: everything there is to know of the loss.
    for j in range(X.shape[1]):
        grid = np.append(np.linspace(-2, 2, 161) * max(abs(coef[j]), alpha, abs(gradient[j] / variance[j])), 0.0)
        change = gradient[j] * (grid - coef[j]) + 0.5 * variance[j] * (grid - coef[j]) ** 2
        change += price(penalty, np.abs(grid), alpha) - price(penalty, np.abs(coef[j : j + 1]), alpha)
        assert change.min() >= -1e-6 * np.var(y)


@each
@pytest.mark.parametrize(("n", "p", "scale"), [(60, 8, 1.0), (40, 90, 1.0), (60, 8, 0.1)])
def test_no_other_value_of_a_coefficient_is_better(penalty, n, p, scale):
    X, y = regression_data(n, p, seed=2)
    X = scale * X
    top = alpha_max(X, y, penalty=penalty)
    for share in (0.7, 0.3, 0.1):
        model = PenalizedRegression(penalty, alpha=share * top, tol=1e-8).fit(X, y)
        assert model.optimality_.converged and model.solver_ == "coordinate_descent"
        assert_coordinatewise_best(X, y, model, share * top)


@each
def test_classes_too(penalty):
    """Stationary on the support; no small change of one coefficient helps."""
    X, y = class_data(seed=3)
    top = alpha_max(X, y, penalty=penalty, loss="logistic")
    for share in (0.6, 0.1):
        alpha = share * top
        model = PenalizedLogisticRegression(penalty, alpha=alpha, tol=1e-8).fit(X, y)
        assert model.optimality_.converged
        (coef,) = model.coef_
        gradient = X.T @ (model.predict_proba(X)[:, 1] - y) / len(y)
        support = coef != 0
        pull = slope(penalty, np.abs(coef[support]), alpha) * np.sign(coef[support])
        assert_allclose(gradient[support] + pull, 0.0, atol=1e-5)
        if not isinstance(penalty, (Lq, L0)):
            assert np.all(np.abs(gradient[~support]) <= slope(penalty, np.array(1e-12), alpha) + 1e-6)


@each
@pytest.mark.parametrize("task", ["squared", "logistic"])
def test_alpha_max(penalty, task):
    """Just above it the null model, just below it not."""
    X, y = task_data(task)
    fitted = PenalizedRegression if task == "squared" else PenalizedLogisticRegression
    top = alpha_max(X, y, penalty=penalty, loss=task)
    assert 0 < top < np.inf
    assert not fitted(penalty, alpha=top * (1 + 1e-9)).fit(X, y).coef_.any()
    # Away from the null model a logistic loss may curve more: who jumps there has to gain that as well.
    below = 0.5 if task == "logistic" else 0.99
    assert fitted(penalty, alpha=below * top, tol=1e-10).fit(X, y).coef_.any()
    if isinstance(penalty, L0) and task == "squared":
        # A column that lowers half the mean square by more than alpha enters.
        gain = ((X - X.mean(axis=0)).T @ (y - y.mean()) / len(y)) ** 2 / (2 * X.var(axis=0))
        assert top == pytest.approx(gain.max(), rel=1e-9)


# -- global or local --------------------------------------------------------------------------------------------------


def test_kind_says_whether_the_loss_outweighs_the_penalty():
    X, y = regression_data(n=200, p=5)
    X = X - X.mean(axis=0)
    least = np.linalg.eigvalsh(X.T @ X / len(y))[0]
    for factor, kind in ((1.01, "global"), (0.99, "local")):
        gamma = factor / least
        assert PenalizedRegression(MCP(gamma), alpha=0.3).fit(X, y).optimality_.kind == kind
        assert PenalizedRegression(SCAD(max(1 + gamma, 2.01)), alpha=0.3).fit(X, y).optimality_.kind == kind
        at = 0.3 if factor > 1 else 0.31
        eps = np.sqrt(0.305 / least)
        assert PenalizedRegression(LogSum(eps), alpha=at).fit(X, y).optimality_.kind == kind
    assert PenalizedRegression(L0(), alpha=0.1).fit(X, y).optimality_.kind == "local"
    assert PenalizedRegression(MCP(), alpha=0.0).fit(X, y).optimality_.kind == "global"
    wide, target = regression_data(n=20, p=30)
    assert PenalizedRegression(MCP(1e3), alpha=0.3).fit(wide, target).optimality_.kind == "local"
    X, y = class_data()
    assert PenalizedLogisticRegression(MCP(1e6), alpha=0.01).fit(X, y).optimality_.kind == "local"


def test_global_means_global():
    """From every start, exhaustively over signs and zeros, nothing is better than a fit that is called global."""
    X, y = regression_data(n=60, p=4, seed=5)
    penalty, alpha = MCP(gamma=12.0), 0.4
    model = PenalizedRegression(penalty, alpha=alpha, tol=1e-10).fit(X, y)
    assert model.optimality_.kind == "global"
    centred, target = X - X.mean(axis=0), y - y.mean()

    def objective(coef):
        return 0.5 * np.mean((target - centred @ coef) ** 2) + price(penalty, np.abs(coef), alpha).sum()

    best = objective(model.coef_)
    rng = np.random.default_rng(0)
    for _ in range(20):
        start = rng.standard_normal(4) * 3
        other = PenalizedRegression(penalty, alpha=alpha, tol=1e-10, warm_start=True)
        other.fit(X, y)
        other.coef_ = start
        other.fit(X, y)
        assert objective(other.coef_) == pytest.approx(best, rel=1e-6)


# -- paths ------------------------------------------------------------------------------------------------------------


@each
def test_paths_are_warm_started_and_certified(penalty):
    X, y = regression_data(n=50, p=80, seed=1)
    path = regularization_path(X, y, penalty=penalty, alphas=20, alpha_min_ratio=0.05)
    assert all(certificate.converged for certificate in path.certificates)
    assert not path.coefs[0].any()
