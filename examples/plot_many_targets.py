r"""
Many targets: the same features, or the same directions
=======================================================

With many targets the weights are a matrix, a row for each target. Fitting each target by itself ignores that they
are related. Two penalties see the matrix as a whole: :class:`skreg.L21` lets a feature in **for all targets or
none**, and :class:`skreg.NuclearNorm` lets the targets depend on **a few combinations** of the features.

The task: see the upper half of a digit, and draw the lower half. That is 32 targets from 32 features.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from skreg import PenalizedRegression

pixels = load_digits().images / 16
upper, lower = pixels[:, :4].reshape(-1, 32), pixels[:, 4:].reshape(-1, 32)
train, test = slice(0, 600), slice(600, None)

# %%
# A few alphas for each penalty, judged on digits that the fit has not seen: the share of their variance that is explained.


def explained(model):
    """Over all pixels together; a pixel at the border, which is nearly always white, hardly counts."""
    return 1 - np.sum((lower[test] - model.predict(upper[test])) ** 2) / np.sum(
        (lower[test] - lower[test].mean(axis=0)) ** 2
    )


best = {}
for name in ["l1", "l21", "nuclear"]:
    fits = [
        PenalizedRegression(name, alpha=alpha).fit(upper[train], lower[train])
        for alpha in [0.003, 0.01, 0.03]
    ]
    assert all(fit.optimality_.converged for fit in fits)
    best[name] = max(fits, key=explained)
    weights = best[name].coef_
    print(
        f"{name:<8} alpha {best[name].alpha:.3f}, explains {explained(best[name]):.1%},"
        f" {np.any(weights != 0, axis=0).sum()} of 32 features,"
        f" rank {np.linalg.matrix_rank(weights, tol=1e-6)}"
    )

# %%
# The upper row is the truth, the others are upper halves with the lower half drawn by the model.

chosen = [test.start + k for k in range(7)]
fig, axes = plt.subplots(4, len(chosen), figsize=(9, 5.4))
for column, k in zip(axes.T, chosen, strict=True):
    column[0].imshow(pixels[k], cmap="gray_r", vmin=0, vmax=1)
    for ax, model in zip(column[1:], best.values(), strict=True):
        drawn = model.predict(upper[k : k + 1]).reshape(4, 8)
        ax.imshow(np.vstack([pixels[k][:4], drawn]), cmap="gray_r", vmin=0, vmax=1)
        ax.axhline(3.5, color="C1", lw=1)
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
    ax.grid(visible=False)
for ax, name in zip(axes[:, 0], ["truth", *best], strict=True):
    ax.set_ylabel(name)
plt.show()

# %%
# The three draw nearly the same. What differs is what they tell: under L21 a part of the pixels is never looked at,
# under the nuclear norm a few strokes, fewer than pixels, are enough for all 32 targets.
