r"""
Bias, variance and alpha
========================

Why do we add a term to the cost, when what we want is a low cost?

Because the cost that training makes low is not the one we care about. Training sees a few
patients and lowers the cost on them; we care about the patients who come next. A model that is
free to fit everything also fits what is accidental in its sample. The added term makes large
weights expensive, so that a weight stays only if it earns its price. It is added **only in
training**: predictions and scores never contain it. That the cost gets higher by it does not
matter: add a constant to any cost, and the same weights win. What matters is that the term
moves the *place* of the minimum, towards smaller weights.

How far should it move? That is what :math:`\alpha` sets (the :math:`\lambda` of the textbooks).
This page measures on real data what it does.
"""

# %%
# The experiment
# --------------
#
# Ten measurements of 442 patients are there to predict how their disease progresses. We play
# many researchers. Each of them has a sample of 25 patients and fits
# :class:`skreg.PenalizedRegression` for a range of alphas. All of them then predict the same
# 142 patients, whom none of them has seen.

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skreg import PenalizedRegression

X, y = load_diabetes(return_X_y=True, scaled=False)
X_pool, X_new, y_pool, y_new = train_test_split(X, y, test_size=142, random_state=0)

alphas = np.logspace(-3, 2.5, 23)
rng = np.random.default_rng(0)
samples = [rng.choice(len(y_pool), size=25, replace=False) for _ in range(60)]

predictions = np.empty((len(samples), len(alphas), len(y_new)))
training_error = np.empty((len(samples), len(alphas)))
for i, sample in enumerate(samples):
    for j, alpha in enumerate(alphas):
        model = make_pipeline(StandardScaler(), PenalizedRegression("l2", alpha=alpha))
        model.fit(X_pool[sample], y_pool[sample])
        predictions[i, j] = model.predict(X_new)
        training_error[i, j] = np.mean((y_pool[sample] - model.predict(X_pool[sample])) ** 2)

# %%
# Three numbers for each alpha
# ----------------------------
#
# For one new patient, the researchers' predictions scatter around their average. That scatter
# is the **variance**: what a prediction owes to the accidents of its sample. How far the
# average is from the truth is the **bias**. Together they make up the error on new patients, to
# the last digit.

average = predictions.mean(axis=0)
variance = predictions.var(axis=0).mean(axis=1)
bias_and_noise = np.mean((y_new - average) ** 2, axis=1)
error = np.mean((y_new - predictions) ** 2, axis=(0, 2))

assert np.allclose(error, bias_and_noise + variance)

# %%
# One thing must be said honestly. The truth about a patient is not known, only the measured
# outcome, and that holds noise: the same ten numbers do not always mean the same progression.
# On real data, squared bias and noise can only be seen together. The noise does not depend on
# alpha, so it lifts the orange curve and hardly touches its shape.
#
# The Goldilocks alpha
# --------------------

import matplotlib.pyplot as plt

best = error.argmin()
scale = np.var(y_new)  # 1 is the error of predicting the mean for everybody

fig, ax = plt.subplots(figsize=(9, 5.4))
for curve, name, color, style in [
    (error / scale, "error on new patients", "k", "-"),
    (bias_and_noise / scale, "bias² + noise", "C1", "-"),
    (variance / scale, "variance", "C0", "-"),
    (training_error.mean(axis=0) / np.var(y_pool), "error in training", "0.45", "--"),
]:
    ax.plot(alphas, curve, color=color, ls=style)
    ax.annotate(name, (alphas[0], curve[0]), (2, 7), textcoords="offset points", color=color)
ax.axvline(alphas[best], color="C2", ls="--", lw=1.2)
ax.plot(alphas[best], error[best] / scale, "o", color="C2", ms=11, zorder=3)
for x, side, text, color in [
    (alphas[0], "left", "too small: overfits", "0.35"),
    (alphas[best], "center", f"just right: {alphas[best]:.2g}", "C2"),
    (alphas[-1], "right", "too large: underfits", "0.35"),
]:
    ax.text(x, 1.27, text, ha=side, color=color, weight="bold", backgroundcolor="white")
ax.set(
    xscale="log", xlabel="alpha (lambda)", ylabel="squared error / variance of y", ylim=(0, 1.35)
)
plt.show()

# %%
# Read it from left to right.
#
# - **Too small.** The penalty hardly counts. The error in training is at its lowest, and
#   misleads: each researcher has fitted the accidents of 25 patients, their predictions
#   disagree (blue), and for new patients they do no better than somebody who has no model and
#   predicts the mean.
# - **Too large.** Weights cost so much that all of them are close to zero. All researchers
#   agree, on a model that says the same of everybody. That is bias (orange), and in training it
#   is as visible as on new patients.
# - **Just right.** A little bias is paid for much less variance. The error in training never
#   shows this place: it rises all the way, because the penalty can only take freedom from the
#   fit.

assert np.all(np.diff(training_error.mean(axis=0)) > 0)
for at in (0, best, -1):
    print(f"alpha = {alphas[at]:<6.3g} error on new patients {error[at] / scale:.2f}")

# %%
# Had we **subtracted** the term, the way would have led in the other direction: a negative
# alpha rewards large weights, that is, overfitting, and beyond a point the cost has no minimum
# at all. And a sign that follows the sign of the cost would be a mistake of the same kind:
# there is nothing to gain from a cost *near zero*, only from weights that serve new patients.
#
# Nobody has sixty samples, so in practice alpha is found by cross-validation:
# :ref:`sphx_glr_auto_examples_plot_grid_search.py`. What the term does to each weight is on
# :ref:`sphx_glr_auto_examples_plot_weight_shrinkage.py`.
