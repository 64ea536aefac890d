"""The duality gap: dual points from residuals, made feasible and, where that is not enough, moved into balance."""

import math

import numpy as np

from skreg.elastic import certify_together
from skreg.model import QuadraticModel, scaled_inverse
from skreg.sums import column_sums, total

__all__ = ["EXACT", "balanced", "duality_gap", "gap_at"]

# Balancing the dual point costs a Gram matrix of the support; not beyond this size.
MAX_BALANCED = 300

# A loss of less than this share of the null model's is none.
EXACT = 1e-12


def duality_gap(point, enough=np.inf):
    """Duality gap over the null loss; None where it is not known.

    The dual point is the residual, made feasible. If its gap is not ``enough``,
    it is first moved so that the coefficients of the support are in balance, as
    a Newton step would move it: that takes the error of the gap to second order.
    """
    problem = point.problem
    if "plain_gap" not in point.__dict__ and point.coef.ndim == 1 and not problem.loss.quadratic:
        certify_together([point], point.coef[None], point.gradient[None], enough)
    known = point.__dict__.get("plain_gap")
    if known is not None and known <= enough:
        return known
    if point.coef.ndim > 1 and problem.outputs_apart:
        parts = [point.output(k) for k in range(problem.n_outputs)]
        gaps = [part.gap(enough) for part in parts]
        if None in gaps:
            return None
        return sum(g * part.problem.null_loss for g, part in zip(gaps, parts, strict=True)) / problem.null_loss
    if not problem.has_conjugate:
        return None
    free = _binding(point, problem.unpenalised(point.alpha))
    if free.size * problem.n_outputs > MAX_BALANCED:
        return None
    entries = free
    if point.coef.ndim > 1:
        entries = (free[:, None] * problem.n_outputs + np.arange(problem.n_outputs)).ravel()
    plain = point.gap_of(entries, 0.0)
    if enough == np.inf or (plain is not None and plain <= enough):
        return plain
    if not problem.penalty.separable and problem.blocks is None:
        return plain
    bound = np.union1d(entries, np.flatnonzero(point.coef != 0))
    if bound.size > MAX_BALANCED:
        return plain
    pull = _pull(point)
    pull.ravel()[entries] = 0.0
    better = point.gap_of(bound, pull.ravel()[bound])
    return plain if better is None or (plain is not None and plain < better) else better


def _binding(point, free):
    """The unpenalised columns whose correlation must be zero.

    Not those that rest on a bound: the bound takes a correlation of one sign.
    """
    penalty = point.problem.penalty
    if not 0 < free.size <= MAX_BALANCED or point.coef.ndim > 1 or penalty.joint_outputs:
        return free
    if not penalty.separable:
        # Of a constraint on all of them (at alpha = 0) the conjugate is finite everywhere.
        bounded = free.size == point.coef.size and np.isfinite(penalty.conjugate(-point.gradient, 0.0))
        return free[:0] if bounded else free
    ones = [penalty.restrict(free[i : i + 1]) for i in range(free.size)]
    pulls = np.where(point.gradient == 0, 1.0, -point.gradient)
    finite = [np.isfinite(one.conjugate(pulls[j : j + 1], 0.0)) for one, j in zip(ones, free, strict=True)]
    return free[~np.array(finite, dtype=bool)]


def _pull(point):
    """Subgradient of the penalty that the prox shows at ``coef``."""
    problem, penalty, coef, blocks = point.problem, point.problem.penalty, point.coef, point.problem.blocks
    if penalty.separable and penalty.convex:
        step = point.steps(np.flatnonzero(coef.reshape(len(coef), -1).any(axis=1)))
    else:
        step = 1.0 / point.curvature
    ahead = coef - point.gradient * step
    pull = (ahead - problem.prox(ahead, step, point.alpha)) / step
    # A pull much smaller than coef / step is lost in rounding; a longer step brings it out.
    sizes = coef
    if blocks is not None:
        sizes, pull = (
            np.sqrt(blocks.sums(np.square(a).ravel()))[blocks.label].reshape(coef.shape) for a in (coef, pull)
        )
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        longer = np.abs(sizes) / np.abs(pull)
    step = np.where(np.isfinite(longer) & (longer > step), longer, step)
    if blocks is not None and penalty.joint_outputs and step.ndim > 1:
        step = step[:, :1]
    ahead = coef + step * pull
    return (ahead - problem.prox(ahead, step, point.alpha)) / step


def gap_at(point, dual, correlation):
    """The gap of a dual point, after the scaling that makes it feasible."""
    problem, penalty = point.problem, point.problem.penalty
    strength = problem.strength(point.alpha)
    columns = [correlation.reshape(problem.n_features, -1) if penalty.joint_outputs else correlation]
    if correlation.ndim > 1 and problem.entrywise("conjugate", strength):
        columns = [correlation.ravel()]
    elif correlation.ndim > 1 and not penalty.joint_outputs:
        columns = [np.array(column) for column in correlation.T]
    scale = min(penalty.dual_scale(column, strength) for column in columns)
    price = sum(penalty.conjugate(scale * column, strength) for column in columns)
    y, weights = problem.y, problem.weights
    if problem.any_unweighted:
        used = weights > 0
        y, weights, dual = y[used], weights[used], dual[used]
    conjugate = problem.loss.conjugate(y, ((-scale * dual).T / weights).T)
    excess = point.objective + total(weights, conjugate) + price
    if scale == 0.0 and not excess <= EXACT * problem.null_loss:
        # Only the correlation of a free column takes such a factor: nothing is known then, and nothing is promised,
        # but that no loss is negative. That is enough for a fit that leaves nothing.
        # (The Hessian of softmax is singular along its classes: fewer digits there mean nothing.)
        return None if problem.loss.translation_invariant else np.inf
    # Rounding may leave the gap a hair below zero.
    return float(max(excess, 0.0) / problem.null_loss) if math.isfinite(excess) else None


def balanced(point, entries, wanted):
    """A dual point at which ``entries`` of its correlation are as ``wanted``, and its correlation.

    It is orthogonal to the intercept. Moved as a Newton step on those
    coefficients would move it, it stays in the domain of the loss when it is
    near the optimum.
    """
    problem, eta = point.problem, point.eta
    dual, correlation = -point.row_gradient, -point.gradient
    surplus, centred = column_sums(dual), problem.loss.quadratic
    # The sum of rounded numbers is never exactly zero.
    tilted = problem.fit_intercept and not centred and abs(surplus).max() > 1e-14 * column_sums(abs(dual)).max()
    near = problem.screen is not None or point.exact is not None
    if near and (entries.size > 0 or tilted):
        # What is too small here may not be where this leads to.
        correlation = -problem.design.dot_t(point.row_gradient)

    def move(forward):
        rows = problem.hessian_rows(eta, forward) if eta.ndim > 1 else point.row_curvature * forward
        np.subtract(dual, rows, out=dual)
        np.subtract(correlation, problem.design.dot_t(rows), out=correlation)

    if problem.fit_intercept and centred:
        # A centred design does not see it.
        dual -= problem.weights * surplus if dual.ndim == 1 else np.multiply.outer(problem.weights, surplus)
    elif tilted and eta.ndim > 1:
        move(np.broadcast_to(np.linalg.lstsq(problem.intercept_hessian(eta), surplus, rcond=1e-12)[0], eta.shape))
    elif tilted and point.row_curvature.any():
        step = surplus / point.row_curvature.sum()
        dual -= step * point.row_curvature
        correlation -= step * point.cross
    if entries.size:
        model = QuadraticModel(point, entries)
        inverse, scale, complete = scaled_inverse(model.hessian)
        missing = (correlation.ravel()[entries] - wanted) / scale
        # Nearly collinear columns cost the first step its digits; the next ones give them back.
        for _ in range(4):
            step = inverse @ missing / scale
            coef = np.zeros(problem.coef_shape)
            coef.ravel()[entries] = step
            move(problem.design.dot(coef) + model.intercept_move(step, offset=False))
            before, missing = abs(missing).max(), (correlation.ravel()[entries] - wanted) / scale
            rounding = abs(missing).max() <= problem.noise(complete)
            if rounding or abs(missing).max() > 0.5 * before:
                break
        # Rounding is taken out; what more columns than rows make impossible is not.
        if rounding:
            correlation.ravel()[entries] = wanted
    return dual, correlation
