r"""
Logistic regression: the boundary against alpha
===============================================

What does :math:`\alpha` do to a classifier? Thirty measurements of cell nuclei tell malignant from
benign tumours. To see the boundary, we look at two of them, with all their powers and products up
to the fifth: twenty columns, enough to overfit with. The model is
:class:`skreg.PenalizedLogisticRegression`.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from skreg import PenalizedLogisticRegression

data = load_breast_cancer(as_frame=True)
columns = ["mean radius", "mean texture"]
X, benign = data.data[columns].to_numpy(), data.target.to_numpy()
X_train, X_test, y_train, y_test = train_test_split(
    X, benign, train_size=100, stratify=benign, random_state=1
)


def model(alpha):
    """Powers and products of two measurements, and one penalty on all of their weights."""
    powers = PolynomialFeatures(5, include_bias=False)
    classifier = PenalizedLogisticRegression("l2", alpha=alpha)
    return make_pipeline(StandardScaler(), powers, StandardScaler(), classifier)


fig, axes = plt.subplots(1, 3, figsize=(13, 5), sharex=True, sharey=True)
for ax, alpha in zip(axes, [1e-6, 0.03, 3.0], strict=True):
    fitted = model(alpha).fit(X_train, y_train)
    shown = {"response_method": "predict_proba", "plot_method": "contourf", "levels": 12}
    DecisionBoundaryDisplay.from_estimator(fitted, X, ax=ax, cmap="RdBu", alpha=0.55, **shown)
    line = {"response_method": "decision_function", "plot_method": "contour", "levels": [0]}
    DecisionBoundaryDisplay.from_estimator(fitted, X, ax=ax, colors="k", **line)
    for kind, marker, name in [(0, "X", "malignant"), (1, "o", "benign")]:
        seen = X_train[y_train == kind]
        style = {"marker": marker, "ec": "white", "fc": ["C3", "C0"][kind], "s": 45}
        ax.scatter(*seen.T, label=name, **style)
    losses = [
        log_loss(target, fitted.predict_proba(part))
        for part, target in [(X_train, y_train), (X_test, y_test)]
    ]
    ax.set_title(
        f"alpha = {alpha:g}\nlog loss {losses[0]:.2f} in training, {losses[1]:.2f} in test"
    )
    ax.set_xlabel("mean radius")
    ax.grid(visible=False)
axes[0].set_ylabel("mean texture")
axes[0].legend(loc="upper right", frameon=True)
plt.show()

# %%
# Small alpha: the boundary bends around single cases, and the probabilities are close to 0 and 1
# where there are hardly any data. Large alpha: all probabilities are near the share of benign cases.
# In between it is nearly straight, and the probabilities can be believed.
#
# The log loss judges probabilities. The share of cases named right would be slower to notice: a model
# can be right and far too sure of itself.

alphas = np.logspace(-7, 1, 17)
scores = np.array(
    [
        [
            log_loss(target, fitted.predict_proba(part))
            for part, target in [(X_train, y_train), (X_test, y_test)]
        ]
        for fitted in (model(alpha).fit(X_train, y_train) for alpha in alphas)
    ]
)

fig, ax = plt.subplots()
ax.plot(alphas, scores[:, 0], color="0.45", ls="--", label="in training")
ax.plot(alphas, scores[:, 1], color="C0", label="469 new cases")
ax.plot(alphas[scores[:, 1].argmin()], scores[:, 1].min(), "o", color="C2", ms=10, label="lowest")
ax.set(xscale="log", xlabel="alpha (lambda)", ylabel="log loss", ylim=(0, 0.8))
ax.legend()
plt.show()
