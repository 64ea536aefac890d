"""Score against alpha."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skreg.inspection._axes import alpha_axes, final_step, legend, mark, marks_of, top_axis
from skreg.selection import standard_errors

__all__ = ["CrossValidationDisplay"]


class CrossValidationDisplay:
    """Mean score and one standard error of it along alpha, with both rules marked.

    Make one with `from_estimator`.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        Strengths.
    mean : ndarray of shape (n_alphas,)
        Mean score, or criterion.
    error : ndarray of shape (n_alphas,), optional
        One standard error of the mean.
    label : str
        What the scores are.
    marks : dict of str to float, optional
        Alphas to be marked, by name.
    support_sizes : ndarray of shape (n_alphas,), optional
        Features used by the fit to all data.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        Its figure.
    line_ : matplotlib Line2D
        The mean.
    band_ : matplotlib PolyCollection or None
        One standard error to both sides.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import PenalizedRegressionCV
    >>> from skreg.inspection import CrossValidationDisplay
    >>> model = PenalizedRegressionCV("l1", alphas=20).fit(*load_diabetes(return_X_y=True))
    >>> display = CrossValidationDisplay.from_estimator(model)
    >>> display.ax_.get_ylabel()
    'minus the mean loss, 5 folds'
    """

    def __init__(self, *, alphas, mean, error=None, label="score", marks=None, support_sizes=None):
        self.alphas = np.asarray(alphas, dtype=float)
        self.mean = np.asarray(mean)
        self.error = error
        self.label = label
        self.marks = marks
        self.support_sizes = support_sizes

    @classmethod
    def from_estimator(cls, estimator, *, ax=None):
        """Draw the scores of a fitted search, for the shape and the refit that it chose.

        Parameters
        ----------
        estimator : fitted PenalizedRegressionCV or PenalizedLogisticRegressionCV
            Or a pipeline that ends in one.
        ax : matplotlib Axes, optional
            Where to draw.

        Returns
        -------
        CrossValidationDisplay
        """
        model, _ = final_step(estimator)
        check_is_fitted(model)
        if not hasattr(model, "cv_results_"):
            raise ValueError(
                f"CrossValidationDisplay shows a search (PenalizedRegressionCV); got {type(model).__name__}."
            )
        results, best = model.cv_results_, model.best_params_
        others = {name: value for name, value in best.items() if name != "alpha"}
        chosen = [k for k, params in enumerate(results["params"]) if others.items() <= params.items()]
        used = model.coef_path_ != 0
        sizes = (used if used.ndim == 2 else used.any(axis=1)).sum(axis=1)
        if "criterion" in results:
            mean, error, label = results["criterion"][chosen], None, f"{model.rule} (lower is better)"
        else:
            n_folds, errors = standard_errors(results)
            error = errors[chosen]
            mean = results["mean_test_score"][chosen]
            name = "minus the mean loss" if model.scoring is None else str(model.scoring)
            label = f"{name}, {n_folds} folds"
        marks = marks_of(model)
        display = cls(alphas=model.alphas_, mean=mean, error=error, label=label, marks=marks, support_sizes=sizes)
        return display.plot(ax=ax)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        self
        """
        self.ax_, self.figure_ = ax, _ = alpha_axes(ax)
        (self.line_,) = ax.plot(self.alphas, self.mean, marker=".", markersize=4, linewidth=1.5, label="mean")
        self.band_ = None
        if self.error is not None:
            low, high = self.mean - self.error, self.mean + self.error
            colour = self.line_.get_color()
            self.band_ = ax.fill_between(
                self.alphas, low, high, alpha=0.2, color=colour, linewidth=0, label="one standard error"
            )
        if self.marks:
            mark(ax, self.marks)
        legend(ax)
        ax.set_ylabel(self.label)
        if self.support_sizes is not None:
            self.top_ax_ = top_axis(ax, self.alphas, self.support_sizes, "features used")
        return self
