"""Which C function runs a penalty's prox, if one does.

`TWINS` is keyed by the function itself, so that a subclass with a prox of its
own never runs its parent's.
"""

from typing import NamedTuple

import numpy as np

from skreg import _kernels
from skreg.penalties import L0, L1, L2, MCP, SCAD, ElasticNet, LogSum, Lq, NoPenalty

__all__ = ["TWINS", "CompiledProx", "compiled_prox"]

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
    twin = TWINS.get(type(penalty).prox)
    if twin is None:
        return None
    address, parameters = twin
    return CompiledProx(address, np.atleast_2d(np.array(parameters(penalty), dtype=np.float64)))
