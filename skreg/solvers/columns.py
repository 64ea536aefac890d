"""The inner problem of coordinate descent on the columns themselves: no Gram matrix is formed.

Text has few entries a row, so two columns rarely meet: descent on the columns then reads far less than a Gram
matrix of the working set holds. Dense columns that are many take fewer products than their Gram matrix, which
another model would need anew.
"""

import numpy as np

from skreg import _kernels
from skreg.sums import inner

__all__ = ["ColumnModel", "ColumnQuadratic"]

# Share of a column's square that its mean may be: subtracting it costs the sum that many digits.
MOST_MEAN = 0.999

# Sweeps after which Newton's method on the Gram matrix is the better way.
SPARSE_SWEEPS, DENSE_SWEEPS = 300, 60

# So many numbers of sparse columns may be copied, each with the root of its row's weight: sweeps then take a quarter less
# time. Far less memory than X takes, where that is large.
MOST_COPIED = 2_000_000

# The weights of columns that hold them already.
NO_WEIGHTS = np.empty(0)

# A row of less curvature hides what has moved it.
FLAT = 1e-290


class ColumnModel:
    """Second-order expansion of the mean loss in some columns of the design, the intercept eliminated.

    The counterpart of `QuadraticModel`; one output only.

    Parameters
    ----------
    point : Point
        Where the loss is expanded.
    features : ndarray of int
        The columns.
    """

    def __init__(self, point, features):
        problem, design = point.problem, point.problem.design
        self.features, self.shift = features, design.shift
        (self.data, self.indices, self.indptr), self.columns = design.by_column(features)
        self.sweeps = DENSE_SWEEPS if design.stores_zeros else SPARSE_SWEEPS
        self.inverse_scale = np.ones(len(features)) if design.scale is None else 1.0 / design.scale[features]
        # Of every row the weight, and what ``forward`` holds it times: the weight or, of columns that are weighted, its root.
        self.weights = self.unit = np.ascontiguousarray(point.row_curvature)
        self.cross, self.curvature = self._sums(problem, features)
        self.gradient = point.gradient[features]
        self.total = float(self.weights.sum()) if problem.fit_intercept else 0.0
        self._response, self._offset, self.accurate = None, 0.0, True
        if self.total > 0:
            mean_share = self.cross**2 / self.total
            self.accurate = bool(np.all(mean_share <= MOST_MEAN * self.curvature))
            self.curvature = np.maximum(self.curvature - mean_share, 0.0)
            # Here the columns are as the design has them, centred: the intercept is the value at their means.
            shift = self.shift
            own = self.cross if shift is None else self.cross - self.total * shift[features] * self.inverse_scale
            self._response = own / self.total
            self._offset = float(point.row_gradient.sum()) / self.total
            # What is left of the gradient when the intercept has seen to its own.
            self.gradient = self.gradient - own * self._offset

    def _sums(self, problem, features):
        """Weighted sums of the scaled columns and of their squares; copies sparse ones with their weights."""
        sums, squares = np.empty((2, len(features)))
        arrays, scale = (self.indices, self.indptr, self.columns), self.inverse_scale
        if self.indptr.size == 0:
            self.starts, self.stored = self.columns * len(self.weights), len(self.columns) * len(self.weights)
        else:
            self.starts = begins = self.indptr[self.columns].astype(np.intp)
            ends = np.cumsum(self.indptr[self.columns + 1] - begins)
            self.stored = int(ends[-1])
            if self.stored <= MOST_COPIED and self.weights.min() != self.weights.max() and self.weights.min() >= 0.0:
                self.starts, self.unit = np.concatenate([[0], ends[:-1]]), np.sqrt(self.weights)
                copied = np.empty(self.stored)
                _kernels.weigh_columns(self.data, *arrays, self.unit, copied, sums, squares)
                self.data = copied
                return sums * scale, squares * scale**2
        if problem.loss.quadratic:
            # Centring has found them.
            means = np.zeros(len(features)) if self.shift is None else self.shift[features] * scale
            return means, problem.squared_norms[features] + means**2
        _kernels.column_sums(self.data, *arrays, self.weights, sums, squares)
        return sums * scale, squares * scale**2

    def intercept_move(self, move):
        """The best move of the intercept beside a move of the coefficients."""
        return 0.0 if self._response is None else -inner(self._response, move) - self._offset

    @property
    def hessian(self):
        """The model itself: it stands for the matrix that is never formed."""
        return self

    def __rmul__(self, factor):
        """The model with ``factor`` times the curvature."""
        other = ColumnModel.__new__(ColumnModel)
        other.__dict__.update(self.__dict__)
        for name in ("weights", "cross", "curvature", "total"):
            setattr(other, name, factor * getattr(self, name))
        if self.unit is self.weights:
            other.unit = other.weights
        else:
            other.unit, other.data = np.sqrt(factor) * self.unit, np.sqrt(factor) * self.data
        return other


class ColumnQuadratic:
    """State of one inner problem, as `Quadratic`, for separable penalties with a compiled prox.

    Parameters
    ----------
    model : ColumnModel
    coef : ndarray of shape (k,)
        The current point; moved in place.
    alpha : ndarray of shape (k,)
        Strengths.
    compiled : CompiledProx
        What stands for the prox of the penalty.
    """

    def __init__(self, model, coef, alpha, compiled):
        self.model, self.coef, self.alpha, self.compiled = model, coef, alpha, compiled
        self.curvature = np.where(model.curvature > 0, model.curvature, 1.0)
        self.step = 1.0 / self.curvature
        self.forward = np.zeros(len(model.weights))
        # How many columns all sweeps together have met, of those that are in use; and how many numbers, of all.
        self.swept = self.read = 0

    def row_move(self, move):
        """What the whole ``move`` of the coefficients adds to the linear predictor; None where too little of it is known."""
        model = self.model
        if not model.unit.min() > FLAT:
            return None
        rows = self.forward / model.unit
        if model.shift is not None:
            rows -= inner(model.shift[model.features], move * model.inverse_scale)
        return rows

    def violation(self):
        """Largest scaled move of a proximal step, at the point where the model was made."""
        violations = _kernels.residuals(self.coef, self.model.gradient, self.curvature, self.alpha, *self.compiled)
        return float(violations.max(initial=0.0))

    def descend(self, tol, epochs=20):
        """Sweeps until no coefficient moves by more than ``tol``; returns the largest move of the last."""
        model = self.model
        weighted = model.unit is not model.weights
        answer = inner(model.unit, self.forward) if weighted else self.forward.sum()
        done, largest = _kernels.column_descent(
            model.data, model.starts, model.indices, model.indptr, model.columns, model.inverse_scale,
            NO_WEIGHTS if weighted else model.weights, self.forward, answer, model.cross, model.total,
            self.coef, model.gradient, self.step, self.alpha, *self.compiled, tol, epochs,
        )  # fmt: skip
        self.swept = done * np.count_nonzero(self.coef)
        self.read = done * model.stored
        return largest

    def minimise(self, tol):
        """As `Quadratic.minimise`: whether ``tol`` was reached."""
        return self.descend(tol, self.model.sweeps) <= tol

    def follow(self, strengths, tol, ends):
        """As `Quadratic.follow`; each descent begins on the line through the last two solutions."""
        before = None
        for k, alpha in enumerate(strengths):
            last = self.coef.copy(), self.forward.copy()
            if before is not None:
                share = (alpha - strengths[k - 1]).sum() / (strengths[k - 1] - strengths[k - 2]).sum()
                self.coef += share * (last[0] - before[0])
                self.forward += share * (last[1] - before[1])
            self.alpha[:], before = alpha, last if k > 0 else None
            if not self.minimise(tol):
                return k
            ends[k] = self.coef
        return len(strengths)
