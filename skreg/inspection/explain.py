"""The pull of the data and the pull of the penalty on every weight."""

import warnings

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from skreg._validation import check_integer
from skreg.inspection._axes import final_step
from skreg.linear_model import PenalizedLogisticRegression, PenalizedRegression
from skreg.objective import fitted_point

__all__ = ["PenaltyExplanation", "explain_penalty"]

# In units of the certificate's violation: beyond it the coefficients are no solution of a problem with these data.
IMBALANCE = 1e-2


class PenaltyExplanation:
    """What the penalty does to each weight: two pulls that cancel, and what is left of the weight.

    Made by `explain_penalty`; printed, it is a table.

    Attributes
    ----------
    feature_names : ndarray of shape (n_features,)
        Names of the columns, or "x0", "x1", ...
    outputs : ndarray of shape (n_outputs,) or None
        Classes or positions of the targets, where coefficients have one row for each.
    coef : ndarray of shape (n_features,) or (n_outputs, n_features)
        Weights of the fit. With ``standardize=True`` those of the scaled columns, which
        are what the penalty sees.
    unpenalised : ndarray shaped like coef
        Weights of the same model without the penalty; nan where there is none, and then
        ``note`` says why.
    data_pull : ndarray shaped like coef
        Minus the derivative of the mean loss: where to, and how strongly, the data want
        to move the weight.
    penalty_pull : ndarray shaped like coef
        Minus the (sub)derivative of the penalty. At the optimum it is ``-data_pull``.
    shrinkage : ndarray shaped like coef
        Share of the unpenalised weight that the penalty took: 0 nothing, 1 all. Negative
        where the weight has grown, above 1 where its sign has changed.
    imbalance : float
        Largest sum of the two pulls over the largest pull: how far from "trained".
    note : str
        Why there is no unpenalised solution; else empty.
    axes_ : ndarray of two matplotlib Axes
        After `plot`: weights on the left, pulls on the right.
    figure_ : matplotlib Figure
        After `plot`.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import PenalizedRegression
    >>> from skreg.inspection import explain_penalty
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = PenalizedRegression("l1", alpha=0.5).fit(X[["age", "bmi", "bp"]], y)
    >>> print(explain_penalty(model, X[["age", "bmi", "bp"]], y))
         unpenalised  weight  shrinkage  data pull  penalty pull
    age           26       0      100 %      0.239        -0.239
    bmi          789     632       20 %        0.5          -0.5
    bp           394     244       38 %        0.5          -0.5
    """

    def __init__(self, *, feature_names, outputs, coef, unpenalised, data_pull, penalty_pull, note=""):
        self.feature_names = np.asarray(feature_names)
        self.outputs = outputs
        self.coef, self.unpenalised = coef, unpenalised
        self.data_pull, self.penalty_pull = data_pull, penalty_pull
        with np.errstate(divide="ignore", invalid="ignore"):
            self.shrinkage = np.where(unpenalised == 0, np.nan, 1.0 - coef / unpenalised)
        largest = np.max(np.abs(data_pull), initial=0.0)
        self.imbalance = float(np.max(np.abs(data_pull + penalty_pull), initial=0.0) / largest) if largest else 0.0
        self.note = note

    def _of_output(self, output):
        """The five columns for one output, each (n_features,)."""
        if self.coef.ndim > 1:
            output = check_integer("output", output, low=0)
            if output >= len(self.coef):
                raise ValueError(f"output={output} must be below the number of outputs, {len(self.coef)}.")
        columns = self.unpenalised, self.coef, self.shrinkage, self.data_pull, self.penalty_pull
        return [column if column.ndim == 1 else column[output] for column in columns]

    def __str__(self):
        blocks = []
        for k in range(1 if self.coef.ndim == 1 else len(self.coef)):
            rows = [["", "unpenalised", "weight", "shrinkage", "data pull", "penalty pull"]]
            for name, *numbers in zip(self.feature_names, *self._of_output(k), strict=True):
                texts = [f"{number:.3g}" for number in numbers]
                texts[2] = "" if np.isnan(numbers[2]) else f"{100 * numbers[2]:.0f} %"
                rows.append([str(name), *texts])
            widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
            lines = [
                "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows
            ]
            title = [] if self.outputs is None else [f"{self.outputs[k]}:"]
            blocks.append("\n".join([*title, *lines]))
        return "\n\n".join(blocks + [self.note] * bool(self.note))

    def plot(self, axes=None, *, output=0, n_features=12):
        """Draw both weights of each feature, and the two pulls on it.

        Parameters
        ----------
        axes : sequence of two matplotlib Axes, optional
            Where to draw weights and pulls; a new figure by default.
        output : int, default=0
            Which target or class, where there are several.
        n_features : int, default=12
            How many features are drawn: those with the largest weights, then those with the largest pulls.

        Returns
        -------
        PenaltyExplanation
            Itself, with ``axes_`` and ``figure_``.
        """
        free, coef, _, data_pull, penalty_pull = self._of_output(output)
        n_features = check_integer("n_features", n_features, low=1)
        # The last key counts most.
        order = np.lexsort((np.abs(data_pull), np.abs(coef)))[::-1][:n_features]
        order = order[np.argsort(coef[order], kind="stable")]
        if axes is None:
            import matplotlib.pyplot as plt

            height = 1.6 + 0.34 * len(order)
            _, axes = plt.subplots(1, 2, figsize=(11, height), sharey=True, layout="constrained")
        self.axes_, self.figure_ = np.asarray(axes), axes[0].figure
        left, right = axes
        places = np.arange(len(order))
        blue, orange = "#0072B2", "#D55E00"
        if not np.isnan(free).all():
            left.hlines(places, free[order], coef[order], color="0.7", linewidth=2.5)
            left.plot(free[order], places, "o", mfc="white", mec="0.35", mew=1.6, ms=7, label="without the penalty")
        left.plot(coef[order], places, "o", color="black", ms=7, label="with it")
        left.set_yticks(places, labels=self.feature_names[order])
        left.set_xlabel("weight")
        right.barh(places, data_pull[order], 0.62, color=blue, label="pull of the data")
        right.barh(
            places, penalty_pull[order], 0.62, color=orange, hatch="//", edgecolor="white", label="pull of the penalty"
        )
        right.set_xlabel("pull on the weight")
        right.set_yticks(places, labels=self.feature_names[order])
        if right.get_shared_y_axes().joined(left, right):
            right.tick_params(labelleft=False)
        for ax in axes:
            ax.axvline(0, color="0.4", linewidth=0.8)
            ax.grid(axis="y", visible=False)
            ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
        return self


def explain_penalty(estimator, X, y, sample_weight=None):
    r"""What the penalty of a fitted model does to each weight.

    Training ends where two pulls on each weight cancel,

    .. math:: -\frac{\partial \, \mathrm{loss}}{\partial w_j} - v_j = 0
              \quad\text{with}\quad v \in \partial P(w; \alpha),

    the pull of the data and the pull of the penalty. For L2 the latter is :math:`-\alpha w_j`;
    for L1 it is :math:`\alpha` towards zero, and as much of it as is needed to hold
    a weight at zero. It is read from the ``prox`` of the penalty, so that it is
    known for every penalty, also for your own.

    Parameters
    ----------
    estimator : fitted estimator of skreg
        A search stands for the alpha and the penalty that it chose. Of a pipeline that
        ends in one, the earlier steps transform X.
    X : array-like or sparse of shape (n_samples, n_features)
        The data of the fit.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        The targets or labels of the fit.
    sample_weight : array-like of shape (n_samples,), optional
        The weights of the fit.

    Returns
    -------
    PenaltyExplanation
        Weights without and with the penalty, pulls and shrinkage by feature; print it,
        or call its ``plot()``.

    Raises
    ------
    ValueError
        If the coefficients are a relaxed refit, which no longer feels the penalty.

    Warns
    -----
    UserWarning
        If the pulls do not cancel: the data are not those of the fit.

    See Also
    --------
    skreg.PenalizedRegression.objective : The two terms themselves.
    RegularizationPathDisplay : The weights at every alpha.

    Notes
    -----
    The unpenalised weights come from a second fit with ``penalty=None``. If classes
    can be separated perfectly, there are none. With more features than samples
    there are many, and those of least norm are shown.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import PenalizedRegression
    >>> from skreg.inspection import explain_penalty
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = PenalizedRegression("l2", alpha=0.001).fit(X, y)
    >>> told = explain_penalty(model, X, y)
    >>> bool(abs(told.penalty_pull + 0.001 * model.coef_).max() < 1e-6), told.imbalance < 1e-6
    (True, True)
    """
    names = final_step(estimator)[1]
    if hasattr(estimator, "steps"):
        check_is_fitted(estimator)
        X = estimator[:-1].transform(X)
        estimator = estimator[-1]
    if not isinstance(estimator, (PenalizedRegression, PenalizedLogisticRegression)):
        raise TypeError(f"estimator must be one of skreg, or a pipeline that ends in one; got {estimator!r}.")
    if getattr(estimator, "relax_", 1.0) != 1.0:
        raise ValueError(
            f"relax_={estimator.relax_:g} was chosen: these coefficients are mixed with a refit without the penalty, "
            "so that it does not hold them. Fit the estimator without relax."
        )
    point = fitted_point(estimator, X, y, sample_weight)
    # The fixed point of the prox shows the subgradient at which it stops.
    step = 1.0 / point.curvature
    ahead = point.coef - step * point.gradient
    penalty_pull = (point.problem.prox(ahead, step, point.alpha) - ahead) / step
    if point.violation > IMBALANCE:
        warnings.warn(
            "The pulls of data and penalty do not cancel: X, y and sample_weight are not those of the fit, "
            f"or it is far from its solution (violation={point.violation:.1g}).",
            UserWarning,
            stacklevel=2,
        )
    free, note = _unpenalised(estimator, point, X, y, sample_weight)
    rows = estimator.coef_.shape

    def shown(coef):
        return np.ascontiguousarray(coef.T).reshape(rows)

    outputs = None
    if estimator.coef_.ndim > 1:
        classes = getattr(estimator, "classes_", np.arange(rows[0]))
        outputs = classes[-rows[0] :]  # of two classes, the row is that of the second
    return PenaltyExplanation(
        feature_names=[f"x{j}" for j in range(rows[-1])] if names is None else names,
        outputs=outputs,
        coef=shown(point.coef),
        unpenalised=shown(free),
        data_pull=shown(-point.gradient),
        penalty_pull=shown(penalty_pull),
        note=note,
    )


def _unpenalised(estimator, point, X, y, sample_weight):
    """Coefficients without the penalty in the units of the design, and why there are none."""
    kind = PenalizedLogisticRegression if hasattr(estimator, "classes_") else PenalizedRegression
    params = {name: value for name, value in estimator.get_params(deep=False).items() if name in kind().get_params()}
    params |= {"penalty": None, "penalty_factor": None, "solver": "auto", "warm_start": False}
    model = clone(kind(**params))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y, sample_weight=sample_weight)
    if not model.optimality_.converged:
        note = "There is no solution without the penalty"
        if kind is PenalizedLogisticRegression:
            note += ": where the classes can be told apart perfectly, the weights would grow for ever"
        return np.full(point.coef.shape, np.nan), note + "."
    return fitted_point(model, X, y, sample_weight).coef, ""
