"""One weight: the fit, the price, and their sum."""

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale

from skreg import PenalizedRegression

ALPHAS = np.round(np.arange(-2, 4.01, 0.1), 10)
WEIGHTS = np.linspace(-2.5, 2.5, 101)


def patients():
    """Body mass and progression of 442 patients, both with mean 0 and standard deviation 1."""
    X, y = load_diabetes(return_X_y=True)
    return scale(X[:, [2]]), scale(y)


def model(alpha):
    """One weight, no intercept: both columns have mean 0."""
    return PenalizedRegression("l2", alpha=alpha, fit_intercept=False, tol=1e-12)


def curves(weights, alpha):
    """Fit and price at given weights: the two terms of ``objective``. Their alpha may be negative, that of a fit may not."""
    X, y = patients()
    fitted = model(1.0).fit(X, y).set_params(alpha=alpha)
    terms = []
    for weight in weights:
        fitted.coef_ = np.array([weight])
        terms.append(fitted.objective(X, y)[:2])
    return np.array(terms).T


def lowest(alpha):
    """The weight at the lowest point of the sum; None where there is none.

    The sum is a parabola with curvature ``1 + alpha``, as the column has mean square 1. Where alpha is negative, no fit of
    skreg will do.
    """
    X, y = patients()
    if alpha >= 0:
        return float(model(alpha).fit(X, y).coef_[0])
    curvature = float(np.mean(X**2))
    return None if curvature + alpha < 1e-12 else float(np.mean(X[:, 0] * y) / (curvature + alpha))


def data():
    """For the slider: both curves, and the lowest point of their sum at every alpha."""
    fit, price = curves(WEIGHTS, 1.0)
    return {
        "weight": WEIGHTS,
        "fit": fit,
        "price": price,  # at alpha = 1; the price is a multiple of alpha
        "alpha": ALPHAS,
        "lowest": [lowest(alpha) for alpha in ALPHAS],
    }


def perfect_costs(alpha=3.0):
    """The two weights at which the fit minus the price is exactly zero, and the mean squared error of each."""
    X, y = patients()
    fit, price = curves([-1.0, 0.0, 1.0], alpha)
    rest = fit - price  # a parabola through three points
    a, b, c = (rest[0] + rest[2]) / 2 - rest[1], (rest[2] - rest[0]) / 2, rest[1]
    weights = np.sort(np.roots([a, b, c]).real)
    return weights, [float(np.mean((y - X[:, 0] * weight) ** 2)) for weight in weights]


def figure():
    """The rule "choose the sign that brings the cost to zero", and the two models that it calls perfect."""
    weights = np.linspace(-1.7, 1.7, 241)
    fit, price = curves(weights, 3.0)
    zeros, errors = perfect_costs()
    best = lowest(0.0)
    fig = Figure(figsize=(11, 4.6), layout="constrained")
    left, right = fig.subplots(1, 2, width_ratios=[1.25, 1])
    left.plot(weights, fit, color="C0", label="fit")
    left.plot(weights, price, color="C1", ls="--", label="price, alpha = 3")
    left.plot(weights, np.abs(fit - price), color="k", lw=3, label="distance of fit − price from zero")
    left.plot(zeros, [0, 0], "X", color="k", mec="white", ms=13, zorder=4, clip_on=False, label="cost zero")
    left.set(
        xlabel="weight of body mass", ylabel="cost", ylim=(0, 2.6), title="A rule that brings the cost to zero ..."
    )
    fig.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    X, y = patients()
    rows = [
        (f"cost zero: weight {zeros[0]:.2f}".replace("-", "−"), errors[0]),
        (f"cost zero: weight {zeros[1]:.2f}", errors[1]),
        ("no model: weight 0", float(np.mean(y**2))),
        (f"lowest fit: weight {best:.2f}", float(np.mean((y - X[:, 0] * best) ** 2))),
    ]
    right.barh([name for name, _ in rows], [error for _, error in rows], 0.6, color=["0.25", "0.25", "0.6", "C0"])
    for place, (_, error) in enumerate(rows):
        right.text(error + 0.05, place, f"{error:.2f}", va="center")
    right.invert_yaxis()
    right.set(xlabel="mean squared error / variance of y", xlim=(0, 4), title="... cannot tell these two models apart")
    right.grid(axis="y", visible=False)
    return fig
