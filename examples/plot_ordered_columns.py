r"""
Columns with an order
=====================

Ages, doses, wavelengths, hours of the day: neighbouring columns should have similar weights. A penalty can say
so, and what it says decides the shape of the curve: steps, lines, or anything that only rises.

Here is the body mass of 442 patients, cut into 24 classes with a column of zeros and ones for each. Without a
penalty the weight of a class is the mean of its eighteen patients, noise included.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV

from skreg import FusedLasso, GeneralizedRidge, Monotone, PenalizedRegression, TrendFilter

data = load_diabetes(scaled=False)
mass, y = data.data[:, 2], data.target
edges = np.quantile(mass, np.linspace(0, 1, 25))
X = np.eye(24)[np.searchsorted(edges[1:-1], mass)]

bends = np.diff(np.eye(24), n=2, axis=0)
penalties = {
    "fused lasso: steps": FusedLasso(l1_ratio=0.0),
    "trend filter: lines with bends": TrendFilter(order=1),
    "generalised ridge: a smooth curve": GeneralizedRidge(bends.T @ bends),
    "monotone: anything that rises": Monotone(),
}

# %%
# :class:`skreg.FusedLasso` charges the jumps between neighbours, :class:`skreg.TrendFilter` the bends, both as L1
# does: most are exactly zero. :class:`skreg.GeneralizedRidge` charges the squares of the bends. These three have an
# alpha, which cross-validation chooses. :class:`skreg.Monotone` is a constraint: there is nothing to choose.

alphas = np.logspace(-1, 3, 17)
fig, axes = plt.subplots(2, 2, figsize=(12, 7.5), sharex=True, sharey=True)
middles = [np.median(mass[X[:, k] == 1]) for k in range(24)]
means = (X.T @ y) / X.sum(axis=0)
for ax, (title, penalty) in zip(axes.flat, penalties.items(), strict=True):
    grid = {"alpha": alphas if not isinstance(penalty, Monotone) else [1.0]}
    model = PenalizedRegression(penalty, fit_intercept=False)
    search = GridSearchCV(model, grid, cv=5).fit(X, y)
    weights = search.best_estimator_.coef_
    ax.plot(middles, means, "o", color="0.6", ms=5, label="mean of a class")
    ax.plot(
        middles,
        weights,
        color="C0",
        lw=2.5,
        drawstyle="steps-mid" if "steps" in title else "default",
    )
    ax.set_title(title)
    print(f"{title:<34} R² on left-out folds {search.best_score_:.3f}")
    assert search.best_estimator_.optimality_.converged
for ax in axes[1]:
    ax.set_xlabel("body mass index")
for ax in axes[:, 0]:
    ax.set_ylabel("progression of diabetes")
axes[0, 0].legend(loc="upper left")
plt.show()

# %%
# Four beliefs, four curves, about equally good on left-out patients: the data cannot tell steps from lines. Choose
# the belief that you hold. Other columns can stand beside these: :class:`skreg.ByColumn` gives each set its own price.
