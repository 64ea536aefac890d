"""A loss made ready to be checked: with targets that it accepts, and linear predictors to try it at."""

import numpy as np

from skreg.losses import get_loss
from skreg.testing import _common

SCALES = (0.1, 1.0, 5.0, 30.0)
N_CLASSES = 3


class Case:
    """A loss, targets that it accepts, and a stream of random numbers."""

    def __init__(self, loss, y=None, random_state=0):
        self.loss = get_loss(loss)
        self.rng = np.random.default_rng(random_state)
        self.y = find_target(self.loss, self.rng) if y is None else np.asarray(y, dtype=float)
        self.loss.check_target(self.y)
        self.n_samples = len(self.y)

    def normal(self, scale=1.0):
        return scale * self.rng.standard_normal(self.y.shape)

    def etas(self):
        """Linear predictors, small and large."""
        return [self.normal(scale) for scale in SCALES for _ in range(3)]

    def call(self, method, eta, *more):
        """Call a method with copies, so that one that writes to its input is caught by the check for that alone."""
        return getattr(self.loss, method)(self.y.copy(), eta.copy(), *(item.copy() for item in more))

    def more(self, method):
        return (self.normal(),) if method == "hessian_product" else ()

    def fail(self, broken, usual_cause, row=None, **details):
        if row is not None:
            details = {"row": row, "y": self.y[row]} | {name: _row(item, row) for name, item in details.items()}
        raise AssertionError(_common.message(self.loss, broken, details, usual_cause))

    def assert_close(self, got, want, tolerance, broken, usual_cause, **details):
        """Fail at the row where ``got`` and ``want`` are furthest apart, if they are not equal within ``tolerance``."""
        with np.errstate(invalid="ignore"):
            excess = np.where(got == want, -1.0, np.abs(got - want) - tolerance)
        excess = np.where(np.isnan(excess), np.inf, excess)
        if excess.max() > 0:
            row = int(np.unravel_index(excess.argmax(), excess.shape)[0])
            self.fail(broken, usual_cause, row=row, **details, found=got, expected=want, off_by=np.abs(got - want))


def _row(item, row):
    return np.asarray(item)[row] if np.ndim(item) else item


def find_target(loss, rng, n_samples=40):
    """Targets that ``loss.check_target`` accepts, the most general first."""
    counts = rng.permutation(np.arange(n_samples) % 5).astype(float)
    binary = rng.permutation(np.arange(n_samples) % 2).astype(float)
    one_hot = np.eye(N_CLASSES)[rng.permutation(np.arange(n_samples) % N_CLASSES)]
    real = rng.normal(scale=3.0, size=n_samples)
    flat = [real, np.exp(0.3 * real), counts, binary, 2 * binary - 1]
    for y in [one_hot, np.column_stack([real, counts])] if loss.coupled_outputs else flat:
        try:
            loss.check_target(y)
        except ValueError:
            continue
        return y
    raise ValueError(f"{loss!r} refuses every target that was tried; give some it accepts: check_loss(loss, y=...).")


def loss_check(skips=None):
    """Decorator: make ``body(case)`` a check of a loss; ``skips(case)`` gives a reason not to run it, or None."""
    return lambda body: _common.make_check(body, skips, Case)
