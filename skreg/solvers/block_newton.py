"""Newton steps for prices of norms: what such a price bends, and systems that are too large to be factorised."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.blas import dsyrk

from skreg import _blocks
from skreg._twins import apply_prox
from skreg.blocks import Blocks

__all__ = ["Bends", "ColumnSystem", "GramSystem", "norms", "strengths"]

# A Newton system is solved up to this share of its right-hand side, by so many conjugate gradients at most.
FORCING, MOST_GRADIENTS = 1e-2, 100

# What does not bend at all is preconditioned with this share of the average curvature.
LITTLE = 1e-6


def strengths(blocks, alpha, twin):
    """What the kernel needs of each block: the strengths of the norm, of single coefficients and of squares."""
    alpha = blocks.first(alpha)
    return alpha * twin.weight, alpha * twin.l1, alpha * twin.square


def norms(blocks, values):
    """Of every block, over all outputs."""
    squares = np.square(values)
    return np.sqrt(blocks.sums(squares if squares.ndim == 1 else squares.sum(axis=1)))


class BlockResiduals:
    """The residual of the proximal fixed point in every block, from the compiled prox.

    Parameters
    ----------
    blocks : Blocks
        Of all coefficients, or of all rows of them.
    twin : CompiledBlocks
        Of the whole penalty.
    """

    def __init__(self, blocks, twin):
        self._blocks, self._twin = blocks, twin

    def __call__(self, coef, gradient, curvature, alpha):
        """As `Point.violations`; ``curvature`` and ``alpha`` as they are for the prox."""
        blocks, twin = self._blocks, self._twin
        shape, wide = (len(blocks.label), -1), (len(coef), coef.size // len(coef))
        rows = [np.ascontiguousarray(array.reshape(shape).T) for array in (coef, gradient)]
        # A number, or one for every feature.
        curvature, alpha = (
            np.broadcast_to(np.reshape(each, (-1, 1)), wide).reshape(shape)[:, 0] for each in (curvature, alpha)
        )
        norms = _blocks.block_residuals(
            *rows, blocks.members, blocks.start, blocks.first(curvature), *strengths(blocks, alpha, twin),
            twin.address, twin.params,
        )  # fmt: skip
        return np.broadcast_to(norms[blocks.label][:, None], rows[0].T.shape).reshape(coef.shape)


class Bends:
    """Second derivatives of a price of norms where a proximal step leads.

    Those of a norm: along the block what the slope of the prox of one coefficient says, across it the pull over the norm.

    Parameters
    ----------
    blocks : Blocks
        Of k coefficients, or rows of coefficients.
    step : ndarray of shape (n_blocks,)
        Length of the proximal step.
    alpha : ndarray of shape (k,)
        Strengths.
    twin : CompiledBlocks
    point, target : ndarray of shape (k,) or (k, n_outputs)
        Where the prox was asked, and what it answered.

    Attributes
    ----------
    exist : bool
        Whether the price has any there.
    along, across : ndarray of shape (n_blocks,)
    direction : ndarray shaped like target
        Each block of ``target`` over its norm.
    """

    def __init__(self, blocks, step, alpha, twin, point, target):
        self.blocks = blocks
        strength, l1, square = strengths(blocks, alpha, twin)
        shrink = 1.0 + step * square
        shorter, norm = step / shrink, norms(blocks, target)
        active, label = norm > 0, blocks.label
        self.direction = (target.T / np.where(active, norm, 1.0)[label]).T
        # The norm before and after the prox of one coefficient.
        shrunk, threshold = (point.T / shrink[label]), (shorter * l1)[label]
        shrunk = (np.sign(shrunk) * np.maximum(np.abs(shrunk) - threshold, 0.0)).T
        before = norms(blocks, np.where(target != 0, shrunk, 0.0))
        width = np.where(active, 1e-5 * before, 1.0)
        ends = np.empty((2, len(blocks)))
        for end, sign in zip(ends, (1.0, -1.0), strict=True):
            apply_prox(twin.address, twin.params, before + sign * width, shorter, strength, end)
        slope = np.where(active, (ends[0] - ends[1]) / (2.0 * width), 1.0) / shrink
        factor = np.where(active, norm / np.where(active, before, 1.0), 1.0) / shrink
        self.exist = bool(np.min(slope) > 1e-8)
        if self.exist:
            self.along, self.across = (1.0 / slope - 1.0) / step, (1.0 / factor - 1.0) / step
            # Differences of rounded numbers: what they cannot tell from 0 is 0.
            self.along[np.abs(self.along) * step < 1e-9] = 0.0

    def add_to(self, system, used):
        """Add them to the Hessian of the quadratic in the coefficients that are ``used``, row after row."""
        label = self.blocks.label[np.nonzero(used)[0]]
        direction = self.direction[used]
        system[np.diag_indices_from(system)] += self.across[label]
        row, column = Blocks(label).pairs()
        system[row, column] += (self.along - self.across)[label[row]] * direction[row] * direction[column]

    def of(self, rows):
        """Those of some rows, which are whole blocks but for what is zero."""
        part, label = Bends.__new__(Bends), self.blocks.label[rows]
        part.blocks, part.direction, present = self.blocks.of(rows), self.direction[rows], np.unique(label)
        part.along, part.across, part.exist = self.along[present], self.across[present], self.exist
        return part

    def __matmul__(self, vector):
        """Their product with coefficients of the same shape."""
        label, products = self.blocks.label, self.direction * vector
        inside = self.blocks.sums(products if products.ndim == 1 else products.sum(axis=1))
        change = (self.along - self.across) * inside
        return (self.across[label] * vector.T + change[label] * self.direction.T).T


class _System:
    """A Newton system, solved by conjugate gradients; without what turns blocks it is the same for every output, and factorised.

    Subclasses have a ``product`` with the Hessian of the quadratic and an ``inverse`` of it with the bends across blocks.
    """

    def __init__(self, bends, used, curvature):
        self.bends, self.used = bends, used
        self.diagonal = np.maximum(bends.across[bends.blocks.label], LITTLE * curvature)

    def solve(self, wanted, share=FORCING):
        """Up to a share of what is wanted; the way so far where the Hessian has no curvature."""
        answer, residual = np.zeros(wanted.shape), self.used * wanted
        enough, before, direction = share * np.linalg.norm(residual), None, None
        for _ in range(MOST_GRADIENTS):
            if np.linalg.norm(residual) <= enough:
                break
            steep = self.used * self.inverse(residual)
            slope = np.sum(residual * steep)
            direction = steep if before is None else steep + (slope / before) * direction
            forward = self.used * (self.product(direction) + self.bends @ direction)
            curvature = np.sum(direction * forward)
            if curvature <= 0:
                return answer if np.any(answer) else direction
            answer += (slope / curvature) * direction
            residual -= (slope / curvature) * forward
            before = slope
        return answer


class ColumnSystem(_System):
    """On columns, shape (k, n): of their products only those of rows with each other are formed, or of columns if they are fewer."""

    def __init__(self, columns, bends, used):
        super().__init__(bends, used, np.mean(np.einsum("ij,ij->i", columns, columns)))
        self.columns, (k, n) = columns, columns.shape
        if k <= n:
            system = dsyrk(1.0, columns.T, trans=1, lower=1)
            system[np.diag_indices(k)] += self.diagonal
            self._factor = cho_factor(system, lower=True, overwrite_a=True)
            self.inverse = lambda vector: cho_solve(self._factor, vector)
            return
        system = dsyrk(1.0, (columns.T / np.sqrt(self.diagonal)), lower=1)
        system[np.diag_indices(n)] += 1.0
        self._factor = cho_factor(system, lower=True, overwrite_a=True)

    def product(self, vector):
        return self.columns @ (vector.T @ self.columns).T

    def inverse(self, vector):
        """By the formula of Woodbury."""
        first = (vector.T / self.diagonal).T
        inside = cho_solve(self._factor, (first.T @ self.columns).T)
        return first - ((self.columns @ inside).T / self.diagonal).T


class GramSystem(_System):
    """On a Gram matrix."""

    def __init__(self, gram, bends, used):
        super().__init__(bends, used, np.mean(np.diagonal(gram)))
        self.gram, system = gram, gram.copy()
        system[np.diag_indices_from(system)] += self.diagonal
        self._factor = cho_factor(system, lower=True, overwrite_a=True)

    def product(self, vector):
        return self.gram @ vector

    def inverse(self, vector):
        return cho_solve(self._factor, vector)
