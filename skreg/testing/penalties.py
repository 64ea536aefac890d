"""Public checks of penalties."""

from functools import partial

from skreg.testing._common import parametrize, run_checks
from skreg.testing._contract import CONTRACT_CHECKS
from skreg.testing._facts import FACT_CHECKS
from skreg.testing._twins import TWIN_CHECKS

__all__ = ["check_penalty", "parametrize_penalty_checks"]


def _checks(n_features, random_state):
    checks = CONTRACT_CHECKS + TWIN_CHECKS + FACT_CHECKS
    return [partial(check, n_features=n_features, random_state=random_state) for check in checks]


def check_penalty(
    penalty, *, n_features=None, random_state=0, on_fail="raise", callback=None, expected_failed_checks=None
):
    """Check numerically that a penalty keeps the contract that solvers rely on.

    In the spirit of :func:`sklearn.utils.estimator_checks.check_estimator`: named
    checks try the penalty at many coefficients, steps (1e-3 to 1e3) and alphas
    (0 included). They find, for instance, a ``prox`` that forgets ``step``, an
    MCP whose formula holds for small steps only, a penalty that claims to be
    separable or convex and is not, a constraint multiplied by alpha, a wrong
    `conjugate`, and a method that writes to its input or to ``self``.

    Parameters
    ----------
    penalty : Penalty
        The penalty, an instance.
    n_features : int, optional
        Number of features to try it on. By default 6, or the nearest number
        that the penalty accepts (groups or bounds may fix it).
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
        One per check, with the keys ``"penalty"``, ``"check_name"``, ``"status"``
        ("passed", "failed", "skipped" or "xfail"), ``"exception"`` (for a skipped
        check it says why), ``"expected_to_fail"`` and ``"expected_to_fail_reason"``.

    Raises
    ------
    Exception
        That of the first failing check, if ``on_fail="raise"``. An
        `AssertionError` names the penalty, the property, the point at which it
        fails, by how much, and what usually causes it.

    See Also
    --------
    parametrize_penalty_checks : The same as pytest cases.
    check_loss : The same for losses.

    References
    ----------
    A. Beck and M. Teboulle, "A fast iterative shrinkage-thresholding algorithm
    for linear inverse problems", SIAM J. Imaging Sci. 2 (2009) 183-202, lemma 2.3.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import L1
    >>> from skreg.testing import check_penalty
    >>> {result["status"] for result in check_penalty(L1())} == {"passed", "skipped"}
    True

    A prox that forgets its step is told so:

    >>> class Forgetful(L1):
    ...     def prox(self, coef, step, alpha):
    ...         return np.sign(coef) * np.maximum(np.abs(coef) - alpha, 0)
    >>> results = check_penalty(Forgetful(), on_fail=None)
    >>> failed = {result["check_name"]: result["exception"] for result in results if result["status"] == "failed"}
    >>> "check_prox_minimises" in failed
    True
    >>> print(str(failed["check_prox_minimises"]).splitlines()[-1])
      Usual cause: prox gives the same at twice the step: does it use step?
    """
    checks = _checks(n_features, random_state)
    return run_checks("penalty", penalty, checks, on_fail, callback, expected_failed_checks)


def parametrize_penalty_checks(penalties, *, n_features=None, random_state=0, expected_failed_checks=None):
    """Decorator for pytest: one case for each penalty and each check.

    Parameters
    ----------
    penalties : iterable of Penalty
        The penalties, instances.
    n_features : int, optional
        Number of features to try them on; by default one that each accepts.
    random_state : int, default=0
        Seed of the points that are tried.
    expected_failed_checks : callable, optional
        Called with a penalty, returns a dict ``{check_name: reason}``; these
        cases are marked as expected failures. Checks that do not apply are left out.

    Returns
    -------
    pytest.MarkDecorator
        Gives the test function the arguments ``penalty`` and ``check``.

    See Also
    --------
    check_penalty : The same without pytest.

    Examples
    --------
    >>> from skreg import L1, ElasticNet
    >>> from skreg.testing import parametrize_penalty_checks
    >>> @parametrize_penalty_checks([L1(), ElasticNet(l1_ratio=0.3)])
    ... def test_my_penalties(penalty, check):
    ...     check(penalty)
    """
    return parametrize("penalty", penalties, _checks(n_features, random_state), expected_failed_checks)
