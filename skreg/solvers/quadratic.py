"""The inner problem of coordinate descent: a penalised quadratic on a Gram matrix.

    minimise over w     0.5 w'Gw - q'w + P(w; alpha)

Compiled coordinate descent (accelerated proximal steps where the prox is NumPy
only) finds the support; Newton steps on it end the slow tail that correlated
columns make. What Newton needs of the penalty, its curvature at the solution, is
the slope of the prox: no penalty has to say it.
"""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from skreg import _kernels
from skreg.solvers.compiled import compiled_prox

__all__ = ["Quadratic"]

# A support larger than this is left to coordinate descent: factorising it would cost more.
MAX_NEWTON = 4_000


class Quadratic:
    """State of one inner problem; `minimise` moves ``coef`` and ``grad`` in place.

    Parameters
    ----------
    gram : ndarray of shape (k, k)
        Hessian, C-ordered.
    coef, grad : ndarray of shape (k,)
        The current point, and ``gram @ coef - q`` there.
    penalty : Penalty
        Separable, restricted to the k coefficients.
    alpha : ndarray of shape (k,)
        Strengths.
    """

    def __init__(self, gram, coef, grad, penalty, alpha):
        self.gram, self.coef, self.grad = gram, coef, grad
        self.penalty, self.alpha = penalty, alpha
        diagonal = np.diagonal(gram)
        self.curvature = np.where(diagonal > 0, diagonal, 1.0)
        self.step = 1.0 / self.curvature
        self.compiled = compiled_prox(penalty)
        self._lipschitz = None

    def minimise(self, tol, max_rounds=200):
        """Until no coefficient violates its fixed point by more than ``tol``.

        The unit is that of ``sqrt(curvature) * move``. Returns whether it got there.
        """
        previous = np.inf
        for round_ in range(max_rounds):
            self._descend(tol, 10 if round_ == 0 else 20)
            violation = self.violation()
            if violation <= tol:
                return True
            self._newton()
            violation = self.violation()
            if violation <= tol:
                return True
            if round_ > 20 and violation >= previous:
                return False
            previous = violation if round_ % 20 == 0 else previous
        return False

    def violation(self):
        """Largest scaled move that a proximal step would make."""
        return float(np.max(np.sqrt(self.curvature) * np.abs(self._proximal() - self.coef), initial=0.0))

    def objective(self, coef, grad):
        """Value of the quadratic and the penalty (up to a constant)."""
        # 0.5 w'Gw - q'w with q = Gw0 - grad0 needs only the change from the current point.
        move = coef - self.coef
        return 0.5 * move @ (grad + self.grad) + self.penalty.value(coef, self.alpha)

    def _proximal(self):
        return self.penalty.prox(self.coef - self.step * self.grad, self.step, self.alpha)

    def _descend(self, tol, epochs):
        if self.compiled is not None:
            _kernels.gram_descent(
                self.gram, self.coef, self.grad, self.step, self.alpha, *self.compiled, tol, epochs
            )
        else:
            self._accelerate(tol, epochs)

    def _accelerate(self, tol, n_iter):
        """Proximal gradient in the metric of the diagonal, with momentum and restarts."""
        if self._lipschitz is None:
            self._lipschitz = _largest_eigenvalue(self.gram, self.step)
        step = self.step / self._lipschitz
        if not self.penalty.convex:
            momentum_allowed = False
        else:
            momentum_allowed = True
        coef, grad = self.coef.copy(), self.grad.copy()
        ahead, ahead_grad, momentum = coef, grad, 1.0
        for _ in range(n_iter):
            new = self.penalty.prox(ahead - step * ahead_grad, step, self.alpha)
            move = new - coef
            if np.max(np.sqrt(self.curvature) * np.abs(move), initial=0.0) <= 0.1 * tol:
                break
            new_grad = self.grad + self.gram @ (new - self.coef)
            if not momentum_allowed or (ahead - new) @ (move * self.curvature) > 0:
                momentum = 1.0
            following = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum**2))
            weight = (momentum - 1.0) / following
            ahead, ahead_grad = new + weight * move, new_grad + weight * (new_grad - grad)
            coef, grad, momentum = new, new_grad, following
        self.grad += self.gram @ (coef - self.coef)
        self.coef[:] = coef

    def _newton(self):
        """One semismooth Newton step on ``w - prox(w - step * grad)``, if it helps.

        Where the prox has slope s, the penalty has the curvature ``L (1 - s) / s``;
        where it is flat (at a kink) the coefficient is set to the prox.
        """
        point = self.coef - self.step * self.grad
        target = self.penalty.prox(point, self.step, self.alpha)
        width = 1e-6 * (np.abs(point) + 1e-3 * np.max(np.abs(point), initial=0.0)) + 1e-300
        above = self.penalty.prox(point + width, self.step, self.alpha)
        below = self.penalty.prox(point - width, self.step, self.alpha)
        slope = (above - below) / (2.0 * width)
        moving = np.flatnonzero(slope > 1e-6)
        if moving.size == 0 or moving.size > MAX_NEWTON:
            return
        coef = target.copy()
        coef[moving] = self.coef[moving]
        held = np.flatnonzero(coef != self.coef)
        grad = self.grad.copy()
        if held.size:
            grad += self.gram[:, held] @ (coef[held] - self.coef[held])
        slope = slope[moving]
        curvature = self.curvature[moving]
        system = self.gram[np.ix_(moving, moving)]
        # A millionth of a millionth keeps duplicate columns from ending the factorisation.
        system[np.diag_indices_from(system)] += curvature * ((1.0 - slope) / slope + 1e-12)
        wanted = (target[moving] - self.coef[moving]) * curvature / slope - (grad - self.grad)[moving]
        try:
            move = cho_solve(cho_factor(system, lower=True, overwrite_a=True, check_finite=False), wanted)
        except LinAlgError:
            return
        change = self.gram[:, moving] @ move
        for size in self._sizes(coef[moving], move):
            candidate = coef.copy()
            candidate[moving] += size * move
            if 0.0 < size < 1.0:
                # The first coefficient to change its sign stops at zero.
                candidate[moving[np.argmin(np.abs(candidate[moving]) / np.maximum(np.abs(move), 1e-300))]] = 0.0
            candidate_grad = grad + size * change
            if self.objective(candidate, candidate_grad) <= self.objective(self.coef, self.grad):
                # Recomputed, not accumulated: rounding must not drift.
                self.grad += self.gram @ (candidate - self.coef)
                self.coef[:] = candidate
                return

    @staticmethod
    def _sizes(coef, move):
        """The full step, and the one at which the first coefficient reaches zero."""
        yield 1.0
        crossing = coef * (coef + move) < 0
        if crossing.any():
            yield float(np.min(-coef[crossing] / move[crossing]))


def _largest_eigenvalue(gram, step, n_iter=30):
    """Bound on the spectrum of the Gram matrix in units of its diagonal."""
    scale = np.sqrt(step)
    vector = np.ones(len(step))
    norm = np.linalg.norm(vector)
    value = 1.0
    for _ in range(n_iter):
        vector = scale * (gram @ (scale * (vector / norm)))
        norm = np.linalg.norm(vector)
        if norm == 0:
            return 1.0
        value = norm
    # Power iteration approaches from below; never beyond the trace.
    return float(min(1.05 * value, len(step)))
