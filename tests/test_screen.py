"""A copy of X in twelve bits: its bounds are sure, and nothing that is certified depends on it."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from skreg import L1, MCP, ElasticNet, PenalizedLogisticRegression, PenalizedRegression, _coarse, make_problem
from skreg import screen as module
from skreg.design import make_design
from skreg.intercept import best_intercept
from skreg.point import Point
from skreg.screen import Screen, screened
from skreg.subproblems import on_features


def exact(X, weights, rows, standardize=False):
    """``Z' rows`` by hand, in extended precision."""
    X = X.astype(np.longdouble)
    means = weights @ X
    scale = np.sqrt(weights @ (X - means) ** 2) if standardize else 1.0
    return np.asarray(((X - means).T @ rows) / scale, dtype=np.float64)


@settings(max_examples=150)
@given(
    shape=st.tuples(st.integers(2, 80), st.integers(1, 30)),
    seed=st.integers(0, 2**31),
    kind=st.sampled_from(["normal", "heavy", "rare", "offset", "outlier", "tiny"]),
    dtype=st.sampled_from([np.float64, np.float32]),
    standardize=st.booleans(),
    limit=st.floats(1e-3, 3.0),
)
def test_what_may_matter_is_exact_and_the_rest_is_too_small(shape, seed, kind, dtype, standardize, limit):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal(shape)
    X = {
        "normal": X,
        "heavy": X**5,
        "rare": (X > 1.5) + 0.0,
        "offset": X + 1e5,
        "outlier": np.where(rng.uniform(size=shape) < 0.02, 1e9, X),
        "tiny": 1e-200 * X,
    }[kind]
    X = np.asfortranarray(X, dtype=dtype)
    weights = rng.uniform(0.5, 1.5, size=len(X))
    weights /= weights.sum()
    design = make_design(X, weights, True, standardize)
    first, later = weights * rng.standard_normal((2, len(X)))
    copy, used = Screen(design), rng.uniform(size=X.shape[1]) < 0.2
    none = np.zeros_like(used)
    # Rounding is that of products with columns as they are stored.
    rounding = 1e-13 * np.linalg.norm(X.astype(np.float64), axis=0) * np.linalg.norm(later)
    if design.scale is not None:
        rounding = rounding / design.scale
    np.testing.assert_array_equal(copy.dot_t(first, np.array([0.0]), none).shape, X.shape[1:])
    assert np.all(np.abs(Screen(design).dot_t(later, np.zeros(1), none) - design.dot_t(later)) <= rounding)
    true = design.dot_t(later)
    limits = limit * np.abs(true).max() * rng.uniform(0.5, 1.5, size=X.shape[1])
    found = copy.dot_t(later, limits, used)
    matter = used | (np.abs(true) >= limits)
    assert np.all(np.abs(found - true)[matter] <= rounding[matter])
    assert np.all(np.abs(found[~matter]) < limits[~matter] + rounding[~matter])
    # What is not exact is within the bound: the codes differ by half a step at most.
    steps = np.abs(X.astype(np.float64) - weights @ X.astype(np.float64)).max(axis=0) / 2047
    size = np.linalg.norm(later) * steps * np.sqrt(len(X))
    if design.scale is not None:
        size = size / design.scale
    assert np.all(np.abs(found - true) <= 1.1 * size + rounding)


@pytest.mark.parametrize("size", [1e-320, 1e-200, 1e-45, 1e-38, 1e-31, 1e-29, 1e29, 1e31, 1e38, 1e200])
def test_errors_are_sure_for_numbers_of_any_size(size):
    """Also for those that single precision does not hold: their columns are always read."""
    rng = np.random.default_rng(0)
    X = np.asfortranarray(size * rng.standard_normal((40, 5)))
    codes, (steps, errors, product) = np.empty((5, 40), dtype=np.int16), np.empty((3, 5))
    _coarse.coarsen(X, np.zeros(5), np.ones(40), codes, steps, errors, product)
    assert np.abs(codes).max() <= 2047
    with np.errstate(over="ignore"):
        lost = np.array([np.linalg.norm(column / size) * size for column in (X - steps * codes.T).T])
        assert np.all(errors >= lost)
    # Where the codes say anything, they say it within half a step each.
    told = steps > 0.0
    assert np.all(errors[told] <= 0.6 * steps[told] * np.sqrt(40))
    assert told.all() == (1e-30 < size < 1e30)


def test_products_are_those_of_a_matrix():
    rng = np.random.default_rng(0)
    X = np.asfortranarray(rng.standard_normal((70, 40)) + 2.0)
    weights = np.full(70, 1 / 70)
    design, rows = make_design(X, weights, True, True), rng.standard_normal(70)
    copy = Screen(design)
    copy.dot_t(rows, np.zeros(1), np.zeros(40, dtype=bool))
    np.testing.assert_allclose(
        copy.dot_t(rows, np.zeros(1), np.zeros(40, dtype=bool)), exact(X, weights, rows, True), rtol=1e-12, atol=1e-13
    )


@given(
    hnp.arrays(np.int16, st.tuples(st.integers(1, 5), st.just(1100)), elements=st.sampled_from([-2047, 2047, 0, 17])),
    hnp.arrays(np.int16, 1100, elements=st.sampled_from([-2047, 2047, 1, -5])),
)
def test_integers_do_not_overflow(codes, rows):
    out = np.empty(len(codes))
    _coarse.coarse_products(codes, rows, out)
    np.testing.assert_array_equal(out, codes.astype(np.int64) @ rows.astype(np.int64))


def test_the_largest_codes_do_not_overflow():
    codes, rows, out = np.full((2, 5000), 2047, dtype=np.int16), np.full(5000, 2047, dtype=np.int16), np.empty(2)
    _coarse.coarse_products(codes, rows, out)
    np.testing.assert_array_equal(out, 5000 * 2047.0**2)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_samples", [1, 7, 16, 40, 100])
def test_codes_are_the_nearest(dtype, n_samples):
    rng = np.random.default_rng(n_samples)
    X = np.asfortranarray(rng.standard_normal((n_samples, 6)) ** 3, dtype=dtype)
    X[:, 2] = 4.0
    shift, rows = rng.standard_normal(6), rng.standard_normal(n_samples)
    shift[2] = 4.0
    codes = np.empty((6, n_samples), dtype=np.int16)
    steps, errors, product = np.empty((3, 6))
    _coarse.coarsen(X, shift, rows, codes, steps, errors, product)
    Z = X.astype(np.float64) - shift
    np.testing.assert_allclose(steps, np.abs(Z).max(axis=0) / 2047, rtol=1e-6)
    assert np.all(np.abs(Z - steps * codes.T) <= 0.5003 * steps)
    # Single precision may only make the bound larger, and not by much.
    lost = np.linalg.norm(Z - steps * codes.T, axis=0)
    assert np.all(errors >= lost)
    assert np.all(errors <= 1.01 * lost + 3e-4 * np.sqrt(n_samples) * steps + 1e-36 * np.sqrt(n_samples))
    np.testing.assert_allclose(product, X.astype(np.float64).T @ rows, rtol=1e-12, atol=1e-12)
    assert not codes[2].any() and steps[2] == 0.0


# -- fits ---------------------------------------------------------------------------------------------------------------


def wide(seed, correlation, n_samples=60, n_features=300):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_samples, n_features)) + correlation * rng.standard_normal((n_samples, 1))
    X *= rng.uniform(0.2, 5.0, size=n_features)
    y = X[:, :8] @ rng.standard_normal(8) + rng.standard_normal(n_samples)
    return np.asfortranarray(X), y


def violation(X, gradient, coef, strength, ridge, positive):
    """KKT by hand: distance of the gradient from what the penalty allows, over the strength."""
    gradient = gradient + ridge * coef
    rest = np.maximum((-gradient if positive else np.abs(gradient)) - strength, 0.0)
    return np.max(np.where(coef == 0, rest, np.abs(gradient + strength * np.sign(coef)))) / np.max(strength)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    correlation=st.floats(0.0, 3.0),
    fraction=st.floats(5e-3, 0.9),
    l1_ratio=st.sampled_from([1.0, 0.6]),
    positive=st.booleans(),
    weighted=st.booleans(),
    standardize=st.booleans(),
    logistic=st.booleans(),
)
def test_fits_are_as_exact_as_without(seed, correlation, fraction, l1_ratio, positive, weighted, standardize, logistic):
    X, y = wide(seed, correlation)
    factor = np.random.default_rng(seed).uniform(0.3, 3.0, size=X.shape[1]) if weighted else np.ones(X.shape[1])
    scale = X.std(axis=0) if standardize else np.ones(X.shape[1])
    Z = (X - X.mean(axis=0)) / scale
    labels = (y > np.median(y)).astype(int)
    target = labels if logistic else y
    top = np.max(np.abs(Z.T @ (target - target.mean())) / len(y) / factor) / l1_ratio
    penalty = ElasticNet(l1_ratio, positive=positive) if l1_ratio < 1 else L1(positive=positive)
    kind = PenalizedLogisticRegression if logistic else PenalizedRegression
    model = kind(penalty, alpha=fraction * top, penalty_factor=factor, standardize=standardize, tol=1e-10)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FEW", 0)
        used = []
        patch.setattr(Screen, "dot_t", lambda self, *args, call=Screen.dot_t: used.append(1) or call(self, *args))
        model.fit(X, target)
        assert used or not model.coef_.any() or model.n_iter_ == 1
    assert model.optimality_.converged
    coef, eta = model.coef_.ravel() * scale, X @ model.coef_.ravel() + model.intercept_
    residual = 1.0 / (1.0 + np.exp(-eta)) - labels if logistic else eta - y
    strength = fraction * top * factor
    found = violation(Z, Z.T @ residual / len(y), coef, l1_ratio * strength, (1 - l1_ratio) * strength, positive)
    assert found <= 1e-4
    assert model.optimality_.gap <= 1e-10


def test_same_certificate_with_and_without(monkeypatch):
    X, y = wide(3, 1.0)
    found = []
    for few in (0, np.inf):
        monkeypatch.setattr(module, "FEW", few)
        found.append(PenalizedRegression("l1", alpha=0.3, tol=1e-11).fit(X, y))
    one, other = found
    np.testing.assert_allclose(one.coef_, other.coef_, rtol=1e-8, atol=1e-10)
    assert one.optimality_.objective == pytest.approx(other.optimality_.objective, rel=1e-12)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_certificates_at_any_point_are_those_without_a_screen(loss, monkeypatch):
    """Also far from the solution, and of dual points that are moved."""
    monkeypatch.setattr(module, "FEW", 0)
    X, y = wide(5, 0.5)
    y = y if loss == "squared" else (y > 0) + 0.0
    plain = make_problem(X, y, penalty="l1", loss=loss)
    problem = screened(plain)
    assert problem.screen is not None
    rng, alpha = np.random.default_rng(0), 0.1 * float(np.abs(plain.point(np.zeros(300), 0.0, 1.0).gradient).max())
    for size in (0.0, 1e-3, 1e-2):
        coef = np.zeros(300)
        coef[:20] = size * rng.standard_normal(20)
        intercept = best_intercept(plain, plain.design.dot(coef))
        for tol in (1e-12, 1e-2):
            one, other = (p.point(coef, intercept, alpha) for p in (problem, plain))
            assert type(one) is Point
            for measure in ("gap", "violation", "objective"):
                found, wanted = (getattr(point.optimality(tol), measure) for point in (one, other))
                assert found == pytest.approx(wanted, rel=1e-9, abs=1e-13)
            np.testing.assert_allclose(one.violations, other.violations, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize(("size", "nudge", "reads"), [(1e-2, 0.0, False), (1e-2, 0.1, False), (1.0, 1.0, True)])
def test_a_gap_beside_the_best_intercept_reads_no_more_of_X(size, nudge, reads, monkeypatch):
    monkeypatch.setattr(module, "FEW", 0)
    X, y = wide(5, 0.5)
    problem = screened(make_problem(X, (y > 0) + 0.0, penalty="l1", loss="logistic"))
    coef = np.zeros(300)
    coef[:20] = size
    point = problem.point(coef, best_intercept(problem, problem.design.dot(coef)) + nudge, 0.02)
    assert point.violation > 0.0
    read, dot_t = [], type(problem.design).dot_t
    monkeypatch.setattr(type(problem.design), "dot_t", lambda *given: read.append(given) or dot_t(*given))
    assert point.gap() > 0.0
    # Where probabilities are near 0 or 1, a dual point that is only moved to a mean of zero leaves its domain.
    assert bool(read) == reads


def test_where_there_is_a_screen():
    X, y = np.asfortranarray(np.random.default_rng(0).standard_normal((400, 2600))), np.arange(400.0)
    assert screened(make_problem(X, y, penalty="l1")).screen is not None
    assert screened(make_problem(X.astype(np.float32), y, penalty=ElasticNet(0.3))).screen is not None
    for other in (
        make_problem(np.ascontiguousarray(X), y, penalty="l1"),
        make_problem(X, y, penalty="l2"),
        make_problem(X, y, penalty=MCP()),
        make_problem(np.asfortranarray(X[:, :390]), y, penalty="l1"),
        make_problem(X[:, :1000], y, penalty="l1"),
        make_problem(X, np.column_stack([y, y]), penalty="l1"),
    ):
        assert screened(other).screen is None
    problem = screened(make_problem(X, y, penalty="l1"))
    assert problem.priced_by(MCP()).screen is None
    assert on_features(problem, np.arange(10)).screen is None


def test_a_number_too_large_to_square_is_exact():
    X = np.asfortranarray(np.random.default_rng(0).standard_normal((50, 20)))
    X[3, 4] = 1e300
    weights, rows = np.full(50, 0.02), np.random.default_rng(1).standard_normal(50)
    design = make_design(X, weights, False, False)
    copy, none = Screen(design), np.zeros(20, dtype=bool)
    copy.dot_t(rows, np.ones(1), none)
    np.testing.assert_allclose(copy.dot_t(rows, np.full(20, 1e299), none)[4], X[:, 4] @ rows, rtol=1e-12)


@pytest.mark.parametrize("kind", [PenalizedRegression, PenalizedLogisticRegression])
def test_memory_of_a_wide_fit(kind):
    X = np.asfortranarray(np.random.default_rng(0).standard_normal((300, 60_000)))
    y = X[:, :10].sum(axis=1)
    tracemalloc.start()
    try:
        if kind is PenalizedRegression:
            kind("l1", alpha=0.3).fit(X, y)
        else:
            kind("l1", alpha=0.08).fit(X, y > 0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 0.25 < peak / X.nbytes < 0.45
