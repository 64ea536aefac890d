"""Coefficients that a concave penalty would make jump from zero or to it: whether they gain by that."""

import numpy as np

__all__ = ["correct_jumps"]

# So many coefficients that would jump are looked at one by one.
MAX_JUMPS = 50


def correct_jumps(point, target, violations):
    """Correct the violations of what would jump to ``target``, where that gains nothing.

    Parameters
    ----------
    point : Point
    target : ndarray shaped like coef
        What the prox makes of the point.
    violations : ndarray shaped like coef
        Corrected in place.
    """
    jumps = _jumps(point, target)
    if len(jumps) <= MAX_JUMPS:
        for entries in jumps:
            before = violations.ravel()[entries[0]]
            violations.ravel()[entries] = _violation(point, entries, target.ravel()[entries], before)


def _jumps(point, target):
    """The coefficients, or all of a block, that would jump from zero or to it."""
    before, after, blocks = (point.coef != 0).ravel(), (target != 0).ravel(), point.problem.blocks
    if blocks is None:
        return list(np.flatnonzero(before != after)[:, None])
    jumps = np.flatnonzero((blocks.sums(before) > 0) != (blocks.sums(after) > 0))
    return [blocks.members[blocks.start[block] : blocks.start[block + 1]] for block in jumps]


def _violation(point, entries, target, violation):
    """The violation of coefficients that a concave penalty would make jump from zero or to it.

    A jump that lowers the quadratic model but not the loss is none: the step is too long for it.
    """
    problem = point.problem
    features, outputs = np.divmod(entries, problem.n_outputs)
    columns, own = problem.design.columns(features), np.unique(features)
    one, shape = problem.penalty.restrict(own), (len(own), -1) if problem.penalty.joint_outputs else -1
    strength = np.broadcast_to(np.ravel(problem.strength(point.alpha)), problem.n_features)[own].reshape(shape)
    coef, gradient = point.coef.ravel()[entries], point.gradient.ravel()[entries]
    curvature = np.broadcast_to(point.curvature, point.coef.shape).ravel()[entries[0]]
    start = point.loss + one.value(coef.reshape(shape), strength)
    for _ in range(30):
        eta = point.eta.copy()
        for k in np.unique(outputs):
            moved = outputs == k
            eta[(slice(None), k) if eta.ndim > 1 else slice(None)] += columns[:, moved] @ (target - coef)[moved]
        reached = problem.loss_value(eta) + one.value(target.reshape(shape), strength)
        if reached < start - 4e-16 * abs(start):
            break
        curvature *= 2.0
        target = one.prox((coef - gradient / curvature).reshape(shape), 1.0 / curvature, strength).ravel()
        violation = np.sqrt(curvature) * np.linalg.norm(coef - target)
        if np.any(target) == np.any(coef):
            break
    return violation
