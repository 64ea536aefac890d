"""Every check of scikit-learn, both estimators, every penalty that has a name: none fails, none is skipped."""

import os
from unittest import SkipTest

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

from skreg import PenalizedLogisticRegression, PenalizedRegression
from skreg.penalties import penalty_names

ESTIMATORS = [
    estimator(name)
    for estimator in (PenalizedRegression, PenalizedLogisticRegression)
    for name in (*penalty_names(), None)
]
# Some checks have classes that are separable; without a penalty that grows for ever that is worth a warning, and it comes.
DUE = pytest.mark.filterwarnings("ignore:.*perfectly separable:sklearn.exceptions.ConvergenceWarning")
# One class of three apart from the others: coefficients that cost no more when they grow go on for ever, slowly.
FLAT = pytest.mark.filterwarnings("ignore:.*allows no further progress:sklearn.exceptions.ConvergenceWarning")


def name_of(check):
    return "-".join([check.func.__name__, *map(str, check.keywords.values())])


CHECKS = [
    pytest.param(
        estimator,
        check,
        id=f"{type(estimator).__name__}({estimator.penalty!r})-{name_of(check)}",
        marks={None: [DUE], "mcp": [DUE, FLAT], "scad": [DUE, FLAT], "l0": [DUE, FLAT]}.get(estimator.penalty, ()),
    )
    for each in ESTIMATORS
    for estimator, check in estimator_checks_generator(each)
]


@pytest.mark.parametrize("estimator, check", CHECKS)
def test_scikit_learn(estimator, check):
    try:
        check(estimator)
    except (SkipTest, pytest.skip.Exception) as reason:
        pytest.fail(f"skipped: {reason}")


def test_the_checks_are_all_there():
    assert os.environ["SCIPY_ARRAY_API"] == "1"
    wanted = {
        "check_estimator_sparse_array",
        "check_estimator_sparse_matrix",
        "check_fit_idempotent",
        "check_parameters_default_constructible",
        "check_sample_weight_equivalence_on_dense_data",
        "check_sample_weight_equivalence_on_sparse_data",
    }
    for estimator in ESTIMATORS:
        names = {check.func.__name__ for _, check in estimator_checks_generator(estimator)}
        assert wanted <= names
        assert len(names) > 45
