"""Ten weights: the pull of the data, the pull of the penalty, and where they cancel."""

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale

from skreg import PenalizedRegression
from skreg.inspection import explain_penalty
from skreg.penalties import get_penalty

NAMES = "age", "sex", "body mass", "pressure", "cholesterol", "LDL", "HDL", "chol./HDL", "triglycerides", "glucose"
PENALTIES = {"L2": "l2", "L1": "l1", "MCP": "mcp"}
ALPHAS = np.logspace(-2, np.log10(50), 31)


def patients():
    """Ten measurements, scaled, and the progression of diabetes."""
    data = load_diabetes(scaled=False)
    return scale(data.data), data.target


def explained(penalty, alpha):
    """The pulls on each weight at one alpha."""
    X, y = patients()
    return explain_penalty(PenalizedRegression(penalty, alpha=alpha, tol=1e-11).fit(X, y), X, y)


def data():
    """For the slider: weights and pulls of every penalty at every alpha."""
    told = {name: [explained(penalty, alpha) for alpha in ALPHAS] for name, penalty in PENALTIES.items()}
    free = told["L2"][0].unpenalised
    order = np.argsort(-free)
    return {
        "names": [NAMES[j] for j in order],
        "alpha": ALPHAS,
        "free": free[order],
        "penalties": {
            name: {
                "weight": [one.coef[order] for one in path],
                "data": [one.data_pull[order] for one in path],
                "penalty": [one.penalty_pull[order] for one in path],
            }
            for name, path in told.items()
        },
    }


def pull(penalty, weights, alpha=1.0, step=1e-6):
    """Minus the slope of the price of one weight, from its ``value`` alone."""
    value = get_penalty(penalty).value
    return np.array(
        [-(value(np.array([w + step]), alpha) - value(np.array([w - step]), alpha)) / (2 * step) for w in weights]
    )


def figure():
    """Price and pull of one weight under each penalty."""
    fig = Figure(figsize=(11, 4.4), layout="constrained")
    weights = np.linspace(-4, 4, 400)  # an even number: not at the kink
    for ax, what in zip(fig.subplots(1, 2), ("price", "pull"), strict=True):
        for color, style, (name, penalty) in zip(
            ("C0", "C1", "C2"), ("-", "--", "-."), PENALTIES.items(), strict=False
        ):
            value = get_penalty(penalty).value
            heights = [value(np.array([w]), 1.0) for w in weights] if what == "price" else pull(penalty, weights)
            ax.plot(weights, heights, color=color, ls=style, label=name)
        ax.axhline(0, color="0.4", lw=0.8)
        ax.axvline(0, color="0.4", lw=0.8)
        ax.set(xlabel="weight", ylim=(-0.3, 4.5) if what == "price" else (-3, 3))
    fig.axes[0].set(ylabel="price at alpha = 1", title="What a weight pays")
    fig.axes[1].set(ylabel="pull at alpha = 1 (minus the slope)", title="How hard it is pulled")
    fig.axes[0].legend(loc="upper center", ncols=len(PENALTIES))
    return fig
