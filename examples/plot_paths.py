r"""
Four penalties, four paths
==========================

How do the weights leave the model as :math:`\alpha` grows? That depends on the penalty, and the
picture of it is the penalty's signature. :func:`skreg.regularization_path` solves for a whole
grid of alphas, and each solution comes with its certificate.
"""

# %%
# The ten measurements of the diabetes data, in units of their standard deviation.

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale

from skreg import MCP, ElasticNet, regularization_path

data = load_diabetes(scaled=False)
names = ["age", "sex", "body mass", "pressure", "cholesterol", "LDL"]
names += ["HDL", "chol./HDL", "triglycerides", "glucose"]
X, y = pd.DataFrame(scale(data.data), columns=names), data.target

penalties = {
    "L2: all shrink, none is zero": "l2",
    "L1: they leave one by one": "l1",
    "elastic net, half L1": ElasticNet(0.5),
    "MCP: large weights keep their size": MCP(gamma=3),
}

fig, axes = plt.subplots(2, 2, figsize=(12, 10), sharey=True)
for ax, (title, penalty) in zip(axes.flat, penalties.items(), strict=True):
    options = {"alpha_min_ratio": 1e-6} if penalty == "l2" else {}
    path = regularization_path(X, y, penalty=penalty, alphas=60, **options)
    assert all(one.converged for one in path.certificates)
    path.plot(ax=ax, n_labels=6)
    ax.set_title(title)
plt.show()

# %%
# Read each from right to left: the penalty gets weaker, and weights come in.
#
# - **L2** lets all of them in at once, in proportion. **L1** lets them in one after the other,
#   and the numbers on top count them. The **elastic net** lies between.
# - Under **MCP** a weight that is in soon stands at its full, unpenalised size. The price of that
#   is a problem that is not convex: the path may jump, and the certificate says "local" where a
#   better solution far away cannot be ruled out.

for title, penalty in penalties.items():
    path = regularization_path(X, y, penalty=penalty, alphas=[1.0])
    print(f"{title.split(':')[0]:>22}: certified as {path.certificates[0].kind}")
