"""Memory in large pages."""

import math

import numpy as np

__all__ = ["Rows", "in_large_pages"]

# What systems call a huge page; NumPy asks for such pages where an array has room for two.
LARGE = 2**21


def in_large_pages(shape, dtype=np.float64):
    """Like `numpy.empty`, for what may become large: it then begins where a large page begins.

    The system clears a page when it is first touched; for a large one that takes a tenth of what its 512 small ones take.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if 2 * size < LARGE:
        return np.empty(shape, dtype)
    pages = np.empty((-(-size // LARGE) + 1) * LARGE, dtype=np.uint8)
    start = -pages.ctypes.data % LARGE
    return pages[start : start + size].view(dtype).reshape(shape)


class Rows:
    """Rows of zeros, many of which lie in one large page.

    Parameters
    ----------
    length : int
        Of each row.
    most : int
        How many there will be at most.
    """

    def __init__(self, length, most):
        # What is no longer needed goes page by page, not all at the end.
        self._length, self._some = length, min(2 * LARGE // (8 * length + 1), most)
        self._room, self._taken = np.empty((0, length)), 0

    def take(self, n_rows):
        """So many rows."""
        if self._taken + n_rows > len(self._room):
            self._room, self._taken = in_large_pages((max(self._some, n_rows), self._length)), 0
        rows = self._room[self._taken : self._taken + n_rows]
        self._taken += n_rows
        rows[:] = 0.0
        return rows

    def give_back(self, n_rows):
        """So many rows of those that were taken last."""
        self._taken -= n_rows
