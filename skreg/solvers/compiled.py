"""Which C function runs a penalty's prox, if one does.

`TWINS` is keyed by the function itself, so that a subclass with a prox of its
own never runs its parent's.
"""

from typing import NamedTuple

import numpy as np

from skreg import _kernels, _wrapped
from skreg.penalties import (
    L0,
    L1,
    L2,
    MCP,
    SCAD,
    Bounded,
    Box,
    ByColumn,
    ElasticNet,
    GroupLasso,
    LogSum,
    Lq,
    NonNegative,
    NoPenalty,
    Scaled,
    SparseGroupLasso,
    WithSquare,
)

__all__ = ["TWINS", "WRAPPERS", "CompiledBlocks", "CompiledProx", "compiled_blocks", "compiled_prox"]

# prox as written in NumPy -> (address of its twin, the twin's parameters)
TWINS = {
    NoPenalty.prox: (_kernels.ADDRESS["none"], lambda penalty: [0.0]),
    L1.prox: (_kernels.ADDRESS["l1"], lambda penalty: [penalty.positive]),
    L2.prox: (_kernels.ADDRESS["l2"], lambda penalty: [penalty.positive]),
    ElasticNet.prox: (_kernels.ADDRESS["elasticnet"], lambda penalty: [penalty.positive, penalty.l1_ratio]),
    MCP.prox: (_kernels.ADDRESS["mcp"], lambda penalty: [penalty.gamma]),
    SCAD.prox: (_kernels.ADDRESS["scad"], lambda penalty: [penalty.gamma]),
    LogSum.prox: (_kernels.ADDRESS["logsum"], lambda penalty: [penalty.eps]),
    Lq.prox: (_kernels.ADDRESS["lq"], lambda penalty: [penalty.q]),
    L0.prox: (_kernels.ADDRESS["l0"], lambda penalty: [0.0]),
    NonNegative.prox: (_wrapped.ADDRESS["nonnegative"], lambda penalty: [0.0]),
    Box.prox: (_wrapped.ADDRESS["box"], lambda penalty: [penalty.lower, penalty.upper]),
}

# The same for penalties around another one: their parameters come before those of the prox inside.
WRAPPERS = {
    Scaled.prox: (_wrapped.ADDRESS["scaled"], lambda penalty: [penalty.factor]),
    WithSquare.prox: (_wrapped.ADDRESS["withsquare"], lambda penalty: [penalty.square]),
    Bounded.prox: (_wrapped.ADDRESS["bounded"], lambda penalty: [penalty.lower, penalty.upper]),
}


class CompiledProx(NamedTuple):
    """Address of a C function ``prox(coef, step, alpha, params)`` and its parameters.

    Attributes
    ----------
    address : int
    params : ndarray of shape (1, n_params) or (n_features, n_params)
    """

    address: int
    params: np.ndarray


def compiled_prox(penalty):
    """The compiled twin of a penalty's prox.

    Parameters
    ----------
    penalty : Penalty
        Restricted to the coefficients it will be called with.

    Returns
    -------
    CompiledProx or None
        None if there is none: the NumPy text runs instead.
    """
    text = type(penalty).prox
    if text in TWINS:
        address, parameters = TWINS[text]
        return CompiledProx(address, _columns(parameters(penalty)))
    if text in WRAPPERS:
        inside = compiled_prox(penalty.inner)
        address, parameters = WRAPPERS[text]
        return None if inside is None else CompiledProx(address, _columns(parameters(penalty), inside))
    return _of_columns(penalty) if text is ByColumn.prox else None


def _of_columns(penalty):
    """The twin of every column is another one: its address is the first of its parameters."""
    insides = [compiled_prox(part) for _, part in penalty.parts]
    if None in insides:
        return None
    n_features = sum(len(columns) for columns, _ in penalty.parts)
    params = np.zeros((n_features, 1 + max(inside.params.shape[1] for inside in insides)))
    for (columns, _), inside in zip(penalty.parts, insides, strict=True):
        params[columns, : 1 + inside.params.shape[1]] = _columns([], inside)
    return CompiledProx(_wrapped.ADDRESS["other"], params)


def _columns(parameters, inside=None):
    """One row of parameters for all coefficients, or one for each if they differ."""
    columns = [np.ravel(np.asarray(one, dtype=np.float64)) for one in parameters]
    if inside is not None:
        # The bits of the address, as those of a double.
        columns = [np.array([inside.address], dtype=np.uintp).view(np.float64), *columns, *inside.params.T]
    return np.ascontiguousarray(np.column_stack(np.broadcast_arrays(*columns)))


class CompiledBlocks(NamedTuple):
    """The prox of blocks: soft-thresholding, then a C function of the norm.

    Attributes
    ----------
    address : int
    params : ndarray of shape (1, n_params) or (n_blocks, n_params)
        As in `CompiledProx`.
    weight, l1, square : ndarray of shape (n_blocks,)
        Factors of alpha in the price of the norm, of the coefficients, and of half of their squares.
    """

    address: int
    params: np.ndarray
    weight: np.ndarray
    l1: np.ndarray
    square: np.ndarray


def compiled_blocks(penalty):
    """The compiled twin of the prox of a penalty on blocks.

    Parameters
    ----------
    penalty : Penalty
        Restricted to the coefficients it will be called with.

    Returns
    -------
    CompiledBlocks or None
        One number per block in the order of their labels; None if there is none.
    """
    text = type(penalty).prox
    if text in (Scaled.prox, WithSquare.prox):
        inside = compiled_blocks(penalty.inner)
        if inside is None:
            return None
        if text is WithSquare.prox:
            return inside._replace(square=inside.square + penalty.square)
        return inside._replace(**{name: penalty.factor * getattr(inside, name) for name in ("weight", "l1", "square")})
    if text not in (GroupLasso.prox, SparseGroupLasso.prox):
        return None
    base, weight, l1 = penalty.radial()
    twin = compiled_prox(base)
    return None if twin is None else CompiledBlocks(*twin, weight, np.full(len(weight), l1), np.zeros(len(weight)))
