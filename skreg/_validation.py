"""Checks of parameters, and the sentences they answer with."""

import math
from numbers import Integral, Real

import numpy as np
from scipy import sparse
from sklearn.utils import check_array
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from skreg import _passes

__all__ = [
    "check_bool",
    "check_data",
    "check_integer",
    "check_labels",
    "check_penalty_factor",
    "check_real",
    "check_standardize",
    "check_weights",
    "is_centred",
]

# Scikit-learn's word for an argument that is not there; None is a y that is there and should not be.
NOT_GIVEN = "no_validation"


# The sparse matrices that are used as they are.
SPARSE = (sparse.csr_array, sparse.csc_array, sparse.csr_matrix, sparse.csc_matrix)


def check_data(estimator, X, y=NOT_GIVEN, reset=True, centred=False, **target):
    """``(X, y)``, or ``X`` where there is no ``y``, as `sklearn.utils.validation.validate_data` returns them.

    A search fits thousands of small models on arrays that are already what they have to be. Those take a short way:
    it only looks whether there is anything to convert, to refuse or to warn of, and leaves all of that to scikit-learn.

    Parameters
    ----------
    estimator : BaseEstimator
        Its ``n_features_in_`` and ``feature_names_in_`` are set or compared.
    X : array-like or sparse of shape (n_samples, n_features)
        Data.
    y : array-like of shape (n_samples,) or (n_samples, n_targets), optional
        Targets; where they are not given, X is returned alone.
    reset : bool
        Whether this is a fit.
    centred : bool, default=False
        Whether what is made of X reads all of it, and refuses numbers that are not finite (`skreg.design.make_design`): X is
        then not read for that alone.
    **target : dict
        What `validate_data` is to know of y.
    """
    if _needs_nothing(X, y, centred) and not hasattr(estimator, "feature_names_in_"):
        if reset:
            estimator.n_features_in_ = X.shape[1]
        if estimator.n_features_in_ == X.shape[1]:
            return X if y is NOT_GIVEN else (X, y)
    return validate_data(
        estimator,
        X,
        y,
        accept_sparse=("csr", "csc"),
        dtype=(np.float64, np.float32),
        # y is looked at in any case.
        ensure_all_finite=not centred,
        reset=reset,
        **target,
    )


def is_centred(fit_intercept, standardize, weights):
    """Whether the design of a fit reads all of X, and so tells whether it is finite; rows without weight it need not read."""
    return weights is None and bool(fit_intercept or standardize)


def _needs_nothing(X, y, later):
    """Whether X and y are plain arrays, of kinds that need no conversion, and finite; of X that may be seen later."""
    if not (type(X) is np.ndarray or type(X) in SPARSE) or X.ndim != 2 or 0 in X.shape:
        return False
    if X.dtype not in (np.float64, np.float32):
        return False
    # Integers and truth values are finite.
    if y is not NOT_GIVEN and (
        type(y) is not np.ndarray
        or y.shape != X.shape[:1]
        or not y.flags.c_contiguous
        or not (y.dtype.kind in "iub" or y.dtype == np.float64)
    ):
        return False
    if y is not NOT_GIVEN and y.dtype.kind == "f" and not _passes.all_finite(y):
        return False
    if later:
        return True
    # One number that is not finite makes the sum so; a sum that overflows is looked at again by scikit-learn.
    with np.errstate(over="ignore", invalid="ignore"):
        return math.isfinite((X if type(X) is np.ndarray else X.data).sum())


def _range(low, high, low_open, high_open):
    left = "(-inf" if low is None else f"{'(' if low_open else '['}{low}"
    right = "inf)" if high is None else f"{high}{')' if high_open else ']'}"
    return f"{left}, {right}"


def check_real(name, value, low=None, high=None, low_open=False, high_open=False):
    """Return ``value`` as a float, or say which finite numbers ``name`` may be."""
    # To ask an abstract class takes longer than all the rest.
    if not isinstance(value, float) and (isinstance(value, (bool, np.bool_)) or not isinstance(value, Real)):
        raise TypeError(
            f"{name} must be a real number in {_range(low, high, low_open, high_open)}; "
            f"got {value!r} of type {type(value).__name__}."
        )
    number = float(value)
    inside = (
        math.isfinite(number)
        and (low is None or (number > low if low_open else number >= low))
        and (high is None or (number < high if high_open else number <= high))
    )
    if not inside:
        raise ValueError(f"{name} must be a finite number in {_range(low, high, low_open, high_open)}; got {value!r}.")
    return number


def check_integer(name, value, low=None, high=None):
    """Return ``value`` as an int, or say which integers ``name`` may be."""
    if type(value) is not int and (isinstance(value, (bool, np.bool_)) or not isinstance(value, Integral)):
        raise TypeError(f"{name} must be an integer; got {value!r} of type {type(value).__name__}.")
    if low is not None and value < low:
        raise ValueError(f"{name} must be an integer >= {low}; got {value!r}.")
    if high is not None and value > high:
        raise ValueError(f"{name} must be an integer from {low} to {high}; got {value!r}.")
    return int(value)


def check_bool(name, value):
    """Return ``value`` as a bool, or say that ``name`` is a switch."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False; got {value!r} of type {type(value).__name__}.")
    return bool(value)


def check_labels(y):
    """Refuse numbers that are no labels, as scikit-learn does."""
    # Integers are labels; only where nearly all differ does it have something to say. Between two near ones there are few.
    if y.dtype.kind in "iub":
        between = int(y.max()) - int(y.min()) + 1
        if 2 * between <= len(y) or 2 * len(np.unique(y)) <= len(y):
            return
    check_classification_targets(y)


def check_weights(sample_weight, n_samples):
    """Sample weights as a float64 array, or None."""
    if sample_weight is None:
        return None
    allowed = f"finite numbers >= 0, one for each of the {n_samples} samples, not all zero"
    try:
        weights = check_array(
            sample_weight, dtype=np.float64, ensure_2d=False, allow_nd=True, input_name="sample_weight", order="C"
        )
    except (TypeError, ValueError) as error:
        raise type(error)(f"sample_weight must be {allowed}; {error}") from error
    if weights.shape != (n_samples,):
        raise ValueError(f"sample_weight must be {allowed}; got an array of shape {weights.shape}.")
    if weights.min() < 0:
        raise ValueError(f"sample_weight must be {allowed}; got {weights.min()} at position {weights.argmin()}.")
    if not weights.any():
        raise ValueError(f"sample_weight must be {allowed}; all weights are zero.")
    return weights


def check_penalty_factor(penalty_factor, penalty, n_features, feature_names=None):
    """Factors as an array, or None; refuses penalties to which they have no meaning."""
    if penalty_factor is None:
        return None
    factor = _factors(penalty_factor, n_features, feature_names)
    if penalty.separable:
        return factor
    blocks = penalty.blocks()
    name = type(penalty).__name__
    if blocks is None:
        raise ValueError(
            f"penalty_factor must be None for {name}: it prices coefficients together, so a factor per feature "
            "has no meaning. Scale the columns of X instead."
        )
    labels, first, number = np.unique(blocks, return_index=True, return_inverse=True)
    unequal = np.flatnonzero(factor != factor[first][number])
    if unequal.size:
        block = number[unequal[0]]
        raise ValueError(
            f"penalty_factor must be the same for all features of a block of {name}; "
            f"got {factor[number == block].tolist()} in block {labels.tolist()[block]!r}."
        )
    return factor


def check_standardize(standardize, penalty):
    """Whether to standardise; refuses penalties to which that has no meaning."""
    if standardize and not penalty.standardizes:
        raise ValueError(
            f"standardize must be False for {type(penalty).__name__}: it compares coefficients with each other, "
            "which has no meaning when each is in a unit of its own. Scale the columns of X instead if you want that."
        )
    return standardize


def _factors(penalty_factor, n_features, feature_names):
    allowed = f"one finite number >= 0 for each of the {n_features} features, or a dict {{column: factor}}"
    if isinstance(penalty_factor, dict):
        factor = np.ones(n_features)
        names = [] if feature_names is None else list(feature_names)
        for column, value in penalty_factor.items():
            if isinstance(column, Integral) and -n_features <= column < n_features:
                position = column
            elif column in names:
                position = names.index(column)
            else:
                known = names if names else f"positions 0 to {n_features - 1} (X has no column names)"
                raise ValueError(
                    f"penalty_factor names the column {column!r}, which X does not have: choose of {known}."
                )
            factor[position] = check_real(f"penalty_factor[{column!r}]", value, low=0)
        return factor
    factor = np.asarray(penalty_factor)
    if factor.dtype.kind not in "iuf":
        raise TypeError(f"penalty_factor must be {allowed}; got {penalty_factor!r}.")
    factor = factor.astype(np.float64)
    if factor.shape != (n_features,):
        raise ValueError(f"penalty_factor must be {allowed}; got an array of shape {factor.shape}.")
    wrong = ~(np.isfinite(factor) & (factor >= 0))
    if wrong.any():
        raise ValueError(f"penalty_factor must be {allowed}; got {factor[wrong][0]} for feature {np.argmax(wrong)}.")
    return factor
