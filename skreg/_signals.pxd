# cython: language_level=3
"""Ctrl-C in loops that run without the GIL: they look for it after so much work."""

from cpython.exc cimport PyErr_CheckSignals

cdef enum:
    # Operations; some ten milliseconds.
    UNSEEN = 50_000_000


cdef inline int look(double *work, double added) except -1 nogil:
    """Add to the work since the last look; raise what a signal has brought if it is time for another."""
    work[0] += added
    if work[0] > UNSEEN:
        work[0] = 0.0
        with gil:
            PyErr_CheckSignals()
    return 0
