"""The only room that touches X.

A `Design` is ``Z = (X - shift) / scale`` without ever forming it: shift and
scale are applied to blocks of rows, in float64, or to the short side of a
product. Solvers see nothing of X but these methods.
"""

import numpy as np

from skreg.design.base import BLOCK_SIZE, Design
from skreg.design.dense import DenseDesign
from skreg.design.sparse import SparseDesign

__all__ = ["BLOCK_SIZE", "DenseDesign", "Design", "SparseDesign", "make_design"]


def make_design(X, weights, center, standardize, rows=None):
    """Wrap X for the solvers.

    Parameters
    ----------
    X : ndarray or sparse matrix or array, shape (n_samples, n_features)
        float64 or float32; CSR or CSC when sparse. Used as it is.
    weights : ndarray of shape (n_samples,)
        Sample weights with sum 1.
    center : bool
        Subtract the weighted means (there is an intercept).
    standardize : bool
        Divide by the weighted population standard deviations.
    rows : ndarray of shape (n_samples,), optional
        What `Design.dot_t` will be asked for first: where X is read to centre it, that pass takes it along.

    Returns
    -------
    Design
    """
    return (DenseDesign if isinstance(X, np.ndarray) else SparseDesign)(X, weights, center, standardize, rows)
