r"""
A loss of your own, for wild targets
====================================

The squared loss believes every target: one that is ten times too large pulls ten times as hard. A loss is three
pointwise methods, and with your own you decide how much an error may pull. Any penalty goes with it.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale

from skreg import Loss, PenalizedRegression
from skreg.losses import get_loss, loss_names
from skreg.testing import check_loss


class Huber(Loss):
    """Squared up to ``width``, linear beyond: no target pulls with more than ``width``."""

    def __init__(self, width=1.0):
        self.width = width

    def value(self, y, eta):
        error = np.abs(y - eta)
        return np.where(error < self.width, error**2 / 2, self.width * (error - self.width / 2))

    def gradient(self, y, eta):
        return np.clip(eta - y, -self.width, self.width)

    def curvature(self, y, eta):
        return (np.abs(eta - y) < self.width).astype(float)


results = check_loss(Huber(0.5))
print({status: sum(r["status"] == status for r in results) for status in ["passed", "failed"]})

# %%
# Body mass and progression of diabetes. In every twentieth patient somebody typed a zero too many.

X, y = load_diabetes(return_X_y=True)
mass, y = scale(X[:, [2]]), y / y.std()
typed = y.copy()
typed[::20] *= 10

fig, (left, right) = plt.subplots(1, 2, figsize=(12, 5))
errors = np.linspace(-4, 4, 200)
grid = np.linspace(-2.5, 4, 2)[:, None]
right.plot(mass, typed, ".", color="0.6", label="patients, as typed")
for k, loss in enumerate([get_loss("squared"), Huber(0.5)]):
    name = type(loss).__name__
    left.plot(errors, loss.gradient(np.zeros(200), errors), f"C{k}", label=name)
    model = PenalizedRegression("l2", alpha=0.01, loss=loss).fit(mass, typed)
    assert model.optimality_.converged
    right.plot(
        grid, model.predict(grid), f"C{k}", lw=3, label=f"{name}: weight {model.coef_[0]:.2f}"
    )
truth = PenalizedRegression("l2", alpha=0.01).fit(mass, y)
right.plot(
    grid, truth.predict(grid), "k--", label=f"without the mistakes: weight {truth.coef_[0]:.2f}"
)
left.set(
    xlabel="error of the prediction",
    ylabel="pull on the prediction",
    title="How hard an error pulls",
)
right.set(xlabel="body mass", ylabel="progression", ylim=(-0.5, 9), title="The line that comes out")
left.legend()
right.legend(loc="upper left", frameon=True)
plt.show()

# %%
# :class:`skreg.Squared`, :class:`skreg.Logistic` and :class:`skreg.Softmax` are written the same way. Losses with a
# name can be given by it; :func:`skreg.losses.get_loss` finds the object and :func:`skreg.losses.loss_names` lists them. In
# a test suite :func:`skreg.testing.parametrize_loss_checks` runs the checks one by one.

print(loss_names())
