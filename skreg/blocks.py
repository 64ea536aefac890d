"""Blocks of coefficients: what a penalty sees together."""

import numpy as np

__all__ = ["Blocks", "numbered"]


def numbered(label):
    """Labels as numbers from 0 in their order, shape (n,)."""
    label = np.ravel(label)
    if np.all(label[1:] >= label[:-1]):
        # Blocks that follow each other, as most do, need not be sorted.
        return np.cumsum(np.concatenate([label[:1] != label[:1], label[1:] != label[:-1]]))
    return np.unique(label, return_inverse=True)[1].ravel()


class Blocks:
    """A partition of coefficients, or of anything else that is numbered.

    Parameters
    ----------
    label : ndarray of shape (n,)
        What is equal is one block.

    Attributes
    ----------
    label : ndarray of int of shape (n,)
        The number of its block for every coefficient, from 0, in the order of the labels that were given.
    members : ndarray of int of shape (n,)
        The coefficients, block after block.
    start : ndarray of int of shape (n_blocks + 1,)
        Where each block begins in ``members``.
    """

    def __init__(self, label):
        self._number(numbered(label))

    def _number(self, label):
        self.label, self.sizes = label, np.bincount(label)
        self.members = np.argsort(label, kind="stable")
        self.start = np.concatenate([[0], np.cumsum(self.sizes)])

    def __len__(self):
        return len(self.sizes)

    def of(self, entries):
        """The blocks of some of the coefficients."""
        label = self.label[entries]
        number = np.cumsum(np.bincount(label, minlength=len(self)) > 0) - 1
        part = Blocks.__new__(Blocks)
        part._number(number[label])
        return part

    def sums(self, values):
        """Their sum over each block, shape (n_blocks,)."""
        return np.bincount(self.label, values, minlength=len(self))

    def pairs(self):
        """All pairs of members of the same block, itself included: two arrays."""
        sizes = self.sizes[self.label]
        begin = np.repeat(self.start[:-1][self.label] - np.cumsum(sizes) + sizes, sizes)
        return np.repeat(np.arange(len(sizes)), sizes), self.members[begin + np.arange(len(begin))]

    def first(self, values):
        """One number per block, where all of its coefficients have the same."""
        return np.asarray(values)[self.members[self.start[:-1]]]

    def _by_size(self):
        """Every size, the blocks that have it, and where their `parts` lie, one row for each block."""
        squares = self.sizes**2
        for size in np.unique(self.sizes):
            blocks = np.flatnonzero(self.sizes == size)
            yield size, blocks, (np.cumsum(squares) - squares)[blocks][:, None] + np.arange(size**2)

    def parts(self, gram):
        """Of a symmetric matrix what belongs to each block, row by row, one after the other: shape (sum of squares,)."""
        own = np.empty(int(np.sum(self.sizes**2)))
        for size, blocks, places in self._by_size():
            members = self.members[self.start[blocks][:, None] + np.arange(size)]
            part = gram[members[:, :, None], members[:, None, :]]
            own[places] = part.reshape(len(blocks), -1)
        return own

    def steepest(self, own):
        """The largest eigenvalue of each block of a matrix, from its `parts`; 1 where that is 0."""
        values = np.empty(len(self))
        for size, blocks, places in self._by_size():
            values[blocks] = np.linalg.eigvalsh(own[places].reshape(-1, size, size))[:, -1]
        # Rounding may leave an eigenvalue a hair too small.
        return np.where(values > 0, values * (1.0 + 1e-12), 1.0)
