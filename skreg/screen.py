"""Which columns of a wide X cannot matter, as a copy in twelve bits tells at a quarter of the price of X.

Most columns of wide data are far from the model: of their correlation with the residual nothing counts but that it
is too small. A copy of X in twelve bits tells the correlation of each within a bound that is sure,

    |z'r - c'q| <= ||z - c|| ||r|| + ||c|| ||r - q||,

with column ``z`` and residual ``r``, and ``c`` and ``q`` what twelve bits make of them. Where that leaves a doubt
the column itself is read. So what is certified is exact, while X is read once in all.
"""

import math

import numpy as np

from skreg import _coarse
from skreg.elastic import rest
from skreg.pages import in_large_pages

__all__ = ["Screen", "screened"]

# So many numbers of X are read faster than it takes to think of which, and columns longer than that are read in many parts.
FEW, LONG = 1e6, 10_000

# Rounding, of exact products and of bounds.
SAFE = 1.0 - 1e-9


class Screen:
    """A copy of the columns of a dense design in twelve bits.

    Attributes
    ----------
    design : DenseDesign
    """

    def __init__(self, design):
        self.design = design
        self._codes = None

    def dot_t(self, residual, limits, used):
        """``Z.T @ residual`` where that is not surely smaller than ``limits``; elsewhere something near it that is smaller, too.

        Parameters
        ----------
        residual : ndarray of shape (n_samples,)
        limits : ndarray of shape (n_features,) or (1,)
        used : ndarray of bool of shape (n_features,)
            Where it is to be exact in any case.

        Returns
        -------
        ndarray of shape (n_features,)
        """
        if self._codes is None:
            return self._first(residual)
        design = self.design
        unit = np.abs(residual).max(initial=0.0) / _coarse.LARGEST or 1.0
        rows = np.rint(residual / unit)
        lost = np.linalg.norm(residual - unit * rows)
        near = np.empty(design.shape[1])
        _coarse.coarse_products(self._codes, rows.astype(np.int16), near)
        near *= unit * self._steps
        doubt = np.linalg.norm(residual) * self._errors
        doubt += lost * self._norms
        if design.scale is not None:
            near /= design.scale
            doubt /= design.scale
        doubt += np.abs(near)
        # What is no number is in doubt.
        asked = (~(doubt < SAFE * limits) | used).nonzero()[0]
        near[asked] = design.dot_t(residual, asked)
        return near

    def _first(self, residual):
        """The product itself; the copy is made in the same reading of X."""
        design = self.design
        n_samples, n_features = design.shape
        self._codes = in_large_pages((n_features, n_samples), np.int16)
        self._steps, self._errors, product = np.empty((3, n_features))
        _coarse.coarsen(design.X, design.shifts, residual, self._codes, self._steps, self._errors, product)
        self._norms = self._steps * (_coarse.LARGEST * math.sqrt(n_samples))
        return design.shifted(product, residual)


def screened(problem):
    """The problem with a screen where that saves time: X wide, by columns, one output, a penalty under which most columns rest."""
    design = problem.design
    n_samples, n_features = design.shape
    wide = n_samples <= min(n_features, LONG) and n_samples * n_features >= FEW
    if not (wide and design.stores_zeros and design.X.strides[0] == design.X.itemsize):
        # Rows that lie one after the other take as long to turn round as some passes.
        return problem
    return problem.changed(screen=Screen(design)) if problem.y.ndim == 1 and rest(problem.penalty) else problem
