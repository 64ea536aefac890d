r"""
Signs, bounds and shares
========================

Sometimes you *know* something about the weights: that they are not negative, that none exceeds a bound, that
they are shares of a whole. A constraint is a penalty that costs nothing inside and is infinite outside.

Here five models predict the progression of diabetes, and a sixth learns how to mix their predictions
(stacking). How much should it listen to each?
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.model_selection import cross_val_predict, train_test_split
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from skreg import L1, Bounded, Box, L1Ball, L2Ball, NonNegative, PenalizedRegression, Simplex

X, y = load_diabetes(return_X_y=True, scaled=False)
X, X_test, y, y_test = train_test_split(X, y, test_size=0.5, random_state=1)
models = {
    "linear": make_pipeline(StandardScaler(), PenalizedRegression("l2", alpha=0.1)),
    "sparse": make_pipeline(StandardScaler(), PenalizedRegression("l1", alpha=3.0)),
    "neighbours": make_pipeline(StandardScaler(), KNeighborsRegressor(15)),
    "one tree": DecisionTreeRegressor(max_depth=4, random_state=0),
    "many trees": ExtraTreesRegressor(50, min_samples_leaf=3, random_state=0),
}
said = np.column_stack([cross_val_predict(model, X, y, cv=5) for model in models.values()])
later = np.column_stack([model.fit(X, y).predict(X_test) for model in models.values()])

# %%
# Each row of the picture is one thing that can be known, each dot the weight of one model.

known = {
    "nothing": None,
    "not negative": NonNegative(),
    "between 0 and 0.4": Box(0.0, 0.4),
    "shares: a sum of 1": Simplex(1.0),
    "sizes sum to at most 1": L1Ball(1.0),
    "length at most 0.5": L2Ball(0.5),
    "L1, not negative": Bounded(L1(), lower=0.0),
}
fig, ax = plt.subplots(figsize=(10, 5.2))
rows = {}
for row, (title, penalty) in enumerate(known.items()):
    mixture = PenalizedRegression(penalty, alpha=300.0, fit_intercept=False).fit(said, y)
    assert mixture.optimality_.converged
    for k, weight in enumerate(mixture.coef_):
        label = list(models)[k] if row == 0 else None
        ax.plot(weight, row + 0.13 * (k - 2), "osD^v"[k], color=f"C{k}", ms=9, label=label)
    rows[f"{title}\nR² {mixture.score(later, y_test):.3f}"] = mixture.coef_
ax.axvline(0, color="0.4", lw=0.8)
ax.set_yticks(range(len(rows)), labels=list(rows))
ax.set(xlabel="weight in the mixture", ylim=(len(rows) - 0.5, -0.5))
fig.legend(loc="outside upper center", ncols=5)
plt.show()

# %%
# Without a constraint some models get a negative say, which is hard to defend and a sign of overfitting: they predict nearly
# the same, so the weights of two can grow in opposite directions. Shares (:class:`skreg.Simplex`) can be read as
# they are. :class:`skreg.L1Ball` and :class:`skreg.L2Ball` are the lasso and ridge with a budget in place of a price.
# :class:`skreg.Bounded` puts bounds around any penalty (here L1 with an alpha of 300, the only row with an alpha).

shares = PenalizedRegression(Simplex(1.0), fit_intercept=False).fit(said, y).coef_
print({name: round(float(share), 2) for name, share in zip(models, shares, strict=True)})
assert np.isclose(shares.sum(), 1.0)
assert shares.min() >= 0.0
