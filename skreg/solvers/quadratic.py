"""The inner problem of coordinate descent: a penalised quadratic on a Gram matrix.

    minimise over w     0.5 w'Gw - q'w + P(w; alpha)

Compiled coordinate descent (or, where the prox is NumPy only, steps that use it on
all coefficients at once) finds the support; Newton steps on it end the slow tail that correlated
columns make. What Newton needs of the penalty, its curvature at the solution, is
the slope of the prox: no penalty has to say it.
"""

import numpy as np
from scipy.linalg import eigh
from scipy.linalg.lapack import dpotrf, dpotrs

from skreg import _kernels
from skreg._active import ActiveSet
from skreg.solvers.accelerated import accelerated, steps_together

__all__ = ["Quadratic", "solve_along"]

# A support larger than this is left to coordinate descent: factorising it would cost more.
MAX_NEWTON = 4_000

# So many coefficients move at once at most, where the prox is NumPy only and the penalty concave; their moves
# may change each other's by this share.
MOST_TOGETHER = 25
APART = 0.5
BEFORE = np.tril(np.ones((MOST_TOGETHER, MOST_TOGETHER)), -1)

# Moves without a change of the support after which it is taken as known.
SETTLED = 5

# Floating-point operations after which an inner problem is handed back as it is; some seconds.
MAX_WORK = 3e10


class Quadratic:
    """State of one inner problem; `minimise` moves ``coef`` and ``grad`` in place.

    Parameters
    ----------
    gram : ndarray of shape (k, k)
        Hessian, C-ordered.
    coef, grad : ndarray of shape (k,)
        The current point, and ``gram @ coef - q`` there.
    penalty : Penalty
        Separable, restricted to the k coefficients.
    alpha : ndarray of shape (k,)
        Strengths.
    compiled : CompiledProx, optional
        What stands for the prox of the penalty.
    active : ActiveSet, optional
        The one of problems before this, of which this is a continuation: the same Gram matrix, or a larger one. It
        belongs to whichever of them is being solved.
    """

    def __init__(self, gram, coef, grad, penalty, alpha, compiled=None, active=None):
        self.gram, self.coef, self.grad = gram, coef, grad
        self.penalty, self.alpha = penalty, alpha
        diagonal = gram.diagonal()
        self.curvature = np.where(diagonal > 0, diagonal, 1.0)
        self.step = 1.0 / self.curvature
        self.compiled = compiled
        if self.compiled is not None:
            self.active = ActiveSet(MAX_NEWTON) if active is None else active
        self._together = None
        self.work = 0.0

    def minimise(self, tol, max_rounds=100):
        """Until no coefficient violates its fixed point by more than ``tol``.

        The unit is that of ``sqrt(curvature) * move``. Returns whether it got there.
        """
        best, stalled, epochs = np.inf, 0, 10
        # What the active set has left needs no descent before it goes on, also where all that has changed is the
        # curvature of the penalty: then every column of the factor has one to leave and one to enter.
        if self.compiled is None:
            warm = self.penalty.convex and self.coef.any()
        else:
            self._bind()
            warm = self.active.changes() in (0, 2 * np.count_nonzero(self.coef))
        for _ in range(max_rounds):
            if self.work > MAX_WORK:
                return False
            if not warm:
                self.descend(tol, epochs)
                if self.violation() <= tol:
                    return True
            warm = False
            violation = self._compiled_polish(tol) if self.compiled is not None and stalled < 3 else self._polish(tol)
            if violation <= tol:
                return True
            stalled = 0 if violation < 0.9 * best else stalled + 1
            if stalled >= 10:
                return False
            best = min(best, violation)
            # A support that Newton's method could not take as it is needs longer descents.
            epochs = 10 if stalled == 0 or self.compiled is None else min(2 * epochs, 100)
        return False

    def follow(self, strengths, tol, ends):
        """Minimise for one row of ``strengths`` after the other, while the active set alone gets there.

        Solutions go to the rows of ``ends``; returns how many there are.
        """
        if self.compiled is None or not self.penalty.convex or self.work > MAX_WORK:
            return 0
        self._bind()
        done, spent = self.active.follow(strengths, tol, self._budget, ends, np.empty((7, self.coef.size)))
        self.work += spent
        return done

    def _bind(self):
        self.active.bind(self.gram, self.coef, self.grad, self.step, self.alpha, *self.compiled)

    @property
    def _budget(self):
        """So many Newton steps."""
        return 10 * self.coef.size + 100

    def violation(self):
        """Largest scaled move that a proximal step would make."""
        return self._violation_at(self.coef, self.grad)

    def _violation_at(self, coef, grad):
        if self.compiled is not None:
            violations = _kernels.residuals(coef, grad, self.curvature, self.alpha, *self.compiled)
            return float(violations.max(initial=0.0))
        target = self.penalty.prox(coef - self.step * grad, self.step, self.alpha)
        return float(np.max(np.sqrt(self.curvature) * np.abs(target - coef), initial=0.0))

    def objective(self, coef, grad):
        """Value of the quadratic and the penalty (up to a constant)."""
        # 0.5 w'Gw - q'w with q = Gw0 - grad0 needs only the change from the current point.
        move = coef - self.coef
        return 0.5 * move @ (grad + self.grad) + self.penalty.value(coef, self.alpha)

    def descend(self, tol, epochs=20):
        """Coordinate descent, or what stands for it, and nothing else; not much work, whatever it reaches."""
        self.work += 2.0 * epochs * self.coef.size**2
        if self.compiled is not None:
            _kernels.gram_descent(self.gram, self.coef, self.grad, self.step, self.alpha, *self.compiled, tol, epochs)
        elif self.penalty.convex:
            self._accelerate(tol, epochs)
        else:
            self._descend_greedily(tol, epochs)

    def _descend_greedily(self, tol, epochs):
        """Coordinate descent by one prox of all coefficients per move: the largest, and with it those it hardly meets.

        Proximal steps short enough for all coefficients at once would stop at points
        that a concave penalty's coordinate steps leave. When nobody has wanted to jump from zero or to it
        for a while, the support is known and Newton's method is the shorter way.
        """
        root, settled = np.sqrt(self.curvature), 0
        value = self.penalty.value(self.coef, self.alpha)
        for _ in range(epochs * self.coef.size):
            target = self.penalty.prox(self.coef - self.step * self.grad, self.step, self.alpha)
            move = target - self.coef
            sizes = root * np.abs(move)
            together = self._apart(sizes)
            entry = together[0]
            if sizes[entry] <= tol or settled > SETTLED:
                break
            settled = settled + 1 if np.array_equal(target[together] != 0, self.coef[together] != 0) else 0
            if together.size > 1:
                candidate = self.coef.copy()
                candidate[together] = target[together]
                change = self.gram[together].T @ move[together]
                price = self.penalty.value(candidate, self.alpha)
                if move[together] @ (self.grad + 0.5 * change)[together] + price < value:
                    self.coef[:], value = candidate, price
                    self.grad += change
                    continue
            self.grad += self.gram[entry] * move[entry]
            self.coef[entry] = target[entry]
            value = self.penalty.value(self.coef, self.alpha)

    def _apart(self, sizes):
        """Of the largest moves, with scaled ``sizes``, those that the larger ones hardly change; the largest comes first."""
        few = min(MOST_TOGETHER, sizes.size)
        largest = np.argpartition(sizes, -few)[-few:]
        largest = largest[np.argsort(-sizes[largest])]
        own, root = sizes[largest], np.sqrt(self.step[largest])
        meeting = np.abs(self.gram[largest[:, None], largest]) * BEFORE[:few, :few]
        return largest[root * (meeting @ (root * own)) <= APART * own]

    def _accelerate(self, tol, n_iter):
        """Proximal gradient in the metric of the diagonal, with momentum and restarts."""
        if self._together is None:
            self._together = steps_together(self.gram, self.step)

        def small(move):
            return np.max(np.sqrt(self.curvature) * np.abs(move), initial=0.0) <= 0.1 * tol

        self.coef[:], self.grad[:] = accelerated(self, self._together, n_iter, small)

    def _compiled_polish(self, tol):
        """The active set in C; what it cannot do (kinks elsewhere than at zero, say) is left to the text below."""
        changes = self._prepare()
        if changes < 0:
            return self.violation()
        before, price = (self.coef.copy(), self.grad.copy()), self.penalty.value(self.coef, self.alpha)
        violation, spent = self.active.solve(tol, self._budget, *np.empty((3, self.coef.size)))
        self.work += spent
        rise = 0.5 * (self.coef - before[0]) @ (self.grad + before[1])
        rise += self.penalty.value(self.coef, self.alpha) - price
        # More columns than rows and nothing that holds them: the way may lead anywhere.
        if not rise <= 1e-12 * abs(price):
            self.coef[:], self.grad[:] = before
            violation = np.inf
        return violation if np.isfinite(violation) else self.violation()

    def _prepare(self):
        """Factorise the support anew where that is less work than bringing the old factor up to date."""
        changes, support = self.active.changes(), (self.coef != 0).nonzero()[0]
        if changes > max(10, support.size // 4):
            self.active.reset()
            system = self.active.system(support)
            diagonal = system.diagonal().copy()
            # LAPACK need not copy the transpose.
            factor, info = dpotrf(system.T, lower=1, overwrite_a=1, clean=0)
            # Where columns depend on each other the active set takes them one by one.
            if info == 0 and (factor.diagonal() ** 2 / diagonal).min() > 1e-9:
                self.active.load(support, np.ascontiguousarray(factor.T))
            self.work += support.size**3 / 3.0
        return changes

    def _polish(self, tol):
        """Newton steps on the support, an active-set method; returns the violation reached.

        Where the prox moves with its argument the penalty is smooth, and its
        curvature follows from the slope of the prox. Coefficients that arrive at
        zero leave; when the support is solved, the worst violators enter.
        """
        active = self.coef != 0
        for _ in range(3 * active.size + 10):
            if self.work > MAX_WORK:
                break
            point = self.coef - self.step * self.grad
            target = self.penalty.prox(point, self.step, self.alpha)
            violations = np.sqrt(self.curvature) * np.abs(target - self.coef)
            worst = float(np.max(violations, initial=0.0))
            if worst <= tol:
                break
            outside = np.where(active, 0.0, violations)
            if np.max(violations[active], initial=0.0) <= max(0.01 * worst, 0.1 * tol):
                few = 1 + np.count_nonzero(active) // 10
                entering = np.argsort(outside)[-few:]
                active[entering[outside[entering] > 0]] = True
            pull = (point - target) / self.step
            slope, curvature = self._penalty_curvature(target, pull)
            moving = np.flatnonzero(active & (slope > 1e-6))
            if not 0 < moving.size <= MAX_NEWTON or not self._newton(moving, target, pull, curvature):
                break
            active &= self.coef != 0
        return self.violation()

    def _newton(self, moving, target, pull, curvature):
        """One step for the coefficients in ``moving``; tells whether it helped."""
        coef, own = self.coef[moving], curvature[moving]
        system = self.gram[moving[:, None], moving]
        wanted = -(self.grad[moving] + pull[moving] + own * (coef - target[moving]))
        self.work += moving.size**3 / 3.0
        move = _solve(system, own, self.curvature[moving], wanted)
        if move is None and not self.penalty.convex:
            # A saddle, to which coordinate descent would come back for long.
            move = _off_saddle(system, own, coef, wanted)
        if move is None:
            return False
        value = self.objective(self.coef, self.grad)
        side = np.where(coef != 0, coef, target[moving])
        for size in _sizes(coef, move, side):
            moved = coef + size * move
            # Beyond zero the penalty is another one: who crosses stops there.
            moved[np.sign(moved) * side < 0] = 0.0
            candidate = self.coef.copy()
            candidate[moving] = moved
            if not np.isfinite(self.penalty.value(candidate, self.alpha)):
                # Steps of no length lead to the nearest point that is allowed.
                candidate = self.penalty.prox(candidate, 1e-15 * self.step, self.alpha)
            candidate_grad = self.grad + self._product(candidate - self.coef)
            decrease = value - self.objective(candidate, candidate_grad)
            noise = 1e-15 * abs(value)
            better = decrease > noise
            if not better and decrease >= -noise:
                # Too close for the objective to tell: the violation can.
                better = self._violation_at(candidate, candidate_grad) < 0.5 * self.violation()
            if better:
                self.coef[:], self.grad[:] = candidate, candidate_grad
                return True
        return False

    def _product(self, move):
        """Of the Gram matrix and a move, few of whose entries are not zero."""
        moved = np.flatnonzero(move)
        self.work += 2.0 * moved.size * move.size
        return self.gram @ move if 2 * moved.size > move.size else self.gram[moved].T @ move[moved]

    def _penalty_curvature(self, target, pull):
        """Slope of the prox, and second derivative of the penalty, at a result of the prox.

        ``prox(u + s * v, s) = u`` for every step s when v is a subgradient of a convex
        penalty at u. A step of the size ``|u| / |v|`` shows curvatures that the
        steps of the descent are too short to see.
        """
        step = self.step
        if self.penalty.convex:
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                longer = np.abs(target) / np.abs(pull)
            step = np.where(np.isfinite(longer) & (longer > step), longer, step)
        point = target + step * pull
        width = 1e-5 * np.abs(point) + 1e-300
        above = self.penalty.prox(point + width, step, self.alpha)
        below = self.penalty.prox(point - width, step, self.alpha)
        slope = (above - below) / ((point + width) - (point - width))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            curvature = np.where(slope > 1e-6, (1.0 / slope - 1.0) / step, 0.0)
        # Differences of rounded numbers; what they cannot tell from 0 is 0.
        return slope, np.where(np.abs(curvature) * step < 1e-9, 0.0, curvature)


def solve_along(inner, strengths, tol):
    """Solutions of an inner problem at one row of ``strengths`` after the other, each as near as it gets to ``tol``.

    Parameters
    ----------
    inner : Quadratic
        Or what has its ``follow``, ``minimise``, ``coef`` and ``alpha``.
    strengths : ndarray of shape (n_alphas, k)
    tol : float

    Returns
    -------
    ndarray of shape (n_alphas, k)
        Coefficients.
    """
    ends, done = np.empty_like(strengths), 0
    while done < len(ends):
        done += inner.follow(strengths[done:], tol, ends[done:])
        if done < len(ends):
            inner.alpha[:] = strengths[done]
            inner.minimise(tol)
            ends[done] = inner.coef
            done += 1
    return ends


def _solve(gram, added, size, wanted):
    """Solve ``(gram + diag(added)) x = wanted``, or None if it is not positive definite.

    A trace of ``size`` more keeps duplicate columns from ending the factorisation.
    """
    for trace in (1e-14, 1e-11):
        system = gram.copy()
        system.ravel()[:: len(system) + 1] += added + trace * size
        # Symmetric, so that its transpose, which LAPACK need not copy, is itself.
        factor, info = dpotrf(system.T, lower=1, overwrite_a=1, clean=0)
        if info == 0:
            return dpotrs(factor, wanted, lower=1)[0]
    return None


def _off_saddle(gram, added, coef, wanted):
    """The direction in which ``gram + diag(added)`` curves down most, as far as the last coefficient that it takes to zero.

    None if it curves down in none.
    """
    lowest, direction = eigh(gram + np.diag(added), subset_by_index=[0, 0], check_finite=False)
    if not lowest[0] < 0:
        return None
    direction = direction[:, 0] * (1.0 if direction[:, 0] @ wanted >= 0 else -1.0)
    shrinking = direction * coef < 0
    if not np.any(shrinking):
        return direction * np.max(np.abs(coef))
    return direction * np.max(-coef[shrinking] / direction[shrinking]) * (1.0 + 1e-12)


def _sizes(coef, move, side):
    """The full step, then those at which fewer and fewer coefficients have reached zero."""
    yield 1.0
    crossing = (side * (coef + move) < 0) & (coef != 0)
    arrivals = np.sort(-coef[crossing] / move[crossing])
    rank = arrivals.size
    while rank:
        # A hair beyond it, so that the one that arrives does arrive.
        yield arrivals[rank - 1] * (1.0 + 1e-12)
        rank //= 2
