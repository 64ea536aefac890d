"""When a penalty does not help: many samples, few features, little noise."""

import numpy as np
from matplotlib.figure import Figure

from skreg import regularization_path

SIZES = (15, 30, 60, 120, 300, 1000, 3000)
ALPHAS = np.logspace(1, -4, 26)
N_FEATURES = 10
TRUTH = np.array([2.0, -1.5, 1.0, -1.0, 0.5, 0.5, -0.5, 0.0, 0.0, 0.0])


def excess_error(n_samples, noise=3.0, n_repeats=60):
    """Error on new data beyond the noise that nothing can predict, at every alpha, in units of the signal.

    The columns are independent with variance 1, so this is the squared distance from the true weights (and intercept).
    Every size starts from the same seed.
    """
    rng = np.random.default_rng(0)
    total = np.zeros(len(ALPHAS))
    for _ in range(n_repeats):
        X = rng.standard_normal((n_samples, N_FEATURES))
        y = X @ TRUTH + noise * rng.standard_normal(n_samples)
        path = regularization_path(X, y, penalty="l2", alphas=ALPHAS)
        total += np.sum((path.coefs - TRUTH) ** 2, axis=1) + path.intercepts**2
    return total / n_repeats / np.sum(TRUTH**2)


def data():
    """For the slider: the curve of every sample size."""
    return {"size": list(SIZES), "alpha": ALPHAS[::-1], "error": [excess_error(size)[::-1] for size in SIZES]}


def gain():
    """Share of the error without a penalty that the best alpha saves, by sample size and noise."""
    noises = (0.3, 1.0, 3.0)
    table = np.empty((len(noises), len(SIZES)))
    for row, noise in enumerate(noises):
        for column, size in enumerate(SIZES):
            error = excess_error(size, noise, n_repeats=25)
            table[row, column] = 1 - error.min() / error[-1]
    return noises, table


def figure():
    """What the best penalty saves, against the number of samples, for three amounts of noise."""
    noises, table = gain()
    fig = Figure(figsize=(9, 4.8), layout="constrained")
    ax = fig.subplots()
    for noise, row, color, style in zip(noises, table, ("C2", "C0", "C1"), ("-.", "-", "--"), strict=True):
        share = noise**2 / (noise**2 + np.sum(TRUTH**2))
        ax.plot(SIZES, 100 * row, color=color, ls=style, marker="o", label=f"noise is {share:.0%} of the variance of y")
    ax.set(
        xscale="log",
        xlabel="number of samples (10 features)",
        ylim=(-3, 100),
        ylabel="error saved by the best alpha, in %",
    )
    ax.set_xticks(SIZES, labels=[str(size) for size in SIZES])
    ax.minorticks_off()
    ax.legend(loc="upper right")
    return fig
