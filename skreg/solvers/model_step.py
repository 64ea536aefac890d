"""One step of coordinate descent for a loss that is not squared: a Newton model of it on the working set, and a line search."""

import numpy as np

from skreg.model import NOTHING
from skreg.solvers.columns import ColumnModel
from skreg.solvers.line_search import line_search
from skreg.sums import column_sums, inner

__all__ = ["LITTLE", "model_step"]

# A decrease of the objective by less than this share of the tolerance is none.
LITTLE = 1e-3

# So often what jumps from zero or to it is held responsible for a step that is too long, before the rest is.
JUMPS_FIRST = 4

# The shortest step of a line search.
SHORTEST = 1e-4

# Rounding of a sum makes so much of a decrease look like a rise; a violation of no more than this share of the last is none.
ROUNDED, BETTER = 1e-14, 0.5


def model_step(engine, point, wanted):
    """General loss: a Newton model on the working set, and a line search."""
    problem, coef, alpha, entries = engine.problem, point.coef, point.alpha, engine.entries
    model = engine.models.around(point, entries, engine.compiled)
    gram = base = model.hessian
    alone, damping, by_column = False, 1e-5, isinstance(gram, ColumnModel)
    for attempt in range(30):
        moved = coef.ravel().copy()
        solved = engine.solve_inner(gram, point.coef.ravel()[entries], model.gradient, alpha, wanted)
        moved[entries] = solved.coef
        jumping = (moved == 0) != (coef == 0).ravel()
        held = not problem.penalty.convex and np.any(jumping)
        # Sweeps over columns have found what they do to the linear predictor.
        forward = solved.row_move(moved[entries] - coef[entries]) if by_column else None
        reached, promised = _towards(engine, point, moved, model, 1.0 if held else SHORTEST, forward)
        if reached is None and promised < 0:
            # The model was not solved well enough to go anywhere.
            wanted *= 1e-3
            continue
        if reached is not None:
            return reached, promised
        if held and attempt >= JUMPS_FIRST:
            # Not only the jumps may be too long: without them a shorter way is one, too.
            moved[jumping] = coef.ravel()[jumping]
            reached, promised = _towards(engine, point, moved, model, SHORTEST)
            if reached is not None and reached.objective < point.objective - LITTLE * engine.tol * problem.null_loss:
                return reached, promised
            # Where rows are saturated the curvature may be next to nothing.
            if not by_column:
                base = base + np.diag(damping * problem.squared_norms[engine.features])
                damping *= 10.0
        # A concave penalty may rise along the segment: raise the model's curvature instead.
        if not alone:
            jumps = np.flatnonzero(jumping[entries]) if held else NOTHING
        alone = not alone and jumps.size > 1
        if alone:
            # What several cannot do together the best of them may do alone.
            scores = point.violations.ravel()[entries[jumps]]
            # Those of a block share their violation; equal scores elsewhere are a coincidence.
            first = np.argmax(scores)
            others = np.delete(jumps, first) if problem.blocks is None else jumps[scores < scores[first]]
            gram = _raised(base, others, 1e9)
        else:
            gram = base = _raised(base, jumps, 4.0)
    return point, 0.0


def _towards(engine, point, moved, model, shortest, forward=None):
    """The first point on the way to ``moved`` that is better by enough; None if there is none.

    Tried are the whole way, half of it and so on down to ``shortest``; ``forward`` is what the whole adds to
    the linear predictor, where that is known. Also returns the decrease that the model promised for the whole.
    """
    problem = engine.problem
    moved = moved.reshape(point.coef.shape)
    move = moved - point.coef
    shift = model.intercept_move(move.ravel()[engine.entries])
    change = float(inner(point.gradient.ravel(), move.ravel()) + np.sum(column_sums(point.row_gradient) * shift))
    change += problem.penalty_value(moved, point.alpha) - point.price
    if change > ROUNDED * abs(point.objective) or not (np.any(move) or np.any(shift)):
        return None, -np.inf
    reached, size = line_search(point, move, shift, change, shortest, moved, forward)
    if not size and abs(change) <= ROUNDED * abs(point.objective):
        # Too close for the objective to tell: the violation can.
        reached = problem.point(moved, point.intercept + shift, point.alpha)
        rise = reached.objective - point.objective
        size = rise <= ROUNDED * abs(point.objective) and reached.violation < BETTER * point.violation
    return (reached, -change) if size else (None, 0.0)


def _raised(gram, jumps, factor):
    """A model with more curvature, along the coefficients that jumped from zero or to it if some did."""
    if isinstance(gram, ColumnModel) or jumps.size == 0:
        return 2.0 * gram
    gram = gram.copy()
    gram[jumps, jumps] *= factor
    return gram
