"""Checks of parameters, and the sentences they answer with."""

import math
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_array

__all__ = ["check_bool", "check_integer", "check_penalty_factor", "check_real", "check_standardize", "check_weights"]


def _range(low, high, low_open, high_open):
    left = "(-inf" if low is None else f"{'(' if low_open else '['}{low}"
    right = "inf)" if high is None else f"{high}{')' if high_open else ']'}"
    return f"{left}, {right}"


def check_real(name, value, low=None, high=None, low_open=False, high_open=False):
    """Return ``value`` as a float, or say which finite numbers ``name`` may be."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
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
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Integral):
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
    for label in np.unique(blocks):
        if np.ptp(factor[blocks == label]) > 0:
            raise ValueError(
                f"penalty_factor must be the same for all features of a block of {name}; "
                f"got {factor[blocks == label].tolist()} in block {label!r}."
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
