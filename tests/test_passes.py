"""The compiled passes over dense X, against matrices: any shape, order, type, and views with gaps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skreg import _passes
from skreg.design import make_design

NOTHING = np.empty(0)


@st.composite
def matrices(draw, most_rows=70, most_columns=40):
    """X by columns or by rows, as a part of a larger matrix or not."""
    n, p, seed = draw(st.integers(2, most_rows)), draw(st.integers(1, most_columns)), draw(st.integers(0, 2**31))
    order, dtype = draw(st.sampled_from("FC")), draw(st.sampled_from([np.float64, np.float32]))
    above, left = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    whole = np.random.default_rng(seed).standard_normal((n + 2 * above, p + 2 * left)) + draw(st.sampled_from([0, 3]))
    return np.array(whole, dtype=dtype, order=order)[above : above + n, left : left + p]


def close(found, wanted, X):
    """Sums are those of float64, whatever X is."""
    size = np.abs(X.astype(np.float64)).max(initial=1.0) * max(X.shape)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-14 * size**2)


@settings(max_examples=200)
@given(matrices(), st.integers(0, 2**31))
def test_products(X, seed):
    rng, (n, p) = np.random.default_rng(seed), X.shape
    rows, coef, shift, weights = (
        rng.standard_normal(n),
        rng.standard_normal(p),
        rng.standard_normal(p),
        rng.uniform(size=n),
    )
    exact, before = X.astype(np.float64), X.copy()
    product, norms = rng.standard_normal((2, p))
    wanted = product + exact.T @ rows, norms + weights @ (exact - shift) ** 2
    _passes.dense_pass(X, rows, weights, shift, product, norms)
    close(product, wanted[0], X)
    close(norms, wanted[1], X)
    alone = np.zeros(p)
    _passes.dense_pass(X, rows, NOTHING, NOTHING, alone, NOTHING)
    close(alone, exact.T @ rows, X)
    out = rng.standard_normal(n)
    wanted = out + exact @ coef
    _passes.dense_times(X, np.arange(p), coef, out)
    close(out, wanted, X)
    np.testing.assert_array_equal(X, before)


@settings(max_examples=200)
@given(matrices(), st.integers(0, 2**31))
def test_eight_vectors_at_once(X, seed):
    rng, (n, p) = np.random.default_rng(seed), X.shape
    rows, out = np.zeros((-(-n // 8) * 8, 8)), rng.standard_normal((8, p))
    rows[:n] = rng.standard_normal((n, 8))
    wanted = out + rows[:n].T @ X.astype(np.float64)
    _passes.dense_wide_products(X, rows, out)
    close(out, wanted, X)


@pytest.mark.parametrize("order", ["F", "C"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("width", [1, 2, 8, 9, 16, 17])
@pytest.mark.parametrize("vectors", ["F", "C"])
def test_products_with_several_vectors(order, dtype, width, vectors):
    # More numbers than stay in the cache, and more rows than are taken at once.
    rng, n, p = np.random.default_rng(width), 2051, 70
    X = np.asarray(rng.standard_normal((n, p)) + 1.0, order=order, dtype=dtype)
    rows = np.asarray(rng.standard_normal((n, width)), order=vectors)
    product = make_design(X, np.full(n, 1.0 / n), True, False).dot_t(rows)
    close(product, (X - X.mean(axis=0, dtype=np.float64)).T @ rows, X)
    assert product.flags.c_contiguous or product.flags.f_contiguous


@settings(max_examples=200)
@given(matrices(), st.integers(0, 2**31))
def test_some_columns(X, seed):
    rng, (n, p) = np.random.default_rng(seed), X.shape
    some = rng.permutation(p)[: rng.integers(1, p + 1)].astype(np.intp)
    rows, coef, shift = rng.standard_normal(n), rng.standard_normal(len(some)), rng.standard_normal(len(some))
    exact = X.astype(np.float64)[:, some]
    if X.strides[0] == X.itemsize:
        out = np.zeros(n)
        _passes.dense_times(X, some, coef, out)
        close(out, exact @ coef, X)
        out = np.empty(len(some))
        _passes.dense_some_products(X, some, rows, out)
        close(out, exact.T @ rows, X)
    start = int(rng.integers(0, n))
    for dtype in (np.float64, np.float32):
        order = "F" if X.strides[0] == X.itemsize else "C"
        out = np.empty((int(rng.integers(1, n - start + 1)), len(some)), dtype=dtype, order=order)
        _passes.dense_gather(X, start, some, shift, rows, out)
        wanted = rows[start : start + len(out), None] * (exact[start : start + len(out)] - shift)
        np.testing.assert_allclose(out, wanted, rtol=1e-6 if dtype == np.float32 else 1e-14, atol=1e-300)


@settings(max_examples=200)
@given(matrices(), st.integers(0, 2**31))
def test_moments(X, seed):
    rng, (n, p) = np.random.default_rng(seed), X.shape
    weights, rows = rng.uniform(0.5, 1.5, size=n), rng.standard_normal(n)
    weights /= weights.sum()
    exact = X.astype(np.float64)
    means, variances, product = np.empty((3, p))
    _passes.dense_moments(X, weights, rows, means, variances, product)
    close(means, weights @ exact, X)
    close(variances, weights @ (exact - weights @ exact) ** 2, X)
    close(product, exact.T @ rows, X)


@given(st.integers(1, 9), st.sampled_from("FC"), st.booleans(), st.integers(0, 100))
def test_a_single_row(p, order, part, seed):
    """Its strides say nothing, and NumPy shows others to compiled code."""
    rng = np.random.default_rng(seed)
    X = (
        np.array(rng.standard_normal((3, p + 2)), order=order)[1:2, 1:-1]
        if part
        else np.array([[*range(p)]], float, order=order)
    )
    design = make_design(X, np.ones(1), False, False)
    for used in range(p):
        coef = np.zeros(p)
        coef[used] = 2.0
        np.testing.assert_array_equal(design.dot(coef), X @ coef)
    np.testing.assert_array_equal(design.dot_t(np.array([3.0])), 3.0 * X[0])
    np.testing.assert_array_equal(design.dot_t(np.array([3.0]), np.array([p - 1])), 3.0 * X[0, -1:])
    np.testing.assert_array_equal(design.columns(np.array([p - 1])), X[:, -1:])


@settings(max_examples=5, deadline=None)
@given(
    st.sampled_from([2047, 2049, 8191, 8193, 16385]), st.sampled_from("FC"), st.sampled_from([np.float64, np.float32])
)
def test_columns_of_several_pieces(n, order, dtype):
    rng = np.random.default_rng(n)
    X = np.array(rng.standard_normal((n, 13)) + 2.0, dtype=dtype, order=order)
    weights, rows, coef = np.full(n, 1 / n), rng.standard_normal(n), rng.standard_normal(13)
    exact = X.astype(np.float64)
    means, variances, product = np.empty((3, 13))
    _passes.dense_moments(X, weights, rows, means, variances, product)
    np.testing.assert_allclose(means, exact.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(variances, exact.var(axis=0), rtol=1e-11)
    np.testing.assert_allclose(product, exact.T @ rows, rtol=1e-9, atol=1e-9)
    alone, out = np.zeros(13), np.zeros(n)
    _passes.dense_pass(X, rows, NOTHING, NOTHING, alone, NOTHING)
    np.testing.assert_allclose(alone, exact.T @ rows, rtol=1e-9, atol=1e-9)
    _passes.dense_times(X, np.arange(13), coef, out)
    np.testing.assert_allclose(out, exact @ coef, rtol=1e-9, atol=1e-11)
