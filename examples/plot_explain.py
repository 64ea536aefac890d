r"""
What the penalty does to each feature
=====================================

Why is this weight zero, and why did that one lose half of its size?
:func:`skreg.inspection.explain_penalty` answers feature by feature: the weight without the penalty, the
weight with it, the pull of the data and the pull of the penalty. The two pulls cancel; that is what
"trained" means.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skreg import MCP, PenalizedRegression
from skreg.inspection import explain_penalty

data = load_diabetes(as_frame=True, scaled=False)
names = {"s1": "cholesterol", "s2": "LDL", "s3": "HDL", "s4": "chol./HDL", "s5": "triglycerides"}
X, y = data.data.rename(columns=names | {"s6": "glucose", "bp": "pressure"}), data.target

model = make_pipeline(StandardScaler(), PenalizedRegression("l1", alpha=2.0)).fit(X, y)
print(explain_penalty(model, X, y))

# %%
# The same for three penalties.

for title, penalty, alpha in [("L2", "l2", 0.3), ("L1", "l1", 2.0), ("MCP", MCP(gamma=3), 2.0)]:
    model = make_pipeline(StandardScaler(), PenalizedRegression(penalty, alpha=alpha)).fit(X, y)
    told = explain_penalty(model, X, y)
    assert told.imbalance < 1e-2
    told.plot().figure_.suptitle(f"{title}, alpha = {alpha:g}", x=0.01, ha="left", weight="bold")
    plt.show()

# %%
# - **L2** pulls each weight in proportion to its size. What is lost also depends on how hard the data
#   hold on: the weights of cholesterol and LDL collapse, as the two go together and the data cannot
#   tell them apart.
# - **L1** pulls all weights that are left with the same force. Where the data pull less, the weight
#   is zero.
# - **MCP** does not pull at weights beyond ``gamma * alpha`` = 6: those of the large features are what
#   they would be if the zeros had never been in the model.
