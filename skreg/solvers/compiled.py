"""Which C function runs a penalty's prox, if one does.

`TWINS` is keyed by the function itself, so that a subclass with a prox of its
own never runs its parent's.
"""

from typing import NamedTuple

import numpy as np

from skreg import _wrapped
from skreg._twins import ADDRESS
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
    get_penalty,
)
from skreg.penalties.sizes import accepted_size
from skreg.solvers.jit import WORTH, agrees, compiled_text, numba_prox

__all__ = [
    "TWINS",
    "WRAPPERS",
    "Compilation",
    "CompiledBlocks",
    "CompiledProx",
    "compile_prox",
    "compiled_blocks",
    "compiled_prox",
    "compiled_prox_in_use",
    "work_in_text",
]

# prox as written in NumPy -> (address of its twin, the twin's parameters)
TWINS = {
    NoPenalty.prox: (ADDRESS["none"], lambda penalty: [0.0]),
    L1.prox: (ADDRESS["l1"], lambda penalty: [penalty.positive]),
    L2.prox: (ADDRESS["l2"], lambda penalty: [penalty.positive]),
    ElasticNet.prox: (ADDRESS["elasticnet"], lambda penalty: [penalty.positive, penalty.l1_ratio]),
    MCP.prox: (ADDRESS["mcp"], lambda penalty: [penalty.gamma]),
    SCAD.prox: (ADDRESS["scad"], lambda penalty: [penalty.gamma]),
    LogSum.prox: (ADDRESS["logsum"], lambda penalty: [penalty.eps]),
    Lq.prox: (ADDRESS["lq"], lambda penalty: [penalty.q]),
    L0.prox: (ADDRESS["l0"], lambda penalty: [0.0]),
    NonNegative.prox: (_wrapped.ADDRESS["nonnegative"], lambda penalty: [0.0]),
    Box.prox: (_wrapped.ADDRESS["box"], lambda penalty: [penalty.lower, penalty.upper]),
}

# The same for penalties around another one: their parameters come before those of the prox inside.
WRAPPERS = {
    Scaled.prox: (_wrapped.ADDRESS["scaled"], lambda penalty: [penalty.factor]),
    WithSquare.prox: (_wrapped.ADDRESS["withsquare"], lambda penalty: [penalty.square]),
    Bounded.prox: (_wrapped.ADDRESS["bounded"], lambda penalty: [penalty.lower, penalty.upper]),
}

# Types of parameters that all coefficients share.
NUMBERS = frozenset((bool, int, float))

# Texts without a twin -> work that NumPy has done for them in this process.
_WORK = {}


class Compilation(NamedTuple):
    """What `compile_prox` says.

    Attributes
    ----------
    compiled : bool
        Whether fits run compiled code.
    how : str
        Which, or why not.
    """

    compiled: bool
    how: str


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
    """The compiled twin of a penalty's prox, or what numba has made of a user's text.

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
    if text is ByColumn.prox:
        return _of_columns(penalty)
    own = compiled_text(penalty)
    return None if own is None else CompiledProx(*own)


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
    if inside is None and NUMBERS.issuperset(map(type, parameters)):
        return np.array([parameters], dtype=np.float64)
    columns = [np.ravel(np.asarray(one, dtype=np.float64)) for one in parameters]
    if inside is not None:
        # The bits of the address, as those of a double.
        columns = [np.array([inside.address], dtype=np.uintp).view(np.float64), *columns, *inside.params.T]
    return np.ascontiguousarray(np.column_stack(np.broadcast_arrays(*columns)))


def compiled_prox_in_use(penalty, n_features):
    """Whether compiled code stands for a bound penalty: there is some, and it answers as the text does.

    Parameters
    ----------
    penalty : Penalty
    n_features : int

    Returns
    -------
    bool
    """
    if type(penalty).prox in TWINS:
        return True
    compiled = compiled_prox(penalty)
    return compiled is not None and agrees(penalty, *compiled, n_features)


def work_in_text(penalty, n_features, work):
    """Take note of work that NumPy has done for a penalty; tell whether it is compiled now.

    Parameters
    ----------
    penalty : Penalty
        Separable, bound to ``n_features`` features.
    n_features : int
    work : float
        Floating-point operations.

    Returns
    -------
    bool
        Whether so much came together that its texts were compiled.
    """
    parts = _without_twin(penalty, n_features)
    texts = frozenset(type(part).prox for part, _ in parts)
    before = _WORK.get(texts, 0.0)
    _WORK[texts] = before + work
    if before < WORTH <= _WORK[texts]:
        for part in parts:
            numba_prox(*part)
        return True
    return False


def compile_prox(penalty, *, n_features=None):
    """Compile the prox of a penalty of your own now, and say what its fits will run.

    A separable penalty written as two NumPy methods runs in compiled coordinate descent
    when numba is installed: what numba makes of the text of its ``prox``. That happens by itself as
    soon as the fits of a process have spent as much time on it as a compilation takes,
    two seconds or so; this function does it beforehand. Another alpha, or other values of the
    parameters, compile nothing again. Fits compare compiled code and text
    before they use it, and run the text where they differ.

    Parameters
    ----------
    penalty : str, Penalty or None
        Any penalty; shipped ones have compiled twins already.
    n_features : int, optional
        Number of features to try it on; by default one that it accepts.

    Returns
    -------
    Compilation
        ``compiled``, a bool, and ``how``, a sentence.

    See Also
    --------
    skreg.testing.check_penalty : Whether the text is right.

    Notes
    -----
    numba compiles ``prox`` as scalar code or, where that fails, on arrays of one element. Its
    limits: no other methods of ``self`` (functions of the module are welcome), no ``np.select``, no
    ``super()``, nothing that raises; attributes are numbers, words, None or arrays with one number per feature.

    Examples
    --------
    >>> from skreg import L1, compile_prox
    >>> compile_prox(0.5 * L1())
    Compilation(compiled=True, how='compiled twins')
    """
    penalty = get_penalty(penalty)
    if n_features is None:
        n_features = accepted_size(penalty, n_outputs=3)
    penalty = penalty.bind(n_features)
    if not penalty.separable:
        return Compilation(False, f"{type(penalty).__name__} does not declare `separable = True`")
    made = [f"{type(part).__name__}: {numba_prox(part, size).how}" for part, size in _without_twin(penalty, n_features)]
    return Compilation(compiled_prox_in_use(penalty, n_features), "; ".join(made) or "compiled twins")


def _without_twin(penalty, n_features):
    """Of a penalty, or of those it is made of, the ones whose text runs if numba does not compile it; their sizes."""
    text = type(penalty).prox
    if text in TWINS:
        return []
    if text in WRAPPERS:
        return _without_twin(penalty.inner, n_features)
    if text is ByColumn.prox:
        return [leaf for columns, part in penalty.parts for leaf in _without_twin(part, len(columns))]
    return [(penalty, n_features)]


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
