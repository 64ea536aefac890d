r"""
Sample weights
==============

Not every sample counts the same. Some stand for many people, some measurements are more exact than
others, some are old. ``fit(X, y, sample_weight=...)`` says so, and a weight of 2 is exactly the same as
the sample given twice. skreg divides the loss by the *sum* of the weights, so alpha keeps its meaning.
"""

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale

from skreg import PenalizedRegression, regularization_path

X, y = load_diabetes(return_X_y=True)
X = scale(X)
twice = np.random.default_rng(0).integers(0, 3, len(y))  # some rows 0, some 1, some 2 times
model = PenalizedRegression("l1", alpha=1.0, tol=1e-12)
weighted = model.fit(X, y, sample_weight=twice).coef_
repeated = model.fit(np.repeat(X, twice, axis=0), np.repeat(y, twice)).coef_
print(f"weights and repetition differ by {np.abs(weighted - repeated).max():.1e}")
scaled = model.fit(X, y, sample_weight=1000.0 * twice).coef_
print(f"weights times 1000 change the result by {np.abs(weighted - scaled).max():.1e}")

# %%
# Measurements of unequal quality
# -------------------------------
#
# Half of the measurements have two and a half times the noise. With weights of one over the variance, the
# bad ones still help, and do no harm.

rng = np.random.default_rng(1)
truth = np.r_[2.0, -1.0, 1.0, np.zeros(17)]
X_new = rng.standard_normal((2000, 20))


def error(use):
    """Mean squared error for new data, at the best of twenty alphas."""
    X = rng.standard_normal((80, 20))
    noise = np.repeat([1.0, 2.5], 40)
    y = X @ truth + noise * rng.standard_normal(80)
    settings = {
        "all alike": (slice(None), None),
        "the good half only": (slice(40), None),
        "all, weighted": (slice(None), 1 / noise**2),
    }
    rows, weight = settings[use]
    path = regularization_path(X[rows], y[rows], sample_weight=weight, alphas=20)
    return np.mean(((path.coefs - truth) @ X_new.T + path.intercepts[:, None]) ** 2, axis=1).min()


import matplotlib.pyplot as plt

names = ["all alike", "the good half only", "all, weighted"]
errors = {name: [error(name) for _ in range(50)] for name in names}
fig, ax = plt.subplots(figsize=(9, 3.8))
ax.boxplot(list(errors.values()), orientation="horizontal", tick_labels=names, widths=0.6,
           medianprops={"color": "C1", "lw": 2.5})  # fmt: skip
ax.invert_yaxis()
ax.set(xlabel="error beside the noise, each at its best alpha", xlim=(0, None))
ax.grid(axis="y", visible=False)
plt.show()

# %%
# Through GridSearchCV and pipelines the weights travel by scikit-learn's metadata routing:
# ``PenalizedRegression().set_fit_request(sample_weight=True)``.
