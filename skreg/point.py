"""A candidate solution, and what can be said of it."""

import numpy as np

from skreg import _kernels
from skreg.certificate import CONDITION, Optimality
from skreg.curvature import block_curvatures, curvatures, spectral_curvature
from skreg.elastic import measure_together, rest, restless
from skreg.gap import balanced, duality_gap, gap_at
from skreg.jumps import correct_jumps
from skreg.lazy import cached_property
from skreg.model import NOTHING
from skreg.sums import column_sums, inner, total

__all__ = ["Point"]


class Point:
    """A candidate solution; whatever is computed there is computed once.

    Attributes
    ----------
    problem : Problem
    coef : ndarray of shape (n_features,) or (n_features, n_outputs)
    intercept : float or ndarray of shape (n_outputs,)
    alpha : float
    known_gradient : callable or None
        Gives the gradient, where it comes from what is known of several points.
    exact : ndarray of int or None
        Features at which that is more than near enough; None if it is everywhere.
    """

    known_gradient = exact = None

    def __init__(self, problem, coef, intercept, alpha, eta=None):
        self.problem, self.coef, self.intercept, self.alpha = problem, coef, intercept, alpha
        if eta is not None:
            self.eta = eta

    def at(self, alpha):
        """The same coefficients where the penalty has another strength; the loss is not computed again."""
        # Where no linear predictor has been asked for, this asks for none: it would take a pass over X.
        other = type(self)(self.problem, self.coef, self.intercept, alpha, self.__dict__.get("eta"))
        other.gradient = self.gradient
        other.borrow_curvature(self)
        return other

    def borrow_curvature(self, other):
        """Take over what is known of the curvature at another point of the same problem."""
        for name in ("curvature", "some_curvature", "row_curvature"):
            if name in other.__dict__:
                self.__dict__[name] = other.__dict__[name]

    @cached_property
    def eta(self):
        """Linear predictor; where that is most of a pass over X, the gradient comes with it."""
        problem = self.problem
        wanted = problem.loss.quadratic and "gradient" not in self.__dict__
        if wanted and problem.design.takes_both(self.coef):
            eta, self.gradient = problem.eta_and_gradient(self.coef, self.intercept)
            return eta
        return problem.eta(self.coef, self.intercept)

    @cached_property
    def expansion(self):
        """Value, gradient and curvature of the loss of every row."""
        return self.problem.loss.expansion(self.problem.y, self.eta)

    @cached_property
    def loss(self):
        """Weighted mean loss."""
        if self.problem.loss.quadratic:
            return self.problem.loss_value(self.eta)
        return total(self.problem.weights, self.expansion[0])

    @cached_property
    def price(self):
        """What the penalty takes."""
        # Where no gradient has been asked for, this asks for none: it takes a pass over X.
        known = self._measured("price") if "gradient" in self.__dict__ else None
        return self.problem.penalty_value(self.coef, self.alpha) if known is None else known

    def _measured(self, name):
        """What is told together with other numbers by one pass over coefficients and gradient; None where that is not so."""
        problem = self.problem
        if problem.twin is None or not problem.loss.quadratic or self.coef.ndim > 1:
            return None
        if "violation" not in self.__dict__:
            measure_together(
                [self], self.coef[None], self.gradient[None], *([number] for number in self._balanced_sums())
            )
        return self.__dict__.get(name)

    def _balanced_sums(self):
        """Of the residual of the squared loss without its mean: half the mean square, the mean product with y, and the size of the mean."""
        problem, rows = self.problem, self.row_gradient
        product, mean = -inner(rows, problem.y), 0.0
        if problem.fit_intercept:
            mean = float(rows.sum())
            product += mean * problem.null_intercept
        return self.loss - 0.5 * mean**2, product, abs(mean)

    @property
    def objective(self):
        """Loss plus price."""
        return self.loss + self.price

    @cached_property
    def row_gradient(self):
        """Derivative of the mean loss with respect to ``eta``."""
        if self.problem.loss.quadratic:
            return self.problem.row_gradient(self.eta)
        return self.problem.weighted(self.expansion[1])

    @cached_property
    def row_curvature(self):
        """Second derivative of the mean loss with respect to ``eta``, one output at a time."""
        if self.problem.loss.quadratic:
            return np.broadcast_to(self.problem.weights, self.eta.T.shape).T
        return self.problem.weighted(self.expansion[2])

    @cached_property
    def gradient(self):
        """Derivative of the mean loss with respect to ``coef``: one pass over X.

        Where the problem has a screen, or it is known from that of other points, exact wherever a coefficient is not zero or is not surely kept there by the penalty.
        """
        if self.known_gradient is not None:
            # What it is made of is large.
            return vars(self).pop("known_gradient")()
        if (
            self.problem.loss.quadratic
            and not self.coef.any()
            and (self.problem.fit_intercept or not np.any(self.intercept))
        ):
            # A centred design does not see the intercept.
            return -self.problem.product
        if self._is_null:
            return self.problem.null_gradient.copy()
        row_gradient = self.row_gradient
        # The linear predictor may have brought it along.
        known = self.__dict__.get("gradient")
        if known is not None:
            return known
        problem = self.problem
        if problem.screen is None:
            return problem.design.dot_t(row_gradient)
        limits = rest(problem.penalty) * problem.strengths(self.alpha)
        return problem.screen.dot_t(row_gradient, limits, self.coef != 0)

    def sharpen_gradient(self, features):
        """Have the gradient exact at some features, too."""
        missing = NOTHING if self.exact is None else np.setdiff1d(features, self.exact)
        if missing.size:
            self.gradient[missing] = self.problem.design.dot_t(self.row_gradient, missing)
            self.exact = np.union1d(self.exact, missing)

    @cached_property
    def _is_null(self):
        """Whether this is the null model, and its gradient known already."""
        known = self.problem.null_gradient is not None and self.coef.ndim == 1
        return known and self.intercept == self.problem.null_intercept and not self.coef.any()

    @cached_property
    def cross(self):
        """Second derivatives of the mean loss in coef and intercept, of one output: one pass over X."""
        return self.problem.design.dot_t(self.row_curvature)

    @cached_property
    def curvature(self):
        """Curvature along each coefficient, or in the block of each; one number for penalties that see all together."""
        problem = self.problem
        if problem.blocks is not None:
            return block_curvatures(problem, self.eta, self.row_curvature)
        if not problem.penalty.separable:
            return spectral_curvature(problem, self.eta)
        if problem.loss.quadratic:
            return curvatures(problem, None)
        if self._is_null and np.ptp(self.expansion[2]) == 0.0:
            return self.expansion[2][0] * problem.squared_norms
        if self.eta.ndim > 1 or "gradient" in self.__dict__ or self._is_null:
            return curvatures(problem, self.eta, self.row_curvature)
        # Asked for first, it takes the gradient along.
        self.gradient, norms = problem.design.dot_t_and_squared_norms(self.row_gradient, self.row_curvature)
        return np.where(norms > 0, norms, 1.0)

    def curvature_of(self, features):
        """`curvature` of some features, for penalties that are separable: the others' need not be known."""
        problem = self.problem
        if "curvature" in self.__dict__ or problem.loss.quadratic or self._is_null:
            return self.curvature[features]
        known = self.some_curvature
        missing = features[np.isnan(known.reshape(len(known), -1)[features, 0])]
        if 4 * missing.size > len(known):
            return self.curvature[features]
        if missing.size:
            norms = problem.design.squared_norms(self.row_curvature, missing)
            known[missing] = np.where(norms > 0, norms, 1.0)
        return known[features]

    @cached_property
    def some_curvature(self):
        """What `curvature_of` has found, NaN elsewhere."""
        return np.full(self.coef.shape, np.nan)

    @cached_property
    def violations(self):
        """Scaled residual of the proximal fixed point, shaped like coef; that of its block for every coefficient."""
        problem = self.problem
        compiled = problem.twin is not None and self.coef.ndim == 1
        if problem.penalty.separable and problem.penalty.convex and (compiled or not problem.loss.quadratic):
            return self._violations_of_the_restless()
        if compiled and problem.loss.quadratic:
            strengths = problem.strengths(self.alpha)
            return _kernels.residuals(self.coef, self.gradient, self.curvature, strengths, *problem.twin)
        if problem.block_residuals is not None and (problem.penalty.convex or problem.loss.quadratic):
            return problem.block_residuals(self.coef, self.gradient, self.curvature, problem.strength(self.alpha))
        step = 1.0 / self.curvature
        target = self.problem.prox(self.coef - self.gradient * step, step, self.alpha)
        violations = np.sqrt(self.curvature) * np.abs(self.coef - target)
        penalty, blocks = self.problem.penalty, self.problem.blocks
        if blocks is not None:
            norms = np.sqrt(blocks.sums(np.square(violations).ravel()))
            violations = norms[blocks.label].reshape(violations.shape)
        if (penalty.separable or blocks is not None) and not penalty.convex and not self.problem.loss.quadratic:
            correct_jumps(self, target, violations)
        return violations

    def _violations_of_the_restless(self):
        """`violations` of a convex penalty: zeros that stay zero with one step do so with any, so none needs to know its own."""
        problem, coef, gradient = self.problem, self.coef, self.gradient
        some = self.restless
        if problem.twin is not None and coef.ndim == 1:
            strengths = problem.strengths(self.alpha)
            return _kernels.some_residuals(some, coef, gradient, self.curvature_of(some), strengths, *problem.twin)
        violations = np.zeros(coef.shape)
        if some.size:
            step = self.steps(some)
            target = problem.prox(coef - step * gradient, step, self.alpha)
            violations[some] = np.abs(coef - target)[some] / np.sqrt(step[some])
        return violations

    @cached_property
    def restless(self):
        """Features with a coefficient that is not zero or, if the penalty is separable and convex, would not stay it."""
        problem, coef, gradient = self.problem, self.coef, self.gradient
        if problem.twin is not None and coef.ndim == 1:
            strengths = problem.strengths(self.alpha)
            known = restless(problem.penalty, coef, gradient, strengths)
            return _kernels.restless(coef, gradient, strengths, *problem.twin) if known is None else known
        moves = problem.prox(coef - gradient, 1.0 if coef.ndim == 1 else np.ones(coef.shape), self.alpha) - coef
        return np.flatnonzero(np.logical_or(coef, moves).reshape(len(coef), -1).any(axis=1))

    def steps(self, features):
        """Steps of the prox: the inverse curvature of some features, 1 for the others."""
        step = np.ones(self.coef.shape)
        step[features] = 1.0 / self.curvature_of(features)
        return step

    @cached_property
    def violation(self):
        """Largest violation, the intercept's included, in units of ``sqrt(2 * null_loss)``."""
        problem, known = self.problem, self._measured("violation")
        if known is not None:
            return known
        if problem.penalty.separable or problem.blocks is not None:
            largest = float(self.violations.max(initial=0.0))
        else:
            largest = float(np.linalg.norm(self.violations))
        if problem.fit_intercept:
            largest = max(largest, self.imbalance)
        return largest / problem.unit

    @property
    def imbalance(self):
        """The violation of the intercept: moving it alone meets the mean curvature of the loss."""
        sizes = abs(column_sums(self.row_gradient))
        if not self.problem.loss.quadratic:
            sizes = sizes / np.sqrt(np.maximum(column_sums(self.row_curvature), 1e-12))
        return float(sizes if sizes.ndim == 0 else sizes.max())

    def optimality(self, tol, balance=True):
        """The certificate of the point for a tolerance.

        When the violation is small enough and the gap is not, a better dual point is worth its price; not to those
        who have cheaper ways to go on (``balance=False``).
        """
        problem = self.problem
        gap = self.gap(tol if balance and CONDITION * self.violation**2 <= 10.0 * tol else np.inf)
        measure = CONDITION * self.violation**2 if gap is None else gap
        return Optimality(
            objective=self.objective,
            loss=self.loss,
            penalty=self.price,
            gap=gap,
            violation=self.violation,
            null_loss=problem.null_loss,
            tol=tol,
            converged=bool(measure <= tol),
            kind=problem.kind(self.alpha),
        )

    def gap(self, enough=np.inf):
        """Duality gap over the null loss; None where it is not known. One that is not ``enough`` is worth a better dual point."""
        return duality_gap(self, enough)

    def gap_of(self, entries, wanted):
        """The gap of the dual point at which ``entries`` of its correlation are as ``wanted``."""
        return gap_at(self, *balanced(self, entries, wanted)) if entries.size else self.plain_gap

    @cached_property
    def plain_gap(self):
        """The gap of the residual itself, scaled."""
        known = self._measured("plain_gap")
        return known if known is not None else gap_at(self, *balanced(self, NOTHING, 0.0))

    def output(self, k):
        """The point as one output alone sees it."""
        part = Point(self.problem.output(k), np.ascontiguousarray(self.coef[:, k]), self.intercept, self.alpha)
        for name in ("eta", "row_gradient", "gradient"):
            part.__dict__[name] = np.ascontiguousarray(getattr(self, name)[:, k])
        return part
