"""The Newton system: a Hessian, or a cheap stand-in that the steps taken correct."""

from collections import deque

import numpy as np
from scipy.linalg.blas import dtrsv

from skreg.design import BLOCK_SIZE, DenseDesign
from skreg.solvers.direct import spd_solver, spd_solvers
from skreg.solvers.small import SmallNewton
from skreg.sums import column_sums, inner

__all__ = ["NewtonSystem"]

# Multiplications up to which the exact Hessian is made anew for each step.
CHEAP = 20_000_000

# Largest exact Hessian of several coupled outputs; largest block of a stand-in, and that of sparse X.
MAX_COUPLED = 100
MAX_BLOCK, MAX_SPARSE_BLOCK = 2_000, 1_000

# A stand-in reads at least this share of the rows, and so many for each of its columns; or twice as many, where each of
# several outputs has its own.
SHARE, ROWS_PER_COLUMN = 1 / 12, 10

# So many columns times the share of the rows that are read: up to there those of all outputs cost no more than some steps.
AFFORDABLE = 100

# A stand-in is stale when the curvature of the rows has changed by this share.
STALE = 0.5

# Outputs whose curvatures differ by no more than this share but for a factor have one Gram matrix.
ALIKE = 1e-12

# A Hessian of seven digits with a pivot of less than this share of the diagonal is made again with all of them.
SURE = 1e-4

TINY = 1e-300

# Pairs of a step and the change of the gradient that are remembered.
MEMORY = 40


class NewtonSystem:
    """Newton steps at the points of one problem; coefficients and intercept are one vector.

    Where the Hessian is cheap each step has its own. Elsewhere a stand-in takes
    its place until the curvature of the rows has changed: the Hessian of a sample
    of the rows (of several outputs, that of each on its own), or its diagonal. The
    steps taken since correct it as L-BFGS does.

    References
    ----------
    J. Nocedal and S. Wright, "Numerical Optimization", 2nd ed. (2006), alg. 7.4
    (the recursion); R. H. Byrd, G. M. Chin, W. Neveitt, J. Nocedal, "On the use of
    stochastic Hessian information in optimization methods for machine learning",
    SIAM J. Optim. 21(3) (2011), sec. 2 (Hessians of a sample).
    """

    def __init__(self, problem):
        self.problem = problem
        n_samples, n_features = problem.design.shape
        n_outputs, dense = problem.n_outputs, isinstance(problem.design, DenseDesign)
        small = n_outputs == 1 or n_features * n_outputs <= MAX_COUPLED
        blocks = n_features <= (MAX_BLOCK if dense else MAX_SPARSE_BLOCK)
        self._exact = small and blocks and n_samples * n_features**2 * (n_outputs + 1) * n_outputs // 2 <= CHEAP
        n_rows = [min(max(int(SHARE * n_samples), m * ROWS_PER_COLUMN * n_features), n_samples) for m in (1, 2)]
        # Whether each output has a Gram matrix of its own.
        self._apart = dense and n_outputs > 1 and n_rows[1] * n_features <= AFFORDABLE * n_samples
        n_rows = n_rows[self._apart]
        sampled = dense and not self._exact and blocks and 2 * n_rows <= n_samples
        self._rows = _spread(n_samples, n_rows) if sampled else None
        self._measure = self._whole if self._exact else self._blockwise if blocks else self._diagonal
        self._pairs = deque(maxlen=0 if self._exact else MEMORY)
        self._factorise = self._solve_base = self._made_for = None
        self._nothing = np.zeros(n_outputs)
        self.small = SmallNewton(problem) if self._exact and SmallNewton.fits(problem) else None

    def charge(self, alpha):
        """Set the weights of the squares; what is known of the loss stays."""
        problem = self.problem
        weights = np.asarray(problem.penalty.quadratic(problem.strength(alpha)), dtype=np.float64)
        self._weights = weights * np.ones(problem.n_features)
        repeated = np.repeat(self._weights, problem.n_outputs)
        self._all_weights = self._joined(repeated, self._nothing)
        if self._factorise is not None:
            self._solve_base = self._factorise()

    def renew(self, point):
        """Take the curvature from a point, if what is at hand is stale there."""
        rows = point.row_curvature
        if self._made_for is not None and not self._exact:
            change = np.abs(rows - self._made_for).sum()
            if change <= STALE * np.abs(self._made_for).sum():
                return False
        self._made_for = rows
        self._factorise = self._measure(point)
        self._solve_base = self._factorise()
        return True

    def forget(self):
        """Drop what the steps have taught; says whether there was anything."""
        known = len(self._pairs) > 0
        self._pairs.clear()
        return known

    def learn(self, step, change, expected):
        """Remember that ``step`` has changed the gradient of the loss by ``change``.

        ``expected`` is what the system took the step's curvature for: far less is rounding.
        """
        if self._pairs.maxlen and inner(step, change + self._all_weights * step) > 0.01 * expected:
            self._pairs.append((step, change))

    def solve(self, vector):
        """The system's inverse times a vector (two-loop recursion); None before there is a system."""
        if self._solve_base is None:
            return None
        if not self._pairs:
            return self._solve_base(vector)
        # The two loops of the recursion are two triangular systems, over the products of steps and changes.
        steps = np.array([step for step, _ in self._pairs])
        changes = np.array([change for _, change in self._pairs]) + self._all_weights * steps
        products = (changes @ steps.T).T
        shares = dtrsv(products, steps @ vector)
        vector = self._solve_base(vector - shares @ changes)
        rest = products.diagonal() * shares - changes @ vector
        return vector + dtrsv(products, rest, trans=1) @ steps

    # -- vectors -----------------------------------------------------------------------

    def loss_gradient(self, point):
        """Gradient of the loss in coefficients and intercept."""
        rows = point.row_gradient
        # BLAS adds up short rows faster than NumPy does.
        return self._joined(point.gradient.ravel(), rows.sum() if rows.ndim == 1 else np.ones(len(rows)) @ rows)

    def gradient(self, point, loss_gradient):
        """Gradient of the objective, given that of the loss."""
        size = point.coef.size
        gradient = loss_gradient.copy()
        gradient[:size] += self._all_weights[:size] * point.coef.ravel()
        return gradient

    def split(self, vector):
        """Coefficients and intercept of a vector."""
        problem = self.problem
        size = problem.n_features * problem.n_outputs
        coef = vector[:size].reshape(problem.coef_shape)
        if not problem.fit_intercept:
            return coef, 0.0
        return coef, vector[size:] if coef.ndim > 1 else vector[size]

    def _joined(self, flat, intercept):
        if not self.problem.fit_intercept:
            return flat.copy()
        joined = np.empty(flat.size + np.size(intercept))
        joined[: flat.size], joined[flat.size :] = flat, intercept
        return joined

    # -- Hessians: each returns a function that solves it for the weights of the day -------

    def _whole(self, point):
        """The Hessian; of minimal norm where it is singular."""
        problem, n_outputs = self.problem, self.problem.n_outputs
        if n_outputs == 1:
            hessian = self._hessians(problem.design, point.row_curvature.reshape(-1, 1))[0]
            return lambda: spd_solver(hessian, self._all_weights)
        size = problem.n_features + problem.fit_intercept
        hessian = np.empty((size, n_outputs, size, n_outputs))
        for m, unit in enumerate(np.eye(n_outputs)):
            # What the gradient of each row does when output m moves.
            column = problem.hessian_rows(point.eta, np.tile(unit, (len(point.eta), 1)))
            for k, block in enumerate(self._hessians(problem.design, column[:, : m + 1])):
                hessian[:, k, :, m], hessian[:, m, :, k] = block, block.T
        if problem.fit_intercept and problem.loss.translation_invariant:
            # No gradient points along equal intercepts, where the Hessian is zero.
            hessian[-1, :, -1, :] += np.mean(np.diagonal(hessian[-1, :, -1, :]))
        hessian = hessian.reshape(size * n_outputs, -1)
        return lambda: spd_solver(hessian, self._all_weights)

    def _blockwise(self, point):
        """The Hessian of some rows, of each output on its own: what couples them the steps must tell."""
        rows = point.row_curvature.reshape(len(point.eta), -1)
        if self.problem.n_outputs == 1:
            hessian = self._own_hessians(rows)[0]
            return lambda: spd_solver(hessian, self._all_weights)
        # Seven digits are as good as the coupling that is left out, where no direction is lost in them.
        single = self._weights.min() > 0.0
        grams = self._own_hessians(rows, single)

        def factorise():
            nonlocal grams, single
            weights = self._joined(self._weights, 0.0)
            each, pivot = spd_solvers(grams, weights)
            if single and pivot < SURE:
                single, grams = False, self._own_hessians(rows)
                each, _ = spd_solvers(grams, weights)
            flat = _divide_by(weights) if self.problem.loss.translation_invariant else None

            # BLAS takes means of short columns faster than NumPy does.
            share = np.full(len(grams), 1.0 / len(grams))

            def solve(vector):
                # Outputs by features; the intercepts are one more feature.
                table = vector.reshape(-1, len(grams)).T
                if flat is None:
                    return each(table).T.ravel()
                # Along equal outputs there is the penalty only.
                mean = share @ table
                move = each(table - mean)
                return (move + (flat(mean) - share @ move)).T.ravel()

            return solve

        return factorise

    def _own_hessians(self, curvatures, single=False):
        """The Hessian of each output on its own, of some rows in the place of all if so many are enough."""
        sums, design, rows = column_sums(curvatures), self.problem.design, self._rows
        if not self._apart:
            # All meet once, where one after the other would be too dear: outputs then differ by a factor.
            curvatures = curvatures.sum(axis=1)[:, None]
        chosen = curvatures if rows is None else curvatures[rows]
        shares = chosen / np.maximum(column_sums(chosen), TINY)
        if np.abs(shares - shares[:, :1]).max() <= ALIKE * shares.max():
            # Without coefficients, say, all rows are alike.
            shares = shares[:, :1]
        # A few at a time: X is not copied, not even in part.
        height = len(shares) if rows is None else max(BLOCK_SIZE // self.problem.n_features, 16)
        parts = [slice(start, start + height) for start in range(0, len(shares), height)]
        shapes = sum(
            self._hessians(design if rows is None else design.sample(rows[part]), shares[part], single)
            for part in parts
        )
        if self.problem.loss.translation_invariant and len(sums) > 1:
            # As it is where all outputs are equally probable.
            sums = sums / (1.0 - 1.0 / len(sums))
        return sums[:, None, None] * shapes

    def _diagonal(self, point):
        loss_part = self._joined(point.curvature.ravel(), np.atleast_1d(column_sums(point.row_curvature)))
        return lambda: _divide_by(loss_part + self._all_weights)

    def _hessians(self, design, curvatures, single=False):
        """Hessians of one output, one for each column of curvatures; the intercept's row and column come last."""
        grams = design.weighted_grams(curvatures, single)
        return grams if self.problem.fit_intercept else grams[:, :-1, :-1]


def _divide_by(diagonal):
    """Solver of a diagonal system, 0 where that has no inverse."""
    inverse = np.where(diagonal > 0, 1.0 / np.where(diagonal > 0, diagonal, 1.0), 0.0)
    return lambda vector: inverse * vector


def _spread(n_samples, n_rows):
    """Positions of some rows, one at random from each of so many stretches; always the same."""
    edges = np.linspace(0, n_samples, n_rows + 1).astype(np.intp)
    return edges[:-1] + (np.random.default_rng(0).random(n_rows) * np.diff(edges)).astype(np.intp)
