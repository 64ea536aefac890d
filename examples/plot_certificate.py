r"""
The certificate, and what tol means
===================================

An iterative solver stops at some point. How far from the solution? Every fit of skreg says it in
``optimality_``: no weights whatsoever have an objective that is lower by more than ``gap`` times the
loss of a model without features. A fit ends when that is below ``tol``, whatever the solver, the
penalty and the units of your data. If it does not get there, it warns.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import PolynomialFeatures, scale

from skreg import PenalizedRegression

X, y = load_diabetes(return_X_y=True)
X = scale(PolynomialFeatures(2, interaction_only=True, include_bias=False).fit_transform(scale(X)))
exact = PenalizedRegression("l1", alpha=0.5, tol=1e-14).fit(X, y)

# %%
# Ask for more and more digits, and compare the promise with the truth (a fit to fourteen digits). We take
# the slow solver on purpose: the one that skreg chooses by itself ends with an exact step on a problem as
# small as this, and there would be nothing to see.

tolerances = np.logspace(-1, -10, 19)
promised, true, weights = [], [], []
for tol in tolerances:
    model = PenalizedRegression(
        "l1", alpha=0.5, tol=tol, solver="proximal_gradient", max_iter=10**6
    )
    model.fit(X, y)
    told = model.optimality_
    promised.append(told.gap)
    true.append((told.objective - exact.optimality_.objective) / told.null_loss)
    weights.append(np.abs(model.coef_ - exact.coef_).max() / np.abs(exact.coef_).max())
    assert told.gap <= tol
    assert true[-1] <= told.gap + 1e-15

fig, ax = plt.subplots(figsize=(9, 5.4))
ax.plot(tolerances, tolerances, color="0.6", ls="--", label="tol: what was asked for")
ax.plot(tolerances, np.maximum(promised, 1e-16), "o-", color="C0", label="gap: what is promised")
ax.plot(
    tolerances, np.maximum(true, 1e-16), "s-", color="C1", label="true distance of the objective"
)
ax.plot(tolerances, np.maximum(weights, 1e-16), "^:", color="C2", label="largest error of a weight")
ax.set(xscale="log", yscale="log", xlabel="tol", ylabel="relative distance", ylim=(1e-16, 3))
ax.invert_xaxis()
ax.legend(loc="lower left")
plt.show()

# %%
# The promise always holds, and mostly the solution is much better than promised (zero is drawn at
# :math:`10^{-16}`). The weights are known less exactly, to about the square root, as near its lowest point the
# objective is flat. The default, ``tol=1e-6``, is more than any prediction can notice. When you compare
# *weights*, or look for exact zeros, ask for 1e-10: it costs a few more iterations.
#
# Units do not matter. In grams or tonnes, the same fit:

for unit in (1.0, 1e-6, 1e6):
    model = PenalizedRegression("l1", alpha=0.5 * unit).fit(X, y * unit)
    print(
        f"y times {unit:>7g}: gap {model.optimality_.gap:.1e}, certified as {model.optimality_.kind}"
    )

# %%
# And a fit that is stopped early is not silent.

import textwrap
import warnings

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    PenalizedRegression("l1", alpha=1e-3, max_iter=1, tol=1e-12, solver="proximal_gradient").fit(
        X, y
    )
print(textwrap.fill(str(caught[0].message), 90))
