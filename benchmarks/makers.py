"""Data with a fixed seed. A maker returns ``X`` (Fortran order, or CSC) and ``y`` (numbers, or integer codes)."""

from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.special import expit
from sklearn import datasets
from sklearn.preprocessing import StandardScaler

GOLUB = Path(__file__).resolve().parents[2] / "shared" / "data" / "golub_72x7129.npz"


class Missing(Exception):
    """A data set that is not on this machine; the message says which."""


def correlated(n, p, seed, low=0.5, high=0.9):
    """Gaussian columns; each has a correlation between ``low`` and ``high`` with the one before."""
    rng = np.random.default_rng(seed)
    X = np.empty((n, p), order="F")
    rho = rng.uniform(low, high, size=p)
    X[:, 0] = rng.standard_normal(n)
    for j in range(1, p):
        X[:, j] = rho[j] * X[:, j - 1] + np.sqrt(1.0 - rho[j] ** 2) * rng.standard_normal(n)
    return X


def signal(X, seed, support, outputs=None):
    """``X @ truth`` for a truth with ``support`` non-zeros, in units of its own standard deviation."""
    rng = np.random.default_rng(seed + 1)
    shape = (X.shape[1],) if outputs is None else (X.shape[1], outputs)
    truth = np.zeros(shape)
    # Of words, the frequent ones: a word that hardly any row has says nothing.
    odds = np.diff(X.indptr) / X.nnz if sparse.issparse(X) else None
    chosen = rng.choice(X.shape[1], size=min(support, X.shape[1]), replace=False, p=odds)
    truth[chosen] = rng.choice([-1.0, 1.0], size=(len(chosen), *shape[1:])) * rng.uniform(0.5, 1.5, truth[chosen].shape)
    eta = X @ truth
    return eta / eta.std(axis=0)


def regression(n, p, support, seed=0, noise=0.5, outputs=None, float32=False, **columns):
    """A sparse truth under noise of ``noise`` times its standard deviation; columns have means."""
    X = correlated(n, p, seed, **columns)
    X += np.random.default_rng(seed + 2).standard_normal(p)
    if float32:  # the same numbers, whichever of the two types they come in
        X = X.astype(np.float32)
    eta = signal(X, seed, support, outputs)
    return X, eta + noise * np.random.default_rng(seed + 3).standard_normal(eta.shape) + 3.0


def groups(n, p, groups, size=10, seed=0, noise=0.5):
    """As `regression`, with a truth of whole groups of neighbours."""
    X = correlated(n, p, seed)
    rng = np.random.default_rng(seed + 1)
    truth = np.zeros((p // size, size))
    truth[rng.choice(p // size, size=groups, replace=False)] = rng.standard_normal((groups, size))
    eta = X @ truth.ravel()
    eta /= eta.std()
    return X, eta + noise * np.random.default_rng(seed + 3).standard_normal(n) + 3.0


def classes(n, p, support, seed=0, n_classes=2, sharpness=3.0, **columns):
    """Labels drawn from the (soft)max of a sparse truth."""
    X = correlated(n, p, seed, **columns)
    return X, draw_labels(X, support, seed, n_classes, sharpness)


def draw_labels(X, support, seed, n_classes=2, sharpness=3.0):
    rng = np.random.default_rng(seed + 3)
    if n_classes == 2:
        return (rng.random(X.shape[0]) < expit(sharpness * signal(X, seed, support))).astype(np.int64)
    eta = sharpness * signal(X, seed, support, n_classes)
    return np.argmax(eta + rng.gumbel(size=eta.shape), axis=1)


def text(n, p, nonzeros=80, seed=0):
    """Documents as tf-idf: words drawn from Zipf's law, rows of norm 1, about ``nonzeros`` different words a row."""
    rng = np.random.default_rng(seed)
    frequency = np.cumsum(1.0 / np.arange(1, p + 1))
    frequency /= frequency[-1]
    # Some words come twice: draw until a sample of rows has as many different ones as it should.
    length = nonzeros
    while np.mean([len(np.unique(row)) for row in np.searchsorted(frequency, rng.random((200, length)))]) < nonzeros:
        length += max(1, nonzeros // 20)
    words = rng.permutation(p)[np.searchsorted(frequency, rng.random((n, length)))]
    rows = np.repeat(np.arange(n), length)
    counts = sparse.coo_array((np.ones(words.size), (rows, words.ravel())), shape=(n, p)).tocsr()
    seen = np.bincount(counts.indices, minlength=p)
    values = (1.0 + np.log(counts.data)) * (1.0 + np.log((1 + n) / (1 + seen)))[counts.indices]
    norms = np.sqrt(np.add.reduceat(values**2, counts.indptr[:-1]))
    values /= np.repeat(norms, np.diff(counts.indptr))
    X = sparse.csc_array(sparse.csr_array((values, counts.indices, counts.indptr), shape=(n, p)))
    # All peers read 32-bit indices.
    X.indices, X.indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)
    return X


def text_regression(n, p, support, nonzeros=80, seed=0, noise=0.5):
    X = text(n, p, nonzeros, seed)
    eta = signal(X, seed, support)
    return X, eta + noise * np.random.default_rng(seed + 3).standard_normal(n)


def text_classes(n, p, support, nonzeros=80, seed=0):
    X = text(n, p, nonzeros, seed)
    return X, draw_labels(X, support, seed)


def golub(signs=False, genes=None):
    """Leukaemia, 72 x 7129, standardised; ``signs`` gives -1 and 1 instead of 0 and 1."""
    if not GOLUB.exists():
        raise Missing(f"{GOLUB} is not there")
    with np.load(GOLUB) as file:
        X, y = file["X"].astype(np.float64), file["y"].astype(np.int64)
    X = np.asfortranarray(StandardScaler().fit_transform(X[:, :genes]))
    return X, 2.0 * y - 1.0 if signs else y


def diabetes():
    X, y = datasets.load_diabetes(return_X_y=True)
    return np.asfortranarray(X), y


def breast_cancer():
    X, y = datasets.load_breast_cancer(return_X_y=True)
    return np.asfortranarray(StandardScaler().fit_transform(X)), y


def digits(n=None):
    X, y = datasets.load_digits(return_X_y=True)
    return np.asfortranarray(X[:n] / 16.0), y[:n]
