"""Paths: several alphas are solved on one working set and one Hessian, then certified together.

One pass over X certifies them all (`skreg.solvers.directions`), where one after the other would read X for
each. Between neighbouring alphas a solution moves nearly along a line, and so do the
correlations: those of the next alphas are foretold from the last two, and columns
that are then due enter the working set beforehand.

The Hessian of the squared loss is the same everywhere. That of another loss changes
little from alpha to alpha: with the exact gradients of the points that it leads to, it leads on to the solutions.
"""

import numpy as np

from skreg.certificate import CONDITION
from skreg.divergence import diverges
from skreg.elastic import certify_together, measure_together
from skreg.moments import moment_points
from skreg.pages import Rows
from skreg.point import Point
from skreg.solvers.base import Progress, Solution, sharp, sharp_enough
from skreg.solvers.columns import ColumnQuadratic
from skreg.solvers.directions import differentiate, differentiate_where_it_counts
from skreg.solvers.engine import MODELS
from skreg.solvers.growth import grow
from skreg.solvers.hessian import KeptHessian, KeptModel
from skreg.solvers.quadratic import solve_along
from skreg.solvers.sampling import MARGIN

__all__ = ["solve_ahead"]

# So many alphas at once, at first and when all goes well; and where Hessians of two points are to lead to those between.
FIRST, MOST, BETWEEN = 6, 16, 12

# Up to so many columns a Gram matrix for many alphas is less work than columns for each.
CROWD = 800

# An alpha at which so many blocks have failed is solved on its own.
MOST_FAILURES = 3

# So many rounds on one Hessian at most; after more than a few the next one is worth its price.
MOST_ROUNDS = 8
FEW_ROUNDS = 4

# With no more entries than so many times those of the gradients of a block, another Hessian costs less than a round.
CHEAP = 8

# A round that leaves more than this share of a violation wants better Hessians; so often in one block at most.
SLOW, MOST_RENEWALS = 0.1, 2

# So many rows tell how much the Hessians of two points differ.
MANY_ROWS = 10_000

TINY = np.finfo(np.float64).tiny


def solve_ahead(engine, alphas, start, tol, max_iter):
    """Yield a `Solution` for each of ``alphas``.

    Parameters
    ----------
    engine : Engine
        Of coordinate descent; solves what cannot be foretold one alpha at a time.
    alphas : sequence of float
    start : tuple (coef, intercept) or None
    tol : float
    max_iter : int

    Returns
    -------
    tuple (done, start)
        How many alphas were solved: all, unless moments have lost their digits; where to go on from.
    """
    in_moments = engine.problem.moments is not None
    progress, rows = Progress(), Rows(engine.problem.n_features, len(alphas))
    done, ahead, failures, before, last = 0, FIRST, 0, None, None
    careful, stale = True, not engine.problem.loss.quadratic
    while done < len(alphas):
        if careful or (_crowded(engine) and not engine.problem.loss.quadratic):
            goal = eta = None
            if last is not None and not engine.problem.loss.quadratic:
                start, goal = _beyond(before, last, alphas[done], slice(None)), _goal(tol, 1.0)
                eta = _eta_beyond(before, last, alphas[done], start[0])
            solution = engine.solve(alphas[done], start, tol, max_iter, goal, eta)
            start = solution.coef, solution.intercept
            before, last = last, engine.problem.point(*start, alphas[done], engine.eta)
            if in_moments and (solution.stalled or not last.trusted(sharp(tol))):
                return done, start
            yield solution
            done, failures, careful = done + 1, 0, False
            continue
        block = alphas[done : done + ahead]
        if not engine.everything:
            # A small working set has room for columns that may be needed; of sparse ones all that are may enter.
            roomy = engine.entries.size < engine.first_size and engine.problem.design.stores_zeros
            margin = MARGIN if roomy else 0.0
            grow(engine, _foretold(before, last, (1.0 - margin) * block[-1]))
        solved = engine.newton() is not None
        renewed, stale = solved or stale or engine.models.kept is None, False
        if renewed and not solved:
            engine.models.kept = KeptHessian(engine.problem, last.row_curvature, engine.models.single)
        if not solved:
            # A model begins with the gradient of what has just come in.
            last.sharpen_gradient(engine.entries)
        points, rounds = _look_ahead(engine, before, last, block, tol, rows.take(len(block)))
        passed = 0
        for point in points:
            optimality = point.optimality(tol)
            progress.listen()
            sound = optimality.converged and CONDITION * optimality.violation**2 <= tol
            if in_moments and not point.trusted(sharp(tol)):
                sound = False
            if not sound or diverges(engine.problem, point.coef, point.intercept, point.alpha):
                break
            gradient = point.gradient if engine.keeps_gradient else None
            yield Solution(point.alpha, point.coef, point.intercept, rounds, optimality, gradient=gradient)
            before, last = last, point
            passed += 1
        start = last.coef, last.intercept
        done, failures = done + passed, 0 if passed else failures + 1
        if passed == len(block):
            most = MOST if solved or engine.problem.loss.quadratic else BETWEEN
            ahead, stale = min(2 * ahead, most), rounds > FEW_ROUNDS
        else:
            rows.give_back(len(block) - passed)
            ahead = max(passed, 1)
            grown = grow(engine, points[passed])
            # What neither more columns nor a Hessian of this point could mend is solved on its own.
            stale = not grown and not renewed and not engine.problem.loss.quadratic
            careful = not (grown or stale or engine.models.sharpen())
            # What is foretold may let go of just those columns that were missing.
            careful = careful or failures > MOST_FAILURES
        # The next ones take as much memory.
        del points, point
    return done, start


def _crowded(engine):
    """Whether the working set has so many sparse columns that sweeps over them are less work than their Gram matrix."""
    return engine.entries.size > CROWD and engine.models.takes_columns(engine.entries, engine.compiled)


def _foretold(before, last, alpha):
    """Violations to be expected at ``alpha``, from the line through the last two points."""
    gradient = last.gradient
    if before is not None and before.alpha != last.alpha:
        gradient = gradient + (gradient - before.gradient) * ((alpha - last.alpha) / (last.alpha - before.alpha))
    point = Point(last.problem, last.coef, last.intercept, alpha)
    point.gradient, point.row_curvature = gradient, last.row_curvature
    point.borrow_curvature(last)
    return point


def _look_ahead(engine, before, last, alphas, tol, coefs):
    """Solve on the working set for all of ``alphas``; the points, and the rounds that it took. Coefficients go to rows of zeros.

    The squared loss is its own model: one round. For others the model leads on from where it has
    led to, each point with its own gradient, while that takes them nearer.
    """
    problem, newton = engine.problem, engine.newton()
    if newton is not None:
        return _solve_each(engine, newton, before, last, alphas, tol, coefs)
    # Where the working set has most of the columns, a pass over all of them is no dearer.
    some = engine.entries if 4 * engine.entries.size <= problem.n_features else None
    kept, other = engine.models.kept, None
    if _leads_between(engine, len(alphas)):
        ends, intercepts, other = _from_both_ends(engine, last, alphas, tol, some)
    else:
        ends, intercepts = _Model(engine, last).solutions(alphas, tol)
    points = _points(engine, ends, intercepts, alphas, coefs)
    if problem.loss.quadratic:
        if problem.moments is None:
            _measure(points, *differentiate_where_it_counts(points, engine.entries))
        return points, 1
    differentiate(points, some)
    goal, hessians = _goal(tol), _hessians(engine, kept, points, other)
    rounds, renewals, previous = 1, 0, np.full(len(alphas), np.inf)
    while rounds < MOST_ROUNDS:
        again, ends, intercepts = [], [], []
        models = _models(engine, points, hessians)
        violations = np.array([model.violation for model in models])
        if renewals < MOST_RENEWALS and np.any(violations > np.maximum(SLOW * previous, goal)):
            hessians, renewals = _hessians(engine, kept, points), renewals + 1
            models = _models(engine, points, hessians)
        for b, point in enumerate(points):
            violation = violations[b]
            if violation <= goal:
                continue
            if violation * (violation / previous[b]) ** (MOST_ROUNDS - rounds) > goal:
                # It will not get there, and those beyond are farther still.
                break
            previous[b] = violation
            again.append(b)
            (end,), own = models[b].solutions([point.alpha], tol)
            ends.append(end)
            intercepts += own
        if not again:
            break
        nearer = _points(engine, np.stack(ends), intercepts, [alphas[b] for b in again])
        differentiate(nearer, some)
        for b, point in zip(again, nearer, strict=True):
            coefs[b], points[b] = point.coef, point
            point.coef = coefs[b]
        rounds += 1
    if some is None:
        _certify(points, tol, np.array([point.gradient for point in points]))
    else:
        _certify(points, tol, *differentiate_where_it_counts(points, some))
    _curve(points)
    return points, rounds


def _goal(tol, share=0.1):
    """The violation that a point of a path may have: its square is a share of what a certificate allows.

    A smaller one where columns that are not in the working set will add to it.
    """
    return np.sqrt(share * tol / CONDITION)


def _leads_between(engine, n_alphas):
    """Whether Hessians at two ends are worth their price for the alphas between: that of another loss than the squared one changes."""
    problem = engine.problem
    dear = engine.entries.size**2 > CHEAP * n_alphas * problem.n_features
    return not (problem.loss.quadratic or n_alphas == 1 or dear) and problem.design.stores_zeros


def _from_both_ends(engine, last, alphas, tol, some):
    """As `_Model.solutions`, where the nearer of two points leads to with the Hessian halfway; and that at the last alpha.

    The points are the last one solved and, from a rough solution, one at the last alpha. Of a Hessian that changes
    steadily the one halfway is the mean of all on the way, so what a step leaves is of third order.
    """
    kept = engine.models.kept
    (end,) = _points(engine, *_Model(engine, last).solutions(alphas[-1:], tol), alphas[-1:])
    differentiate([end], some)
    other = KeptHessian(engine.problem, end.row_curvature, engine.models.single)
    ends, intercepts, way = [], [], last.alpha - end.alpha
    for alpha in alphas:
        # Alphas need not be in order.
        share = min(max((last.alpha - alpha) / way, 0.0), 1.0) if way else 1.0
        start, halfway = (last, 0.5 * share) if share < 0.5 else (end, 0.5 + 0.5 * share)
        model = _Model(engine, start, kept.towards(other, halfway, engine.entries))
        (reached,), own = model.solutions([alpha], tol)
        ends.append(reached)
        intercepts += own
    return np.stack(ends), intercepts, other


def _hessians(engine, kept, points, other=None):
    """For each point of a loss that is not squared the Hessian to go on with; that at the last one is kept from now on.

    On the way there from the one ``kept`` so far it changes steadily: the others are between the two, of which the
    ``other`` one may be known. Where it is dear, all go on with the one at hand.
    """
    entries, problem = engine.entries, engine.problem
    if not _leads_between(engine, len(points)):
        return [kept] * len(points)
    if other is None:
        other = KeptHessian(problem, points[-1].row_curvature, engine.models.single)
    engine.models.kept = other
    # How far is told by some of the rows.
    some = slice(None, None, max(len(problem.weights) // MANY_ROWS, 1))
    weights, before = problem.weights[some], kept.row_weights[some]
    shares = np.array([np.abs(point.expansion[2][some] * weights - before).sum() for point in points])
    shares /= max(shares.max(), TINY)
    return [kept.towards(other, share, entries) for share in shares]


def _models(engine, points, hessians):
    return [_Model(engine, point, hessian) for point, hessian in zip(points, hessians, strict=True)]


def _solve_each(engine, newton, before, last, alphas, tol, coefs):
    """Minimise the loss over the working set for one alpha after the other; the points, and the most models that one took."""
    problem, entries = engine.problem, engine.entries
    goal, points, violations, most = 0.3 * np.sqrt(tol / CONDITION), [], [], 1
    for alpha, own in zip(alphas, coefs, strict=True):
        coef, intercept = _beyond(before, last, alpha, entries)
        before = last
        last, _, n_models = newton.best_point(coef, intercept, alpha, goal, MODELS)
        own[entries] = last.coef[entries]
        last.coef = own
        points.append(last)
        violations.append(last.violation if engine.everything else newton.violation())
        most = max(most, n_models)
    _certify(points, tol, *differentiate_where_it_counts(points, entries))
    inside = np.zeros(problem.n_features, dtype=bool)
    inside[entries] = True
    for point, violation in zip(points, violations, strict=True):
        if engine.everything or inside[point.restless].all():
            # There are no others.
            point.violation = violation
    return points, most


def _beyond(before, last, alpha, entries):
    """Coefficients of ``entries`` and intercept at ``alpha`` on the line through the last two points; none changes its sign."""
    coef = last.coef[entries]
    if before is None or before.alpha == last.alpha:
        return coef, last.intercept
    share, previous = (alpha - last.alpha) / (last.alpha - before.alpha), before.coef[entries]
    ahead = coef + share * (coef - previous)
    ahead[ahead * coef <= 0.0] = 0.0
    # Who has just come in does so along another line.
    ahead[previous == 0.0] = coef[previous == 0.0]
    return ahead, last.intercept + share * (last.intercept - before.intercept)


def _eta_beyond(before, last, alpha, coef):
    """The linear predictor of what `_beyond` has made of all features, without the intercept: X is read for what has left the line."""
    if last.problem.penalty.constrains:
        # A bound may lie on the way.
        return None
    eta = last.eta - last.intercept
    if before is None or before.alpha == last.alpha:
        return eta
    share = (alpha - last.alpha) / (last.alpha - before.alpha)
    eta += share * (eta - (before.eta - before.intercept))
    return eta + last.problem.design.dot(coef - (last.coef + share * (last.coef - before.coef)))


class _Model:
    """The quadratic model of the working set around a point, by the kept Hessian or on columns."""

    def __init__(self, engine, point, kept=None):
        kept = engine.models.kept if kept is None else kept
        self.engine, self.point = engine, point
        # For the squared loss a model on columns is as much the loss as one on their Gram matrix.
        on_columns = engine.problem.loss.quadratic and _crowded(engine)
        columns = engine.models.on_columns(point, engine.entries, engine.compiled) if on_columns else None
        self.model = KeptModel(kept, point, engine.entries) if columns is None else columns
        coef = point.coef[engine.entries]
        self.inner = engine.quadratic(self.model.hessian, coef, self.model.gradient, point.alpha, kept.active)
        self.unit = engine.problem.unit

    @property
    def violation(self):
        """Largest move that a proximal step would make, in units of ``sqrt(2 * null_loss)``."""
        return self.inner.violation() / self.unit

    def solutions(self, alphas, tol):
        """Coefficients of the working set, one row for each alpha, and intercepts of the model's solution at one alpha after the other."""
        engine, point, inner = self.engine, self.point, self.inner
        before = inner.coef.copy()
        # Sweeps over columns take as long as passes over X: they end where a certificate is met.
        wanted = min(_goal(tol), sharp_enough(tol)) if isinstance(inner, ColumnQuadratic) else sharp(tol)
        ends = solve_along(inner, engine.strengths(alphas), max(wanted, 1e-15) * self.unit)
        engine.take_note(inner)
        return ends, [point.intercept + self.model.intercept_move(end - before) for end in ends]


def _points(engine, ends, intercepts, alphas, coefs=None):
    """Points along alpha, with linear predictors from one pass over the working set; in moments, with all that these tell.

    Their coefficients are rows of ``coefs``, which are zeros.
    """
    problem, entries = engine.problem, engine.entries
    coefs = np.zeros((len(ends), problem.n_features)) if coefs is None else coefs
    coefs[:, entries] = ends
    if problem.moments is not None:
        return moment_points(problem, coefs, alphas)
    etas = np.asfortranarray(problem.design.dot(ends.T, entries))
    points = []
    for eta, coef, intercept, alpha in zip(etas.T, coefs, intercepts, alphas, strict=True):
        eta += intercept
        points.append(problem.point(coef, intercept, alpha, eta))
    return points


def _certify(points, tol, gradients, features=None):
    """Certify points of another loss together, as far as that goes; gradients as for `_measure`."""
    certify_together(points, _coefs_of(points, features), gradients, tol, features)


def _coefs_of(points, features):
    return np.array([point.coef if features is None else point.coef[features] for point in points])


def _measure(points, gradients, features=None):
    """Certify points of the squared loss together, as far as that goes; gradients in rows, of some features where the others rest."""
    problem = points[0].problem
    y, weights, means = problem.y, problem.weights, np.zeros(len(points))
    residuals = np.array([point.eta for point in points])
    np.subtract(y, residuals, out=residuals)
    if problem.fit_intercept:
        y, means = y - problem.null_intercept, residuals @ weights
    # Balanced residuals are these without their means; a centred y does not see those.
    products = residuals @ (weights * y)
    losses = 0.5 * (np.square(residuals, out=residuals) @ weights)
    for point, loss in zip(points, losses.tolist(), strict=True):
        point.loss = loss
    sums = (losses - 0.5 * means**2).tolist(), products.tolist(), np.abs(means).tolist()
    measure_together(points, _coefs_of(points, features), gradients, *sums, features)


def _curve(points):
    """Give points their curvatures, from one pass over X, where those of many columns will be asked for."""
    problem = points[0].problem
    if 4 * min(point.restless.size for point in points) > problem.n_features:
        norms = problem.design.squared_norms(np.column_stack([point.row_curvature for point in points]))
        for point, own in zip(points, np.ascontiguousarray(np.where(norms > 0, norms, 1.0).T), strict=True):
            point.curvature = own
