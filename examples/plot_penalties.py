r"""
Penalties side by side
======================

Which penalty does what? Three pictures tell. The **price** of a weight. The **prox**, the step that
all solvers are made of: it takes a weight that the data ask for and returns the one that is worth its
price. And the **level lines**, on which all pairs of weights cost the same.
:class:`~skreg.inspection.PenaltyDisplay` draws them for any penalty, also for your own.
"""

import matplotlib.pyplot as plt
import numpy as np

from skreg import L0, L1, L2, MCP, SCAD, SLOPE, ElasticNet, LogSum, Lq
from skreg.inspection import PenaltyDisplay

penalties = {
    "L2": L2(),
    "L1": L1(),
    "elastic net": ElasticNet(0.5),
    "MCP": MCP(gamma=3),
    "SCAD": SCAD(),
    "log-sum": LogSum(),
    "Lq, q = 1/2": Lq(),
    "L0": L0(),
    "SLOPE": SLOPE([2.0, 0.5]),
}
fig, axes = plt.subplots(len(penalties), 3, figsize=(11, 3.5 * len(penalties)))
for row, (name, penalty) in zip(axes, penalties.items(), strict=True):
    PenaltyDisplay.from_penalty(penalty, axes=row)
    row[0].set_title(f"{name}: price at alpha = 1")
plt.show()

# %%
# Look at two places of each prox, the pictures in the middle.
#
# - **Around zero.** Where the blue line is flat, small weights become exactly zero: all but L2 select
#   features.
# - **Far out.** Where the blue line meets the grey one, large weights are left alone. L2 takes a share
#   of them, L1 a fixed amount, and from all of them: that is its bias. MCP, SCAD and L0 take nothing.
#   The price is a problem that is not convex, as the curves of their price are not.
#
# Level lines with corners on the axes do the same in the plane: there one of the weights is zero.
# SLOPE has corners on the diagonals, too: there two weights have the same size, as the larger one pays more.
#
# A model sees the same. Three features matter, forty do not.

from skreg import PenalizedRegressionCV

rng = np.random.default_rng(0)
truth = np.r_[4.0, -2.0, 1.0, np.zeros(40)]
X = rng.standard_normal((120, truth.size))
y = X @ truth + rng.standard_normal(120)
X_new = rng.standard_normal((5000, truth.size))

print(f"{'penalty':<12} weights of the three that matter   others kept   error on new data")
for name, penalty in penalties.items():
    if name in ("L0", "Lq, q = 1/2", "SLOPE"):
        continue  # the first two cannot take small steps from a path; the prices of the third are for two weights
    model = PenalizedRegressionCV(penalty, alphas=25).fit(X, y)
    w = model.coef_
    others, error = np.count_nonzero(w[3:]), np.mean((X_new @ truth - model.predict(X_new)) ** 2)
    print(f"{name:<12} {w[0]:8.2f} {w[1]:8.2f} {w[2]:8.2f}     {others:>12}   {error:>16.3f}")

# %%
# There is no best penalty. L2 is right when every feature matters a little. The convex ones are safe.
# The others pay when a few strong effects stand out.
