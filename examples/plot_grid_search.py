r"""
The Goldilocks alpha, by grid search
====================================

How do I find the :math:`\alpha` (lambda) that is neither too small nor too large?

By experiment. Too large, and all weights end near zero; too small, and the model fits the
noise. No formula knows the balance, as it depends on how much noise there is. So try a range of
alphas, each on data that the fit has not seen, and let the data choose. That is
cross-validation, and scikit-learn's :class:`~sklearn.model_selection.GridSearchCV` does it for
the estimators of skreg, in a pipeline and together with the choice of the penalty.
"""

# %%
# A regression
# ------------
#
# The diabetes data, with squares and products of the ten measurements. There are 65 features
# for 331 patients, enough to overfit with. Whatever learns from data, scaling included, goes
# into the pipeline, so that the left-out fold stays unseen.

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from skreg import L1, L2, ElasticNet, PenalizedLogisticRegression, PenalizedRegression

X, y = load_diabetes(return_X_y=True, scaled=False)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=8)

products = PolynomialFeatures(2, include_bias=False)
lasso = PenalizedRegression("l1")
model = make_pipeline(StandardScaler(), products, StandardScaler(), lasso)

alphas = np.logspace(-2, 2, 17)
grid = {"penalizedregression__alpha": alphas}
search = GridSearchCV(model, grid, cv=10, return_train_score=True).fit(X_train, y_train)

print(f"alpha = {search.best_params_['penalizedregression__alpha']:.2g}")
print(f"R² on the {len(y_test)} patients of the test set: {search.score(X_test, y_test):.2f}")

# %%
# That is all. The rest of this page looks at what the search saw.
#
# ``cv_results_`` holds ten scores for each alpha. Their mean is the curve, and their standard
# error tells how sure the curve is. Where it is flat, the best alpha is a matter of luck, and
# there is a good custom: of all alphas whose score is within **one standard error** of the
# best, take the largest. It gives the simplest model that is as good as the best one, as far as
# the data can tell.

import matplotlib.pyplot as plt

training, mean = (search.cv_results_[f"mean_{kind}_score"] for kind in ["train", "test"])
error = search.cv_results_["std_test_score"] / np.sqrt(10 - 1)
best = mean.argmax()
simplest = np.flatnonzero(mean >= mean[best] - error[best]).max()


def name_the_sides(ax):
    """Say on either side of the picture what is wrong there."""
    for x, side, text in [
        (0.01, "left", "too small: overfits"),
        (0.99, "right", "too large: underfits"),
    ]:
        ax.text(
            x, 0.99, text, ha=side, va="top", transform=ax.transAxes, color="0.35", weight="bold"
        )


fig, ax = plt.subplots(figsize=(9, 5.4))
ax.plot(alphas, training, color="0.45", ls="--", label="in training")
ax.plot(alphas, mean, color="C0", label="on left-out folds, ± 1 standard error")
ax.fill_between(alphas, mean - error, mean + error, color="C0", alpha=0.2, lw=0)
for at, color, name in [(best, "C2", "best"), (simplest, "C1", "simplest within 1 standard error")]:
    ax.axvline(alphas[at], color=color, lw=1.2, ls="--")
    ax.plot(alphas[at], mean[at], "o", color=color, ms=10, label=f"{name}: {alphas[at]:.2g}")
ax.set(xscale="log", xlabel="alpha (lambda)", ylabel="R²", ylim=(-0.05, 0.75))
ax.legend(loc="lower left")
name_the_sides(ax)
plt.show()

# %%
# The score in training falls all the way: by its light, no penalty is the best penalty. This is
# why alpha cannot be learned like a weight. The score on left-out folds rises first, and the
# place of its top is the Goldilocks alpha.
#
# What does the more careful choice buy?

for at in (best, simplest):
    model.set_params(penalizedregression__alpha=alphas[at]).fit(X_train, y_train)
    n_weights, test = np.count_nonzero(lasso.coef_), model.score(X_test, y_test)
    print(
        f"alpha = {alphas[at]:.2g}, {n_weights} weights: R² {mean[at]:.2f} left out, {test:.2f} in test"
    )

# %%
# A classification, and the penalty as a parameter
# ------------------------------------------------
#
# Thirty measurements of cell nuclei, malignant or benign:
# :class:`skreg.PenalizedLogisticRegression` takes the same place in a pipeline. The penalty is a
# parameter like any other, so the search can cross it with alpha. The score is the log loss
# (with a minus: for scikit-learn larger is better), because it judges the probabilities.

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=8)

alphas = np.logspace(-4, 0, 17)
penalties = [L1(), ElasticNet(0.5), L2()]
model = make_pipeline(StandardScaler(), PenalizedLogisticRegression())
grid = {
    "penalizedlogisticregression__alpha": alphas,
    "penalizedlogisticregression__penalty": penalties,
}
search = GridSearchCV(model, grid, scoring="neg_log_loss").fit(X_train, y_train)

right = np.mean(search.predict(X_test) == y_test)
winner = search.best_estimator_[-1]
print(f"best: {winner.penalty} with alpha = {winner.alpha:.2g}")
print(f"{right:.1%} of the {len(y_test)} cases of the test set are named right")

# %%

scores = search.cv_results_["mean_test_score"].reshape(len(alphas), len(penalties))
fig, ax = plt.subplots(figsize=(9, 5))
for curve, name, color in zip(
    scores.T, ["L1", "elastic net, half L1", "L2"], ["C0", "C1", "C2"], strict=True
):
    ax.plot(alphas, curve, color=color, label=name)
    ax.plot(alphas[curve.argmax()], curve.max(), "o", color=color, ms=10)
ax.set(
    xscale="log", xlabel="alpha (lambda)", ylabel="minus log loss on left-out folds", ylim=(-0.4, 0)
)
ax.legend(loc="lower center")
name_the_sides(ax)
plt.show()

# %%
# Which penalty it is matters less here than to have found its alpha: the tops are close
# together, and the slopes are steep on both sides.
#
# The whole estimator, as a notebook shows it, with a link to its page:

search.best_estimator_
