"""Which model of the loss coordinate descent solves around a point: whatever costs least."""

import numpy as np

from skreg.model import QuadraticModel
from skreg.solvers.columns import ColumnModel
from skreg.solvers.hessian import TRACE, KeptHessian, KeptModel, leaves_much, near, seven_digits_pay

__all__ = ["Models"]

# Working sets up to this size have a Gram matrix, whatever their columns hold.
LARGE = 20

# The products of a Gram matrix with more entries than so many times the columns of X cost more than four passes over X.
DEAR = 80

# To factorise a Gram matrix takes as long as sweeps that read one number for so many products.
FACTOR = 300

# One column in so many may be copied, where X has them not in one piece.
MOST_COPIED = 10

# A Hessian of several outputs is made of one row in so many first, in runs of rows, of at least so many for each coefficient;
# of all rows where that would be more than one in so many.
ONE_IN, RUN, ROWS, LEAST = 8, 64, 4, 3

# What joins the diagonal of a Hessian that is singular, relative to it.
SINGULAR = 1e-10


class Models:
    """The models of one path, and what they have learnt from each other.

    A model is the loss's expansion of second order in the working set: on columns, without a Hessian; on a Hessian
    that is kept; or on one of its own.

    Parameters
    ----------
    problem : Problem
    everything : bool
        Whether the working set is all there is, and its Hessian cheap.

    Attributes
    ----------
    kept : KeptHessian or None
        That of the squared loss; for other losses that of some point.
    columns_pay : bool
        Whether sweeps over columns have been the shorter way so far.
    single : bool
        Whether Hessians that are kept have seven digits: exact gradients make up for the others.
    crowded : bool
        Whether the working set was made for columns, and they are no longer that.
    """

    def __init__(self, problem, everything=False):
        self.problem, self._everything = problem, everything
        self.columns_pay, self._rows_before, self._swept = True, None, 0
        self._violation = np.inf
        # A Hessian of several outputs, with its entries, and of one row in how many the next one is.
        self._lead, self._one_in, self._led = None, ONE_IN, 0
        self.single = not everything and seven_digits_pay(problem)
        self.forget()

    def forget(self):
        """The working set is another one."""
        self.crowded = False
        self.kept = None
        if self.problem.loss.quadratic:
            self.kept = KeptHessian(self.problem, self.problem.weights, self.single)

    def sharpen(self):
        """Have all digits of Hessians that are kept from now on; tell whether that is new."""
        if not self.single:
            return False
        self.single = False
        self.forget()
        return True

    def learn(self, inner, solved):
        """Take note of an inner problem on columns: where sweeps are slow, Newton's method on a small Gram matrix is not."""
        self._swept = inner.swept
        used = np.count_nonzero(inner.coef)
        if not solved and used**3 <= FACTOR * inner.read:
            self.columns_pay, self.crowded = False, True

    def around(self, point, entries, compiled):
        """The model to be solved, of a loss that is not squared."""
        model = self._on_kept(point, entries, compiled) or self.on_columns(point, entries, compiled)
        if model is None and self.leads_on:
            return self._leading(point, entries)
        if model is None:
            model = QuadraticModel(point, entries)
            if self.problem.loss.translation_invariant:
                # Along a shift of all outputs there is no curvature, and rounding must not make it negative.
                model.hessian.ravel()[:: entries.size + 1] *= 1.0 + SINGULAR
        return model

    @property
    def leads_on(self):
        """Whether one Hessian is to lead through many models: several outputs make it dear, and a gradient cheap beside it."""
        problem = self.problem
        convex = problem.loss.convex and problem.penalty.convex
        several = problem.y.ndim > 1 and not problem.loss.quadratic and not self._everything
        return several and convex and problem.penalty.separable

    def _leading(self, point, entries):
        """The model on a Hessian of some of the rows, at whichever point that was made."""
        if self._lead is None or not np.array_equal(self._lead[0], entries):
            some = self._some_rows(point, entries.size)
            # What only some of the rows tell is not worth more than seven digits.
            model = QuadraticModel(some, entries, single=self._one_in > 0)
            # Along a shift of all outputs there is no curvature, and rounding must not make it negative.
            model.hessian.ravel()[:: entries.size + 1] *= 1.0 + (TRACE if self._one_in > 0 else SINGULAR)
            self._lead, self._led = (entries.copy(), model), 0
        self._led += 1
        return self._lead[1].around(point, entries)

    def renew(self):
        """Make the next Hessian of several outputs anew, of more rows if this one has led nowhere; False if that cannot be."""
        # Two looks at the point where it was made, and one at the next.
        if self._led <= 3:
            if self._one_in == 0:
                return False
            self._one_in //= 2
        self._lead = None
        return True

    def _some_rows(self, point, size):
        """The point as some rows see it, in runs as they lie in memory."""
        problem = self.problem
        n_samples = len(problem.y)
        self._one_in = min(self._one_in, n_samples // (ROWS * size + 1))
        if self._one_in < LEAST or problem.any_unweighted or not hasattr(problem.design, "sample"):
            self._one_in = 0
            return point
        starts = np.arange(0, n_samples - RUN, self._one_in * RUN)
        rows = (starts[:, None] + np.arange(RUN)).ravel()
        return problem.sample(rows).point(point.coef, point.intercept, point.alpha, point.eta[rows])

    def on_columns(self, point, entries, compiled):
        """The model on columns, where that is less work than a Gram matrix and as accurate; else None."""
        if not self.takes_columns(entries, compiled):
            return None
        model = ColumnModel(point, entries)
        return model if model.accurate else None

    def _on_kept(self, point, entries, compiled):
        """The model on a Hessian that is kept while it is near enough, where another is dearer than a step more; else None."""
        problem, rows = self.problem, point.row_curvature
        size = entries.size
        if problem.y.ndim > 1 or not problem.penalty.separable or size**2 <= DEAR * problem.n_features:
            return None
        lags, self._violation = leaves_much(point.violation, self._violation), point.violation
        close = self.kept is not None and near(self.kept.row_weights, rows)
        if lags and close:
            # It may be for want of digits.
            self.sharpen()
        if lags or not close:
            settled = self._rows_before is not None and near(self._rows_before, rows)
            self._rows_before = rows
            # Three more models on columns, of as many sweeps as the last, against one Gram matrix.
            if self.takes_columns(entries, compiled) and not (settled and 120 * self._swept > size**2):
                return None
            self.kept = KeptHessian(problem, rows, self.single)
        return KeptModel(self.kept, point, entries)

    def takes_columns(self, entries, compiled):
        """Whether a working set is less work as columns than as a Gram matrix."""
        problem, size = self.problem, entries.size
        if not (self.columns_pay and compiled and size > LARGE and problem.y.ndim == 1):
            return False
        design, n_samples = problem.design, problem.design.shape[0]
        if design.stores_zeros:
            # The Gram matrix of the squared loss is made once and grows; that of others is another one at every model.
            # Products and passes over the matrix against twenty sweeps over the columns.
            copied = 0 if design.X.flags.f_contiguous else MOST_COPIED * size
            return (
                not problem.loss.quadratic
                and size * (n_samples + 80) > 360 * n_samples
                and copied <= problem.n_features
            )
        stored = design.stored(entries)
        # Nanoseconds, measured: what meets in the columns and twenty sweeps over the matrix; forty over the columns.
        return 80.0 * stored <= 8.0 * stored**2 / n_samples + 4.0 * size**2
