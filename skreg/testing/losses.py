"""Public checks of losses."""

from functools import partial

from skreg.testing._common import parametrize, run_checks
from skreg.testing._loss_checks import LOSS_CHECKS

__all__ = ["check_loss", "parametrize_loss_checks"]


def _checks(y, random_state):
    return [partial(check, y=y, random_state=random_state) for check in LOSS_CHECKS]


def check_loss(loss, *, y=None, random_state=0, on_fail="raise", callback=None, expected_failed_checks=None):
    """Check numerically that a loss keeps the contract that solvers rely on.

    Gradient and curvature are compared with central differences, `null_eta` with
    SciPy's minimiser, `conjugate` with the inequality of Fenchel and Young;
    results must be finite where they can be, one per row, and free of side
    effects.

    Parameters
    ----------
    loss : Loss
        The loss, an instance.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), optional
        Targets to try it with. By default the first of these that
        ``loss.check_target`` accepts: real, positive, counts, {0, 1}, {-1, 1};
        one-hot or real with two columns if the loss declares `coupled_outputs`.
    random_state : int, default=0
        Seed of the points that are tried.
    on_fail : {"raise", "warn"} or None, default="raise"
        What a failing check does: raise its exception, warn
        (:class:`sklearn.exceptions.EstimatorCheckFailedWarning`), or only stand
        in the list.
    callback : callable, optional
        Called with each result as keyword arguments; not with ``on_fail="raise"``.
    expected_failed_checks : dict, optional
        Names of checks that may fail, with the reason.

    Returns
    -------
    list of dict
        One per check, with the keys ``"loss"``, ``"check_name"``, ``"status"``
        ("passed", "failed", "skipped" or "xfail"), ``"exception"`` (for a skipped
        check it says why), ``"expected_to_fail"`` and ``"expected_to_fail_reason"``.

    Raises
    ------
    Exception
        That of the first failing check, if ``on_fail="raise"``.

    See Also
    --------
    parametrize_loss_checks : The same as pytest cases.
    check_penalty : The same for penalties.

    Examples
    --------
    >>> from skreg import Squared
    >>> from skreg.testing import check_loss
    >>> {result["status"] for result in check_loss(Squared())}
    {'passed'}

    A gradient with the wrong sign is told so:

    >>> class Backwards(Squared):
    ...     def gradient(self, y, eta):
    ...         return y - eta
    >>> results = check_loss(Backwards(), on_fail=None)
    >>> failed = {result["check_name"]: result["exception"] for result in results if result["status"] == "failed"}
    >>> print(str(failed["check_gradient"]).splitlines()[0])
    Backwards(): gradient is not the derivative of value.
    """
    return run_checks("loss", loss, _checks(y, random_state), on_fail, callback, expected_failed_checks)


def parametrize_loss_checks(losses, *, y=None, random_state=0, expected_failed_checks=None):
    """Decorator for pytest: one case for each loss and each check.

    Parameters
    ----------
    losses : iterable of Loss
        The losses, instances.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), optional
        Targets to try them with, as in `check_loss`.
    random_state : int, default=0
        Seed of the points that are tried.
    expected_failed_checks : callable, optional
        Called with a loss, returns a dict ``{check_name: reason}``; these cases
        are marked as expected failures. Checks that do not apply are left out.

    Returns
    -------
    pytest.MarkDecorator
        Gives the test function the arguments ``loss`` and ``check``.

    See Also
    --------
    check_loss : The same without pytest.

    Examples
    --------
    >>> from skreg import Logistic, Squared
    >>> from skreg.testing import parametrize_loss_checks
    >>> @parametrize_loss_checks([Squared(), Logistic()])
    ... def test_my_losses(loss, check):
    ...     check(loss)
    """
    return parametrize("loss", losses, _checks(y, random_state), expected_failed_checks)
