"""A penalty made ready to be checked: bound, with points to try it at and competitors for its prox."""

import copy
import itertools
from typing import NamedTuple

import numpy as np

from skreg.penalties import get_penalty
from skreg.penalties.sizes import accepted_size
from skreg.testing._common import make_check, message

ALPHAS = (0.0, 1e-3, 0.1, 1.0, 7.0)
STEPS = (1e-3, 0.03, 0.3, 1.0, 3.0, 10.0, 30.0, 1e3)
N_OUTPUTS = 3

# A competitor must be better by more than this share of the objective: a prox may be found iteratively.
RELATIVE = 1e-8


class Point(NamedTuple):
    """Where a prox is tried; ``step`` and ``alpha`` are floats, or arrays for separable penalties and those with blocks."""

    coef: np.ndarray
    step: float
    alpha: float

    def at(self, index):
        """The same point seen by one coefficient."""
        pick = [np.broadcast_to(item, self.coef.shape)[index] for item in self[1:]]
        return Point(self.coef[index], *map(float, pick))


class Case:
    """A bound copy of a penalty, its number of features and a stream of random numbers.

    Nothing is ever called on the penalty as it was given, which stays what it was.
    `value` and `prox` hand out copies, so that a method that writes to its input
    is caught by the check made for that, and by no other.
    """

    def __init__(self, penalty, n_features=None, random_state=0):
        self.given = get_penalty(penalty)
        self.n_features = find_n_features(self.given) if n_features is None else n_features
        self.penalty = copy.deepcopy(self.given).bind(self.n_features)
        if self.penalty is None:
            self.fail("bind does not return a penalty.", "`return self` is missing.")
        self.rng = np.random.default_rng(random_state)
        self.separable, self.convex = self.penalty.separable, self.penalty.convex
        self.shape = (self.n_features, N_OUTPUTS) if self.penalty.joint_outputs else (self.n_features,)

        self.arrays = self.separable or self.penalty.blocks() is not None
        # What may have a number of its own: each coefficient, or each block of features.
        self._number_of_block = np.arange(self.n_features)
        if self.arrays and not self.separable:
            labels = np.asarray(self.penalty.blocks())
            if labels.shape == (self.n_features,):
                self._number_of_block = np.unique(labels, return_inverse=True)[1]

    def value(self, coef, alpha):
        return self.penalty.value(np.array(coef), _copy(alpha))

    def prox(self, point):
        coef, step, alpha = point
        return np.asarray(self.penalty.prox(np.array(coef), _copy(step), _copy(alpha)))

    def fail(self, broken, usual_cause, point=None, **details):
        if point is not None:
            details = point._asdict() | details
        raise AssertionError(message(self.given, broken, details, usual_cause))

    # -- points ---------------------------------------------------------------

    def normal(self, scale=1.0):
        return scale * self.rng.standard_normal(self.shape)

    def points(self, every=1, arrays=True):
        """Points where each branch of a prox is met; only each ``every``-th one (an odd number), if few will do."""
        points = [
            Point(coef, step, alpha)
            for alpha, step in itertools.product(ALPHAS, STEPS)
            for coef in self._coefs(step, alpha)
        ]
        if arrays and self.arrays:
            points += self.array_points(40)
        return points[::every]

    def _coefs(self, step, alpha):
        uniform = self.rng.uniform
        yield self.normal(10.0 ** uniform(-3, 3))
        # Thresholds of a prox grow like step * alpha, its knots like alpha.
        yield uniform(-4, 4, self.shape) * (alpha or 1.0) * max(1.0, step)
        yield uniform(-6, 6, self.shape) * (alpha or 1.0)
        # Zeros and ties, which sorting and division do not like.
        yield self.rng.integers(-3, 4, self.shape) * (alpha or 1.0)

    def array_points(self, count):
        """Points with one step and one alpha per coefficient, or block of them; some alphas zero (not penalised)."""
        return [self._array_point() for _ in range(count)]

    def _array_point(self):
        number = self._number_of_block
        step = (10.0 ** self.rng.uniform(-3, 2, self.shape))[number]
        alpha = (self.rng.choice(ALPHAS, self.shape) * self.rng.choice([0.5, 1.0, 2.0]))[number]
        if self.penalty.joint_outputs and not self.separable:
            step, alpha = step[:, :1], alpha[:, :1]
        reach = np.maximum(alpha, 0.1) * self.rng.choice([1.0, np.maximum(step, 1.0).max()])
        return Point(self.rng.uniform(-5, 5, self.shape) * reach, step, alpha)

    def strengths(self):
        """Alphas: scalars, and arrays where they are allowed."""
        yield from ALPHAS
        if self.arrays:
            yield from (point.alpha for point in self.array_points(5))

    def index(self):
        """A random position in the coefficients."""
        return tuple(int(self.rng.integers(size)) for size in self.shape)

    # -- the objective of a prox ----------------------------------------------

    def objective(self, coef, point):
        """What ``prox`` minimises, and the size of its terms, which bounds the rounding error."""
        price = self.value(coef, point.alpha)
        distance = 0.5 * float(np.sum((coef - point.coef) ** 2 / point.step))
        return price + distance, abs(price) + distance

    def slack(self, point, *sizes):
        """How far two objectives may differ by rounding: a share of their terms, or coefficients off by 1e-8."""
        terms = sum(size for size in sizes if np.isfinite(size))
        return RELATIVE * terms + 1e-16 * float(np.sum(point.coef**2 / point.step))

    def rivals(self, point, answer):
        """Competitors of ``answer`` near and far; some of them satisfy whatever constraint there is."""
        coef = point.coef
        yield from (0 * coef, coef, -coef, np.abs(coef), -np.abs(coef), 0.5 * coef, 2 * coef, -answer, 0.5 * answer)
        yield np.full_like(coef, coef.mean())
        size = np.abs(coef) + np.abs(answer) + point.alpha
        for scale in (1e-5, 1e-2, 1.0):
            yield answer + self.normal(scale) * size
        for index in np.ndindex(*self.shape):
            near = answer[index] + size[index] * self.rng.choice([-1e-3, 1e-3])
            for entry in (0.0, coef[index], near):
                rival = answer.copy()
                rival[index] = entry
                yield rival
        step, alpha = point[1:]
        others = (coef, 10 * step, alpha), (coef, 0.1 * step, alpha), (coef, step, 2 * alpha), (-coef, step, alpha)
        for other in others:
            feasible = self.prox(Point(*other))
            yield feasible
            yield 0.5 * (feasible + answer)

    # -- one coefficient, one group of features -------------------------------

    def restricted(self, features):
        """The penalty on some features only."""
        part = self.penalty.restrict(np.asarray(features))
        if part is None:
            self.fail("restrict returns None.", "a return is missing.", features=features)
        return part


def penalty_check(skips=None):
    """Decorator: make ``body(case)`` a check of a penalty; ``skips(case)`` gives a reason not to run it, or None."""
    return lambda body: make_check(body, skips, Case)


def not_separable(case):
    """Reason to skip what only separable penalties promise."""
    return None if case.separable else "It does not declare separable = True."


def not_scalar(case):
    """Reason to skip what needs one coefficient at a time."""
    scalar = case.separable and not case.penalty.joint_outputs
    return None if scalar else "It is for penalties that act on one coefficient at a time (separable = True)."


def find_n_features(penalty):
    """A number of features that the penalty accepts: groups, bounds and the like may fix it."""
    return accepted_size(penalty, N_OUTPUTS)


def _copy(number):
    return number.copy() if isinstance(number, np.ndarray) else number
