"""Every check of scikit-learn, both estimators, every penalty that needs no parameter: none fails, none is skipped."""

import os
from unittest import SkipTest

import pytest
from helpers import penalty_classes
from settings import required
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import estimator_checks_generator

from skreg import L1, Box, NonNegative, PenalizedLogisticRegression, PenalizedLogisticRegressionCV, PenalizedRegression
from skreg.penalties import get_penalty, penalty_names

NAMED = {type(get_penalty(name)) for name in (*penalty_names(), None)}
PENALTIES = [*penalty_names(), None, *(cls() for cls in penalty_classes() if not required(cls) and cls not in NAMED)]
ESTIMATORS = [estimator(p) for estimator in (PenalizedRegression, PenalizedLogisticRegression) for p in PENALTIES]

# Some checks have classes that are separable, or one of three that is. Where coefficients cost no more when they grow,
# there is no best model then: a warning is worth it, and it comes.
DUE = pytest.mark.filterwarnings("ignore:.*perfectly separable:sklearn.exceptions.ConvergenceWarning")
COST_NO_MORE = ("None", "'l0'", "'mcp'", "'scad'", "'trend'", "Box()", "Monotone()", "NonNegative()")


def name_of(check):
    return "-".join([check.func.__name__, *map(str, check.keywords.values())])


def marks(estimator, check):
    penalty = repr(estimator.penalty)
    if isinstance(estimator, PenalizedLogisticRegression) and penalty in COST_NO_MORE:
        yield DUE


CHECKS = [
    pytest.param(
        estimator,
        check,
        id=f"{type(estimator).__name__}({estimator.penalty!r})-{name_of(check)}",
        marks=list(marks(estimator, check)),
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


@pytest.mark.parametrize(
    "penalty, poor",
    [("l1", False), (L1(positive=True), True), (Box(), False), (Box("none"), True), (0.5 * NonNegative(), True)],
    ids=repr,
)
def test_no_score_is_promised_where_coefficients_are_forbidden(penalty, poor):
    assert get_tags(PenalizedRegression(penalty)).regressor_tags.poor_score == poor
    assert get_tags(PenalizedLogisticRegressionCV(penalty)).classifier_tags.poor_score == poor


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
