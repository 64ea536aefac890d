"""A penalty made ready to be checked: bound, with points to try it at and competitors for its prox."""

import functools
import itertools
from typing import NamedTuple

import numpy as np

from skreg.penalties import Penalty, get_penalty
from skreg.testing._common import explained, message

ALPHAS = (0.0, 1e-3, 0.1, 1.0, 7.0)
STEPS = (1e-3, 0.03, 0.3, 1.0, 3.0, 10.0, 30.0, 1e3)
N_OUTPUTS = 3

# A competitor must be better by more than this share of the objective: a prox may be found iteratively.
RELATIVE = 1e-8


class Point(NamedTuple):
    """Where a prox is tried; ``step`` and ``alpha`` are floats, or arrays for separable penalties."""

    coef: np.ndarray
    step: float
    alpha: float

    def at(self, index):
        """The same point seen by one coefficient."""
        pick = [np.broadcast_to(item, self.coef.shape)[index] for item in self[1:]]
        return Point(self.coef[index], *map(float, pick))


class Case:
    """A bound penalty, its number of features and a stream of random numbers.

    `value` and `prox` hand out copies, so that a method that writes to its input
    is caught by the check made for that, and by no other.
    """

    def __init__(self, penalty, n_features, random_state):
        self.original = get_penalty(penalty)
        self._assert_complete()
        self.n_features = find_n_features(self.original) if n_features is None else n_features
        self.penalty = self.original.bind(self.n_features)
        self.rng = np.random.default_rng(random_state)
        self.separable, self.convex = self.penalty.separable, self.penalty.convex
        self.shape = (self.n_features, N_OUTPUTS) if self.penalty.joint_outputs else (self.n_features,)

    def _assert_complete(self):
        missing = [name for name in dir(Penalty) if not name.startswith("_") and not hasattr(self.original, name)]
        if missing:
            hint = "the class does not inherit from skreg.Penalty, which brings working defaults."
            self.fail("parts of a penalty are missing.", hint, missing=missing)

    def value(self, coef, alpha):
        return self.penalty.value(np.array(coef), _copy(alpha))

    def prox(self, point):
        coef, step, alpha = point
        return np.asarray(self.penalty.prox(np.array(coef), _copy(step), _copy(alpha)))

    def fail(self, broken, usual_cause, **details):
        raise AssertionError(message(self.original, broken, details, usual_cause))

    # -- points ---------------------------------------------------------------

    def normal(self, scale=1.0):
        return scale * self.rng.standard_normal(self.shape)

    def points(self, every=1, arrays=True):
        """Points where each branch of a prox is met; only each ``every``-th one, if so many are not needed."""
        points = [
            Point(coef, step, alpha)
            for alpha, step in itertools.product(ALPHAS, STEPS)
            for coef in self._coefs(step, alpha)
        ]
        if arrays and self.separable:
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
        """Points with one step and one alpha per coefficient, some alphas zero (not penalised)."""
        return [self._array_point() for _ in range(count)]

    def _array_point(self):
        step = 10.0 ** self.rng.uniform(-3, 2, self.shape)
        alpha = self.rng.choice(ALPHAS, self.shape) * self.rng.choice([0.5, 1.0, 2.0])
        reach = np.maximum(alpha, 0.1) * self.rng.choice([1.0, np.maximum(step, 1.0).max()])
        return Point(self.rng.uniform(-5, 5, self.shape) * reach, step, alpha)

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
            for entry in (0.0, coef[index], -coef[index], near):
                rival = answer.copy()
                rival[index] = entry
                yield rival
        step, alpha = point[1:]
        for other in ((coef, 10 * step, alpha), (coef, 0.1 * step, alpha), (coef, step, 2 * alpha), (-coef, step, alpha)):
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


def penalty_check(body):
    """Decorator: make ``body(case)`` a check ``(penalty, n_features=None, random_state=0)``."""

    @functools.wraps(body)
    def check(penalty, n_features=None, random_state=0):
        with explained(body.__name__, penalty):
            body(Case(penalty, n_features, random_state))

    return check


def find_n_features(penalty):
    """A number of features the penalty can take: groups, bounds and the like may fix it."""
    sizes = (6, 5, 4, 3, 2, *range(7, 65), 1)
    return next((size for size in sizes if _fits(penalty, size)), sizes[0])


def _fits(penalty, n_features):
    try:
        bound = penalty.bind(n_features)
        shape = (n_features, N_OUTPUTS) if bound.joint_outputs else (n_features,)
        bound.value(np.zeros(shape), 1.0)
        return bound.prox(np.zeros(shape), 1.0, 1.0).shape == shape
    except Exception:
        return False


def _copy(number):
    return number.copy() if isinstance(number, np.ndarray) else number
