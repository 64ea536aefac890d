"""The main job on real data: tune a penalised model by cross-validation, and look at it.

``make demo`` runs this. It takes some seconds, prints a table for each data set and saves two
figures.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import NamedTuple

import matplotlib

matplotlib.use("Agg")  # figures go to files: no window, no display needed

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.metrics import accuracy_score, d2_log_loss_score, make_scorer, r2_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

import skreg
from skreg import L1, L2, ElasticNet, PenalizedLogisticRegression, PenalizedRegression

STYLE = Path(__file__).resolve().parents[1] / "doc" / "skreg.mplstyle"
FOLDS = 5
PENALTIES = {
    "L1": L1(),
    "elastic net, 80 % L1": ElasticNet(0.8),
    "elastic net, 50 % L1": ElasticNet(0.5),
    "elastic net, 20 % L1": ElasticNet(0.2),
    "L2": L2(),
}
MEASUREMENTS = [
    "age",
    "sex",
    "BMI",
    "pressure",
    "cholesterol",
    "LDL",
    "HDL",
    "chol./HDL",
    "triglycerides",
    "glucose",
]


class Job(NamedTuple):
    """A data set, and what is to be tuned on it."""

    title: str
    X: np.ndarray
    y: np.ndarray
    feature_names: list
    model: Pipeline
    alphas: np.ndarray
    scorer: object
    score_name: str


def jobs():
    """A regression and a classification, on data that come with scikit-learn."""
    data = load_diabetes(scaled=False)
    # With squares and products there is enough to overfit with: 65 features for 331 patients.
    products = make_pipeline(
        StandardScaler(), PolynomialFeatures(2, include_bias=False), StandardScaler()
    )
    yield Job(
        "Diabetes: progression after a year",
        data.data,
        data.target,
        [
            name.replace(" ", " × ")
            for name in products.fit(data.data).get_feature_names_out(MEASUREMENTS)
        ],
        Pipeline([("prepare", products), ("model", PenalizedRegression())]),
        np.logspace(-1.5, 2, 29),
        make_scorer(r2_score),
        "R²",
    )
    data = load_breast_cancer()
    yield Job(
        "Breast cancer: malignant or benign",
        data.data,
        data.target_names[data.target],
        list(data.feature_names),
        Pipeline([("prepare", StandardScaler()), ("model", PenalizedLogisticRegression())]),
        np.logspace(-4, 0, 25),
        # The share of the log loss that is explained, as R² is of the squared loss:
        # 1 is perfect, 0 is a constant guess.
        make_scorer(d2_log_loss_score, response_method="predict_proba"),
        "D²",
    )


class Progress:
    """A scorer that counts the fits it is called after, and shows how far the search is."""

    def __init__(self, scorer, total):
        self.scorer, self.total, self.done, self.start = scorer, total, 0, time.perf_counter()

    def __call__(self, estimator, X, y):
        self.done += 1
        if self.done == self.total or (sys.stdout.isatty() and self.done % 10 == 0):
            bar = "#" * (30 * self.done // self.total)
            seconds = time.perf_counter() - self.start
            end = "\n" if self.done == self.total else ""
            text = f"\r  [{bar:<30}] {self.done} of {self.total} fits, {seconds:.1f} s"
            print(text, end=end, flush=True)
        return self.scorer(estimator, X, y)


def search(job, X, y):
    """Cross-validate every penalty at every alpha.

    Returns the mean scores and their standard errors, both (n_alphas, n_penalties).
    """
    grid = {"model__alpha": job.alphas, "model__penalty": list(PENALTIES.values())}
    shape = len(job.alphas), len(PENALTIES)
    progress = Progress(job.scorer, shape[0] * shape[1] * FOLDS)
    tuned = GridSearchCV(job.model, grid, cv=FOLDS, scoring=progress, refit=False).fit(X, y)
    results = tuned.cv_results_
    error = results["std_test_score"] / np.sqrt(FOLDS - 1)
    return results["mean_test_score"].reshape(shape), error.reshape(shape)


def fit(job, penalty, alpha, X, y):
    """One fit of the job's pipeline."""
    return clone(job.model).set_params(model__penalty=penalty, model__alpha=alpha).fit(X, y)


def report(job, mean, error, data):
    """Print one row per penalty, each at its best alpha; return the winning model."""
    X_train, X_test, y_train, y_test = data
    row = "  {:<22}{:>10}{:>18}{:>12}{:>18}{:>13}"
    cv, test = f"CV {job.score_name} ± s.e.", f"test {job.score_name}"
    print("\n" + row.format("penalty", "best alpha", cv, test, "non-zero weights", "certificate"))
    print("  " + "-" * 93)
    models = {}
    for j, (name, penalty) in enumerate(PENALTIES.items()):
        best = mean[:, j].argmax()
        model = models[name] = fit(job, penalty, job.alphas[best], X_train, y_train)
        alpha = f"{job.alphas[best]:.3g}"
        cv = f"{mean[best, j]:.3f} ± {error[best, j]:.3f}"
        test = f"{job.scorer(model, X_test, y_test):.3f}"
        weights = model[-1].coef_
        support = f"{np.count_nonzero(weights)} of {weights.size}"
        # What the solution can be away from the best one, relative to the loss of a constant guess.
        certificate = f"{model[-1].optimality_.measure:.0e}"
        print(row.format(name, alpha, cv, test, support, certificate))
    winner = list(PENALTIES)[mean.max(axis=0).argmax()]
    print(f"\n  Best in cross-validation: {winner}.", end=" ")
    if job.score_name == "D²":
        accuracy = accuracy_score(y_test, models[winner].predict(X_test))
        print(f"It names {accuracy:.1%} of the {len(y_test)} test cases right.", end=" ")
    print("\n")
    return winner


def draw_validation_curve(ax, job, name, mean, error):
    """Score against alpha: the one that is just right, and what is wrong on either side."""
    best = mean.argmax()
    goldilocks = job.alphas[best]
    ax.fill_between(job.alphas, mean - error, mean + error, alpha=0.2, lw=0)
    ax.plot(job.alphas, mean)
    ax.plot(goldilocks, mean[best], "o", color="C2", ms=10, zorder=3)
    ax.axvline(goldilocks, color="C2", lw=1.2, ls="--")
    low, high = min(mean.min(), 0.0), (mean + error).max()
    ax.set(
        xscale="log",
        xlabel="alpha (lambda)",
        ylabel=f"{job.score_name} on left-out folds",
        title=f"{job.title} ({name})",
    )
    ax.set_ylim(low - 0.05 * (high - low), high + 0.27 * (high - low))
    for x, side, text, color in [
        (job.alphas[0], "left", "too small:\noverfits", "0.35"),
        (goldilocks, "center", f"just right:\n{goldilocks:.2g}", "C2"),
        (job.alphas[-1], "right", "too large:\nunderfits", "0.35"),
    ]:
        ax.text(
            x,
            high + 0.12 * (high - low),
            text,
            ha=side,
            color=color,
            weight="bold",
            backgroundcolor="white",
        )


def draw_weights(ax, job, name, goldilocks, X, y):
    """Every weight along alpha; the largest at the best alpha in colour, with their names."""
    weights = np.array(
        [np.ravel(fit(job, PENALTIES[name], alpha, X, y)[-1].coef_) for alpha in job.alphas]
    )
    at_best = np.abs(weights[np.searchsorted(job.alphas, goldilocks)])
    ax.plot(job.alphas, weights, color="0.82", lw=1)
    for feature in np.argsort(-at_best)[:5]:
        ax.plot(job.alphas, weights[:, feature], label=job.feature_names[feature])
    ax.axhline(0, color="0.4", lw=0.8)
    ax.axvline(goldilocks, color="0.4", lw=1.2, ls="--")
    ax.set(xscale="log", xlabel="alpha (lambda)", ylabel="weight", title=f"{job.title} ({name})")
    ax.legend(
        title="largest at the best alpha",
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        alignment="left",
    )


def main(folder):
    """Run both jobs; save the two figures in ``folder``."""
    print(f"skreg {skreg.__version__}: alpha and the penalty by {FOLDS}-fold cross-validation\n")
    plt.style.use(STYLE)
    curves, curve_axes = plt.subplots(1, 2, figsize=(13, 5))
    shrinking, weight_axes = plt.subplots(2, 2, figsize=(15, 9.5))
    for job, curve_ax, weight_row in zip(jobs(), curve_axes, weight_axes, strict=True):
        stratify = job.y if job.score_name == "D²" else None
        # A split like most others. (With random_state=0 the diabetes test set is unusually hard.)
        data = train_test_split(job.X, job.y, stratify=stratify, random_state=8)
        X_train, _, y_train, _ = data
        print(f"{job.title} ({job.X.shape[0]} patients, {len(job.feature_names)} features)")
        mean, error = search(job, X_train, y_train)
        winner = report(job, mean, error, data)
        j = list(PENALTIES).index(winner)
        draw_validation_curve(curve_ax, job, winner, mean[:, j], error[:, j])
        for ax, name in zip(weight_row, ("L2", "L1"), strict=True):
            goldilocks = job.alphas[mean[:, list(PENALTIES).index(name)].argmax()]
            draw_weights(ax, job, name, goldilocks, X_train, y_train)
    folder.mkdir(parents=True, exist_ok=True)
    print("Two figures to look at:")
    for figure, name in [(curves, "validation_curve.png"), (shrinking, "weights_shrinking.png")]:
        figure.savefig(folder / name)
        print(f"  {folder / name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--figures", type=Path, default=Path("demo_figures"), help="folder for the two figures"
    )
    main(parser.parse_args().figures)
