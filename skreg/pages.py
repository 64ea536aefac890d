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
    """Copies of many arrays of one length, which each would take small pages of its own.

    Parameters
    ----------
    length : int
    most : int
        How many there will be at most.
    """

    def __init__(self, length, most):
        self._length, self._left = length, most
        self._room = iter(())

    def keep(self, array):
        """A copy."""
        row = next(self._room, None)
        if row is None:
            # What is no longer needed goes page by page, not all at the end.
            some = max(min(2 * LARGE // (8 * self._length + 1), self._left), 1)
            self._room, self._left = iter(in_large_pages((some, self._length))), self._left - some
            row = next(self._room)
        row[:] = array
        return row
