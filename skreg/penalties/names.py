"""What a ``penalty=`` argument stands for: a name, no penalty at all, or the object itself."""

import numpy as np

from skreg.penalties.base import Penalty

__all__ = ["NoPenalty", "get_penalty", "penalty_names", "register"]

# name -> class, filled by `register`; what `penalty="l1"` means.
_NAMES = {}


class NoPenalty(Penalty):
    """What ``penalty=None`` means: every coefficient is free of charge.

    Examples
    --------
    >>> from skreg.penalties import NoPenalty
    >>> NoPenalty().value([1.0, 2.0], alpha=3.0)
    0.0
    """

    separable = True
    convex = True

    def value(self, coef, alpha):
        """Zero, whatever the coefficients."""
        return 0.0

    def prox(self, coef, step, alpha):
        """The coefficients as they are, copied."""
        return np.array(coef, dtype=float)

    def unpenalised(self):
        """True: all of them."""
        return True

    def quadratic(self, alpha):
        """Zero weights: nothing is charged."""
        return 0.0

    def conjugate(self, dual, alpha):
        """0 at 0, else inf."""
        return np.inf if np.any(dual) else 0.0


def register(*names):
    """Class decorator: let ``penalty="name"`` stand for the class with its defaults."""

    def add(cls):
        _NAMES.update(dict.fromkeys(names, cls))
        return cls

    return add


def penalty_names():
    """Names that ``penalty=`` accepts.

    Returns
    -------
    list of str
        Sorted names.

    Examples
    --------
    >>> from skreg.penalties import penalty_names
    >>> "elasticnet" in penalty_names()
    True
    """
    return sorted(_NAMES)


def get_penalty(penalty):
    """The penalty object that a ``penalty=`` argument stands for.

    Parameters
    ----------
    penalty : str, Penalty or None
        A name (see `penalty_names`), a penalty object, or None for no penalty.

    Returns
    -------
    Penalty
        The object itself if one was given; a new one otherwise.

    Raises
    ------
    ValueError
        If the name is not known.
    TypeError
        If it is neither.

    Examples
    --------
    >>> from skreg.penalties import get_penalty
    >>> get_penalty("elasticnet")
    ElasticNet()
    """
    if penalty is None:
        return NoPenalty()
    if isinstance(penalty, str):
        if penalty not in _NAMES:
            raise ValueError(
                f"penalty={penalty!r} is not a known name: choose one of {penalty_names()}, "
                "a Penalty object, or None for no penalty."
            )
        return _NAMES[penalty]()
    if isinstance(penalty, type):
        raise TypeError(f"penalty={penalty.__name__} is a class; give an instance: {penalty.__name__}().")
    if not isinstance(penalty, Penalty):
        raise TypeError(
            f"penalty={penalty!r} must be one of {penalty_names()}, None, or an instance of a subclass of "
            f"skreg.Penalty (value and prox); got {type(penalty).__name__}."
        )
    return penalty
