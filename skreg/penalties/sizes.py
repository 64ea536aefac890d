"""How many features a penalty can be tried on."""

import copy

import numpy as np

__all__ = ["accepted_size"]

# In the order in which they are tried.
SIZES = (6, 5, 4, 3, 2, *range(7, 65), 1)


def accepted_size(penalty, n_outputs, sizes=SIZES):
    """The first of ``sizes`` that a penalty accepts: groups, bounds and the like may fix it.

    Parameters
    ----------
    penalty : Penalty
    n_outputs : int
        Outputs of penalties that want them all at once.
    sizes : sequence of int

    Returns
    -------
    int
        The first of all if it accepts none.
    """
    return next((size for size in sizes if _fits(penalty, size, n_outputs)), sizes[0])


def _fits(penalty, n_features, n_outputs):
    try:
        bound = copy.deepcopy(penalty).bind(n_features)
        shape = (n_features, n_outputs) if bound.joint_outputs else (n_features,)
        bound.value(np.zeros(shape), 1.0)
        return bound.prox(np.zeros(shape), 1.0, 1.0).shape == shape
    except Exception:
        return False
