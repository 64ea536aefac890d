r"""
Categories: the group lasso on one-hot columns
==============================================

A category becomes as many columns as it has levels. Which **categories** matter? L1 answers for single
levels, and keeps a bit of everything. The group lasso keeps all levels of a category or none.

The data: 1000 flats with a floor area and six categories, of which district and heating set the rent,
the other four do not.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skreg import GroupLasso, regularization_path

rng = np.random.default_rng(1)
n_flats = 1000
levels = {"district": 12, "heating": 4, "agent": 15, "floor tiles": 8, "door": 6, "weekday": 7}
flats = pd.DataFrame(
    {name: rng.integers(k, size=n_flats).astype(str) for name, k in levels.items()}
)
flats.insert(0, "area", rng.normal(70, 20, n_flats))

effect = {"district": rng.normal(0, 1.2, 12), "heating": np.array([0.9, 0.1, -0.3, -0.7])}
rent = 0.08 * (flats["area"] - 70)
for name, size in effect.items():
    rent += size[flats[name].astype(int)]
rent += rng.normal(0, 1.5, n_flats)

# %%
# Names go with the columns, so that groups can be said in names. All levels are kept: under a penalty no
# level has to be the reference.

encode = make_column_transformer(
    (StandardScaler(), ["area"]), (OneHotEncoder(sparse_output=False), list(levels))
).set_output(transform="pandas")
X = encode.fit_transform(flats)
groups = {"area": ["standardscaler__area"]}
for name in levels:
    groups[name] = [column for column in X.columns if column.startswith(f"onehotencoder__{name}_")]
print({name: len(columns) for name, columns in groups.items()})

# %%
# Both paths, from the alpha at which nothing is in the model. A line is the length of the weights of a
# category, a cross marks where it enters. (A category without a cross never does.)

penalties = {"L1: single levels": "l1", "group lasso: whole categories": GroupLasso(groups)}
fig, axes = plt.subplots(1, 2, figsize=(12, 5.2), sharey=True)
places = {
    name: [X.columns.get_loc(column) for column in columns] for name, columns in groups.items()
}
for ax, (title, penalty) in zip(axes, penalties.items(), strict=True):
    path = regularization_path(X, rent, penalty=penalty, alphas=60, alpha_min_ratio=0.01)
    share = path.alphas / path.alphas[0]
    for k, (name, members) in enumerate(places.items()):
        length = np.linalg.norm(path.coefs[:, members], axis=1)
        matters = name in ("area", *effect)
        style = {
            "color": f"C{k}" if matters else "0.6",
            "ls": "-" if matters else ["--", ":", "-.", (0, (6, 1))][k - 3],
        }
        ax.plot(share, length, label=name, **style)
        enters = share[length > 0][:1]
        ax.plot(enters, 0 * enters, "x", color=style["color"], ms=9, mew=2.5)
    ax.set(title=title, xscale="log", xlabel="alpha / alpha_max", ylim=(-0.15, None))
    ax.invert_xaxis()
axes[0].set_ylabel("length of the weights of a category")
axes[0].legend()
plt.show()

# %%
# With L1 the categories that do not matter (grey) come in one level at a time. How much is kept at the
# alpha of the one-standard-error rule?

from skreg import PenalizedRegressionCV

for title, penalty in penalties.items():
    model = PenalizedRegressionCV(penalty, alphas=40, rule="1se").fit(X, rent)
    kept = [
        f"{name} ({np.count_nonzero(model.coef_[members])} of {len(members)})"
        for name, members in places.items()
        if model.coef_[members].any()
    ]
    print(f"{title:<30} {', '.join(kept)}")

# %%
# Both find the two categories that matter. But L1 keeps five of the twelve districts, and so makes one
# district of the seven others; which five depends on the sample. The group lasso answers the question
# that was asked.
#
# To select levels inside the categories that stay, take :class:`~skreg.SparseGroupLasso`; to leave the strong
# categories unshrunk, :class:`~skreg.GroupMCP` or :class:`~skreg.GroupSCAD`; :class:`~skreg.Grouped`
# charges any other price of one weight to the length of a group.
