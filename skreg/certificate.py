"""The certificate: how far a candidate solution can be from the best one.

Two measures. The *violation* is the residual of the proximal fixed point, and
exists for every penalty. The *duality gap* bounds the suboptimality itself; it
needs the conjugates of loss and penalty, and a feasible dual point.
"""

import math
from dataclasses import dataclass

import numpy as np

from skreg import _kernels
from skreg.curvature import block_curvatures, curvatures, spectral_curvature
from skreg.elastic import certify_together, measure_together, would_move
from skreg.lazy import cached_property
from skreg.model import QuadraticModel, scaled_inverse
from skreg.sums import inner, total

__all__ = ["CONDITION", "EXACT", "Optimality", "Point"]

# Balancing the dual point costs a Gram matrix of the support; not beyond this size.
MAX_BALANCED = 300

# A loss of less than this share of the null model's is none.
EXACT = 1e-12

# So many coefficients that would jump, of a concave penalty, are looked at one by one.
MAX_JUMPS = 50

# No coefficients.
NOTHING = np.empty(0, dtype=np.intp)

# Where there is no gap: how much larger than violation ** 2 the suboptimality is taken to be.
# Near the optimum it is at most the sum of the squares over the smallest eigenvalue of the
# Hessian in units of its diagonal, so this is the condition number that is allowed for.
CONDITION = 1e6


@dataclass(frozen=True)
class Optimality:
    """Certificate of a fit: how far from the optimum it can be, at most.

    Attributes
    ----------
    objective : float
        Mean loss plus penalty; the sum of the next two.
    loss : float
        (Weighted) mean loss on the training data.
    penalty : float
        What the coefficients pay.
    gap : float or None
        Duality gap over the loss of the intercept alone: no model can have an
        objective lower than ``objective - gap * null_loss``. None where loss or
        penalty have no conjugate, or the dual point leaves its domain; inf where
        unpenalised columns are so nearly collinear that rounding leaves no dual
        point orthogonal to them.
    violation : float
        Largest residual of the proximal fixed point over all coefficients,
        intercept and unpenalised ones included, in units of
        ``sqrt(2 * null_loss)``.
    null_loss : float
        Loss of the intercept alone, the unit of the two measures above.
    tol : float
        The tolerance that was asked for.
    converged : bool
        Whether ``gap <= tol``; where there is no gap, ``1e6 * violation**2 <= tol``,
        which promises the same suboptimality up to a condition number of 1e6.
    kind : str
        ``"global"``: no coefficients are better, as the problem is convex, or the
        squared loss curves more than the penalty bends the other way (see
        `Penalty.concavity`; looked at up to 300 features). ``"local"``: no other value of
        a single coefficient is, as far as the curvature of the loss at the solution tells
        (all the way for the squared loss). ``"stationary"``: no small change helps to first
        order; all that is known where a concave penalty sees several coefficients together.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import PenalizedRegression
    >>> X, y = load_diabetes(return_X_y=True)
    >>> optimality = PenalizedRegression("l1", alpha=0.1).fit(X, y).optimality_
    >>> optimality.converged, optimality.kind, optimality.gap <= optimality.tol
    (True, 'global', True)
    """

    objective: float
    loss: float
    penalty: float
    gap: float | None
    violation: float
    null_loss: float
    tol: float
    converged: bool
    kind: str

    @property
    def measure(self):
        """What `tol` is compared with: the gap, or where there is none ``1e6 * violation**2``."""
        return CONDITION * self.violation**2 if self.gap is None else self.gap


class Point:
    """A candidate solution; whatever is computed there is computed once.

    Attributes
    ----------
    problem : Problem
    coef : ndarray of shape (n_features,) or (n_features, n_outputs)
    intercept : float or ndarray of shape (n_outputs,)
    alpha : float
    """

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
        for name in ("curvature", "_some_curvature", "row_curvature"):
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
    def _expansion(self):
        """Value, gradient and curvature of the loss of every row."""
        return self.problem.loss.expansion(self.problem.y, self.eta)

    @cached_property
    def loss(self):
        """Weighted mean loss."""
        if self.problem.loss.quadratic:
            return self.problem.loss_value(self.eta)
        return total(self.problem.weights, self._expansion[0])

    @cached_property
    def price(self):
        """What the penalty takes."""
        known = self._measured("price")
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
        return self.problem.weighted(self._expansion[1])

    @cached_property
    def row_curvature(self):
        """Second derivative of the mean loss with respect to ``eta``, one output at a time."""
        if self.problem.loss.quadratic:
            return np.broadcast_to(self.problem.weights, self.eta.T.shape).T
        return self.problem.weighted(self._expansion[2])

    @cached_property
    def gradient(self):
        """Derivative of the mean loss with respect to ``coef``: one pass over X."""
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
        return self.problem.design.dot_t(row_gradient) if known is None else known

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
        if self._is_null and np.ptp(self._expansion[2]) == 0.0:
            return self._expansion[2][0] * problem.squared_norms
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
        known = self._some_curvature
        missing = features[np.isnan(known.reshape(len(known), -1)[features, 0])]
        if 4 * missing.size > len(known):
            return self.curvature[features]
        if missing.size:
            norms = problem.design.squared_norms(self.row_curvature, missing)
            known[missing] = np.where(norms > 0, norms, 1.0)
        return known[features]

    @cached_property
    def _some_curvature(self):
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
            jumps = self._jumps(target)
            if len(jumps) <= MAX_JUMPS:
                for entries in jumps:
                    violations.ravel()[entries] = self._jump(
                        entries, target.ravel()[entries], violations.ravel()[entries[0]]
                    )
        return violations

    def _violations_of_the_restless(self):
        """`violations` of a convex penalty: zeros that stay zero with one step do so with any, so none needs to know its own."""
        problem, coef, gradient = self.problem, self.coef, self.gradient
        violations, some = np.zeros(coef.shape), self.restless
        if problem.twin is not None and coef.ndim == 1:
            address, params = problem.twin
            params, strengths = (own[some] if len(own) > 1 else own for own in (params, problem.strengths(self.alpha)))
            meet = self.curvature_of(some), strengths, address, params
            violations[some] = _kernels.residuals(coef[some], gradient[some], *meet)
            return violations
        if some.size:
            step = self._steps(some)
            target = problem.prox(coef - step * gradient, step, self.alpha)
            violations[some] = np.abs(coef - target)[some] / np.sqrt(step[some])
        return violations

    @cached_property
    def restless(self):
        """Features with a coefficient that is not zero or, if the penalty is separable and convex, would not stay it."""
        problem, coef, gradient = self.problem, self.coef, self.gradient
        if problem.twin is not None and coef.ndim == 1:
            moving = would_move(problem.penalty, coef, gradient, problem.strengths(self.alpha))
            if moving is None:
                return _kernels.restless(coef, gradient, problem.strengths(self.alpha), *problem.twin)
            return moving.nonzero()[0]
        moves = problem.prox(coef - gradient, 1.0 if coef.ndim == 1 else np.ones(coef.shape), self.alpha) - coef
        return np.flatnonzero(np.logical_or(coef, moves).reshape(len(coef), -1).any(axis=1))

    def _steps(self, features):
        """Steps of the prox: the inverse curvature of some features, 1 for the others."""
        step = np.ones(self.coef.shape)
        step[features] = 1.0 / self.curvature_of(features)
        return step

    def _jumps(self, target):
        """The coefficients, or all of a block, that would jump from zero or to it."""
        before, after, blocks = (self.coef != 0).ravel(), (target != 0).ravel(), self.problem.blocks
        if blocks is None:
            return list(np.flatnonzero(before != after)[:, None])
        jumps = np.flatnonzero((blocks.sums(before) > 0) != (blocks.sums(after) > 0))
        return [blocks.members[blocks.start[block] : blocks.start[block + 1]] for block in jumps]

    def _jump(self, entries, target, violation):
        """The violation of coefficients that a concave penalty would make jump from zero or to it.

        A jump that lowers the quadratic model but not the loss is none: the step is too long for it.
        """
        problem = self.problem
        features, outputs = np.divmod(entries, problem.n_outputs)
        columns, own = problem.design.columns(features), np.unique(features)
        one, shape = problem.penalty.restrict(own), (len(own), -1) if problem.penalty.joint_outputs else -1
        strength = np.broadcast_to(np.ravel(problem.strength(self.alpha)), problem.n_features)[own].reshape(shape)
        coef, gradient = self.coef.ravel()[entries], self.gradient.ravel()[entries]
        curvature = np.broadcast_to(self.curvature, self.coef.shape).ravel()[entries[0]]
        start = self.loss + one.value(coef.reshape(shape), strength)
        for _ in range(30):
            eta = self.eta.copy()
            for k in np.unique(outputs):
                moved = outputs == k
                eta[(slice(None), k) if eta.ndim > 1 else slice(None)] += columns[:, moved] @ (target - coef)[moved]
            reached = problem.loss_value(eta) + one.value(target.reshape(shape), strength)
            if reached < start - 4e-16 * abs(start):
                break
            curvature *= 2.0
            target = one.prox((coef - gradient / curvature).reshape(shape), 1.0 / curvature, strength).ravel()
            violation = np.sqrt(curvature) * np.linalg.norm(coef - target)
            if np.any(target) == np.any(coef):
                break
        return violation

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
        sizes = abs(self.row_gradient.sum(axis=0))
        if not self.problem.loss.quadratic:
            sizes = sizes / np.sqrt(np.maximum(self.row_curvature.sum(axis=0), 1e-12))
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
        """Duality gap over the null loss; None where it is not known.

        The dual point is the residual, made feasible. If its gap is not ``enough``,
        it is first moved so that the coefficients of the support are in balance, as
        a Newton step would move it: that takes the error of the gap to second order.
        """
        problem = self.problem
        if "plain_gap" not in self.__dict__ and enough < np.inf and self.coef.ndim == 1 and not problem.loss.quadratic:
            certify_together([self], self.gradient[None], enough)
        known = self.__dict__.get("plain_gap")
        if known is not None and known <= enough:
            return known
        if self.coef.ndim > 1 and problem.outputs_apart:
            parts = [self._output(k) for k in range(problem.n_outputs)]
            gaps = [part.gap(enough) for part in parts]
            if None in gaps:
                return None
            return sum(g * part.problem.null_loss for g, part in zip(gaps, parts, strict=True)) / problem.null_loss
        if not problem.has_conjugate:
            return None
        free = self._binding(problem.unpenalised(self.alpha))
        if free.size * problem.n_outputs > MAX_BALANCED:
            return None
        entries = free
        if self.coef.ndim > 1:
            entries = (free[:, None] * problem.n_outputs + np.arange(problem.n_outputs)).ravel()
        plain = self._gap_of(entries, 0.0)
        if enough == np.inf or (plain is not None and plain <= enough):
            return plain
        if not problem.penalty.separable and problem.blocks is None:
            return plain
        bound = np.union1d(entries, np.flatnonzero(self.coef != 0))
        if bound.size > MAX_BALANCED:
            return plain
        pull = self._pull()
        pull.ravel()[entries] = 0.0
        better = self._gap_of(bound, pull.ravel()[bound])
        return plain if better is None or (plain is not None and plain < better) else better

    def _output(self, k):
        """The point as one output alone sees it."""
        part = Point(self.problem.output(k), np.ascontiguousarray(self.coef[:, k]), self.intercept, self.alpha)
        part.eta, part.row_gradient = (
            np.ascontiguousarray(self.eta[:, k]),
            np.ascontiguousarray(self.row_gradient[:, k]),
        )
        part.gradient = np.ascontiguousarray(self.gradient[:, k])
        return part

    def _binding(self, free):
        """The unpenalised columns whose correlation must be zero.

        Not those that rest on a bound: the bound takes a correlation of one sign.
        """
        penalty = self.problem.penalty
        if not 0 < free.size <= MAX_BALANCED or self.coef.ndim > 1 or penalty.joint_outputs:
            return free
        if not penalty.separable:
            # Of a constraint on all of them (at alpha = 0) the conjugate is finite everywhere.
            bounded = free.size == self.coef.size and np.isfinite(penalty.conjugate(-self.gradient, 0.0))
            return free[:0] if bounded else free
        ones = [penalty.restrict(free[i : i + 1]) for i in range(free.size)]
        pulls = np.where(self.gradient == 0, 1.0, -self.gradient)
        finite = [np.isfinite(one.conjugate(pulls[j : j + 1], 0.0)) for one, j in zip(ones, free, strict=True)]
        return free[~np.array(finite, dtype=bool)]

    def _pull(self):
        """Subgradient of the penalty that the prox shows at ``coef``."""
        penalty = self.problem.penalty
        if penalty.separable and penalty.convex:
            step = self._steps(np.flatnonzero(self.coef.reshape(len(self.coef), -1).any(axis=1)))
        else:
            step = 1.0 / self.curvature
        point = self.coef - self.gradient * step
        pull = (point - self.problem.prox(point, step, self.alpha)) / step
        # A pull much smaller than coef / step is lost in rounding; a longer step brings it out.
        coef, blocks = self.coef, self.problem.blocks
        if blocks is not None:
            coef, pull = (
                np.sqrt(blocks.sums(np.square(a).ravel()))[blocks.label].reshape(coef.shape) for a in (coef, pull)
            )
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            longer = np.abs(coef) / np.abs(pull)
        step = np.where(np.isfinite(longer) & (longer > step), longer, step)
        if blocks is not None and penalty.joint_outputs and step.ndim > 1:
            step = step[:, :1]
        point = self.coef + step * pull
        return (point - self.problem.prox(point, step, self.alpha)) / step

    def _gap_of(self, entries, wanted):
        """The gap of the dual point at which ``entries`` are in balance."""
        return self._gap_at(*self._balanced(entries, wanted)) if entries.size else self.plain_gap

    @cached_property
    def plain_gap(self):
        """The gap of the residual itself, scaled."""
        known = self._measured("plain_gap")
        return known if known is not None else self._gap_at(*self._balanced(NOTHING, 0.0))

    def _gap_at(self, dual, correlation):
        """The gap of a dual point, after the scaling that makes it feasible."""
        problem, penalty = self.problem, self.problem.penalty
        strength = problem.strength(self.alpha)
        columns = [correlation.reshape(problem.n_features, -1) if penalty.joint_outputs else correlation]
        if correlation.ndim > 1 and not penalty.joint_outputs:
            columns = [np.array(column) for column in correlation.T]
        scale = min(penalty.dual_scale(column, strength) for column in columns)
        price = sum(penalty.conjugate(scale * column, strength) for column in columns)
        y, weights = problem.y, problem.weights
        if problem.any_unweighted:
            used = weights > 0
            y, weights, dual = y[used], weights[used], dual[used]
        conjugate = problem.loss.conjugate(y, ((-scale * dual).T / weights).T)
        excess = self.objective + total(weights, conjugate) + price
        if scale == 0.0 and not excess <= EXACT * problem.null_loss:
            # Only the correlation of a free column takes such a factor: nothing is known then, and nothing is promised,
            # but that no loss is negative. That is enough for a fit that leaves nothing.
            # (The Hessian of softmax is singular along its classes: fewer digits there mean nothing.)
            return None if problem.loss.translation_invariant else np.inf
        # Rounding may leave the gap a hair below zero.
        return float(max(excess, 0.0) / problem.null_loss) if math.isfinite(excess) else None

    def _balanced(self, entries, wanted):
        """A dual point at which ``entries`` of its correlation are as ``wanted``, and its correlation.

        It is orthogonal to the intercept. Moved as a Newton step on those
        coefficients would move it, it stays in the domain of the loss when it is
        near the optimum.
        """
        problem, eta = self.problem, self.eta
        dual, correlation = -self.row_gradient, -self.gradient

        def move(forward):
            rows = problem.hessian_rows(eta, forward) if eta.ndim > 1 else self.row_curvature * forward
            np.subtract(dual, rows, out=dual)
            np.subtract(correlation, problem.design.dot_t(rows), out=correlation)

        if problem.fit_intercept:
            surplus = dual.sum(axis=0)
            # The sum of rounded numbers is never exactly zero.
            if problem.loss.quadratic:
                # A centred design does not see it.
                dual -= problem.weights * surplus if dual.ndim == 1 else np.multiply.outer(problem.weights, surplus)
            elif abs(surplus).max() > 1e-14 * abs(dual).sum(axis=0).max():
                if eta.ndim > 1:
                    step = np.linalg.lstsq(problem.intercept_hessian(eta), surplus, rcond=1e-12)[0]
                    move(np.broadcast_to(step, eta.shape))
                elif self.row_curvature.any():
                    step = surplus / self.row_curvature.sum()
                    dual -= step * self.row_curvature
                    correlation -= step * self.cross
        if entries.size:
            model = QuadraticModel(self, entries)
            inverse, scale, complete = scaled_inverse(model.hessian)
            missing = (correlation.ravel()[entries] - wanted) / scale
            # Nearly collinear columns cost the first step its digits; the next ones give them back.
            for _ in range(4):
                step = inverse @ missing / scale
                coef = np.zeros(problem.coef_shape)
                coef.ravel()[entries] = step
                move(problem.design.dot(coef) + model.intercept_move(step, offset=False))
                before, missing = abs(missing).max(), (correlation.ravel()[entries] - wanted) / scale
                rounding = abs(missing).max() <= problem.noise(complete)
                if rounding or abs(missing).max() > 0.5 * before:
                    break
            # Rounding is taken out; what more columns than rows make impossible is not.
            if rounding:
                correlation.ravel()[entries] = wanted
        return dual, correlation
