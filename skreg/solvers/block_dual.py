"""Proximal points of a convex penalty on blocks, by a semismooth Newton method on what is left of y.

Where rows are few, what is left of y has few numbers, and coefficients may come and go at every step.
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.blas import dsyrk

from skreg.solvers.block_newton import Bends

__all__ = ["ProximalPoint"]

# Newton steps for one proximal point, and the least decrease of the dual, as a share of what its slope promises.
MOST_STEPS, DECREASE = 40, 1e-4

# The shortest part of a step that is tried.
SHORTEST = 1e-6


class ProximalPoint:
    r"""Where :math:`\frac12 \|b - A w\|^2 + P(w) + \sum_g \frac{1}{2 s_g} \|w_g - c_g\|^2` is least, for several outputs side by side.

    With :math:`u = b - A w` the dual is to minimise
    :math:`\frac12 \|u\|^2 - b'u + \max_w \{u'A w - P(w) - \sum_g \frac{1}{2 s_g} \|w_g - c_g\|^2\}`: its gradient is
    :math:`u - b + A w(u)` with :math:`w(u) = \mathrm{prox}(c + s A'u)`, and its Hessian follows from the slope of the prox.

    Parameters
    ----------
    columns : ndarray of shape (k, n)
        The matrix, transposed.
    penalty : _PenaltyOnEntries
        Convex, with a compiled prox.
    blocks : Blocks
        Of the k rows.
    alpha : ndarray of shape (k,)
    step : ndarray of shape (n_blocks,)
        The :math:`s_g`.

    References
    ----------
    X. Li, D. Sun, K.-C. Toh, "A highly efficient semismooth Newton augmented Lagrangian method for solving lasso problems",
    SIAM J. Optim. 28 (2018) 433-458, alg. SSN; Y. Zhang, N. Zhang, D. Sun, K.-C. Toh, "An efficient Hessian based algorithm for
    solving large-scale sparse group lasso problems", Math. Program. 179 (2020) 223-263.
    """

    def __init__(self, columns, penalty, blocks, alpha, step):
        self.columns, self.penalty, self.blocks, self.alpha, self.step = columns, penalty, blocks, alpha, step

    def solve(self, centre, target, start, tol):
        """The coefficients, shaped like ``centre``, and whether they are as near as wanted.

        Parameters
        ----------
        centre : ndarray of shape (k,) or (k, n_outputs)
        target, start : ndarray of shape (n_outputs, n)
            :math:`b`, and the first :math:`u`.
        tol : float
            The gradient of the dual may have this norm: then no block moves by more, in units of its curvature,
            than the proximal term asks for.
        """
        self.centre, self.target = centre, target
        rest, coef, point, value, gradient = self._at(start)
        for _ in range(MOST_STEPS):
            if np.linalg.norm(gradient) <= tol:
                return coef, True
            move = self._newton(point, coef, gradient)
            slope, size = float(np.sum(gradient * move)), 1.0
            while size > SHORTEST:
                there = self._at(rest + size * move)
                if there[3] <= value + DECREASE * size * slope + 1e-15 * abs(value):
                    break
                size *= 0.5
            else:
                break
            rest, coef, point, value, gradient = there
        return coef, False

    def _by_row(self):
        return self.step[self.blocks.label].reshape(-1, *[1] * (self.centre.ndim - 1))

    def _at(self, rest):
        """Where the prox leads from what is left of y, and the dual there with its gradient."""
        step, centre = self._by_row(), self.centre
        pull = (self.columns @ rest.T).reshape(centre.shape)
        point = centre + step * pull
        coef = self.penalty.prox(point, step, self.alpha)
        gradient = rest - self.target + (coef.T @ self.columns).reshape(rest.shape)
        value = 0.5 * np.sum(rest * rest) - np.sum(rest * self.target) - self.penalty.value(coef, self.alpha)
        value += np.sum(pull * coef) - np.sum(np.square(coef - centre) / (2.0 * step))
        return rest, coef, point, value, gradient

    def _newton(self, point, coef, gradient):
        """The Newton step of the dual."""
        bends = Bends(self.blocks, self.step, self.alpha, self.penalty.twin, point, coef)
        n_outputs, n = gradient.shape
        used = np.flatnonzero(coef.reshape(len(coef), -1).any(axis=1))
        label, columns = self.blocks.label[used], self.columns[used]
        # The slopes of the prox, times the step: along the block, and across it.
        along, across = (self.step / (1.0 + self.step * bend) for bend in (bends.along, bends.across))
        wide = dsyrk(1.0, columns.T * np.sqrt(across[label]), lower=1)
        system = wide if n_outputs == 1 else np.kron(np.eye(n_outputs), wide)
        radial = np.zeros((len(self.blocks), n_outputs * n))
        share = np.sqrt(np.maximum(along - across, 0.0))[label] * bends.direction[used].T
        np.add.at(radial, label, np.einsum("ck,kn->kcn", share.reshape(n_outputs, -1), columns).reshape(len(used), -1))
        radial = radial[np.unique(label)]
        system += dsyrk(1.0, radial.T, lower=1)
        system[np.diag_indices_from(system)] += 1.0
        factor = cho_factor(system, lower=True, overwrite_a=True)
        return -cho_solve(factor, gradient.ravel()).reshape(gradient.shape)
