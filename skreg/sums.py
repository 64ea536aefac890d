"""Sums of products that wake no threads.

BLAS shares even a short dot product among its threads and then waits for the last of them: where another
process has the second core, a sum of a few microseconds takes milliseconds.
"""

import numpy as np

__all__ = ["column_sums", "inner", "total"]

# BLAS itself leaves so few numbers to one thread.
SHORT = 9_000


def inner(vector, array):
    """``vector @ array``, on one thread.

    Parameters
    ----------
    vector : ndarray of shape (n,)
    array : ndarray of shape (n,) or (n, n_columns)

    Returns
    -------
    float or ndarray of shape (n_columns,)
    """
    if array.size <= SHORT:
        return vector @ array
    return np.einsum("i,i...->...", vector, array)


def column_sums(array):
    """``array.sum(axis=0)``: NumPy adds up short rows one by one.

    Parameters
    ----------
    array : ndarray of shape (n,) or (n, n_columns)

    Returns
    -------
    float or ndarray of shape (n_columns,)
    """
    return array.sum() if array.ndim == 1 else inner(np.ones(len(array)), array)


def total(vector, array):
    """The sum of all that `inner` gives, a float."""
    sums = inner(vector, array)
    return float(sums if array.ndim == 1 else sums.sum())
