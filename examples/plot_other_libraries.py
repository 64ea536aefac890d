r"""
The same model in scikit-learn and here
=======================================

Libraries write the same objective with other factors in front, so the same number means another strength.
:func:`skreg.convert_alpha` translates a strength, :func:`skreg.from_sklearn` a whole estimator. The proof is in
the weights.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn import linear_model
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.preprocessing import scale

from skreg import convert_alpha, from_sklearn

X, y = load_diabetes(return_X_y=True)
X = scale(X)
cells, benign = load_breast_cancer(return_X_y=True)
cells = scale(cells)

theirs = {
    "Ridge(alpha=100)": (linear_model.Ridge(alpha=100.0), X, y),
    "Lasso(alpha=2)": (linear_model.Lasso(alpha=2.0, tol=1e-10), X, y),
    "ElasticNet(alpha=1)": (linear_model.ElasticNet(alpha=1.0, tol=1e-10), X, y),
    "LogisticRegression(C=0.1)": (linear_model.LogisticRegression(C=0.1, tol=1e-8), cells, benign),
}
fig, axes = plt.subplots(1, 4, figsize=(13, 3.8))
for ax, (name, (model, data, target)) in zip(axes, theirs.items(), strict=True):
    ours = from_sklearn(model, n_samples=len(target)).set_params(tol=1e-12).fit(data, target)
    model.fit(data, target)
    reach = 1.1 * np.abs(model.coef_).max()
    ax.axline((0, 0), slope=1, color="0.6", lw=1)
    ax.plot(np.ravel(model.coef_), np.ravel(ours.coef_), "o", color="C0")
    ax.set(title=name, xlabel="weights of scikit-learn", xlim=(-reach, reach), ylim=(-reach, reach))
    assert np.allclose(np.ravel(model.coef_), np.ravel(ours.coef_), atol=1e-3 * reach)
    print(f"{name:<26} is {type(ours).__name__} with alpha = {ours.alpha:.4g}")
axes[0].set_ylabel("weights of skreg")
plt.show()

# %%
# A :class:`skreg.Strength` in the words of every library. glmnet standardises the target before it fits, so its
# L2 part depends on the standard deviation of y:

for library, options in {
    "sklearn.Ridge": {"n_samples": len(y)},
    "sklearn.LogisticRegression": {"n_samples": len(y)},
    "glmnet": {"y_std": y.std()},
}.items():
    strength = convert_alpha(0.1, target=library, l1_ratio=0, **options)
    print(f"alpha = 0.1 of L2 is {strength.value:.4g} in {library}")
