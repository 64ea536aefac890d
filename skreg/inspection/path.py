"""Weights against alpha."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skreg.inspection._axes import (
    alpha_axes,
    final_step,
    label_lines,
    legend,
    mark,
    marks_of,
    one_output,
    path_of,
    top_axis,
)

__all__ = ["RegularizationPathDisplay"]


class RegularizationPathDisplay:
    """How every weight shrinks as alpha grows, the strongest by name.

    Make one with `from_estimator` or `from_path`.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        Strengths.
    coefs : ndarray of shape (n_alphas, n_features)
        Weights at each of them.
    feature_names : sequence of str, optional
        Names; "x0", "x1", ... by default.
    marks : dict of str to float, optional
        Alphas to be marked, by name.
    locally_convex : ndarray of bool of shape (n_alphas,), optional
        Where the objective is convex in the features used; the rest of the path is shaded.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        Its figure.
    lines_ : list of matplotlib Line2D
        One per feature.
    shade_ : matplotlib Rectangle or None
        From the first alpha on at which the objective is not convex in the features used.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import PenalizedRegressionCV
    >>> from skreg.inspection import RegularizationPathDisplay
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = PenalizedRegressionCV("l1", alphas=20).fit(X, y)
    >>> display = RegularizationPathDisplay.from_estimator(model)
    >>> len(display.lines_), display.ax_.get_ylabel()
    (10, 'weight')
    """

    def __init__(self, *, alphas, coefs, feature_names=None, marks=None, locally_convex=None):
        self.alphas = np.asarray(alphas, dtype=float)
        self.coefs = np.asarray(coefs)
        self.feature_names = feature_names
        self.marks = marks
        self.locally_convex = locally_convex

    @classmethod
    def from_estimator(cls, estimator, X=None, y=None, *, alphas=100, output=0, feature_names=None, ax=None, **options):
        """Draw the path of an estimator.

        Parameters
        ----------
        estimator : estimator or pipeline that ends in one
            A fitted search (its path is drawn, its alphas are marked), or with ``X``
            and ``y`` a `PenalizedRegression` or `PenalizedLogisticRegression`.
        X, y : array-like, optional
            Data, as the final estimator sees them.
        alphas : int or array-like, default=100
            As in `regularization_path`; for estimators that have no path of their own.
        output : int, default=0
            Which target or class is drawn where there are several.
        feature_names : sequence of str, optional
            Names of the features.
        ax : matplotlib Axes, optional
            Where to draw.
        **options : dict
            Arguments of `plot`.

        Returns
        -------
        RegularizationPathDisplay
        """
        model, names = final_step(estimator)
        if X is None:
            check_is_fitted(model)
            if not hasattr(model, "coef_path_"):
                raise ValueError(f"{type(model).__name__} has no path of its own: give X and y, or a fitted search.")
            solved, coefs, marks = model.alphas_, model.coef_path_, marks_of(model)
            convex = model._locally_convex
        else:
            path = path_of(model, X, y, alphas)
            solved, coefs, marks, convex = path.alphas, path.coefs, None, path.locally_convex
            names = path.feature_names if names is None else names
        names = names if feature_names is None else feature_names
        coefs = one_output(coefs, output)
        display = cls(alphas=solved, coefs=coefs, feature_names=names, marks=marks, locally_convex=convex)
        return display.plot(ax=ax, **options)

    @classmethod
    def from_path(cls, path, *, output=0, ax=None, **options):
        """Draw a `RegularizationPath`.

        Parameters
        ----------
        path : RegularizationPath
            From `regularization_path`.
        output : int, default=0
            Which target or class is drawn where there are several.
        ax : matplotlib Axes, optional
            Where to draw.
        **options : dict
            Arguments of `plot`.

        Returns
        -------
        RegularizationPathDisplay
        """
        coefs = one_output(path.coefs, output)
        names, convex = path.feature_names, path.locally_convex
        return cls(alphas=path.alphas, coefs=coefs, feature_names=names, locally_convex=convex).plot(ax=ax, **options)

    def plot(self, ax=None, *, n_labels=7):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.
        n_labels : int, default=7
            How many of the strongest features are named; the others are grey.

        Returns
        -------
        self
        """
        self.ax_, self.figure_ = ax, _ = alpha_axes(ax)
        shown = self.alphas > 0
        alphas, coefs = self.alphas[shown], self.coefs[shown]
        n_features = coefs.shape[1]
        names = [f"x{j}" for j in range(n_features)] if self.feature_names is None else list(self.feature_names)
        weakest = int(np.argmin(alphas))
        strongest = [j for j in np.argsort(-np.abs(coefs[weakest]), kind="stable")[:n_labels] if coefs[weakest, j] != 0]
        ax.axhline(0, color="0.8", linewidth=0.8)
        self.lines_ = [None] * n_features
        for j in [*(j for j in range(n_features) if j not in strongest), *strongest]:
            style = {"linewidth": 1.8, "zorder": 3} if j in strongest else {"color": "0.8", "linewidth": 1.0}
            (self.lines_[j],) = ax.plot(alphas, coefs[:, j], **style)
        top, low = alphas.max(), alphas.min()
        # Room for the names, at the weak end.
        ax.set_xlim(
            low * (low / top) ** 0.22 if top > low else low / 2, top * (top / low) ** 0.02 if top > low else 2 * top
        )
        if strongest:
            colours = [self.lines_[j].get_color() for j in strongest]
            label_lines(ax, low, coefs[weakest, strongest], [names[j] for j in strongest], colours)
        self.shade_ = None
        if self.locally_convex is not None and not np.all(self.locally_convex):
            start = self.alphas[np.argmin(self.locally_convex)]
            self.shade_ = ax.axvspan(
                ax.get_xlim()[0], start, color="0.94", zorder=0, label="not convex in the features used"
            )
        if (self.marks and mark(ax, self.marks)) or self.shade_ is not None:
            legend(ax)
        ax.set_ylabel("weight")
        self.top_ax_ = top_axis(ax, alphas, (coefs != 0).sum(axis=1), "features used")
        return self
