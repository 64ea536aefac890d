"""What the displays share: axes, counts on top, marked alphas, labels that keep their distance."""

import numpy as np

from skreg._validation import check_integer

__all__ = ["alpha_axes", "final_step", "label_lines", "legend", "mark", "marks_of", "one_output", "path_of", "top_axis"]

MARKS = {"best": "--", "one standard error": ":", "chosen": "-."}


def alpha_axes(ax):
    """Axes with a logarithmic alpha from weak to strong, and their figure."""
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(layout="constrained")
    ax.set_xscale("log")
    ax.set_xlabel("alpha (weak to strong penalty)")
    return ax, ax.figure


def positive(alphas):
    """Alphas that a logarithmic axis can show."""
    return np.asarray(alphas) > 0


def top_axis(ax, alphas, counts, label, n_ticks=6):
    """A second axis on top that shows a count at some of the alphas."""
    shown = np.flatnonzero(positive(alphas))
    order = shown[np.argsort(alphas[shown])]
    chosen = order[np.unique(np.linspace(0, order.size - 1, n_ticks).round().astype(int))]
    top = ax.secondary_xaxis("top")
    top.set_xticks(alphas[chosen], labels=[f"{counts[k]:.3g}" for k in chosen])
    top.set_xticks([], minor=True)
    top.set_xlabel(label)
    return top


def mark(ax, marks):
    """Vertical lines at alphas, by name; names of the same alpha share one."""
    lines = []
    for alpha in dict.fromkeys(marks.values()):
        names = [name for name, value in marks.items() if value == alpha]
        if alpha > 0:
            label = f"{' and '.join(names)}: alpha={alpha:.3g}"
            lines.append(
                ax.axvline(alpha, color="0.35", linewidth=1.2, linestyle=MARKS.get(names[0], "--"), label=label)
            )
    return lines


def legend(ax):
    """A legend that lines may run behind."""
    ax.legend(loc="best", fontsize="small", frameon=True, framealpha=0.9, edgecolor="none")


def marks_of(search):
    """The alphas of a fitted search that are worth a mark, by name."""
    marks = {"best": search.alpha_min_}
    if hasattr(search, "alpha_1se_"):
        marks["one standard error"] = search.alpha_1se_
    if search.alpha_ not in marks.values():
        marks["chosen"] = search.alpha_
    return marks


def label_lines(ax, x, heights, names, colours):
    """Names beside the ends of lines, moved apart where they would overlap."""
    low, high = ax.get_ylim()
    gap = 0.055 * (high - low)
    order = np.argsort(heights)
    places = np.array(heights, dtype=float)[order]
    for _ in range(200):
        close = np.flatnonzero(np.diff(places) < gap * (1 - 1e-9))
        if close.size == 0:
            break
        for k in close:
            middle = 0.5 * (places[k] + places[k + 1])
            places[k], places[k + 1] = middle - 0.5 * gap, middle + 0.5 * gap
    texts = []
    for place, k in zip(places, order, strict=True):
        texts.append(
            ax.annotate(
                names[k],
                (x, heights[k]),
                xytext=(x * 0.82, place),
                ha="right",
                va="center",
                color=colours[k],
                fontsize="small",
            )
        )
    margin = 0.5 * gap
    ax.set_ylim(min(low, places[0] - margin), max(high, places[-1] + margin))
    return texts


def one_output(coefs, output):
    """Weights of one target or class, shape (n_alphas, n_features)."""
    if coefs.ndim == 2:
        return coefs
    return coefs[:, check_integer("output", output, low=0, high=coefs.shape[1] - 1)]


def final_step(estimator):
    """The last step of a pipeline, or the estimator, and the names of its features or None."""
    if hasattr(estimator, "steps"):
        names = getattr(estimator[:-1], "get_feature_names_out", lambda: None)()
        return estimator[-1], names
    return estimator, getattr(estimator, "feature_names_in_", None)


def path_of(estimator, X, y, alphas):
    """`regularization_path` with the parameters of an estimator."""
    from skreg.path import regularization_path

    shared = ("penalty", "penalty_factor", "fit_intercept", "standardize", "solver", "tol", "max_iter")
    params = {name: value for name, value in estimator.get_params(deep=False).items() if name in shared}
    return regularization_path(X, y, loss=getattr(estimator, "loss", "logistic"), alphas=alphas, **params)
