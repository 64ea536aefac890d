"""Bias, variance and error against alpha."""

import numpy as np
from sklearn.base import is_classifier
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, check_random_state

from skreg._validation import check_integer
from skreg.inspection._axes import alpha_axes, legend, path_of, top_axis

__all__ = ["TradeoffDisplay"]


class TradeoffDisplay:
    """What alpha buys and what it costs: variance falls, bias grows, the test error is their sum.

    Make one with `from_estimator`.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        Strengths.
    bias_squared : ndarray of shape (n_alphas,)
        Mean squared distance of the average fit from the truth; without a known
        truth from the observed targets, which adds their noise.
    variance : ndarray of shape (n_alphas,)
        Mean variance of the predictions over the training sets.
    noise : float or None
        Mean square of what the truth leaves; None where it is not known.
    degrees_of_freedom : ndarray of shape (n_alphas,), optional
        Of the fit to one training set.

    Attributes
    ----------
    test_error : ndarray of shape (n_alphas,)
        The sum: bias squared + variance + noise.
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        Its figure.
    lines_ : dict of str to matplotlib Line2D
        The curves, by label.

    References
    ----------
    T. Hastie, R. Tibshirani, J. Friedman, "The Elements of Statistical Learning",
    2nd ed., eq. (7.9).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import PenalizedRegression
    >>> from skreg.inspection import TradeoffDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = PenalizedRegression("l1", standardize=True)
    >>> display = TradeoffDisplay.from_estimator(model, X, y, n_resamples=10, alphas=20, random_state=0)
    >>> sorted(display.lines_)
    ['bias squared + noise', 'test error', 'variance']
    """

    def __init__(self, *, alphas, bias_squared, variance, noise=None, degrees_of_freedom=None):
        self.alphas = np.asarray(alphas, dtype=float)
        self.bias_squared = np.asarray(bias_squared)
        self.variance = np.asarray(variance)
        self.noise = noise
        self.degrees_of_freedom = degrees_of_freedom
        self.test_error = self.bias_squared + self.variance + (0.0 if noise is None else noise)

    @classmethod
    def from_estimator(
        cls, estimator, X, y, *, truth=None, alphas=50, n_resamples=50, test_size=0.3, random_state=None, ax=None
    ):
        """Fit paths to many training sets, and look at their predictions for the rows that none of them has.

        Parameters
        ----------
        estimator : PenalizedRegression
            Its parameters are those of the paths; its alpha plays no part.
        X : array-like of shape (n_samples, n_features)
            Data.
        y : array-like of shape (n_samples,)
            Targets.
        truth : array-like of shape (n_samples,), optional
            The true mean of every y, where it is known (simulations). Training sets
            then have the same rows with new noise, drawn from ``y - truth``, and the
            split is the true one. Otherwise they are bootstrap samples of the rows.
        alphas : int or array-like, default=50
            As in `regularization_path`.
        n_resamples : int, default=50
            How many training sets.
        test_size : float, default=0.3
            Share of the rows that are only predicted.
        random_state : int, RandomState instance or None, default=None
            For the split and the training sets.
        ax : matplotlib Axes, optional
            Where to draw.

        Returns
        -------
        TradeoffDisplay
        """
        if is_classifier(estimator):
            raise ValueError(
                f"TradeoffDisplay splits a squared error, so it is for regression; got {type(estimator).__name__}."
            )
        n_resamples = check_integer("n_resamples", n_resamples, low=2)
        rng = check_random_state(random_state)
        X, y = check_array(X), check_array(y, ensure_2d=False, dtype=np.float64)
        if y.ndim > 1:
            raise ValueError(f"y must have one column; got an array of shape {y.shape}.")
        mean = None if truth is None else check_array(truth, ensure_2d=False, dtype=np.float64)
        if mean is not None and mean.shape != y.shape:
            raise ValueError(f"truth must have the shape of y, {y.shape}; got {mean.shape}.")
        train, test = train_test_split(np.arange(len(y)), test_size=test_size, random_state=rng)
        reference = path_of(estimator, X[train], y[train], alphas)
        predictions = []
        for _ in range(n_resamples):
            if mean is None:
                rows = rng.choice(train, train.size)
                target = y[rows]
            else:
                rows, target = train, mean[train] + rng.choice(y - mean, train.size)
            path = path_of(estimator, X[rows], target, reference.alphas)
            predictions.append(X[test] @ path.coefs.T + path.intercepts)
        predictions = np.stack(predictions)
        wanted = y if mean is None else mean
        return cls(
            alphas=reference.alphas,
            bias_squared=np.mean((predictions.mean(axis=0) - wanted[test, None]) ** 2, axis=0),
            variance=predictions.var(axis=0).mean(axis=0),
            noise=None if mean is None else float(np.mean((y - mean) ** 2)),
            degrees_of_freedom=reference.degrees_of_freedom,
        ).plot(ax=ax)

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
        known = self.noise is not None
        curves = {"test error": self.test_error, "bias squared" if known else "bias squared + noise": self.bias_squared}
        curves["variance"] = self.variance
        if known:
            curves["noise"] = np.full(self.alphas.shape, self.noise)
        self.lines_ = {
            label: ax.plot(self.alphas, values, label=label, linestyle=":" if label == "noise" else "-")[0]
            for label, values in curves.items()
        }
        lowest = int(np.argmin(self.test_error))
        ax.plot(self.alphas[lowest], self.test_error[lowest], "o", color=self.lines_["test error"].get_color())
        ax.annotate(
            f"alpha={self.alphas[lowest]:.3g}",
            (self.alphas[lowest], self.test_error[lowest]),
            xytext=(0, -8),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize="small",
        )
        ax.set_ylabel("mean squared error")
        ax.set_ylim(bottom=0)
        legend(ax)
        if self.degrees_of_freedom is not None:
            self.top_ax_ = top_axis(ax, self.alphas, self.degrees_of_freedom, "effective degrees of freedom")
        return self
