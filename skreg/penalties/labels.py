"""Groups as users name them, as numbers: labels, lists of columns, names, and a weight for each group."""

from numbers import Integral

import numpy as np

from skreg._validation import check_real

__all__ = ["resolve_groups"]


def resolve_groups(groups, weights="sqrt", n_features=None, feature_names=None, single=False):
    """What a user calls groups, as numbers.

    Parameters
    ----------
    groups, weights : see `GroupLasso`
        As the user gave them.
    n_features : int, optional
        By default as many as ``groups`` mentions.
    feature_names : ndarray of shape (n_features,), optional
        Names of the columns.
    single : bool
        Whether ``groups=None`` is allowed, and makes every feature a group.

    Returns
    -------
    label : ndarray of int of shape (n_features,)
        The number of its group for every feature.
    weight : ndarray of shape (n_groups,)
        The factor of every group.

    Raises
    ------
    ValueError, TypeError
        If a feature is in no group or in two, or a parameter is not what it has to be.
    """
    names, label = _labelled(groups, n_features, feature_names, single)
    size = np.bincount(label, minlength=len(names))
    return label, _weighted(weights, names, np.sqrt(size))


def _labelled(groups, n_features, feature_names, single):
    """Labels of the groups in order, and the number of its group for every feature."""
    if groups is None and single and n_features is not None:
        return list(range(n_features)), np.arange(n_features)
    if isinstance(groups, Integral) and not isinstance(groups, bool):
        if groups < 1 or n_features is None or n_features % groups:
            raise ValueError(f"groups={groups} must be a size that divides the number of features, {n_features}.")
        return list(range(n_features // groups)), np.arange(n_features) // groups
    allowed = "a size, a label per feature, a list of columns per group, or a dict {label: columns}"
    if not isinstance(groups, (dict, list, tuple, np.ndarray)) and not hasattr(groups, "__array__"):
        raise TypeError(f"groups must be {allowed}; got {groups!r}.")
    if isinstance(groups, dict):
        return list(groups), _numbered(list(groups), list(groups.values()), n_features, feature_names)
    groups = list(groups)
    nested = [isinstance(one, (list, tuple, set, np.ndarray)) for one in groups]
    if groups and all(nested):
        return list(range(len(groups))), _numbered(list(range(len(groups))), groups, n_features, feature_names)
    if not groups or any(nested) or any(one is None or one != one for one in groups):
        raise TypeError(f"groups must be {allowed}; got {groups!r}.")
    if n_features is not None and len(groups) != n_features:
        raise ValueError(f"groups must have one label for each of the {n_features} features; got {groups!r}.")
    try:
        names, label = np.unique(np.array(groups), return_inverse=True)
    except TypeError as error:
        raise TypeError(f"groups must be {allowed}, labels of one kind; got {groups!r}.") from error
    return names.tolist(), label


def _numbered(names, lists, n_features, feature_names):
    known = {} if feature_names is None else {name: j for j, name in enumerate(feature_names)}
    lists = [[columns] if isinstance(columns, (str, Integral)) else list(columns) for columns in lists]
    size = sum(map(len, lists)) if n_features is None else n_features
    label = np.full(size, -1)
    for number, (name, columns) in enumerate(zip(names, lists, strict=True)):
        if not columns:
            raise ValueError(f"groups: group {name!r} has no columns.")
        for column in columns:
            position = known.get(column) if isinstance(column, str) else column
            if isinstance(position, bool) or not isinstance(position, Integral) or not 0 <= position < size:
                choice = f"names {sorted(known)}" if known else "X has no column names"
                raise ValueError(
                    f"groups: group {name!r} holds the column {column!r}, which X does not have "
                    f"(positions are 0 to {size - 1}; {choice})."
                )
            if label[position] >= 0:
                raise ValueError(
                    f"groups: the column {column!r} is in two groups, {names[label[position]]!r} and {name!r}; groups "
                    "that overlap have no prox in closed form."
                )
            label[position] = number
    if np.any(label < 0):
        missing = np.flatnonzero(label < 0)
        missing = missing.tolist() if feature_names is None else [feature_names[j] for j in missing]
        raise ValueError(
            f"groups: the columns {missing} are in no group; give them one, with weight 0 if they are free."
        )
    return label


def _weighted(weights, names, default):
    allowed = '"sqrt", None, one number >= 0 per group, or a dict {label: number >= 0}'
    if weights is None:
        return np.ones(len(names))
    if isinstance(weights, str) and weights == "sqrt":
        return default
    if isinstance(weights, dict):
        weight = default.copy()
        for name, number in weights.items():
            if name not in names:
                raise ValueError(f"weights names the group {name!r}, which is none of {names}.")
            weight[names.index(name)] = check_real(f"weights[{name!r}]", number, low=0)
        return weight
    try:
        weight = np.array(weights, dtype=float)
    except (TypeError, ValueError) as error:
        raise TypeError(f"weights must be {allowed}; got {weights!r}.") from error
    if weight.shape != (len(names),) or not np.all(np.isfinite(weight) & (weight >= 0)):
        raise ValueError(f"weights must be {allowed}, for {len(names)} groups; got {weights!r}.")
    return weight
