"""What a fit holds beside X, which it never copies."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from skreg import PenalizedLogisticRegression, PenalizedRegression, regularization_path
from skreg.pages import LARGE


def peak(job):
    """Most bytes that were allocated at a time."""
    tracemalloc.start()
    try:
        job()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def data(order, dtype, n=30_000, p=100):
    rng = np.random.default_rng(0)
    X = np.asarray(rng.standard_normal((n, p)), dtype=dtype, order=order)
    return X, X[:, :5].sum(axis=1, dtype=np.float64) + rng.standard_normal(n)


@pytest.mark.parametrize(("order", "dtype"), [("C", "float64"), ("F", "float64"), ("F", "float32")])
@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_a_fit_holds_at_most_a_fifth_of_a_large_x(penalty, order, dtype):
    X, y = data(order, dtype)
    # Vectors of one number per row are float64 whatever X is: 1 % of 100 columns each. Room up to where a large page begins
    # is counted, but not used.
    assert peak(lambda: PenalizedRegression(penalty, alpha=0.1).fit(X, y)) <= 0.2 * X.size * 8 + LARGE


@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_a_fit_of_classes_holds_little_more(penalty):
    X, y = data("F", "float64")
    assert peak(lambda: PenalizedLogisticRegression(penalty, alpha=0.1).fit(X, y > 0)) <= 0.25 * X.nbytes


def test_a_path_holds_at_most_a_fifth_of_a_large_x():
    X, y = data("F", "float64")
    assert peak(lambda: regularization_path(X, y, penalty="l1")) <= 0.2 * X.nbytes


def test_a_sparse_x_stays_sparse():
    rng = np.random.default_rng(0)
    n_samples, n_features, each = 20_000, 5_000, 100
    rows, columns = rng.integers(n_samples, size=each * n_features), np.repeat(np.arange(n_features), each)
    X = sparse.csc_array((rng.random(each * n_features), (rows, columns)), shape=(n_samples, n_features))
    y = X[:, :50].sum(axis=1) + 0.1 * rng.standard_normal(n_samples)
    model = PenalizedRegression("l1", alpha=0.3 * np.abs(X.T @ (y - y.mean())).max() / len(y))
    # Dense it would take 800 MB. (Most of what is counted is room for a Gram matrix, of which little is used.)
    assert peak(lambda: model.fit(X, y)) <= 0.05 * n_samples * n_features * 8
    assert np.count_nonzero(model.coef_) > 10
