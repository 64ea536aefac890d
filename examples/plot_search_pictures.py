r"""
One search, three pictures
==========================

The estimators whose names end in CV solve a whole path of alphas in every fold and keep what they saw. Three displays
show it: how sure the choice is, which weights it keeps, and what it trades for what.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.preprocessing import PolynomialFeatures, scale

from skreg import PenalizedLogisticRegressionCV, PenalizedRegression
from skreg.inspection import CrossValidationDisplay, RegularizationPathDisplay, TradeoffDisplay

data = load_breast_cancer(as_frame=True)
X, y = data.data.copy(), data.target_names[data.target]
X[:] = scale(X)
model = PenalizedLogisticRegressionCV("l1", rule="1se", alphas=25, alpha_min_ratio=0.003).fit(X, y)
print(f"best alpha {model.alpha_min_:.2g}, within one standard error {model.alpha_1se_:.2g}")
print(f"{np.count_nonzero(model.coef_)} of {X.shape[1]} measurements are in the model")

# %%
# **How sure is the choice?** :class:`skreg.inspection.CrossValidationDisplay` draws the mean score over the folds with
# its standard error, the best alpha, and the strongest that is within one standard error of it.

CrossValidationDisplay.from_estimator(model)
plt.show()

# %%
# **Which weights?** :class:`skreg.inspection.RegularizationPathDisplay` draws the path of all data, with the chosen
# alpha marked. From right to left: the first to enter are the measurements that tell most by themselves.

_, ax = plt.subplots(figsize=(11, 6))
RegularizationPathDisplay.from_estimator(model, ax=ax)
plt.show()

# %%
# **What is traded?** :class:`skreg.inspection.TradeoffDisplay` resamples and shows both sides: how much the
# predictions of different samples disagree, and how wrong they are together. The diabetes data with products of the measurements leave room to overfit.

X, y = load_diabetes(return_X_y=True)
X = scale(PolynomialFeatures(2, interaction_only=True, include_bias=False).fit_transform(scale(X)))
TradeoffDisplay.from_estimator(
    PenalizedRegression("l2"), X, y, alphas=np.logspace(-3, 2, 16), n_resamples=20, random_state=0
)
plt.show()

# %%
# ``model.diagnose()`` says in sentences what the pictures show; an empty list means that there is nothing to say.

print(model.diagnose())
