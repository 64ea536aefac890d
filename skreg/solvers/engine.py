"""What the alphas of one path share in coordinate descent: a working set, its models, and the way between them."""

import math

import numpy as np

from skreg.divergence import diverges, drifts
from skreg.intercept import beside_its_intercept, best_intercept
from skreg.solvers.base import Progress, Solution, sharp, sharp_enough, starting_point
from skreg.solvers.columns import ColumnModel, ColumnQuadratic
from skreg.solvers.compiled import compiled_prox, compiled_prox_in_use, work_in_text
from skreg.solvers.growth import NEARLY, grow
from skreg.solvers.hessian import leaves_much
from skreg.solvers.model_step import LITTLE, model_step
from skreg.solvers.models import Models
from skreg.solvers.quadratic import Quadratic
from skreg.solvers.small import SmallNewton

__all__ = ["Engine", "is_small"]

# Up to so many coefficients are solved together, without screening, where their Gram matrix takes no more than
# so many products: once for the squared loss, at every model for others. Few are, however many rows there are.
ALL_AT_ONCE = 200
ONE_GRAM = 1e8
EVERY_GRAM = 2e7
FEW = 20

# Solving a working set to the end costs about as much as so many products with its matrix, each read from the cache.
SWEEPS = 5

# So many sweeps over sparse columns while many of them enter.
ROUGH_SWEEPS = 2

# What first joins the diagonal of a Gram matrix that rounding has made indefinite, relative to it.
DAMPING = 1e-13

# Where a model costs little beside its Hessian it is solved until its violation has fallen to this share.
SHARE = 0.01

# From the null model that is left at no less than so many times alpha, the way goes through a rough solution at so many
# times alpha: columns enter one after the other, and do not all have to leave again.
REMOTE, HALFWAY, ROUGH = 30, 6, 1e-3

# A step on a Hessian that is kept and leaves more than this share of a violation wants a better one.
SLOW = 0.5

# Derivative in the intercept from which the models take it on, at a given start.
NEAR = 1e-6

# While the violations alone tell that the end is far, a certificate is made once in so many models.
LOOK = 5

# A gap falls about as fast as the violation does: it is expected to be more than this share of what that makes of the last one.
LEAST = 0.2

# A step from a violation whose square is so many times the tolerance leads to where a certificate may be met.
SOON = 30.0

# A pass over rows of so many entries takes longer than to find the best intercept.
LONG = 50

# So many moves add up in a linear predictor before it is taken from the coefficients again.
MOST_MOVES = 30

# A violation changes by no more than a linear predictor does: moves that add up in one may leave so much less than is allowed.
ROUNDING = 1e-3

# So many models of a working set between two looks at all columns.
MODELS = 20

# So many models without progress: rounding allows no more.
PATIENCE = 8

# A violation that rounding does not account for.
ROUNDED = 1e-7


def is_small(problem):
    """Whether the Gram matrix of all coefficients costs too little to think about which of them are needed."""
    n_entries = math.prod(problem.coef_shape)
    products = problem.design.shape[0] * float(n_entries) ** 2
    return n_entries <= ALL_AT_ONCE and products <= (ONE_GRAM if problem.loss.quadratic else EVERY_GRAM)


class Engine:
    """What one path of alphas shares: the working set and its Gram matrix.

    Coefficients are numbered as entries of ``coef.ravel()``: with several
    outputs, entry ``e`` is feature ``e // n_outputs`` of output ``e % n_outputs``.
    """

    keeps_gradient = False

    def __init__(self, problem):
        self.compiled = compiled_prox_in_use(problem.penalty, problem.n_features)
        if self.compiled and problem.penalty.separable:
            problem = problem.changed(twin=compiled_prox(problem.penalty))
        self.problem = problem
        n_entries = math.prod(problem.coef_shape)
        self.everything = problem.moments is not None or n_entries <= FEW or is_small(problem)
        self.entries = np.arange(n_entries if self.everything else 0)
        self.in_text = problem.penalty.separable and not self.compiled
        self.solved = True
        # Whether the last model was on sparse columns: sweeps over them take as long as passes over X.
        self.on_sparse = False
        self.damping = 0.0
        self.growing, self.n_fresh = False, 0
        # For how many entries the last exact step has solved, and their largest violation before.
        self._led = 0, 0.0
        self.models = Models(problem, self.everything)
        self.begun, self.tol = False, 1.0
        # The linear predictor of the last solution, where another one begins with it.
        self.eta = None
        self.small, self._copied = None, None
        if self.everything and self.compiled and SmallNewton.fits(problem):
            self.small = SmallNewton(problem)

    def solve(self, alpha, start, tol, max_iter, goal=None, eta=None):
        """The solution at one alpha, as sharp as is worth its price; from a near start as sharp as ``goal``.

        A model leads from there to the goal, or a hair of a second one. ``eta``: the linear predictor of a near
        start without its intercept, where that is known.
        """
        problem, self.tol = self.problem, tol
        near = goal is not None
        coef, intercept = starting_point(problem, start, alpha)
        best, progress, sharpened, last = None, Progress(), False, None
        # The linear predictor that is given has moves in it already.
        promised, first, self.moves, steepness = np.inf, 1, 0 if eta is None else 1, 0.0
        if problem.moments is not None:
            intercept = problem.null_intercept
        elif start is not None and problem.fit_intercept:
            eta = problem.design.dot(coef) if eta is None else eta
            intercept = best_intercept(problem, eta, intercept, NEAR)
            eta = eta + intercept
        self._led = 0, 0.0
        if self.small is None:
            point = problem.point(coef, intercept, alpha, eta)
        else:
            point, promised, n_models = self.small.best_point(coef, intercept, alpha, sharp_enough(tol), max_iter - 1)
            first += n_models
        for n_iter in range(first, max_iter + 1):
            if self.begun and problem.loss.quadratic and n_iter < max_iter:
                self.begun = False
                point = self._at_hand(point)
                continue
            endless = diverges(problem, point.coef, point.intercept, alpha)
            if not endless and promised <= tol * problem.null_loss:
                endless = drifts(problem, point.coef, point.intercept, alpha) and not point.optimality(tol).converged
            if endless:
                self.eta = None
                return Solution(alpha, point.coef, point.intercept, n_iter, point.optimality(tol), diverges=True)
            little = max(LITTLE * tol * problem.null_loss, 1e-15 * abs(point.objective))
            if problem.loss.quadratic and last is not None and not point.objective <= last.objective + 10.0 * little:
                # Rounding has made the Gram matrix indefinite: go back, and let one with more digits, or more on its
                # diagonal, lead on.
                if not self.models.sharpen():
                    self.damping = max(DAMPING, 100.0 * self.damping)
                point = last
            last = point
            small = promised <= little or (n_iter == first and point.violation <= self.final_violation)
            if self.everything and not small and n_iter < max_iter:
                # Nothing to choose and much to gain: no certificate is worth its time yet.
                point, promised = self._step(point, sharp(tol) if problem.loss.quadratic else SHARE)
                continue
            if sharpened and self.moves:
                # Most likely the last one: what is given out is certified from the coefficients themselves.
                point, self.moves = problem.point(point.coef, point.intercept, alpha), 0
            # A step along that coefficient alone would gain about as much: there is no need of a gap to know it.
            least = max(point.violation, LEAST * steepness) * point.violation
            far = point.violation > goal if near else least > tol
            if far and problem.penalty.convex and promised > little and n_iter % LOOK and n_iter < max_iter:
                grow(self, point)
                point, promised = self._step(point, goal if near else 0.1 * point.violation)
                continue
            if self.moves > (0 if self.everything else MOST_MOVES):
                point, self.moves = problem.point(point.coef, point.intercept, alpha), 0
            # A sharper solution has a better dual point, and mostly costs less than a balanced one.
            optimality = point.optimality(tol, point.violation <= sharp(tol) or progress.stalled > 0)
            if self.moves and optimality.converged and optimality.violation <= self.final_violation:
                exact, self.moves = problem.point(point.coef, point.intercept, alpha), 0
                if np.abs(exact.eta - point.eta).max() > ROUNDING * self.final_violation:
                    point, optimality = exact, exact.optimality(tol)
                point.eta = exact.eta
            if optimality.gap is not None and np.isfinite(optimality.gap) and optimality.violation > 0.0:
                steepness = optimality.gap / optimality.violation
            # Where rounding leaves no dual point, a lower objective brings no certificate nearer.
            progress.update(optimality, self.solved and optimality.gap != np.inf)
            if best is None or optimality.measure <= best.optimality.measure:
                gradient = point.gradient if self.keeps_gradient else None
                best = Solution(alpha, point.coef, point.intercept, n_iter, optimality, gradient=gradient)
                self.eta = point.eta if near else None
            if best.optimality.converged:
                # The gap is second order: one more model costs little and sharpens the coefficients.
                if sharpened or best.optimality.violation <= (goal if near else self.final_violation):
                    break
                sharpened = True
            if progress.stalled >= PATIENCE:
                break
            grown = grow(self, point)
            # A digit per model, and more when nothing else is left to gain.
            share = 1e-3 if sharpened or (progress.stalled and not grown) else 0.1
            # Sweeps leave about a tenth of the last move.
            enough = (
                (1.0 if self.on_sparse else 0.1) * self.final_violation if sharpened and not progress.stalled else 0.0
            )
            point, promised = self._step(point, max(share * optimality.violation, enough))
        stalled = not best.optimality.converged and n_iter < max_iter
        # What the inner problem has left undone is more than rounding can be.
        slow = stalled and not self.solved and not self.damping and best.optimality.violation > ROUNDED
        return best._replace(n_iter=n_iter, stalled=stalled, slow=slow)

    def begin_with(self, entries, solution):
        """The first working set, if it is known; returns where to start from."""
        self.entries = entries
        self.begun = self.entries.size > 0
        # The model of the squared loss is the same everywhere: there a start saves nothing.
        if solution is None or self.problem.loss.quadratic or solution.diverges:
            return None
        return solution.coef, solution.intercept

    def from_afar(self, alpha, max_iter):
        """Where a stronger penalty leads, if ``alpha`` is so weak that the way from the null model is long; else None."""
        problem = self.problem
        # Sparse columns may all come and go; other losses need more models for two solutions than for one.
        if self.everything or not (problem.loss.quadratic and problem.penalty.convex and problem.design.stores_zeros):
            return None
        null = problem.point(*starting_point(problem, None, alpha), REMOTE * alpha)
        # Where nobody wants to move there is no need to know by how much.
        moves = null.restless.size > 0 if problem.penalty.separable else null.violation > NEAR
        if not moves:
            return None
        solution = self.solve(HALFWAY * alpha, None, ROUGH, max_iter, np.inf)
        # Most columns that ask to enter at the new alpha no longer do once those that are in have moved.
        self.begun = problem.y.ndim == 1
        return None if solution.diverges else (solution.coef, solution.intercept)

    @property
    def final_violation(self):
        """Up to which violation coefficients that are certified are made sharper."""
        cheap = self.problem.loss.quadratic and not self.on_sparse
        return sharp(self.tol) if cheap else sharp_enough(self.tol)

    @property
    def first_size(self):
        """How many entries enter together where there is no telling how many are needed."""
        # The Gram matrix of this many columns costs less than a pass over all; sparse columns never more.
        screened = self.problem.screen is not None and self.problem.loss.quadratic
        return int(np.sqrt((2 if screened else 4) * math.prod(self.problem.coef_shape)))

    def largest(self, values):
        """Of something shaped like coef, what belongs to each entry that there is; the largest where that is more than one."""
        return values.ravel()

    def whole(self, entries):
        """Entries that can only enter together are completed."""
        return entries

    @property
    def features(self):
        """To which feature each entry of the working set belongs."""
        return self.entries // self.problem.n_outputs

    def quadratic(self, gram, coef, gradient, alpha, active=None):
        """The inner problem of the working set."""
        penalty = self.problem.penalty
        if not self.everything or self.problem.n_outputs > 1:
            penalty = penalty.restrict(self.features)
        compiled = None
        if self.compiled:
            compiled = self.problem.twin if penalty is self.problem.penalty else compiled_prox(penalty)
        if isinstance(gram, ColumnModel):
            return ColumnQuadratic(gram, coef, self.strengths(alpha), compiled)
        return Quadratic(gram, coef, gradient.copy(), penalty, self.strengths(alpha), compiled, active)

    def strengths(self, alpha):
        """What the penalty asks of each coefficient of the working set; one row for each of several alphas."""
        return self.problem.strengths_of(self.features, alpha)

    def solve_inner(self, gram, coef, gradient, alpha, wanted):
        """Solve a model of the working set until its violation is as ``wanted``; the inner problem where that has led to."""
        problem = self.problem
        kept = problem.loss.quadratic and not self.damping
        inner = self.quadratic(gram, coef, gradient, alpha, self.models.kept.active if kept else None)
        unit = problem.unit
        by_column = isinstance(gram, ColumnModel)
        if problem.loss.quadratic and by_column and not problem.design.stores_zeros:
            if self._settled:
                # Most likely the last round: a sweep leaves about a tenth of what it has moved.
                wanted = min(wanted, 10.0 * self.final_violation)
        elif problem.loss.quadratic and SWEEPS * coef.size**2 <= problem.design.shape[0] * problem.n_features:
            # Solved to the end, a small model costs less than a pass over X.
            wanted = min(wanted, self.final_violation)
        # Saturated rows make the model's curvature, and so the unit of its violation, another than the loss's.
        share = wanted * unit
        if not problem.loss.quadratic:
            share = min(share, (SHARE if self.everything else 0.1) * inner.violation())
        unsettled = self.growing or (self.on_sparse and self.n_fresh > 0)
        if unsettled:
            # Sweeps over sparse columns that are not the right ones yet are worth no more than those to come.
            inner.descend(max(share, 1e-15 * unit), ROUGH_SWEEPS if self.growing and self.on_sparse else 20)
        else:
            self.solved = inner.minimise(max(share, 1e-15 * unit))
        if by_column:
            self.models.learn(inner, unsettled or self.solved)
        self.take_note(inner)
        return inner

    def take_note(self, inner):
        """Of the work of an inner problem: when there was enough of it in NumPy, numba may compile the prox."""
        if self.in_text and work_in_text(self.problem.penalty, self.problem.n_features, inner.work):
            self.compiled = compiled_prox_in_use(self.problem.penalty, self.problem.n_features)
            self.in_text = not self.compiled

    def _step(self, point, wanted):
        """Solve a model around a point; the point that it leads to, and the decrease promised."""
        problem = self.problem
        if problem.loss.quadratic:
            return self._exact_step(point, wanted)
        newton = None if self.everything else self.newton()
        if newton is not None:
            return self._solved_step(newton, point, wanted)
        if self.models.leads_on:
            return self._led_step(point, wanted)
        reached, promised = model_step(self, point, wanted)
        self.moves += 1
        one = problem.fit_intercept and problem.y.ndim == 1 and problem.loss.convex and not self.everything
        dear = problem.design.X.size > LONG * len(point.eta)
        if one and dear and reached is not point and point.violation**2 <= SOON * self.tol:
            # A certificate then needs no pass over X for a dual point orthogonal to the intercept.
            reached = beside_its_intercept(reached)
        return reached, promised

    def newton(self):
        """Newton's method on a copy of the working set, where that is small; else None."""
        if self.everything:
            return self.small
        if not (self.compiled and SmallNewton.fits(self.problem, self.entries.size)):
            return None
        if self._copied is None or not np.array_equal(self._copied.entries, self.entries):
            self._copied = SmallNewton(self.problem, self.entries, self._copied)
        return self._copied

    def _solved_step(self, newton, point, wanted):
        """The loss is minimised over the working set; where that leads to, and how much lower it is."""
        used = np.count_nonzero(point.coef)
        # After the first one, models of few columns cost less than the pass over X that tells whether there must be more.
        cheap = self.n_fresh < self.entries.size and used**2 <= 2 * self.problem.n_features
        # Twice what a model may leave: those that enter next will move the others.
        wanted = self._wanted_inside(2.0 * wanted, cheap)
        reached, _, _ = newton.best_point(point.coef[self.entries], point.intercept, point.alpha, wanted, MODELS)
        if not reached.objective <= point.objective:
            return point, 0.0
        newton.lend_curvature(reached)
        return reached, point.objective - reached.objective

    def _led_step(self, point, wanted):
        """Models on one Hessian until none of the working set violates by more; where they lead to, and how much lower it is."""
        start, before = point, np.inf
        wanted = self._wanted_inside(wanted)
        for _ in range(MODELS):
            reached, _ = model_step(self, point, wanted)
            self.moves += 1
            if reached is point:
                if not self.models.renew():
                    break
                continue
            point = reached
            model = self.models.around(point, self.entries, self.compiled)
            inside = self.quadratic(model.hessian, point.coef.ravel()[self.entries], model.gradient, point.alpha)
            violation = inside.violation() / self.problem.unit
            if violation <= wanted:
                break
            if violation > SLOW * before:
                self.models.renew()
            before = violation
        return point, start.objective - point.objective

    def _wanted_inside(self, wanted, cheap=False):
        """The violation at which a working set is solved, where the last digits cost less than a pass over X."""
        return min(wanted, self.final_violation) if self._settled or cheap else wanted

    @property
    def _settled(self):
        """Whether most likely no other columns are needed."""
        return self.n_fresh <= NEARLY * self.entries.size

    def _exact_step(self, point, wanted):
        """Squared loss: the model is the loss, its Gram matrix is kept and extended."""
        if self.models.single:
            self._count_digits(point)
        coef, shift, rows = self.led_from(point, wanted)
        eta = None
        if rows is not None:
            # Sweeps over columns have found what they do to the linear predictor.
            eta, self.moves = point.eta + (rows + shift), self.moves + 1
        return self.problem.point(coef, point.intercept + shift, point.alpha, eta), 0.0

    def _at_hand(self, point):
        """Where the working set at hand leads, before X is read for what there is beside it; squared loss."""
        problem, coef = self.problem, point.coef
        if coef.any():
            point.gradient = np.full(coef.shape, np.nan)
            point.gradient[self.entries] = problem.design.dot_t(point.row_gradient, self.entries)
        coef, shift, _ = self.led_from(point, sharp(self.tol))
        return problem.point(coef, point.intercept + shift, point.alpha)

    def _count_digits(self, point):
        """Where the last step has left much of the violations that it was to end, the Hessian has too few digits."""
        inside, (size, before) = point.violations.ravel()[self.entries], self._led
        if not self.solved or leaves_much(inside[:size].max(initial=0.0), before):
            self.models.sharpen()
        # While many enter, the inner problem is not solved to its end.
        self._led = (0, 0.0) if self.growing else (inside.size, inside.max(initial=0.0))

    def led_from(self, point, wanted):
        """Where the model of the squared loss leads from a point: coefficients, and the moves of intercept and linear predictor.

        The last is None where the model does not know it.
        """
        entries, coef = self.entries, point.coef.copy()
        model = self._column_model(point)
        self.on_sparse = model is not None and not self.problem.design.stores_zeros
        if model is None:
            gram, gradient = self.models.kept.on(entries), point.gradient[entries]
            if self.damping:
                gram = gram + np.diag(self.damping * np.diagonal(gram))
        else:
            gram, gradient = model, model.gradient
        inner = self.solve_inner(gram, coef[entries], gradient, point.alpha, wanted)
        move = inner.coef - coef[entries]
        coef[entries] = inner.coef
        if model is None:
            return coef, 0.0, None
        return coef, model.intercept_move(move), inner.row_move(move) if self.on_sparse else None

    def _column_model(self, point):
        """The model on columns, where that is less work than a Gram matrix and as accurate; else None."""
        return self.models.on_columns(point, self.entries, self.compiled)
