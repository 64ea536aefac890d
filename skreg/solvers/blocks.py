"""Block coordinate descent: penalties that see some coefficients together, groups say, on working sets of blocks."""

import numpy as np

from skreg import _blocks
from skreg.blocks import Blocks
from skreg.solvers.accelerated import accelerated
from skreg.solvers.alternating import Alternating, solve_positive
from skreg.solvers.base import sharp_enough
from skreg.solvers.block_columns import SWEEPS, BlocksOfColumns, DenseColumns, WorkingColumns
from skreg.solvers.block_newton import Bends, BlockResiduals, GramSystem, norms, strengths
from skreg.solvers.compiled import CompiledBlocks, compiled_blocks
from skreg.solvers.coordinate import CoordinateDescent
from skreg.solvers.engine import Engine
from skreg.spectrum import largest_eigenvalue

__all__ = ["BlockCoordinateDescent"]

# A working set that still grows is expected to become so many times as large.
MANY = 4

# Proximal steps between two Newton steps, where the prox is NumPy only.
STEPS = 30

# A support larger than this is left to descent: factorising its Hessian would cost more.
MAX_NEWTON = 2_000

# Curvatures of a prox that is NumPy only are differences, one for each coefficient of a block up to this size.
MAX_DIFFERENCES = 50


class BlockCoordinateDescent(CoordinateDescent):
    """Coordinate descent with blocks for coordinates: groups of features, or a feature's coefficients of all outputs.

    The working sets, models and certificates of `CoordinateDescent`. A block is moved by
    proximal steps of length one over the largest eigenvalue of its part of the Gram matrix.

    References
    ----------
    P. Breheny and J. Huang, Stat. Comput. 25 (2015) 173-187, sec. 3; Z. Qin, K. Scheinberg,
    D. Goldfarb, "Efficient block-coordinate descent algorithms for the group lasso", Math. Program.
    Comput. 5 (2013) 143-169.
    """

    name = "block_coordinate_descent"

    def refuses(self, problem):
        """Penalties without blocks."""
        if problem.penalty.separable:
            return f"{type(problem.penalty).__name__} is separable: its blocks are single coefficients."
        if problem.penalty.blocks() is None:
            return f"{type(problem.penalty).__name__} has no blocks (`blocks`)."
        return self.cannot_restrict(problem)

    def engine(self, problem):
        """Working sets of blocks."""
        return _BlockEngine(problem)


class _BlockEngine(Engine):
    """Coordinate descent's working sets and models, in whole blocks.

    Where outputs share their Hessian (the squared loss), an entry is a row of ``coef``.
    """

    def __init__(self, problem):
        super().__init__(problem)
        self.shared = problem.y.ndim > 1 and problem.loss.quadratic
        self.width = problem.n_outputs if self.shared else 1
        label = problem.blocks.label.reshape(-1, self.width)[:, 0]
        self.blocks = Blocks(label)
        if self.everything:
            self.entries = np.arange(len(label))
        twin = compiled_blocks(problem.penalty) if problem.penalty.joint_outputs or problem.y.ndim == 1 else None
        if twin is not None:
            self.problem = problem.changed(block_residuals=BlockResiduals(self.blocks, twin))
        self._working = self._columns = None

    def largest(self, values):
        return values.reshape(-1, self.width).max(axis=1)

    @property
    def first_size(self):
        """As many as the first sweeps over their columns read in one pass over X, if they go without a Gram matrix."""
        return max(super().first_size // self.width, len(self.blocks.label) // SWEEPS)

    @property
    def final_violation(self):
        """As of losses that are not squared."""
        return sharp_enough(self.tol)

    def whole(self, entries):
        """All entries of the blocks of some."""
        wanted = np.zeros(len(self.blocks), dtype=bool)
        wanted[self.blocks.label[entries]] = True
        return np.flatnonzero(wanted[self.blocks.label])

    def quadratic(self, gram, coef, gradient, alpha, active=None):
        blocks = self.blocks.of(self.entries)
        penalty = _PenaltyOnEntries(self.problem, self.entries, self.shared, blocks)
        if isinstance(gram, DenseColumns):
            return BlocksOfColumns(gram, coef, penalty, self.strengths(alpha), blocks)
        return _BlockQuadratic(gram, coef, gradient, penalty, self.strengths(alpha), blocks)

    def _column_model(self, point):
        """The columns themselves where there are more of them than rows; else None.

        A Gram matrix would have more numbers then, and less rank than Newton's method needs.
        """
        problem, self._columns = self.problem, None
        # While many enter, there will be more.
        few = self.entries.size <= problem.design.shape[0] / (MANY if self.growing else 1)
        few = few or self.everything or not problem.loss.quadratic
        if few or not self.models.columns_pay or not problem.design.stores_zeros:
            return None
        if compiled_blocks(problem.penalty) is None:
            return None
        if self._working is None:
            self._working = WorkingColumns(problem, self.blocks)
        self._columns = DenseColumns(point, self.entries, self._working)
        return self._columns

    def _exact_step(self, point, wanted):
        coef, shift, _ = self.led_from(point, wanted)
        intercept, eta = point.intercept + shift, None
        if self._columns is not None and not self.problem.any_unweighted:
            # All columns that are used are at hand.
            eta = self._columns.eta(coef[self.entries]) + intercept
        return self.problem.point(coef, intercept, point.alpha, eta), 0.0

    @property
    def features(self):
        return self.entries if self.shared else super().features


class _PenaltyOnEntries:
    """The penalty on a working set, for coefficients of shape (k,), or (k, n_outputs) if an entry is a row."""

    def __init__(self, problem, entries, shared, blocks):
        penalty, n_outputs = problem.penalty, problem.n_outputs
        self.convex, self.joint = penalty.convex, penalty.joint_outputs
        if self.joint:
            # Blocks are whole: the outputs of a feature follow each other.
            self.features = entries if shared else entries[::n_outputs] // n_outputs
            self.parts = [(slice(None), penalty.restrict(self.features))]
        else:
            places = [np.flatnonzero(entries % n_outputs == k) for k in range(n_outputs)]
            self.parts = [(place, penalty.restrict(entries[place] // n_outputs)) for place in places if place.size]
        self.twin = _joined([(np.unique(blocks.label[place]), compiled_blocks(part)) for place, part in self.parts])

    def value(self, coef, alpha):
        """The price; ``alpha`` of shape (k,)."""
        if self.joint:
            return self.parts[0][1].value(self._wide(coef), self._wide(alpha)[:, :1])
        return sum(part.value(coef[place], alpha[place]) for place, part in self.parts)

    def prox(self, coef, step, alpha):
        """The proximal step; ``step`` of shape (k,), or (k, 1) for rows, ``alpha`` of shape (k,)."""
        if self.joint:
            wide = self.parts[0][1].prox(self._wide(coef), self._wide(step)[:, :1], self._wide(alpha)[:, :1])
            return wide.reshape(coef.shape)
        answer = np.empty(coef.shape)
        for place, part in self.parts:
            answer[place] = part.prox(coef[place], step[place], alpha[place])
        return answer

    def _wide(self, array):
        n_features = len(self.features)
        return array.reshape(n_features, array.size // max(n_features, 1))


def _joined(twins):
    """One set of compiled proxes from those of some blocks each; None if one has none."""
    if not twins or any(twin is None for _, twin in twins):
        return None
    if len(twins) == 1:
        return twins[0][1]
    size = sum(len(numbers) for numbers, _ in twins)
    address, *arrays = twins[0][1]
    joined = [np.empty((size, *array.shape[1:])) for array in arrays]
    for numbers, (_, *own) in twins:
        for all_of_them, some in zip(joined, own, strict=True):
            all_of_them[numbers] = some
    return CompiledBlocks(address, *joined)


class _BlockQuadratic(Alternating):
    """State of one inner problem.

    Parameters
    ----------
    gram : ndarray of shape (k, k)
    coef, grad : ndarray of shape (k,) or (k, n_outputs)
    penalty : _PenaltyOnEntries
    alpha : ndarray of shape (k,)
    blocks : Blocks
        Of the k entries.
    """

    def __init__(self, gram, coef, grad, penalty, alpha, blocks):
        super().__init__(gram, np.array(coef), np.array(grad), penalty, alpha)
        self.blocks, self.twin = blocks, penalty.twin
        self.own = blocks.parts(gram)
        self.block_step = 1.0 / blocks.steepest(self.own)
        self.step = self.block_step[blocks.label].reshape(-1, *[1] * (coef.ndim - 1))
        self._shorter = None

    def violation(self):
        """Largest scaled move of a proximal step of a block."""
        return float(np.max(self._lengths(self._target(self.coef - self.step * self.grad) - self.coef), initial=0.0))

    def _target(self, point):
        return self.penalty.prox(point, self.step, self.alpha)

    def _lengths(self, move):
        """Of each block, in units of one over the root of its step."""
        return norms(self.blocks, move) / np.sqrt(self.block_step)

    def approach(self, tol):
        """Some sweeps, or what stands for them."""
        if self.twin is not None:
            # The kernel wants one row for every output.
            rows = [np.ascontiguousarray(np.atleast_2d(array.T)) for array in (self.coef, self.grad)]
            _blocks.block_descent(
                self.gram, None, *rows, self.blocks.members, self.blocks.start, self.own, self.block_step,
                *strengths(self.blocks, self.alpha, self.twin), self.twin.address, self.twin.params, tol, SWEEPS,
            )  # fmt: skip
            self.coef, self.grad = (array.T.reshape(self.coef.shape) for array in rows)
        elif self.penalty.convex:
            self._accelerate(tol)
        else:
            self._descend_greedily(tol)

    def _accelerate(self, tol):
        """Proximal steps of all blocks at once, with momentum and restarts."""
        if self._shorter is None:
            root = np.sqrt(self.block_step[self.blocks.label])
            steepest = largest_eigenvalue(lambda v: root * (self.gram @ (root * v)), root.size, n_steps=20)
            self._shorter = self.step / max(steepest, 1.0)

        def small(move):
            return np.max(self._lengths(move), initial=0.0) <= 0.1 * tol

        self.coef, self.grad = accelerated(self, self._shorter, STEPS, small)

    def _descend_greedily(self, tol):
        """One prox of all blocks per move, the largest first: see `Quadratic`."""
        for _ in range(SWEEPS * len(self.blocks)):
            move = self._target(self.coef - self.step * self.grad) - self.coef
            lengths = self._lengths(move)
            block = int(np.argmax(lengths)) if lengths.size else 0
            if not lengths.size or lengths[block] <= tol:
                break
            own = self.blocks.members[self.blocks.start[block] : self.blocks.start[block + 1]]
            self.grad += self.gram[:, own] @ move[own]
            self.coef[own] += move[own]

    def newton(self, tol):
        """A proximal step, and from there a Newton step of what is not zero; returns the violation found on the way."""
        point = self.coef - self.step * self.grad
        target = self._target(point)
        move = target - self.coef
        violation = float(np.max(self._lengths(move), initial=0.0))
        if violation <= tol:
            return violation
        used = target != 0
        n_used = np.count_nonzero(used)
        if n_used == 0 or (n_used > MAX_NEWTON and self.twin is None):
            return violation
        grad = self.grad + self.gram @ move
        # The price pulls like this at the target, and bends as the slope of the prox says.
        missing = grad + (point - target) / self.step
        change = np.zeros(target.shape)
        if self.twin is None:
            system = self._system(used)
            part = solve_positive(system, -missing[used]) if self._bend_by_differences(system, point, used) else None
        else:
            part = self._change(
                Bends(self.blocks, self.block_step, self.alpha, self.twin, point, target), used, missing
            )
        if part is None:
            return violation
        change[used] = part
        self.coef, self.grad = self.search(target, grad, change)
        return violation

    def _change(self, bends, used, missing):
        """The Newton step of what is used; None if there is none."""
        if not bends.exist:
            return None
        if np.count_nonzero(used) <= MAX_NEWTON:
            system = self._system(used)
            bends.add_to(system, used)
            return solve_positive(system, -missing[used])
        rows = np.flatnonzero(used) if used.ndim == 1 else np.flatnonzero(used.any(axis=1))
        if rows.size > MAX_NEWTON:
            return None
        system = GramSystem(self.gram[np.ix_(rows, rows)], bends.of(rows), used[rows])
        return system.solve(-missing[rows])[used[rows]]

    def _system(self, used):
        """The Hessian of the quadratic in the coefficients that are used, row after row."""
        if used.ndim == 1:
            return self.gram[np.ix_(used, used)]
        row, column = np.nonzero(used)
        return self.gram[np.ix_(row, row)] * (column[:, None] == column)

    def _bend_by_differences(self, system, point, used):
        """The same from the slopes of the prox, one coefficient of every block at a time."""
        blocks = self.blocks
        columns = point.reshape(len(blocks.label), -1).shape[1]
        if np.max(blocks.sizes) * columns > MAX_DIFFERENCES:
            return False
        number = np.full(used.shape, -1)
        number[used] = np.arange(np.count_nonzero(used))
        number, used = (array.reshape(len(blocks.label), -1) for array in (number, used))
        width = 1e-5 * norms(self.blocks, point) + 1e-300
        slopes = np.zeros([np.count_nonzero(used)] * 2)
        for place in range(np.max(blocks.sizes)):
            own = blocks.members[blocks.start[:-1][blocks.sizes > place] + place]
            for column in range(columns):
                bump = np.zeros((len(blocks.label), columns))
                bump[own, column] = width[blocks.label[own]]
                bump = bump.reshape(point.shape)
                slope = (self._target(point + bump) - self._target(point - bump)).reshape(used.shape)
                moved = np.full(len(blocks), -1)
                moved[blocks.label[own]] = number[own, column]
                moved = np.broadcast_to(moved[blocks.label][:, None], used.shape)[used]
                there = np.flatnonzero(moved >= 0)
                scale = 2.0 * np.broadcast_to(width[blocks.label][:, None], used.shape)[used]
                slopes[there, moved[there]] = (slope[used] / scale)[there]
        step = np.broadcast_to(self.block_step[blocks.label][:, None], used.shape)[used]
        try:
            curvature = (np.linalg.inv(slopes) - np.eye(len(slopes))) / step[:, None]
        except np.linalg.LinAlgError:
            return False
        system += 0.5 * (curvature + curvature.T)
        return True
