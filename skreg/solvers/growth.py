"""How a working set of coordinate descent grows: by what violates most, and by what is likely to be needed next."""

import numpy as np

from skreg.solvers.sampling import MARGIN
from skreg.solvers.small import SmallNewton

__all__ = ["NEARLY", "grow"]

# What is left out also by so much less alpha is not needed soon; what is not may come along.
FAR = 0.95

# With few newcomers, up to this share of a working set comes along because it may be needed next.
NEARLY = 0.05

# So many times more sparse columns enter the first working set: far from the solution more only have to leave again.
FIRST = 4

# Sparse columns that are left out by less than this share of alpha are swept over with those that are not.
NEARBY = 0.2

# A working set that grows by more than this share is not yet the right one; only with so many columns is that worth to know.
GROWTH, MANY = 0.15, 200

# So many times more columns enter a working set that is copied, and so many times more still if those are all that there are.
GENEROUS, ROOMY = 2, 2


def grow(engine, point):
    """Add the largest violations to the working set; tell whether it grew."""
    if engine.everything:
        return False
    if engine.begun:
        engine.begun = False
        return True
    if engine.on_sparse and _sweeps(engine.problem) and engine.models.takes_columns(engine.entries, engine.compiled):
        return _take_all_near(engine, point)
    # What compares is quicker to find than numbers are; and sets are quicker to mark than to sort.
    used = engine.largest(point.coef != 0).nonzero()[0]
    scores = engine.largest(point.violations)
    due = scores != 0
    if engine.models.crowded:
        # A working set of columns may be too large for a Gram matrix.
        engine.entries = engine.whole(used)
        engine.models.forget()
    elif _lets_go(engine):
        # Another model costs as much again, so those that are far from being needed had better go.
        away = point.at(FAR * point.alpha)
        near = np.zeros(scores.size, dtype=bool)
        near[away.restless if engine.problem.y.ndim == 1 else np.flatnonzero(away.violations)] = True
        near[used] = True
        engine.entries = engine.entries[near[engine.entries]]
        if engine.problem.design.stores_zeros:
            due |= near
    outside = np.ones(scores.size, dtype=bool)
    outside[engine.entries] = False
    candidates = (outside & due).nonzero()[0]
    size = max(engine.first_size, used.size)
    if engine.models.leads_on or (
        engine.compiled and SmallNewton.fits(engine.problem, engine.entries.size + GENEROUS * size)
    ):
        # Models of a working set cost less than the passes over X that are saved.
        size *= GENEROUS
    if candidates.size > size and _may_all_enter(engine, candidates, ROOMY * size):
        size = FIRST * size if used.size == 0 and _sweeps(engine.problem) else candidates.size
    if candidates.size > size:
        candidates = candidates[scores[candidates].argpartition(-size)[-size:]]
    elif candidates.size <= GROWTH * engine.entries.size and _foretells(engine.problem):
        # Those that enter will move others, which then cost a pass more.
        near = engine.largest(point.at((1.0 - MARGIN) * point.alpha).violations)
        outside[candidates] = False
        first, some = (outside & (near > 0)).nonzero()[0], max(int(NEARLY * engine.entries.size), 10)
        if first.size > some:
            first = first[np.argpartition(near[first], -some)[-some:]]
        candidates = np.concatenate([candidates, first])
    marked = np.zeros(scores.size, dtype=bool)
    marked[candidates] = marked[used] = True
    wanted = engine.whole(marked.nonzero()[0])
    marked[:], marked[wanted], marked[engine.entries] = False, True, False
    fresh = marked.nonzero()[0]
    # Those that only may be needed are no sign that others will be; in the squared loss it gains nothing to tell them apart.
    engine.n_fresh = fresh.size if engine.problem.loss.quadratic else np.count_nonzero(scores[fresh])
    engine.entries = np.concatenate([engine.entries, fresh])
    # While many enter, the support is not worth a factorisation yet.
    engine.growing = engine.entries.size > MANY and fresh.size > GROWTH * engine.entries.size
    return fresh.size > 0


def _sweeps(problem):
    """Whether a working set may be one of sparse columns to which it makes no difference which they have been before."""
    return problem.loss.quadratic and problem.penalty.convex and not problem.design.stores_zeros


def _take_all_near(engine, point):
    """Make the working set of all that are used and all that may be soon; tell whether some that are needed were missing."""
    inside = np.zeros(point.coef.size, dtype=bool)
    inside[engine.entries] = True
    needed = point.restless
    engine.n_fresh = needed.size - np.count_nonzero(inside[needed])
    engine.entries = point.at((1.0 - NEARBY) * point.alpha).restless
    engine.models.forget()
    engine.growing = engine.n_fresh > GROWTH * needed.size
    return engine.n_fresh > 0


def _may_all_enter(engine, candidates, most):
    """Whether the working set with all of these would be one of sparse columns, or with no more than ``most`` one that is copied."""
    if engine.problem.design.stores_zeros:
        size = engine.entries.size + candidates.size
        return candidates.size <= most and engine.compiled and SmallNewton.fits(engine.problem, size)
    return engine.models.takes_columns(np.concatenate([engine.entries, candidates]), engine.compiled)


def _lets_go(engine):
    """Whether nothing that is kept depends on the working set."""
    problem = engine.problem
    if engine.models.leads_on:
        return True
    return engine.models.kept is None and problem.penalty.separable and problem.penalty.convex and problem.y.ndim == 1


def _foretells(problem):
    """Whether what a weaker penalty would let in is likely to come in."""
    return problem.loss.quadratic and problem.penalty.convex and problem.moments is None
