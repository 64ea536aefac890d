r"""
The geometry: where L1 finds its zeros
======================================

Why does L1 give weights that are exactly zero, and L2 not? With two weights one can see it. The
solution lies where a level line of the loss touches a level line of the penalty. The level lines
of L2 are round. Those of L1 have corners, and the corners lie on the axes, where a weight is
zero.
"""

# %%
# Two columns of the diabetes data, body mass and age. Both lines of each picture are computed from
# the two terms of the objective.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale

from skreg import L1, L2, PenalizedRegression

X, y = load_diabetes(return_X_y=True)
X, y = scale(X[:, [2, 0]]), scale(y)
grid = np.meshgrid(np.linspace(-0.55, 0.85, 141), np.linspace(-0.6, 0.6, 121))
points = np.stack(grid, axis=-1)
loss = 0.5 * np.mean((y - points @ X.T) ** 2, axis=-1)
free = PenalizedRegression(None).fit(X, y).coef_

fig, axes = plt.subplots(1, 2, figsize=(12, 6), sharey=True)
for ax, penalty, alpha in zip(axes, [L2(), L1()], [0.8, 0.25], strict=True):
    model = PenalizedRegression(penalty, alpha=alpha, tol=1e-12).fit(X, y)
    price = np.apply_along_axis(penalty.value, -1, points, alpha)
    touching = model.objective(X, y)
    levels = touching.loss + np.array([0, 0.03, 0.08, 0.15])
    ax.contour(*grid, loss, levels=levels, colors="C0", linewidths=[2.6, 1, 1, 1])
    ax.contour(*grid, price, levels=[touching.penalty], colors="C1", linewidths=2.6)
    ax.contourf(*grid, price, levels=[-1, touching.penalty], colors=["C1"], alpha=0.15)
    ax.plot(*free, "o", color="C0", ms=9)
    ax.annotate("lowest loss", free, (0, 15), textcoords="offset points", ha="center", color="C0",
                backgroundcolor="white", zorder=3)  # fmt: skip
    ax.plot(*model.coef_, "o", color="k", ms=9, zorder=4)
    text = f"solution ({model.coef_[0]:.2f}, {model.coef_[1]:.2f})"
    ax.annotate(text, model.coef_, (0.2, -0.52), arrowprops={"arrowstyle": "-"}, ha="center")
    ax.axhline(0, color="0.4", lw=0.8)
    ax.axvline(0, color="0.4", lw=0.8)
    ax.set(xlabel="weight of body mass", title=f"{type(penalty).__name__}, alpha = {alpha}")
    ax.set_aspect("equal")
axes[0].set_ylabel("weight of age")
plt.show()

# %%
# Blue: level lines of the loss. Orange: all weights with the price of the solution. They touch,
# because at any other point of the orange line the loss is higher.
#
# One caution about this popular picture. No solver walks along the orange line. What training
# minimises is the *sum*, and its lowest point moves from the blue dot towards zero while alpha
# grows (see :doc:`/understand/why_add`). The picture shows where it comes to rest.

assert model.coef_[1] == 0
