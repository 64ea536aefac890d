r"""
Text: twenty thousand words, a few that matter
==============================================

Text becomes a matrix with a column for each word, nearly all zeros. skreg keeps it sparse: nothing is
centred or scaled in memory, and with L1 the work goes into the few columns that are in the model.
Does L1 find the words that matter? To know, we write the texts ourselves.
"""

# %%
# Word frequencies follow Zipf's law, as in real language. Of twenty thousand words, sixty make a
# positive or a negative review more likely.

import matplotlib.pyplot as plt
import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skreg import PenalizedLogisticRegression, alpha_max, regularization_path

rng = np.random.default_rng(0)
n_texts, n_words = 4000, 20_000
frequency = 1.0 / np.arange(1, n_words + 1)
frequency /= frequency.sum()
lengths = rng.poisson(120, n_texts)
words = rng.choice(n_words, lengths.sum(), p=frequency)
texts = np.repeat(np.arange(n_texts), lengths)
counts = sparse.csr_array((np.ones(words.size), (texts, words)), shape=(n_texts, n_words))

opinion = np.zeros(n_words)
loaded = rng.choice(np.arange(30, 600), 60, replace=False)
opinion[loaded] = rng.choice([-1.6, 1.6], 60)
liking = counts.minimum(1) @ opinion
positive = rng.random(n_texts) < 1 / (1 + np.exp(-(liking - liking.mean())))

X = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
X_train, X_test, y_train, y_test = train_test_split(X, positive, random_state=0)
print(
    f"{X.shape[0]} texts, {X.shape[1]} words, {X.nnz / np.prod(X.shape):.2%} of the matrix is not zero"
)

# %%
# A path of thirty alphas, from no word at all to hundreds.

path = regularization_path(
    X_train, y_train, penalty="l1", loss="logistic", alphas=30, alpha_min_ratio=0.04
)
kept = path.coefs.reshape(len(path.alphas), -1)
right = [
    np.mean((X_test @ w + b > 0) == y_test)
    for w, b in zip(kept, path.intercepts.ravel(), strict=True)
]
found = np.count_nonzero(kept[:, loaded], axis=1)
others = np.count_nonzero(kept, axis=1) - found
assert all(one.converged for one in path.certificates)

fig, (left, right_ax) = plt.subplots(1, 2, figsize=(12, 5))
left.plot(path.alphas, found, color="C0", label="of the 60 words that matter")
left.plot(path.alphas, others, color="C1", ls="--", label="of the 19 940 others")
left.set(xscale="log", xlabel="alpha (lambda)", ylabel="words in the model", ylim=(0, 150))
left.legend()
right_ax.plot(path.alphas, right, color="k")
best = int(np.argmax(right))
right_ax.plot(path.alphas[best], right[best], "o", color="C2", ms=10)
right_ax.set(xscale="log", xlabel="alpha (lambda)", ylabel="share of new texts named right")
for ax in (left, right_ax):
    ax.set_xticks(
        [1e-4, 2e-4, 5e-4, 1e-3, 2e-3], labels=["0.0001", "0.0002", "0.0005", "0.001", "0.002"]
    )
    ax.minorticks_off()
plt.show()

# %%
# The words that matter come in first. Around the best alpha nearly all of them are in,
# and even more of the others: predictions are not harmed by a few small weights too many.
#
# In a pipeline it is one estimator like any other. ``alpha_max`` tells where the range of alpha begins.

model = make_pipeline(TfidfTransformer(sublinear_tf=True), PenalizedLogisticRegression("l1"))
print(f"range of alpha: up to {alpha_max(X_train, y_train, penalty='l1', loss='logistic'):.3g}")
model.set_params(penalizedlogisticregression__alpha=path.alphas[best]).fit(counts, positive)
print(f"words in the model: {np.count_nonzero(model[-1].coef_)} of {n_words}")
