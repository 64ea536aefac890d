r"""
Write your own penalty
======================

You know something about the weights that no penalty of the catalogue says? Say it in two NumPy
methods. Here we know that the weights should be near those of an **earlier study**, and are to be
moved away from them only where the new data insist.
"""

# %%
# The price is the distance from the earlier weights, one by one. The prox is soft-thresholding around
# them: the weight that makes :math:`\alpha |u - w^0| + (u - w)^2 / (2\, step)` smallest.

import numpy as np

from skreg import Penalty
from skreg.testing import check_penalty


class Near(Penalty):
    """The distance from earlier weights."""

    separable = convex = True

    def __init__(self, earlier=0.0):
        self.earlier = earlier

    def value(self, coef, alpha):
        return float(np.sum(alpha * np.abs(coef - self.earlier)))

    def prox(self, coef, step, alpha):
        away = coef - self.earlier
        return self.earlier + np.sign(away) * np.maximum(np.abs(away) - step * alpha, 0.0)

    def restrict(self, features):
        return Near(self.earlier[features]) if np.ndim(self.earlier) else self


# %%
# Is it right? :func:`skreg.testing.check_penalty` tries to prove the opposite: it looks for points that
# are better than what the prox returns, checks the facts that were stated, and more. In a test suite
# :func:`skreg.testing.parametrize_penalty_checks` runs the checks one by one.

results = check_penalty(Near(0.5))
print({status: sum(r["status"] == status for r in results) for status in ["passed", "failed"]})

# %%
# Now it is a penalty like any other. The earlier study had 300 patients. The new one has 40, from a
# clinic where blood pressure matters more.

from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import scale

from skreg import L1, L2, PenalizedRegression

data = load_diabetes(scaled=False)
X, y = scale(data.data), data.target.astype(float)
rows = np.random.default_rng(1).permutation(len(y))
old, new, later = rows[:300], rows[300:340], rows[340:]
earlier = PenalizedRegression("l2", alpha=0.1).fit(X[old], y[old]).coef_
y += 40 * X[:, 3] * np.isin(np.arange(len(y)), np.r_[new, later])

grid = {"alpha": np.logspace(-1, 2, 13)}
print(
    f"earlier study as it is    R² {PenalizedRegression(Near(earlier), alpha=1e6).fit(X[new], y[new]).score(X[later], y[later]):.2f}"
)
for name, penalty in [
    ("new study, L2", L2()),
    ("new study, L1", L1()),
    ("new study, near the old", Near(earlier)),
]:
    search = GridSearchCV(PenalizedRegression(penalty), grid).fit(X[new], y[new])
    print(f"{name:<25} R² {search.score(X[later], y[later]):.2f}")

# %%

import matplotlib.pyplot as plt

fitted = search.best_estimator_
names = ["age", "sex", "body mass", "pressure", "cholesterol", "LDL"]
names += ["HDL", "chol./HDL", "triglycerides", "glucose"]
fig, ax = plt.subplots(figsize=(9, 4.8))
ax.barh(names, earlier, 0.7, color="0.8", label="earlier study")
ax.plot(fitted.coef_, names, "o", color="C1", ms=9, label="with the new patients")
ax.axvline(0, color="0.4", lw=0.8)
ax.set(xlabel="weight")
ax.grid(axis="y", visible=False)
ax.legend()
plt.show()

moved = [name for name, a, b in zip(names, fitted.coef_, earlier, strict=True) if abs(a - b) > 1]
print("moved by more than 1:", ", ".join(moved))
print("solver:", fitted.solver_, "| certificate:", fitted.optimality_.converged)
