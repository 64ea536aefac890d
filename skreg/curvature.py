"""How much the mean loss curves: along each coefficient, within blocks of them, in any direction, in the intercept."""

import numpy as np

from skreg.spectrum import largest_eigenvalue

__all__ = ["block_curvatures", "curvatures", "mean_curvature", "spectral_curvature", "steepest"]


def curvatures(problem, eta, rows=None):
    """Curvature of the mean loss along each coefficient, shaped like coef; never 0.

    That of the squared loss is the same for every ``eta``; of others, ``rows`` is the curvature
    of the mean loss with respect to ``eta`` where it is known already.
    """
    if problem.loss.quadratic:
        norms = problem.squared_norms
        return norms if problem.y.ndim == 1 else np.repeat(norms[:, None], problem.n_outputs, axis=1)
    if rows is None:
        rows = problem.weighted(problem.loss.curvature(problem.y, eta))
    norms = problem.design.squared_norms(rows)
    # A constant column moves nothing; any step does.
    return np.where(norms > 0, norms, 1.0)


def block_curvatures(problem, eta, rows):
    """For each coefficient a bound on the curvature in any direction of its block; a column if outputs are joint.

    The trace of the block's Hessian over the features: no eigenvalue is larger. ``rows`` as in `curvatures`.
    """
    if problem.penalty.joint_outputs and problem.y.ndim > 1:
        bound = problem.weights if problem.loss.quadratic else _of_rows(problem, eta) * problem.weights
        norms = problem.squared_norms if problem.loss.quadratic else problem.design.squared_norms(bound)
        label = problem.blocks.label[:: problem.n_outputs]
        return np.maximum(np.bincount(label, norms)[label], np.finfo(float).tiny)[:, None]
    alone, blocks = curvatures(problem, eta, rows), problem.blocks
    return blocks.sums(alone.ravel())[blocks.label].reshape(alone.shape)


def spectral_curvature(problem, eta):
    """Bound on the curvature of the mean loss in any direction of coef: no direction has more."""
    rows = _of_rows(problem, eta)
    used = rows[problem.weights > 0] if problem.any_unweighted else rows
    most = float(used.max())
    if most > 10.0 * used.mean() and problem.y.ndim == 1:
        # A few steep rows: what they do to all of X is less than that.
        return steepest(problem.design, problem.weights * rows) or 1.0
    return most * problem.spectral_norm or 1.0


def mean_curvature(problem, eta):
    """Bound on the curvature of the mean loss in the intercepts."""
    return float(_of_rows(problem, eta).max()) or 1.0


def steepest(design, rows):
    """Bound on the largest eigenvalue of ``Z' diag(rows) Z``."""
    return largest_eigenvalue(lambda coef: design.dot_t(rows * design.dot(coef)), design.shape[1])


def _of_rows(problem, eta):
    """For each row a bound on the largest eigenvalue of the Hessian of its loss in eta."""
    rows = problem.loss.curvature(problem.y, eta)
    if rows.ndim == 1:
        return rows
    if not problem.loss.coupled_outputs:
        return rows.max(axis=1)
    # No larger than its trace; of softmax, than twice the largest entry of its diagonal (Gershgorin).
    return 2.0 * rows.max(axis=1) if problem.loss.translation_invariant else rows.sum(axis=1)
