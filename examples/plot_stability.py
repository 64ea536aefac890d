r"""
Can I trust the selected features?
==================================

L1 hands you a list of features. Would other data have given the same list? Resample, and count. A
feature that is chosen in nearly every half of the data is there for a reason; one that comes and goes
is not. The idea is called stability selection.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import PolynomialFeatures, scale

from skreg import PenalizedRegressionCV, regularization_path

data = load_diabetes(scaled=False)
short = ["age", "sex", "BMI", "BP", "chol", "LDL", "HDL", "ratio", "trig", "gluc"]
products = PolynomialFeatures(2, include_bias=False)
X = scale(products.fit_transform(scale(data.data)))
names = [name.replace(" ", "×") for name in products.get_feature_names_out(short)]
y = data.target

once = PenalizedRegressionCV("l1", alphas=50, cv=10).fit(X, y)
chosen = np.flatnonzero(once.coef_)
print(f"one fit, cross-validated: {chosen.size} of {X.shape[1]} features")

# %%
# A hundred random halves, and a whole path on each.

rng = np.random.default_rng(0)
alphas = np.geomspace(30, 1, 40)
counts = np.zeros((alphas.size, X.shape[1]))
for _ in range(100):
    half = rng.permutation(len(y))[: len(y) // 2]
    counts += regularization_path(X[half], y[half], penalty="l1", alphas=alphas).coefs != 0
share = counts / 100

at = np.abs(alphas - once.alpha_).argmin()
order = np.argsort(-share[at])
fig, (left, right) = plt.subplots(1, 2, figsize=(13, 5.6), width_ratios=[1, 1.1])
left.plot(alphas, share[:, order[7:]], color="0.8", lw=1)
for k, feature in enumerate(order[:7]):
    left.plot(alphas, share[:, feature], color=f"C{k}", label=names[feature])
left.axvline(alphas[at], color="0.4", ls="--", lw=1.2)
left.set(xscale="log", xlabel="alpha (lambda)", ylabel="share of halves that choose the feature")
left.set_xticks([1, 3, 10, 30], labels=["1", "3", "10", "30"])
left.minorticks_off()
left.legend(loc="upper right", frameon=True)
shown = order[:20][::-1]
right.barh(
    [names[j] for j in shown],
    share[at, shown],
    color=["C0" if j in chosen else "0.75" for j in shown],
)
right.axvline(0.8, color="C1", ls="--", label="80 % of the halves")
right.set(xlabel="share at the dashed alpha (blue: in the list of the one fit)", xlim=(0, 1))
right.tick_params(axis="y", labelsize=10)
right.grid(axis="y", visible=False)
right.legend(loc="lower right", frameon=True)
plt.show()

# %%
# Most of the list is not stable. Correlated features stand in for each other, and a weight that is
# just above zero in one half is zero in the next. What does not change much are the predictions.
#
# If you need the list itself, take the features beyond the orange line. If you need predictions, do not
# worry, and do not read the list as a finding.

stable = [names[j] for j in order if share[at, j] >= 0.8]
print("stable:", ", ".join(stable))
