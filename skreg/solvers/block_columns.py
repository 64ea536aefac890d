"""Block coordinate descent on the columns themselves, where they are dense and more than rows: no Gram matrix is formed."""

import numpy as np

from skreg import _blocks
from skreg.blocks import Blocks
from skreg.solvers.block_dual import ProximalPoint
from skreg.solvers.block_newton import Bends, ColumnSystem, strengths
from skreg.solvers.columns import ColumnModel
from skreg.solvers.copies import Copies

__all__ = ["BlocksOfColumns", "DenseColumns", "WorkingColumns"]

# Sweeps between two looks at the violation.
SWEEPS = 10

# So many of them are extrapolated; a round of them, and what leads on from it, is followed by another, so often.
WINDOW = 5
ROUNDS = 60

# More rounds than this, at the pace of the last ones, cost more than a Newton step; up to this size of its system.
FEW_ROUNDS = 3
MAX_NEWTON = 2_000

# Of more numbers than this a Newton system of what is left of y costs too much. How many times as long as that of a block the step of the first proximal point is.
MAX_DUAL, REACH = 2_000, 1e3

# The shortest part of a Newton step that is tried.
SHORTEST = 0.01


class WorkingColumns:
    """Columns of a dense design and the Gram matrix of each block of them: what a path keeps while its working set grows.

    Parameters
    ----------
    problem : Problem
        Of the squared loss.
    blocks : Blocks
        Of all columns.
    """

    def __init__(self, problem, blocks):
        self._copies, self._label = Copies(problem.design, problem.weights, problem.n_features), blocks.label
        self._begin, self._parts, self._steepest = (
            np.zeros(len(blocks), dtype=np.intp),
            np.empty(0),
            np.empty(len(blocks)),
        )

    def of(self, entries):
        """For some columns, of which those that were asked for before come first: they, their blocks' parts, and steepest directions.

        Parameters
        ----------
        entries : ndarray of int of shape (k,)
            Whole blocks.

        Returns
        -------
        columns : ndarray of shape (k, n_samples)
            Times the roots of the weights.
        parts, steepest : ndarray
            As `Blocks.parts` and `Blocks.steepest` would find them.
        """
        if entries.size > len(self._copies):
            self._take_in(entries[len(self._copies) :])
        numbers, counts = np.unique(self._label[entries], return_counts=True)
        squares = counts**2
        places = np.repeat(self._begin[numbers] - np.cumsum(squares) + squares, squares) + np.arange(squares.sum())
        return self._copies.rows[: entries.size], self._parts[places], self._steepest[numbers]

    def _take_in(self, fresh):
        rows = self._copies.take_in(fresh)
        blocks = Blocks(self._label[fresh])
        parts, squares = _blocks.block_parts(rows, blocks.members, blocks.start), blocks.sizes**2
        numbers = self._label[fresh][blocks.members[blocks.start[:-1]]]
        self._begin[numbers] = self._parts.size + np.cumsum(squares) - squares
        self._steepest[numbers] = blocks.steepest(parts)
        self._parts = np.concatenate([self._parts, parts])


class DenseColumns(ColumnModel):
    """The squared loss of some columns of a dense design: nothing but they and what is left of y.

    Parameters
    ----------
    point : Point
    entries : ndarray of int
        The columns, of which those of the last model come first.
    working : WorkingColumns
    """

    def __init__(self, point, entries, working):
        problem, self.gradient = point.problem, None
        self.columns, self.parts, self.steepest = working.of(entries)
        self._root = np.sqrt(problem.weights)
        self.rest = np.ascontiguousarray(np.atleast_2d((problem.y - point.eta).T * self._root))

    def eta(self, coef):
        """What the columns with coefficients of shape (k,) or (k, n_outputs) add up to; no weight may be 0."""
        return ((coef.T @ self.columns) / self._root).T

    def intercept_move(self, move):
        """The columns are centred, or there is no intercept."""
        return 0.0


class BlocksOfColumns:
    """State of one inner problem on columns, as `Quadratic`; ``coef`` has shape (k,) or (k, n_outputs).

    References
    ----------
    Q. Bertrand and M. Massias, "Anderson acceleration of coordinate descent", AISTATS 2021, alg. 2.
    """

    # Asked for where a Hessian may be kept instead, not with blocks; and where it would be too large, as these never are.
    swept, read = 0, np.inf

    def __init__(self, model, coef, penalty, alpha, blocks):
        self.model, self.coef, self.blocks, self.twin = model, coef, blocks, penalty.twin
        self.penalty, self.alpha, self.step = penalty, alpha, 1.0 / model.steepest
        self.strengths = strengths(blocks, alpha, penalty.twin)
        self._reach = REACH
        small = model.rest.size <= MAX_DUAL
        self._lead_on = self._proximal_point if penalty.convex and small else self._newton

    def descend(self, tol, sweeps=SWEEPS, used=False):
        """Sweeps until no block, or none that is not zero, moves by more than ``tol``; returns the largest move of the last."""
        coef, blocks, model = np.ascontiguousarray(np.atleast_2d(self.coef.T)), self.blocks, self.model
        _, largest = _blocks.block_descent(
            None, model.columns, coef, model.rest, blocks.members, blocks.start, model.parts, self.step,
            *self.strengths, self.twin.address, self.twin.params, tol, sweeps, used,
        )  # fmt: skip
        self.coef = coef.T.reshape(self.coef.shape)
        return largest

    def minimise(self, tol):
        """As `Quadratic.minimise`: whether ``tol`` was reached."""
        before, failed, pause = np.inf, 0, 0
        for _ in range(ROUNDS):
            # What is zero may have to leave it; of the others, the last sweeps tell where they go.
            largest = self.descend(tol, 1)
            if largest <= tol:
                return True
            points = [self._place()]
            while len(points) <= WINDOW and self.descend(0.3 * tol, 1, True) > 0.3 * tol:
                points.append(self._place())
            if len(points) > WINDOW:
                self._extrapolate(points)
            if pause:
                pause -= 1
            elif largest * (largest / before) ** FEW_ROUNDS > tol:
                # A step of all blocks at once that goes too far now will most likely do so in the next round, too.
                failed = 0 if self._lead_on(tol) else failed + 1
                pause = 2**failed - 1
            before = largest
        return False

    def _proximal_point(self, tol):
        """The proximal point of a step that is so many times as long as one block alone may take; whether its objective is lower."""
        model, blocks = self.model, self.blocks
        point = ProximalPoint(model.columns, self.penalty, blocks, self.alpha, self._reach * self.step)
        target = model.rest + self.coef.T @ model.columns
        coef, near = point.solve(self.coef, target, model.rest, 0.1 * tol)
        rest = target - coef.T @ model.columns
        self._reach *= 10.0 if near else 0.1
        if not self._objective(coef, rest) < self._objective(self.coef, model.rest):
            return False
        self.coef, model.rest[:] = coef, rest
        return True

    def _newton(self, tol):
        """A proximal step, and from there a Newton step of what is not zero, if they lead to a lower objective; whether they do."""
        model, blocks, step = self.model, self.blocks, self.step
        by_row = step[blocks.label].reshape(-1, *[1] * (self.coef.ndim - 1))
        point = self.coef + by_row * self._products(model.columns, model.rest)
        target = self.penalty.prox(point, by_row, self.alpha)
        used = target != 0
        rows = np.flatnonzero(used if used.ndim == 1 else used.any(axis=1))
        if min(rows.size, model.columns.shape[1]) > MAX_NEWTON:
            return False
        bends = Bends(blocks, step, self.alpha, self.twin, point, target)
        if not bends.exist:
            return False
        columns, used, begin = model.columns[rows], used[rows], target[rows]
        rest = model.rest - (target - self.coef).T @ model.columns
        bends = bends.of(rows)
        missing = self._products(columns, rest) - ((point - target) / by_row)[rows]
        change = ColumnSystem(columns, bends, used).solve(missing)
        now, size = self._objective(self.coef, model.rest), 1.0
        while size > SHORTEST:
            end = self._stopped_at_zero(begin + size * change, begin, bends.blocks, rows)
            coef, left = target.copy(), rest - (end - begin).T @ columns
            coef[rows] = end
            if self._objective(coef, left) < now:
                self.coef, model.rest[:] = coef, left
                return True
            size *= 0.5
        return False

    def _stopped_at_zero(self, end, begin, blocks, rows):
        """Where a move of some rows ends: a block that turns round, or a coefficient with a price of its own, does so at zero."""
        turned = end * begin
        end[(blocks.sums(turned if turned.ndim == 1 else turned.sum(axis=1)) < 0)[blocks.label]] = 0.0
        alone = self.strengths[1][self.blocks.label[rows]] > 0
        end[(turned < 0) & alone.reshape(-1, *[1] * (turned.ndim - 1))] = 0.0
        return end

    def _products(self, columns, rest):
        """Of columns and what is left of y, in the shape of coefficients."""
        return (columns @ rest.T).reshape(len(columns), *self.coef.shape[1:])

    def _place(self):
        return self.coef.copy(), self.model.rest.copy()

    def _extrapolate(self, points):
        """Go where the last sweeps lead, if the objective is lower there (Anderson's method).

        What is left of y follows without another product: it is affine in the coefficients.
        """
        coefs, rests = (np.stack(arrays) for arrays in zip(*points, strict=True))
        moves = np.diff(coefs, axis=0).reshape(WINDOW, -1)
        system = moves @ moves.T
        system[np.diag_indices(WINDOW)] += 1e-10 * np.trace(system)
        shares = np.linalg.solve(system, np.ones(WINDOW))
        shares /= shares.sum()
        coef, rest = (np.tensordot(shares, arrays[1:], axes=1) for arrays in (coefs, rests))
        if self._objective(coef, rest) < self._objective(coefs[-1], rests[-1]):
            self.coef, self.model.rest[:] = coef, rest

    def _objective(self, coef, rest):
        return 0.5 * np.sum(rest * rest) + self.penalty.value(coef, self.alpha)
