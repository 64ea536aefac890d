r"""
How a penalty shrinks the weights
=================================

How can one added number, :math:`P(w; \alpha)`, act on the weight of one particular feature?

Through its slope. Training stops where no small change of any weight lowers the sum of loss and
penalty, that is, where two pulls on each weight cancel: the data pull it to where the loss is
low, and the penalty pulls it towards zero. This page shows the two pulls at work on real data,
for L2 and for L1, with :class:`skreg.PenalizedRegression`.
"""

# %%
# All weights, for every alpha
# ----------------------------
#
# Ten measurements predict how diabetes progresses within a year. They are scaled, so that
# weights can be compared.

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale

from skreg import PenalizedRegression, alpha_max

data = load_diabetes(scaled=False)
X, y = scale(data.data), data.target
names = [
    "age",
    "sex",
    "body mass",
    "blood pressure",
    "cholesterol",
    "LDL",
    "HDL",
    "chol./HDL",
    "triglycerides",
    "glucose",
]

alphas = {
    "l2": np.logspace(-3, 2.5, 60),
    "l1": np.logspace(-2.5, np.log10(alpha_max(X, y, penalty="l1")) + 0.2, 60),
}
weights = {
    penalty: np.array([PenalizedRegression(penalty, alpha=alpha).fit(X, y).coef_ for alpha in grid])
    for penalty, grid in alphas.items()
}

# %%
# The names stand where the lines begin; a little room is made where they would overlap.

import matplotlib.pyplot as plt


def spread(heights, gap):
    """Move heights apart, upwards, until neighbours differ by ``gap``."""
    order = np.argsort(heights)
    moved = heights.astype(float)
    for below, above in zip(order[:-1], order[1:], strict=True):
        moved[above] = max(moved[above], moved[below] + gap)
    return moved


strongest = np.argsort(-np.abs(weights["l1"][0]))[:7]
fig, axes = plt.subplots(1, 2, figsize=(12, 5.6), sharey=True)
for ax, (penalty, path) in zip(axes, weights.items(), strict=True):
    grid = alphas[penalty]
    ax.plot(grid, path, color="0.75", lw=1.2)
    labels = spread(path[0, strongest], gap=4.2)
    for color, (feature, height) in enumerate(zip(strongest, labels, strict=True)):
        ax.plot(grid, path[:, feature], color=f"C{color}")
        ax.text(grid[0] / 1.25, height, names[feature], color=f"C{color}", ha="right", va="center")
    ax.axhline(0, color="0.4", lw=0.8)
    ax.set(
        xscale="log", xlim=(grid[0] / 100, grid[-1]), xlabel="alpha (lambda)", title=penalty.upper()
    )
    ax.set_xticks([tick for tick in 10.0 ** np.arange(-3, 3) if grid[0] <= tick <= grid[-1]])
    ax.minorticks_off()
axes[0].set_ylabel("weight")
plt.show()

# %%
# Under **L2** all weights melt away together, and none is ever exactly zero. Under **L1** they
# reach zero one after the other, and at ``alpha_max`` the last one goes. On the way, a weight
# may grow or even change its sign, when another one that told the same story leaves:
# cholesterol, LDL and HDL say nearly the same, and share the work anew at each alpha.
#
# The balance of the pulls
# ------------------------
#
# Stop at one alpha and look at each weight. The pull of the data is minus the slope of the mean
# loss, :math:`-\partial\,\mathrm{loss} / \partial w_j`. The pull of the penalty is minus its
# slope:
#
# - for L2 it is :math:`-\alpha w_j`: **each weight pays by its own size, so the largest pay
#   most**;
# - for L1 it is :math:`\alpha` towards zero, **the same for every weight**, and as much of it
#   as is needed to hold a weight that is zero.

fits = {
    "l2": PenalizedRegression("l2", alpha=0.3, tol=1e-10).fit(X, y),
    "l1": PenalizedRegression("l1", alpha=3.0, tol=1e-10).fit(X, y),
}
data_pull = {penalty: X.T @ (y - model.predict(X)) / len(y) for penalty, model in fits.items()}
penalty_pull = {
    "l2": -0.3 * fits["l2"].coef_,
    "l1": np.where(
        fits["l1"].coef_ == 0,
        np.clip(-data_pull["l1"], -3.0, 3.0),
        -3.0 * np.sign(fits["l1"].coef_),
    ),
}
for penalty in fits:
    assert np.allclose(data_pull[penalty], -penalty_pull[penalty], atol=1e-4)

order = np.argsort(fits["l2"].coef_)
features = np.array(names)[order]
fig, axes = plt.subplots(1, 2, figsize=(12, 5.6), sharey=True)
for ax, (penalty, model) in zip(axes, fits.items(), strict=True):
    ax.barh(features, data_pull[penalty][order], color="C0", label="pull of the data")
    ax.barh(features, penalty_pull[penalty][order], color="C1", label="pull of the penalty")
    reach = np.abs(data_pull[penalty]).max()
    for height, weight in enumerate(model.coef_[order]):
        ax.text(1.5 * reach, height, f"{weight:.1f}" if weight else "0", ha="right", va="center")
    ax.text(1.5 * reach, len(names) - 0.2, "weight", ha="right", weight="bold")
    ax.axvline(0, color="0.4", lw=0.8)
    ax.set(
        xlim=(-1.1 * reach, 1.55 * reach),
        xlabel="pull on the weight",
        title=f"{penalty.upper()}, alpha = {model.alpha:g}",
    )
    ax.grid(axis="y", visible=False)
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
plt.show()

# %%
# The bars of each feature are equal and opposite: that is what "trained" means. Without the
# penalty, the weights would go on along the blue bars, to where the data pull no more. Were the
# term *subtracted*, both pulls would point the same way, and the weights would run off.
#
# Which weights lose most?
# ------------------------
#
# That L2 charges large weights most does not mean that it shrinks them most. What counts is how
# much resistance there is. Along a direction of the data (a mixture of features, from the
# singular value decomposition of X) ridge keeps the share :math:`s^2 / (s^2 + n \alpha)` of the
# unpenalised solution, where :math:`s` is the singular value: nearly all of it where patients
# differ much, little where they hardly differ and the data say nearly nothing.

_, s, directions = np.linalg.svd(X, full_matrices=False)
free = PenalizedRegression(None).fit(X, y).coef_
kept = (directions @ fits["l2"].coef_) / (directions @ free)

assert np.allclose(kept, s**2 / (s**2 + len(y) * 0.3), atol=1e-4)
print("share kept, from the strongest direction to the weakest:")
print(kept.round(2))

# %%
# This is why the weights of cholesterol and LDL collapse first in the picture above: the two go
# together in the patients (their correlation is 0.9), so that the weakest direction is mostly
# the difference between them.
