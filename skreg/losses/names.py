"""What a ``loss=`` argument stands for: a name, or the object itself."""

from skreg.losses.base import Loss
from skreg.losses.logistic import Logistic
from skreg.losses.softmax import Softmax
from skreg.losses.squared import Squared

__all__ = ["get_loss", "loss_names"]

_NAMES = {"squared": Squared, "logistic": Logistic, "softmax": Softmax}


def loss_names():
    """Names that ``loss=`` of a regression accepts.

    Returns
    -------
    list of str
        Sorted names.

    Examples
    --------
    >>> from skreg.losses import loss_names
    >>> "squared" in loss_names()
    True
    """
    return sorted(_NAMES)


def get_loss(loss):
    """The loss object that a ``loss=`` argument stands for.

    Parameters
    ----------
    loss : str or Loss
        A name (see `loss_names`) or an object with ``value``, ``gradient`` and
        ``curvature``.

    Returns
    -------
    Loss
        The object itself if one was given; a new one otherwise.

    Raises
    ------
    ValueError, TypeError
        If it is not known.

    Examples
    --------
    >>> from skreg.losses import get_loss
    >>> get_loss("squared")
    Squared()
    """
    if isinstance(loss, str):
        if loss not in _NAMES:
            raise ValueError(f"loss={loss!r} is not a known name: choose one of {loss_names()} or a Loss object.")
        return _NAMES[loss]()
    if not isinstance(loss, Loss):
        raise TypeError(
            f"loss={loss!r} must be one of {loss_names()} or an instance of a subclass of skreg.Loss "
            f"(value, gradient and curvature); got {type(loss).__name__}."
        )
    return loss
