"""Copies of the columns of a working set, which are then read from one place, and from X only once."""

import numpy as np

from skreg.pages import in_large_pages

__all__ = ["Copies"]


class Copies:
    """Columns of a dense design, times the roots of the weights of the rows, one behind the other.

    Parameters
    ----------
    design : DenseDesign
    row_weights : ndarray of shape (n_samples,)
    most : int
        How many columns there may be.
    dtype : type
        float64, or float32 where that is enough.
    """

    def __init__(self, design, row_weights, most, dtype=np.float64):
        self._design, self._root, self._most = design, np.sqrt(row_weights), most
        self._room, self._size = np.empty((0, row_weights.size), dtype), 0

    def __len__(self):
        return self._size

    @property
    def rows(self):
        """The columns, one in each row."""
        return self._room[: self._size]

    def take_in(self, fresh):
        """Copy columns behind those that are there; their rows."""
        size = self._size + fresh.size
        if size > len(self._room):
            # What is not touched costs nothing.
            room = in_large_pages((min(2 * size, self._most), self._root.size), self._room.dtype)
            room[: self._size] = self.rows
            self._room = room
        new, self._size = self._room[self._size : size], size
        self._design.copy_columns(fresh, self._root, new)
        return new
