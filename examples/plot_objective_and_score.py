r"""
Penalised in training only
==========================

The penalty is paid in training and at no other time. Predictions do not contain it, nor do scores. So
"the cost is higher with a penalty" is true of a number that nobody uses later.
``objective(X, y)`` shows the two terms of that number.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skreg import PenalizedLogisticRegression

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
scaler = StandardScaler().fit(X_train)
X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)

alphas = np.logspace(-5, 0, 31)
terms, test = [], []
for alpha in alphas:
    model = PenalizedLogisticRegression("l2", alpha=alpha).fit(X_train, y_train)
    terms.append(model.objective(X_train, y_train))
    test.append(log_loss(y_test, model.predict_proba(X_test)))
loss, penalty, total = np.array(terms).T

# %%
# On the left is what training saw: the loss, the penalty on top of it, and their sum. On the right
# is what the user of the model sees.

fig, (left, right) = plt.subplots(1, 2, figsize=(12, 5), sharex=True)
left.fill_between(alphas, loss, color="C0", alpha=0.35, lw=0)
left.fill_between(alphas, loss, total, color="C1", alpha=0.35, lw=0)
left.plot(alphas, loss, color="C0", label="loss")
left.plot(alphas, total, color="k", label="loss + penalty: the objective")
left.set(xscale="log", xlabel="alpha (lambda)", ylabel="in training", ylim=(0, 0.6))
left.legend(loc="upper left")
best = int(np.argmin(test))
right.plot(alphas, test, color="C0")
right.plot(alphas[best], test[best], "o", color="C2", ms=11)
right.annotate(f"alpha = {alphas[best]:.2g}", (alphas[best], test[best]), (0, -20),
               textcoords="offset points", ha="center", color="C2", weight="bold")  # fmt: skip
right.set(ylabel="log loss on new cases, no penalty in it", xlabel="alpha (lambda)", ylim=(0, 0.6))
plt.show()

# %%
# The objective rises with alpha, everywhere. So does the loss in training. If a low objective were the
# aim, the best alpha would be zero, and the model would be useless for new cases (right picture, left
# end). Comparing objectives at *different* alphas means nothing. Compare scores.

assert np.all(np.diff(total) > 0)
assert np.all(np.diff(loss) > 0)
print(f"at alpha = {alphas[0]:.0e}: objective {total[0]:.3f}, log loss on new cases {test[0]:.3f}")
print(
    f"at alpha = {alphas[best]:.0e}: objective {total[best]:.3f}, log loss on new cases {test[best]:.3f}"
)
