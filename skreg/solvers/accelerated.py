"""Proximal gradient with momentum and restarts, for inner problems."""

import numpy as np

__all__ = ["accelerated", "steps_together"]

# Products by which the steepest direction is looked for.
STEPS = 30


def accelerated(problem, step, n_iter, small):
    """Proximal gradient with momentum and restarts.

    Parameters
    ----------
    problem : object
        With ``gram``, ``coef``, ``grad``, ``penalty`` and ``alpha``, as `Quadratic`; it is not changed.
    step : float or ndarray of shape (k,)
        No longer than the curvature allows.
    n_iter : int
        At most so many steps.
    small : callable
        Whether a move ends them.

    Returns
    -------
    coef, grad : ndarray of shape (k,)
    """
    coef, grad, ahead, ahead_grad, momentum = problem.coef, problem.grad, problem.coef, problem.grad, 1.0
    for _ in range(n_iter):
        new = problem.penalty.prox(ahead - step * ahead_grad, step, problem.alpha)
        move = new - coef
        new_grad = problem.grad + problem.gram @ (new - problem.coef)
        if np.sum((ahead - new) * (move / step)) > 0:
            # Momentum points uphill: start again from here without it.
            momentum = 1.0
        following = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum**2))
        weight = (momentum - 1.0) / following
        ahead, ahead_grad = new + weight * move, new_grad + weight * (new_grad - grad)
        coef, grad, momentum = new, new_grad, following
        if small(move):
            break
    return coef, grad


def steps_together(gram, step):
    """Steps that all coefficients may take at once.

    Parameters
    ----------
    gram : ndarray of shape (k, k)
    step : ndarray of shape (k,)
        What each may take alone: one over its diagonal entry.

    Returns
    -------
    ndarray of shape (k,)
    """
    scale = np.sqrt(step)
    vector = np.ones(len(step))
    norm = np.linalg.norm(vector)
    value = 1.0
    for _ in range(STEPS):
        vector = scale * (gram @ (scale * (vector / norm)))
        norm = np.linalg.norm(vector)
        if norm == 0:
            return step
        value = norm
    # Power iteration approaches from below; never beyond the trace.
    return step / min(1.05 * value, len(step))
