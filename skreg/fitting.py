"""From what a user gives to a problem, and from a solution to what a user gets."""

from typing import NamedTuple

import numpy as np
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.multiclass import check_classification_targets

from skreg._validation import check_bool, check_weights, is_centred
from skreg.losses import Logistic, Loss, Softmax, get_loss
from skreg.pages import in_large_pages
from skreg.problem import make_problem
from skreg.sums import inner

__all__ = [
    "Classes",
    "canonical",
    "column_names",
    "encode_classes",
    "in_units_of_design",
    "in_units_of_X",
    "path_in_units_of_X",
    "problem_of_data",
    "trouble",
]


class Classes(NamedTuple):
    """Labels as a loss wants them.

    Attributes
    ----------
    labels : ndarray of shape (n_classes,)
        Sorted.
    target : ndarray of shape (n_samples,) or (n_samples, n_classes)
        0 and 1 for two classes, one-hot for more.
    loss : Loss
    """

    labels: np.ndarray
    target: np.ndarray
    loss: Loss


def encode_classes(y, sample_weight=None, labels=None):
    """Two classes are one column, more are one-hot.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels.
    sample_weight : ndarray of shape (n_samples,), optional
        A row of weight 0 is as good as left out, and so is a class that has no other rows.
    labels : ndarray of shape (n_classes,), optional
        The classes of an earlier fit; by default those of ``y``.

    Returns
    -------
    Classes

    Raises
    ------
    ValueError
        If there is only one class, or one that ``labels`` does not hold.
    """
    found = _distinct(y if sample_weight is None else y[sample_weight > 0])
    if labels is None:
        labels = found
    elif not np.isin(found, labels).all():
        raise ValueError(f"y holds classes that the model has not seen: {np.setdiff1d(found, labels).tolist()}.")
    if len(labels) < 2:
        raise ValueError(
            f"y must hold two classes or more (with positive weight); got one class: {labels.tolist()[0]!r}."
        )
    if len(labels) == 2:
        return Classes(labels, (y > labels[0]).astype(np.float64), Logistic())
    codes = np.minimum(np.searchsorted(labels, y), len(labels) - 1)
    one_hot = np.zeros((len(codes), len(labels)))
    one_hot[np.arange(len(codes)), codes] = 1.0
    return Classes(labels, one_hot, Softmax())


def _distinct(y):
    """`np.unique` of labels; to count whole numbers that are near each other takes less time than to sort."""
    if y.dtype.kind == "i" and y.size:
        least = y.min()
        if int(y.max()) - int(least) < y.size:
            return np.bincount(y.astype(np.intp, copy=False) - least).nonzero()[0].astype(y.dtype) + least
    return np.unique(y)


def problem_of_data(X, y, *, loss, sample_weight, fit_intercept, standardize, **options):
    """The problem that functions of data solve, from what a user gives them.

    Parameters
    ----------
    X : array-like or sparse of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets, or labels where the loss is for classes: it becomes that for as many as there are.
    loss : str or Loss
    sample_weight : array-like of shape (n_samples,) or None
    fit_intercept, standardize : bool
    **options : dict
        The other parameters of `make_problem`.

    Returns
    -------
    problem : Problem
    labels : ndarray of shape (n_classes,) or None
        The classes, sorted.
    names : ndarray of shape (n_features,) or None
        Of the columns.

    Raises
    ------
    ValueError, TypeError
        If the data or a parameter are not what they have to be.
    """
    loss, names, labels = get_loss(loss), column_names(X), None
    centred = is_centred(fit_intercept, standardize, sample_weight)
    X = check_array(
        X,
        accept_sparse=("csr", "csc"),
        dtype=(np.float64, np.float32),
        ensure_all_finite=not centred,
        input_name="X",
    )
    X = canonical(X)
    sample_weight = check_weights(sample_weight, X.shape[0])
    classes = isinstance(loss, (Logistic, Softmax))
    y = check_array(y, dtype=None if classes else np.float64, ensure_2d=False, input_name="y")
    check_consistent_length(X, y)
    if classes:
        check_classification_targets(y)
        if y.ndim == 1:
            labels, y, known = encode_classes(y, sample_weight)
            # Who has written another one of the kind means that.
            loss = loss if isinstance(loss, type(known)) else known
    problem = make_problem(
        X,
        y,
        loss=loss,
        fit_intercept=check_bool("fit_intercept", fit_intercept),
        standardize=check_bool("standardize", standardize),
        sample_weight=sample_weight,
        feature_names=names,
        **options,
    )
    return problem, labels, names


def canonical(X):
    """A sparse X without duplicate entries; the caller's matrix is left alone."""
    if not isinstance(X, np.ndarray) and not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return X


def in_units_of_X(problem, coef, intercept, alpha):
    """Coefficients and intercept as an estimator shows them, of the type of X.

    Parameters
    ----------
    problem : Problem
    coef : ndarray of shape (n_features,) or (n_features, n_outputs)
        In the units of the design.
    intercept : float or ndarray of shape (n_outputs,)
        Value of the linear predictor at the shift.
    alpha : float
        Strength.

    Returns
    -------
    coef : ndarray of shape (n_features,) or (n_outputs, n_features)
    intercept : float or ndarray of shape (n_outputs,)
    """
    if problem.loss.translation_invariant and coef.ndim > 1:
        coef = _centred(problem, coef, alpha)
    coef, moved = _unscaled(problem, coef.T)
    intercept = intercept + problem.offset - moved
    if problem.loss.translation_invariant and problem.fit_intercept:
        intercept = intercept - np.mean(intercept)
    return np.ascontiguousarray(coef), intercept


def _centred(problem, coef, alpha):
    """Of all solutions with the same predictions and price, the one whose free parts sum to zero.

    Adding a number to all outputs of a softmax changes nothing, so unpenalised
    coefficients (and intercepts) are only fixed up to it.
    """
    price, mean, penalty = problem.penalty_value(coef, alpha), coef.mean(axis=1), problem.penalty
    directions = penalty.null_space()
    if directions is not None:
        free = directions @ np.linalg.lstsq(directions, mean, rcond=None)[0]
    elif penalty.quadratic(problem.strength(alpha)) is not None or price <= 1e-10 * problem.null_loss:
        # Squares are cheapest around their mean; and a price lost in rounding fixes nothing.
        free = mean
    else:
        free = np.zeros_like(mean)
        index = problem.unpenalised(alpha)
        free[index] = mean[index]
    centred = coef - free[:, None]
    return centred if np.isfinite(problem.penalty_value(centred, alpha)) else coef


def _unscaled(problem, coefs, out=None):
    """Coefficients in the units of X and of its type, features last; and by how much their intercepts are less than at the shift."""
    design, dtype = problem.design, problem.design.X.dtype
    out = np.empty(coefs.shape, dtype) if out is None else out
    out[:] = coefs if design.scale is None else coefs / design.scale
    # Rounded first, so that the intercept makes good for it; a zero has no sign.
    out += dtype.type(0)
    return out, 0.0 if design.shift is None else inner(design.shift, out.T.astype(np.float64, copy=False))


def path_in_units_of_X(problem, solutions):
    """As `in_units_of_X`, for all solutions of a path together.

    Parameters
    ----------
    problem : Problem
    solutions : list of Solution

    Returns
    -------
    coefs : ndarray of shape (n_alphas, n_features) or (n_alphas, n_outputs, n_features)
    intercepts : ndarray of shape (n_alphas,) or (n_alphas, n_outputs)
    """
    if problem.y.ndim > 1:
        parts = [in_units_of_X(problem, s.coef, s.intercept, s.alpha) for s in solutions]
        return tuple(np.stack(part) for part in zip(*parts, strict=True))
    coefs = in_large_pages((len(solutions), problem.n_features), problem.design.X.dtype)
    # Row by row: to touch the memory of another large array costs more than to fill it.
    moved = [_unscaled(problem, s.coef, out)[1] for s, out in zip(solutions, coefs, strict=True)]
    return coefs, np.array([s.intercept for s in solutions]) + problem.offset - np.array(moved)


def in_units_of_design(problem, coef, intercept):
    """The inverse of `in_units_of_X`: a starting point, or None if the shapes do not fit.

    Parameters
    ----------
    problem : Problem
    coef : ndarray of shape (n_features,) or (n_outputs, n_features)
    intercept : float or ndarray of shape (n_outputs,)

    Returns
    -------
    None or tuple (coef, intercept)
    """
    coef = np.asarray(coef, dtype=np.float64).T
    if len(problem.coef_shape) == 1:
        coef = coef.reshape(-1)
    if coef.shape != problem.coef_shape:
        return None
    intercept = np.asarray(intercept, dtype=np.float64).reshape(problem.y.shape[1:]) - problem.offset
    design = problem.design
    if design.shift is not None:
        intercept = intercept + inner(design.shift, coef)
    if not problem.fit_intercept:
        intercept = np.zeros(problem.y.shape[1:])
    if design.scale is not None:
        coef = (coef.T * np.where(np.isfinite(design.scale), design.scale, 0.0)).T
    return coef, intercept if problem.y.ndim > 1 else float(intercept)


def trouble(solution, max_iter):
    """Why a solution is not within tol and what to do about it, as a clause; None if it is.

    Parameters
    ----------
    solution : Solution
    max_iter : int
        The limit that the user set.

    Returns
    -------
    None or str
    """
    optimality = solution.optimality
    if solution.diverges:
        return (
            f"did not reach tol={optimality.tol:g}: the classes (or one of them and the rest) are perfectly separable by "
            "coefficients that are not penalised (or that a concave penalty charges no more when they grow), so the best "
            "ones are infinite; these are the first found that separate them. Choose a penalty with alpha > 0 that grows with them, 'l1' say."
        )
    if optimality.converged:
        return None
    name, measure = ("violation", optimality.violation) if optimality.gap is None else ("gap", optimality.gap)
    if not solution.stalled:
        cause, knob = f"max_iter={max_iter} was reached", "increase max_iter"
    else:
        reason = "steps gain next to nothing" if solution.slow else "rounding allows no further progress"
        cause = f"{reason} after n_iter={solution.n_iter}"
        other = "increase alpha" if solution.slow else "bring the columns of X to similar scale"
        knob = f"set tol to {10 * optimality.measure:.0e} or more, or {other}"
        if measure == np.inf:
            knob = "leave out one of the unpenalised columns: rounding cannot tell them apart"
    return (
        f"did not reach tol={optimality.tol:g}: {cause} at {name}={measure:.1e} "
        f"(relative to the loss of the null model). To get there, {knob}."
    )


def column_names(X):
    """Names of the columns of a data frame, if all are strings; else None.

    Parameters
    ----------
    X : array-like or data frame of shape (n_samples, n_features)

    Returns
    -------
    None or ndarray of shape (n_features,)
    """
    columns = getattr(X, "columns", None)
    if columns is None or not all(isinstance(name, str) for name in columns):
        return None
    return np.array(list(columns), dtype=object)
