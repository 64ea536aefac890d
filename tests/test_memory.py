"""What a fit holds beside X, which it never copies."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from skreg import PenalizedLogisticRegression, PenalizedRegression, regularization_path


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
    # Vectors of one number per row are float64 whatever X is: 1 % of 100 columns each.
    assert peak(lambda: PenalizedRegression(penalty, alpha=0.1).fit(X, y)) <= 0.2 * X.size * 8


@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_a_fit_of_classes_holds_little_more(penalty):
    X, y = data("F", "float64")
    assert peak(lambda: PenalizedLogisticRegression(penalty, alpha=0.1).fit(X, y > 0)) <= 0.25 * X.nbytes


def test_a_path_holds_at_most_a_fifth_of_a_large_x():
    X, y = data("F", "float64")
    assert peak(lambda: regularization_path(X, y, penalty="l1")) <= 0.2 * X.nbytes


def test_a_sparse_x_stays_sparse():
    rng = np.random.default_rng(0)
    X = sparse.random(20_000, 5_000, density=0.005, format="csc", random_state=0)
    y = X[:, :50].sum(axis=1) + 0.1 * rng.standard_normal(20_000)
    model = PenalizedRegression("l1", alpha=0.3 * np.abs(X.T @ (y - y.mean())).max() / len(y))
    # Dense it would take 800 MB.
    assert peak(lambda: model.fit(X, y)) <= 3 * (X.data.nbytes + X.indices.nbytes)
    assert np.count_nonzero(model.coef_) > 10
