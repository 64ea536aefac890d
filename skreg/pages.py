"""Memory in large pages."""

import math

import numpy as np

__all__ = ["in_large_pages"]

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
