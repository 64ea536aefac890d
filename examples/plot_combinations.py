r"""
New penalties from old ones
===========================

Two penalties can be added, a penalty can be scaled, put between bounds, or charged to some columns only. The
result is a penalty like any other: solvers, certificates and grid search come with it.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale

from skreg import L1, L2, MCP, Bounded, ByColumn, PenalizedRegression
from skreg.inspection import PenaltyDisplay

combined = {
    "2 * L1()": 2 * L1(),
    "MCP() + 0.2 * L2()": MCP() + 0.2 * L2(),
    "Bounded(L1(), -1, 3)": Bounded(L1(), -1.0, 3.0),
}
fig, axes = plt.subplots(len(combined), 3, figsize=(11, 3.4 * len(combined)))
for row, (name, penalty) in zip(axes, combined.items(), strict=True):
    PenaltyDisplay.from_penalty(penalty, axes=row)
    row[0].set_title(name)
plt.show()

# %%
# They are objects of :class:`skreg.Scaled`, :class:`skreg.WithSquare` and :class:`skreg.Bounded`. A fourth, :class:`skreg.ByColumn`,
# is for columns of different kinds. Say that age and sex are to be in the model whatever they cost, that body
# mass and pressure surely matter, and that of the six blood serums only some do, none of them with a weight beyond 20:

data = load_diabetes(as_frame=True)
X, y = data.data.copy(), data.target
X[:] = scale(X)
price = ByColumn(
    {"age|sex": None, "bmi|bp": L2(), "s[1-6]": Bounded(3 * L1() + 0.1 * L2(), -20.0, 20.0)}
)
model = PenalizedRegression(price, alpha=1.0).fit(X, y)
free = PenalizedRegression(None).fit(X, y)

fig, ax = plt.subplots(figsize=(9, 5))
ax.plot(free.coef_, X.columns, "o", mfc="none", color="0.4", ms=9, label="without a penalty")
ax.plot(model.coef_, X.columns, "o", color="C1", ms=9, label="a price for each kind of column")
ax.axvspan(-20, 20, color="C1", alpha=0.1, lw=0, label="bounds of s1 to s6")
ax.axvline(0, color="0.4", lw=0.8)
ax.invert_yaxis()
ax.set(xlabel="weight")
fig.legend(loc="outside upper center", ncols=3)
plt.show()

print(f"certified as {model.optimality_.kind}, by {model.solver_}")
assert model.optimality_.converged
assert np.all(np.abs(model.coef_[4:]) <= 20)

# %%
# Parts can be tuned by their path, as anywhere in scikit-learn. Where the prox of a sum is not known, the error says so.
