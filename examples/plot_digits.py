r"""
Ten classes: what a digit looks like to the model
=================================================

With three and more classes :class:`skreg.PenalizedLogisticRegression` has one row of weights for
each class, all of them alike: no class is the reference. For pictures of digits a row is a
picture itself. It shows which pixels speak for the class and which against it, and how a penalty
cleans it.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skreg import PenalizedLogisticRegression

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, train_size=600, random_state=0)

settings = [("l2", 1e-6), ("l2", 0.003), ("l1", 0.003)]
fig, axes = plt.subplots(3, 10, figsize=(13, 5.2))
for row, (penalty, alpha) in zip(axes, settings, strict=True):
    model = PenalizedLogisticRegression(penalty, alpha=alpha).fit(X_train, y_train)
    reach = np.abs(model.coef_).max()
    for ax, weights, label in zip(row, model.coef_, model.classes_, strict=True):
        ax.imshow(weights.reshape(8, 8), cmap="RdBu", vmin=-reach, vmax=reach)
        ax.set(xticks=[], yticks=[])
        ax.grid(visible=False)
        if row is axes[0]:
            ax.set_title(str(label), loc="center")
    row[0].set_ylabel(f"{penalty.upper()}\nalpha = {alpha:g}")
    zeros = np.mean(model.coef_ == 0)
    scores = model.score(X_train, y_train), model.score(X_test, y_test)
    print(
        f"{penalty}, alpha = {alpha:<7g} {scores[0]:.1%} right in training, {scores[1]:.1%} in test,"
        f" largest weight {reach:.1f}, {zeros:.0%} zeros"
    )
plt.show()

# %%
# Blue pixels speak for the digit, red ones against it, white ones are not used. Each row of pictures
# has its own scale.
#
# - Nearly without a penalty (top) all 600 digits of the training are named right, with huge weights
#   that look like noise.
# - L2 (middle) makes the pictures smooth. The 0 has a red hole in the middle, as it should.
# - L1 (bottom) keeps a few pixels for each digit. The corners are never used.
