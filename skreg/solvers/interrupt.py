"""Long calls into LAPACK, which do not hear of Ctrl-C."""

import threading

import numpy as np
from scipy.linalg import eigh
from scipy.linalg.lapack import dpotrf

__all__ = ["eigen", "interruptible", "lower_factor"]

# Sizes of matrices that are done within a fraction of a second.
SHORT_EIGEN = 800
SHORT_FACTOR = 2_500


def interruptible(function, *arguments):
    """Call a function that gives up the GIL so that Ctrl-C ends the wait for it.

    The call is made by another thread; after an interrupt it runs to its end unseen.

    Parameters
    ----------
    function : callable
        Of `numpy.linalg`: those of SciPy keep the GIL.
    *arguments : object
        What it is called with.

    Returns
    -------
    object
        What it returns; what it raises is raised.
    """
    if threading.current_thread() is not threading.main_thread():
        # Signals reach the main thread only.
        return function(*arguments)
    outcome = []

    def run():
        try:
            outcome.append((function(*arguments), None))
        except Exception as error:
            outcome.append((None, error))

    worker = threading.Thread(target=run, daemon=True)
    worker.start()
    while worker.is_alive():
        # Without a timeout, Windows would not hear of it.
        worker.join(0.1)
    value, error = outcome[0]
    if error is not None:
        raise error
    return value


def eigen(matrix):
    """Eigenvalues and eigenvectors of a symmetric matrix.

    Parameters
    ----------
    matrix : ndarray of shape (k, k)

    Returns
    -------
    values : ndarray of shape (k,)
    vectors : ndarray of shape (k, k)
    """
    if len(matrix) <= SHORT_EIGEN:
        return eigh(matrix, driver="evd")
    return interruptible(np.linalg.eigh, matrix)


def lower_factor(matrix):
    """Cholesky's factor.

    Parameters
    ----------
    matrix : ndarray of shape (k, k)
        Symmetric; its lower triangle is used, and lost.

    Returns
    -------
    factor : ndarray of shape (k, k)
        In Fortran order; the lower triangle of it.
    failed : bool
        Whether the matrix is not positive definite.
    """
    if len(matrix) <= SHORT_FACTOR:
        factor, info = dpotrf(matrix, lower=1, overwrite_a=1, clean=0)
        return factor, info != 0
    try:
        return np.asfortranarray(interruptible(np.linalg.cholesky, matrix)), False
    except np.linalg.LinAlgError:
        return matrix, True
