"""The formulas that the user guide prints, written down again in plain NumPy and compared with the library."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import trapezoid
from scipy.special import comb
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.preprocessing import scale

import skreg
from skreg import PenalizedLogisticRegression, PenalizedRegression, PenalizedRegressionCV

ALPHA, STEP = 0.8, 0.7
POINTS = np.random.default_rng(0).normal(scale=2.5, size=(40, 4))
RHO, GAMMA, EPS, Q, C = 0.3, 3.0, 0.5, 0.5, 0.4
M = np.array([[2.0, -1, 0, 0], [-1, 2, -1, 0], [0, -1, 2, -1], [0, 0, -1, 2]])
LAMBDAS = np.array([2.0, 1.5, 1.0, 0.2])
PAIRS = [[0, 1], [2, 3]]


def plus(x):
    return np.maximum(x, 0.0)


def soft(v, threshold):
    return np.sign(v) * plus(np.abs(v) - threshold)


def mcp(w, alpha):
    w = np.abs(w)
    return np.where(w <= GAMMA * alpha, alpha * w - w**2 / (2 * GAMMA), GAMMA * alpha**2 / 2)


def mcp_prox(v, alpha, s):
    return np.where(np.abs(v) <= GAMMA * alpha, soft(v, s * alpha) / (1 - s / GAMMA), v)


def scad(w, alpha):
    """The integral of the slope that the guide prints, which is linear between its bends."""
    ends = np.minimum(np.abs(w), np.array([0.0, alpha, GAMMA * alpha, np.inf])[:, None])
    slope = np.where(ends <= alpha, alpha, plus(GAMMA * alpha - ends) / (GAMMA - 1))
    return trapezoid(slope, ends, axis=0)


def scad_prox(v, alpha, s):
    middle = ((GAMMA - 1) * v - np.sign(v) * s * GAMMA * alpha) / (GAMMA - 1 - s)
    far = np.where(np.abs(v) <= GAMMA * alpha, middle, v)
    return np.where(np.abs(v) <= (1 + s) * alpha, soft(v, s * alpha), far)


def logsum(w):
    return ALPHA * np.log(1 + np.abs(w) / EPS)


def logsum_prox(v):
    room = (np.abs(v) + EPS) ** 2 - 4 * STEP * ALPHA
    root = plus((np.abs(v) - EPS + np.sqrt(plus(room))) / 2) * (room > 0)
    cheaper = logsum(root) + (root - np.abs(v)) ** 2 / (2 * STEP) < v**2 / (2 * STEP)
    return np.sign(v) * np.where(cheaper, root, 0.0)


def lq_prox(v):
    jump = (2 - Q) / (2 - 2 * Q) * (2 * STEP * ALPHA * (1 - Q)) ** (1 / (2 - Q))
    root = np.abs(v)
    for _ in range(60):  # downwards to the larger root
        root = np.abs(v) - STEP * ALPHA * Q * np.where(np.abs(v) > jump, root, 1.0) ** (Q - 1)
    return np.sign(v) * np.where(np.abs(v) > jump, root, 0.0)


def lengths(w):
    return np.array([np.linalg.norm(w[pair]) for pair in PAIRS])


def by_length(v, prox):
    """The direction of a group stays, its length becomes what the prox makes of it."""
    return np.concatenate([v[pair] / np.linalg.norm(v[pair]) * prox(np.linalg.norm(v[pair])) for pair in PAIRS])


def group_prox(v, alpha):
    return np.concatenate([v[pair] * plus(1 - STEP * alpha * 2**0.5 / np.linalg.norm(v[pair])) for pair in PAIRS])


FORMULAS = {
    "L2": (skreg.L2(), lambda w: ALPHA / 2 * w @ w, lambda v: v / (1 + STEP * ALPHA)),
    "L1": (skreg.L1(), lambda w: ALPHA * np.sum(np.abs(w)), lambda v: soft(v, STEP * ALPHA)),
    "ElasticNet": (
        skreg.ElasticNet(RHO),
        lambda w: ALPHA * (RHO * np.sum(np.abs(w)) + (1 - RHO) / 2 * w @ w),
        lambda v: soft(v, STEP * ALPHA * RHO) / (1 + STEP * ALPHA * (1 - RHO)),
    ),
    "MCP": (skreg.MCP(GAMMA), lambda w: mcp(w, ALPHA).sum(), lambda v: mcp_prox(v, ALPHA, STEP)),
    "SCAD": (skreg.SCAD(GAMMA), lambda w: scad(w, ALPHA).sum(), lambda v: scad_prox(v, ALPHA, STEP)),
    "LogSum": (skreg.LogSum(EPS), lambda w: logsum(w).sum(), logsum_prox),
    "Lq": (skreg.Lq(Q), lambda w: ALPHA * np.sum(np.abs(w) ** Q), lq_prox),
    "L0": (
        skreg.L0(),
        lambda w: ALPHA * np.sum(w != 0),
        lambda v: v * (np.abs(v) > np.sqrt(2 * STEP * ALPHA)),
    ),
    "SLOPE": (skreg.SLOPE(LAMBDAS), lambda w: ALPHA * LAMBDAS @ np.sort(np.abs(w))[::-1], None),
    "FusedLasso": (
        skreg.FusedLasso(RHO),
        lambda w: ALPHA * (RHO * np.sum(np.abs(w)) + (1 - RHO) * np.sum(np.abs(np.diff(w)))),
        None,
    ),
    "TrendFilter": (skreg.TrendFilter(order=1), lambda w: ALPHA * np.sum(np.abs(np.diff(w, n=2))), None),
    "GeneralizedRidge": (
        skreg.GeneralizedRidge(M),
        lambda w: ALPHA / 2 * w @ M @ w,
        lambda v: np.linalg.inv(np.eye(4) + STEP * ALPHA * M) @ v,
    ),
    "GroupLasso": (
        skreg.GroupLasso(PAIRS),
        lambda w: ALPHA * 2**0.5 * lengths(w).sum(),
        lambda v: group_prox(v, ALPHA),
    ),
    "SparseGroupLasso": (
        skreg.SparseGroupLasso(PAIRS, l1_ratio=RHO),
        lambda w: ALPHA * (RHO * np.sum(np.abs(w)) + (1 - RHO) * 2**0.5 * lengths(w).sum()),
        lambda v: group_prox(soft(v, STEP * ALPHA * RHO), ALPHA * (1 - RHO)),
    ),
    "GroupMCP": (
        skreg.GroupMCP(PAIRS, gamma=GAMMA),
        lambda w: mcp(lengths(w), 2**0.5 * ALPHA).sum(),
        lambda v: by_length(v, lambda x: mcp_prox(x, 2**0.5 * ALPHA, STEP)),
    ),
    "GroupSCAD": (
        skreg.GroupSCAD(PAIRS, gamma=GAMMA),
        lambda w: scad(lengths(w), 2**0.5 * ALPHA).sum(),
        lambda v: by_length(v, lambda x: scad_prox(x, 2**0.5 * ALPHA, STEP)),
    ),
    "Grouped": (
        skreg.Grouped(skreg.LogSum(EPS), PAIRS, weights=None),
        lambda w: logsum(lengths(w)).sum(),
        lambda v: by_length(v, logsum_prox),
    ),
    "Scaled": (2 * skreg.MCP(GAMMA), lambda w: mcp(w, 2 * ALPHA).sum(), lambda v: mcp_prox(v, 2 * ALPHA, STEP)),
    "WithSquare": (
        skreg.MCP(GAMMA) + C * skreg.L2(),
        lambda w: mcp(w, ALPHA).sum() + C * ALPHA / 2 * w @ w,
        lambda v: mcp_prox(v / (1 + STEP * C * ALPHA), ALPHA, STEP / (1 + STEP * C * ALPHA)),
    ),
    "Bounded": (
        skreg.Bounded(skreg.L1(), -1.0, 3.0),
        lambda w: ALPHA * np.sum(np.abs(w)) if w.min() >= -1 and w.max() <= 3 else np.inf,
        lambda v: np.clip(soft(v, STEP * ALPHA), -1, 3),
    ),
    "ByColumn": (
        skreg.ByColumn({0: skreg.L1(), 1: skreg.L2()}, rest=None),
        lambda w: ALPHA * np.abs(w[0]) + ALPHA / 2 * w[1] ** 2,
        lambda v: np.r_[soft(v[0], STEP * ALPHA), v[1] / (1 + STEP * ALPHA), v[2:]],
    ),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_price_and_prox_are_those_of_the_guide(name):
    penalty, value, prox = FORMULAS[name]
    penalty = penalty.bind(4)
    for point in [*POINTS, np.zeros(4)]:
        assert_allclose(penalty.value(point, ALPHA), value(point), rtol=1e-6, atol=1e-12)
    if prox is not None:
        for point in POINTS:
            assert_allclose(penalty.prox(point, STEP, ALPHA), prox(point), rtol=1e-9, atol=1e-9)


def test_longer_steps_of_mcp():
    step = 4.0
    penalty, keep = skreg.MCP(GAMMA), np.abs(POINTS) > ALPHA * np.sqrt(GAMMA * step)
    assert_allclose(penalty.prox(POINTS.ravel(), step, ALPHA), np.where(keep, POINTS, 0.0).ravel())


def test_penalties_of_matrices():
    W = POINTS[:5]
    left, sizes, right = np.linalg.svd(W, full_matrices=False)
    nuclear = skreg.NuclearNorm()
    assert_allclose(nuclear.value(W, ALPHA), ALPHA * sizes.sum())
    assert_allclose(nuclear.prox(W, STEP, ALPHA), left @ np.diag(plus(sizes - STEP * ALPHA)) @ right)
    rows = skreg.L21().bind(5)
    assert_allclose(rows.value(W, ALPHA), ALPHA * np.linalg.norm(W, axis=1).sum())


@pytest.mark.parametrize(
    "penalty, inside",
    [
        (skreg.NonNegative(), lambda w: np.all(w >= 0)),
        (skreg.Box(-1.0, 3.0), lambda w: np.all((w >= -1) & (w <= 3))),
        (skreg.Simplex(3.0), lambda w: np.all(w >= 0) and np.isclose(w.sum(), 3)),
        (skreg.L1Ball(3.0), lambda w: np.abs(w).sum() <= 3 + 1e-9),
        (skreg.L2Ball(3.0), lambda w: np.linalg.norm(w) <= 3 + 1e-9),
        (skreg.Monotone(), lambda w: np.all(np.diff(w) >= -1e-12)),
    ],
    ids=lambda part: repr(part) if isinstance(part, skreg.Penalty) else "",
)
def test_the_prox_of_a_constraint_is_the_nearest_point_inside(penalty, inside):
    penalty = penalty.bind(4)
    nearest = np.array([penalty.prox(point, STEP, ALPHA) for point in POINTS])
    assert all(inside(point) and penalty.value(point, ALPHA) == 0 for point in nearest)
    assert any(not inside(point) and penalty.value(point, ALPHA) == np.inf for point in POINTS)
    # Nearest of a convex set: every other point of it lies behind the plane through this one.
    for point, here in zip(POINTS, nearest, strict=True):
        assert np.max((nearest - here) @ (point - here)) <= 1e-9


def test_losses_are_those_of_the_guide():
    eta = POINTS[:, 0]
    p = 1 / (1 + np.exp(-eta))
    for y in (0.0, 1.0):
        target, loss = np.full(40, y), skreg.Logistic()
        assert_allclose(loss.value(target, eta), np.log(1 + np.exp(eta)) - y * eta)
        assert_allclose(loss.gradient(target, eta), p - y)
        assert_allclose(loss.curvature(target, eta), p * (1 - p))
    classes, loss = np.arange(40) % 4, skreg.Softmax()
    p = np.exp(POINTS) / np.exp(POINTS).sum(axis=1, keepdims=True)
    hot = np.eye(4)[classes]
    assert_allclose(loss.value(hot, POINTS), np.log(np.exp(POINTS).sum(axis=1)) - POINTS[np.arange(40), classes])
    assert_allclose(loss.gradient(hot, POINTS), p - hot)
    assert_allclose(loss.curvature(hot, POINTS), p * (1 - p))


@pytest.fixture(scope="module")
def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return scale(X)[:80], y[:80]


def test_the_violation_is_that_of_the_guide(diabetes):
    X, y = diabetes
    X = X - X.mean(axis=0)
    model = PenalizedRegression(skreg.MCP(GAMMA), alpha=3.0, tol=1e-2, solver="proximal_gradient").fit(X, y)
    null = np.mean((y - y.mean()) ** 2) / 2
    gradient, curvature = -X.T @ (y - model.predict(X)) / len(y), np.mean(X**2, axis=0)
    target = skreg.MCP(GAMMA).prox(model.coef_ - gradient / curvature, 1 / curvature, 3.0)
    distance = np.abs(model.coef_ - target) * np.sqrt(curvature / (2 * null))
    assert distance.max() > 1e-8
    assert_allclose(model.optimality_.violation, distance.max(), rtol=1e-6)


@pytest.mark.parametrize("rule", ["aic", "aicc", "bic", "ebic", "gcv"])
@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_criteria_and_degrees_of_freedom_are_those_of_the_guide(diabetes, rule, penalty):
    X, y = diabetes
    n, p = X.shape
    model = PenalizedRegressionCV(penalty, rule=rule, alphas=[10.0, 1.0, 0.1], tol=1e-12).fit(X, y)
    sigma2 = np.linalg.svd(X - X.mean(axis=0), compute_uv=False) ** 2
    for k, alpha in enumerate(model.alphas_):
        coef, intercept = model.coef_path_[k], model.intercept_path_[k]
        support = np.count_nonzero(coef)
        freedom = 1 + (support if penalty == "l1" else np.sum(sigma2 / (sigma2 + n * alpha)))
        rss = np.sum((y - X @ coef - intercept) ** 2)
        wanted = {
            "aic": n * np.log(rss / n) + 2 * freedom,
            "aicc": n * np.log(rss / n) + 2 * freedom * n / (n - freedom - 1),
            "bic": n * np.log(rss / n) + freedom * np.log(n),
            "ebic": n * np.log(rss / n) + freedom * np.log(n) + 2 * np.log(comb(p, support)),
            "gcv": rss / n / (1 - freedom / n) ** 2,
        }[rule]
        assert_allclose(model.cv_results_["criterion"][k], wanted, rtol=1e-7)


def test_leave_one_out_is_exact(diabetes):
    X, y = diabetes
    model = PenalizedRegressionCV("l2", rule="loo", alphas=[0.5]).fit(X, y)
    errors = []
    for i in range(len(y)):
        rest = np.arange(len(y)) != i
        left = PenalizedRegression("l2", alpha=0.5, tol=1e-12).fit(X[rest], y[rest])
        errors.append(y[i] - left.predict(X[i : i + 1])[0])
    assert_allclose(model.cv_results_["criterion"][0], np.mean(np.square(errors)), rtol=1e-8)


def test_the_gap_is_the_difference_to_the_dual():
    """For the logistic loss, whose conjugate the guide does not print: -l*(y, u) is the entropy of y + u."""
    X, labels = load_breast_cancer(return_X_y=True)
    X, y = scale(X)[:200], (labels[:200] == 1).astype(float)
    alpha = 0.02
    model = PenalizedLogisticRegression("l1", alpha=alpha, tol=1e-2, solver="proximal_gradient").fit(X, y)
    null = -np.mean(y) * np.log(np.mean(y)) - (1 - np.mean(y)) * np.log(1 - np.mean(y))
    assert_allclose(model.optimality_.null_loss, null)
    exact = PenalizedLogisticRegression("l1", alpha=alpha, tol=1e-13).fit(X, y)
    u = exact.predict_proba(X)[:, 1] - y
    assert abs(u.sum()) < 1e-4
    pulls = np.abs(X.T @ u) / len(y)
    assert pulls.max() <= alpha * (1 + 1e-4)
    q = np.clip(y + u, 1e-300, 1 - 1e-16)
    dual = -np.mean(q * np.log(q) + (1 - q) * np.log(1 - q))
    lowest = exact.optimality_.objective
    assert_allclose(dual, lowest, rtol=1e-5)
    assert 1e-5 < model.optimality_.gap < 1e-2
    assert lowest <= model.optimality_.objective <= lowest + model.optimality_.gap * null * (1 + 1e-9)
