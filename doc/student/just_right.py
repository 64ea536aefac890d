"""Many weights: three fits, and what alpha does to the error in training and on new patients."""

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_diabetes
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer

from skreg import PenalizedRegression, regularization_path

ALPHAS = np.logspace(-4, 1.5, 34)
N_TRAIN = 30


def patients():
    """Body mass and progression: 30 patients to learn from, 412 that come later."""
    data = load_diabetes(scaled=False)
    rows = np.random.default_rng(4).permutation(442)
    x, y = data.data[rows][:, [2]], data.target[rows]
    return x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]


def bumps():
    """The curve is a sum of 22 small bumps, each with a weight."""
    return SplineTransformer(n_knots=20, knots=np.linspace(17, 43, 20)[:, None], extrapolation="linear")


def fits():
    """A model at every alpha."""
    x, y, _, _ = patients()
    return [make_pipeline(bumps(), PenalizedRegression("l2", alpha=alpha, tol=1e-12)).fit(x, y) for alpha in ALPHAS]


def errors(models):
    """Mean squared error in training and on new patients, over the variance of y in all of them."""
    x, y, x_new, y_new = patients()
    unit = np.var(np.concatenate([y, y_new]))
    return np.array(
        [
            [np.mean((target - one.predict(column)) ** 2) / unit for one in models]
            for column, target in ((x, y), (x_new, y_new))
        ]
    )


def data():
    """For the slider: the patients, the curve and both errors at every alpha."""
    x, y, _, _ = patients()
    models = fits()
    training, new = errors(models)
    grid = np.linspace(18, 42, 97)
    return {
        "alpha": ALPHAS,
        "x": x[:, 0],
        "y": y,
        "grid": grid,
        "curve": [one.predict(grid[:, None]) for one in models],
        "training": training,
        "new": new,
    }


def tradeoff(n_researchers=120, n_patients=25):
    """Bias, variance and errors over many samples of patients: ten measurements, the same new patients for all."""
    source = load_diabetes(scaled=False)
    X, y = source.data / source.data.std(axis=0), source.target
    rng = np.random.default_rng(0)
    rows = rng.permutation(442)
    X_new, y_new, pool = X[rows[:142]], y[rows[:142]], rows[142:]
    alphas = np.logspace(2.5, -2.5, 41)
    predictions, training, freedom = [], [], []
    for _ in range(n_researchers):
        sample = rng.choice(pool, n_patients, replace=False)
        path = regularization_path(X[sample], y[sample], penalty="l2", alphas=alphas)
        predictions.append(X_new @ path.coefs.T + path.intercepts)
        training.append(np.mean((y[sample, None] - X[sample] @ path.coefs.T - path.intercepts) ** 2, axis=0))
        freedom.append(path.degrees_of_freedom)
    predictions, unit = np.stack(predictions), np.var(y_new)
    return {
        "alpha": alphas,
        "freedom": np.mean(freedom, axis=0),
        "training": np.mean(training, axis=0) / unit,
        "variance": predictions.var(axis=0).mean(axis=0) / unit,
        "bias and noise": np.mean((predictions.mean(axis=0) - y_new[:, None]) ** 2, axis=0) / unit,
        "new": np.mean((predictions - y_new[:, None]) ** 2, axis=(0, 1)) / unit,
    }


def figure():
    """Three fits side by side; below them bias and variance."""
    x, y, _, _ = patients()
    models = fits()
    training, new = errors(models)
    best = int(new.argmin())
    fig = Figure(figsize=(11, 8.4), layout="constrained")
    places = fig.subplot_mosaic([["a", "b", "c"], ["t", "t", "t"]], height_ratios=[1, 1.25])
    fig.get_layout_engine().set(hspace=0.06)
    grid = np.linspace(18, 42, 241)
    for place, k, title in (("a", 0, "Too small"), ("b", best, "Just right"), ("c", -1, "Too large")):
        ax = places[place]
        ax.plot(x, y, "o", color="0.45", ms=5)
        ax.plot(grid, models[k].predict(grid[:, None]), color="C0")
        ax.set(title=f"{title}: alpha = {ALPHAS[k]:.2g}", xlabel="body mass index", ylim=(-60, 490))
        ax.text(
            0.03,
            0.97,
            f"error in training {training[k]:.2f}\non new patients {new[k]:.2f}",
            va="top",
            transform=ax.transAxes,
        )
    places["a"].set_ylabel("progression of diabetes")
    seen = tradeoff()
    ax = places["t"]
    for name, label, color, style in (
        ("new", "error on new patients", "k", "-"),
        ("bias and noise", "bias² + noise", "C1", "--"),
        ("variance", "variance", "C0", "-."),
        ("training", "error in training", "0.45", ":"),
    ):
        ax.plot(seen["alpha"], seen[name], color=color, ls=style, label=label)
    best = int(seen["new"].argmin())
    ax.plot(seen["alpha"][best], seen["new"][best], "o", color="C2", ms=11, zorder=4)
    ax.annotate(f"alpha = {seen['alpha'][best]:.2g}", (seen["alpha"][best], seen["new"][best]), (0, 12),
                textcoords="offset points", ha="center", color="C2", weight="bold")  # fmt: skip
    ax.set(xscale="log", xlabel="alpha (lambda)", ylabel="squared error / variance of y", ylim=(0, 1.35))
    ax.legend(loc="upper center", ncols=4)
    top = ax.secondary_xaxis("top")
    ticks = np.arange(0, 41, 5)
    top.set_xticks(seen["alpha"][ticks], labels=[f"{seen['freedom'][k]:.1f}" for k in ticks])
    top.set_xticks([], minor=True)
    top.set_xlabel("effective number of weights (degrees of freedom)")
    return fig
