"""A sample of the rows tells which columns tall data need, before they meet in a Gram matrix of all rows."""

import numpy as np

from skreg.point import Point

__all__ = ["MARGIN", "sampled", "worth_a_sample"]

# With so many times more rows than columns, and so many numbers in X, a sample of one row in so many tells the first
# working set; in runs of so many rows that follow each other, as they lie in memory.
TALL, MANY, ONE_IN, RUN = 20, 4e6, 20, 128

# What is left out by less than this share of alpha may well be needed.
MARGIN = 0.1

# Accuracy of the solution on the sample, which knows no more.
ROUGH = 1e-3

# The Gram matrix of entries whose squared number is more than so many times the columns of X costs more than four passes.
DEAR = 40

# A sample finds columns that only its noise asks for; correcting them pays while it leaves out more than this share.
# With fewer rows for each of them the Hessian of the sample leads nowhere.
SHRINKAGE, ROWS = 0.15, 16


def worth_a_sample(engine):
    """Whether a sample of the rows is worth a look before all of them are."""
    problem = engine.problem
    n_samples, n_features = problem.design.shape
    tall = n_samples >= TALL * n_features and n_samples * n_features >= MANY and not problem.any_unweighted
    known = problem.loss.convex and problem.penalty.convex and problem.penalty.separable and problem.y.ndim == 1
    return tall and known and not engine.everything and hasattr(problem.design, "sample")


def sampled(engine, alpha):
    """The entries that a sample of the rows finds, and those that it nearly does; its solution."""
    problem = engine.problem
    starts = np.arange(0, problem.design.shape[0] - RUN, ONE_IN * RUN)
    part = problem.sample((starts[:, None] + np.arange(RUN)).ravel())
    if not np.isfinite(part.null_intercept):
        # A class is so rare that the sample has none of it.
        return np.empty(0, dtype=np.intp), None
    lead = type(engine)(part)
    solution = lead.solve(alpha, None, ROUGH, 20)
    entries = _needed(part.point(solution.coef, solution.intercept, alpha))
    if problem.loss.quadratic:
        entries = _corrected(problem, lead, solution.coef, entries, alpha)
    return entries, solution


def _needed(point):
    """Entries that are used, or would be if the penalty were a little weaker."""
    near = point.at((1.0 - MARGIN) * point.alpha)
    return np.flatnonzero((point.coef != 0) | (near.violations > 0))


def _corrected(problem, lead, coef, entries, alpha):
    """The entries to which the Hessian of the sample leads with the gradient of all rows.

    The error of the Hessian is of the second order there: each round takes the coefficients nearer to the
    solution by a constant factor, for one pass over X and one over the columns in use. What the round after
    the last one would find, the sample foretells.
    """
    if lead.problem.design.shape[0] < ROWS * entries.size:
        return entries
    shrinks = True
    while shrinks and entries.size**2 > DEAR * problem.n_features:
        point, before = problem.point(coef, problem.null_intercept, alpha), entries
        coef, _, _ = lead.led_from(point, ROUGH)
        entries = _needed(_foretold(lead.problem, point, coef))
        shrinks = entries.size < (1.0 - SHRINKAGE) * before.size
    return entries


def _foretold(part, point, coef):
    """The point at other coefficients, whose gradient is what the Hessian of the sample makes of that of a point."""
    design, weights = part.design, part.weights
    moved = design.dot_t(weights * design.dot(coef - point.coef))
    foretold = Point(point.problem, coef, point.intercept, point.alpha)
    foretold.gradient = point.gradient + moved
    return foretold
