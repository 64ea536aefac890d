"""What the checks of penalties and of losses share: running, reporting, and the habits of scikit-learn."""

import contextlib
import copy
import functools
import pickle
import re
import sys
import warnings
from unittest import SkipTest

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import EstimatorCheckFailedWarning

# -- running ------------------------------------------------------------------


def run_checks(kind, subject, checks, on_fail, callback, expected_failed_checks):
    """Run ``checks`` on ``subject`` and list the results as `check_estimator` does, with the key ``kind`` for it."""
    if on_fail not in ("raise", "warn", None):
        raise ValueError(f"on_fail must be 'raise', 'warn' or None; got {on_fail!r}.")
    if on_fail == "raise" and callback is not None:
        raise ValueError("callback cannot be provided together with on_fail='raise'.")
    expected = expected_failed_checks or {}
    results = []
    for check in checks:
        name = check_name(check)
        result = {
            kind: subject,
            "check_name": name,
            **_outcome(check, subject, name in expected),
            "expected_to_fail": name in expected,
            "expected_to_fail_reason": expected.get(name, "Check is not expected to fail"),
        }
        results.append(result)
        if result["status"] == "failed" and on_fail == "raise":
            raise result["exception"]
        if result["status"] == "failed" and on_fail == "warn":
            warnings.warn(_failed_warning(kind, result), stacklevel=3)
        if callback:
            callback(**result)
    return results


def _outcome(check, subject, expected_to_fail):
    try:
        check(subject)
    except SkipTest as reason:
        return {"exception": reason, "status": "skipped"}
    except Exception as error:
        return {"exception": error, "status": "xfail" if expected_to_fail else "failed"}
    return {"exception": None, "status": "passed"}


def _failed_warning(kind, result):
    return EstimatorCheckFailedWarning(**{"estimator" if key == kind else key: item for key, item in result.items()})


def check_name(check):
    """Name of a check, also of one whose settings were filled in by `functools.partial`."""
    return getattr(check, "func", check).__name__


def make_check(body, skips, case_type):
    """The check ``(subject, **settings)`` that runs ``body(case)``, unless ``skips(case)`` gives a reason not to."""

    def skip_or_run(subject, body, **settings):
        with explained(check.__name__, subject):
            case = case_type(subject, **settings)
            reason = skips(case) if skips else None
            if reason:
                raise SkipTest(reason)
            body(case)

    @functools.wraps(body)
    def check(subject, **settings):
        skip_or_run(subject, body, **settings)

    check.dry_run = functools.partial(skip_or_run, body=lambda case: None)
    return check


def applies(check, subject):
    """False if ``check`` would be skipped; what cannot be found out beforehand is left to the check."""
    try:
        check.func.dry_run(subject, **check.keywords)
    except SkipTest:
        return False
    except Exception:
        return True
    return True


def parametrize(kind, subjects, checks, expected_failed_checks):
    """The pytest decorator that gives every pair ``(subject, check)`` an id to read and to select with ``-k``."""
    import pytest

    def case(subject, check):
        reason = expected_failed_checks(subject).get(check_name(check)) if expected_failed_checks else None
        marks = [pytest.mark.xfail(reason=reason)] if reason else []
        return pytest.param(subject, check, id=f"{_short(subject)}-{check_name(check)}", marks=marks)

    subjects = list(subjects)
    for subject in subjects:
        if isinstance(subject, type):
            raise TypeError(f"Give instances, not classes: {subject.__name__}() instead of {subject.__name__}.")
    cases = [case(subject, check) for subject in subjects for check in checks if applies(check, subject)]
    return pytest.mark.parametrize((kind, "check"), cases)


def _short(subject):
    text = re.sub(r"\s", "", repr(subject))
    return text if len(text) <= 80 else text[:77] + "..."


@contextlib.contextmanager
def explained(check, subject):
    """Keep warnings out of a check (one check is for them alone), and say which check an exception comes from."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    except SkipTest:
        raise
    except Exception as error:
        error.add_note(f"{check} of {_short(subject)}")
        raise


# -- reporting ----------------------------------------------------------------


def message(subject, broken, details, usual_cause):
    """A failure in four parts: who, what is broken, where and by how much, and what usually causes it."""
    lines = [f"{_short(subject)}: {broken}"]
    lines += [f"  {name} = {show(item)}" for name, item in details.items()]
    return "\n".join([*lines, f"  Usual cause: {usual_cause}"])


def show(item):
    """Text of a number or an array, short enough to read and long enough to try again."""
    if isinstance(item, np.ndarray):
        return np.array2string(item, separator=", ", precision=9, threshold=60, prefix="  ")
    return f"{item:.9g}" if isinstance(item, float) else str(item)


def state(thing):
    """Everything an object holds, arrays included, as something that can be compared with ``==``."""
    if isinstance(thing, np.ndarray) and thing.dtype != object:
        return thing.dtype.str, thing.shape, thing.tobytes()
    if isinstance(thing, dict):
        return {key: state(item) for key, item in thing.items()}
    if isinstance(thing, (list, tuple, np.ndarray)):
        return [state(item) for item in thing]
    if hasattr(thing, "__dict__") and not isinstance(thing, type) and not callable(thing):
        return type(thing).__name__, state(vars(thing))
    if callable(thing):
        return getattr(thing, "__qualname__", type(thing).__name__)
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(thing))


# -- the habits of scikit-learn -----------------------------------------------


def assert_init_only_stores(subject):
    """``__init__`` keeps every parameter as it comes, under its own name, and does nothing else."""
    given = {name: object() for name in subject.get_params(deep=False)}
    hint = "__init__ checks, converts or copies a parameter. Store it as it comes; check it where it is used."
    try:
        made = type(subject)(**given)
    except Exception as error:
        details = {"parameters": sorted(given), "raised": f"{type(error).__name__}: {error}"}
        raise AssertionError(message(subject, "__init__ raises instead of storing.", details, hint)) from error
    for name, item in given.items():
        if getattr(made, name, None) is not item:
            raise AssertionError(message(subject, "__init__ changes a parameter.", {"parameter": name}, hint))
    extra = sorted(set(vars(made)) - set(given))
    if extra:
        raise AssertionError(message(subject, "__init__ sets more than its parameters.", {"attributes": extra}, hint))


def assert_params_round_trip(subject):
    """`get_params` and `set_params` are inverse, and `repr` names the class."""
    hint = "get_params or set_params is overridden, or a parameter is a property that converts."
    params = subject.get_params(deep=False)
    again = type(subject)(**dict.fromkeys(params)).set_params(**params)
    for name, item in params.items():
        if again.get_params(deep=False)[name] is not item:
            broken = "set_params does not give back what get_params gave."
            raise AssertionError(message(subject, broken, {"parameter": name, "was": item}, hint))
    if type(subject).__name__ not in repr(subject):
        raise AssertionError(message(subject, "repr does not name the class.", {}, "__repr__ is overridden."))


def copies(subject):
    """Yield ``(how, copy)`` for every way of copying that scikit-learn and joblib use."""
    yield "clone", _copied(subject, "sklearn.base.clone", clone)
    yield "copy.deepcopy", _copied(subject, "copy.deepcopy", copy.deepcopy)
    if _importable(type(subject)):
        yield "pickle", _copied(subject, "pickle", lambda thing: pickle.loads(pickle.dumps(thing)))


def _copied(subject, how, copier):
    try:
        made = copier(subject)
    except Exception as error:
        details = {"with": how, "raised": f"{type(error).__name__}: {error}"}
        hint = "__init__ changes its parameters, or a parameter is a lambda or an open resource."
        raise AssertionError(message(subject, "it cannot be copied.", details, hint)) from error
    if state(made) != state(subject):
        hint = "__init__ changes its parameters, or methods store results on self."
        raise AssertionError(message(subject, "a copy differs from the original.", {"with": how}, hint))
    return made


def _importable(cls):
    """Can pickle find the class by name? Not one defined inside a function, which says nothing about the class."""
    found = sys.modules.get(cls.__module__)
    for part in cls.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is cls
