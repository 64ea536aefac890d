"""Wrong input gets a sentence that names the parameter, the value and what is allowed; right input is left alone."""

import re

import numpy as np
import pytest
from helpers import class_data, estimator, regression_data, task_data
from scipy import sparse
from sklearn.exceptions import NotFittedError

from skreg import (
    L1,
    ElasticNet,
    PenalizedLogisticRegression,
    PenalizedRegression,
    alpha_max,
    make_problem,
    regularization_path,
)
from skreg.losses import get_loss
from skreg.penalties import get_penalty

TASKS = ["squared", "logistic"]


def frozen(X):
    """A copy of which nobody may change an entry."""
    X = X.copy()
    for part in (X.data, X.indices, X.indptr) if sparse.issparse(X) else (X,):
        part.flags.writeable = False
    return X


def assert_refused(error, words, call, *args, **kwargs):
    """It raises ``error`` with all of ``words`` (regular expressions) in its message."""
    with pytest.raises(error) as caught:
        call(*args, **kwargs)
    message = str(caught.value)
    for word in words:
        assert re.search(word, message), f"{word!r} is not in: {message}"


# (parameter, value, error, words beside the parameter's name)
PARAMETERS = [
    ("alpha", -0.5, ValueError, [r"-0\.5", r"\[0, inf\)"]),
    ("alpha", np.nan, ValueError, ["nan", r"\[0, inf\)"]),
    ("alpha", np.inf, ValueError, ["inf", "finite"]),
    ("alpha", "strong", TypeError, ["'strong'", "str", r"\[0, inf\)"]),
    ("alpha", True, TypeError, ["True", "bool", "real number"]),
    ("alpha", None, TypeError, ["None", "real number"]),
    ("alpha", np.array([0.1, 0.2]), TypeError, ["ndarray", "real number"]),
    ("alpha", [0.1], TypeError, [r"\[0\.1\]", "list"]),
    ("alpha", 0.1 + 0j, TypeError, ["complex", "real number"]),
    ("tol", 0.0, ValueError, [r"0\.0", r"\(0, inf\)"]),
    ("tol", -1e-3, ValueError, [r"-0\.001", r"\(0, inf\)"]),
    ("tol", np.nan, ValueError, ["nan"]),
    ("tol", np.inf, ValueError, ["inf"]),
    ("tol", "tight", TypeError, ["'tight'"]),
    ("tol", None, TypeError, ["None"]),
    ("max_iter", 0, ValueError, ["0", ">= 1"]),
    ("max_iter", -3, ValueError, ["-3", ">= 1"]),
    ("max_iter", 1.5, TypeError, [r"1\.5", "integer"]),
    ("max_iter", True, TypeError, ["True", "integer"]),
    ("max_iter", None, TypeError, ["None", "integer"]),
    ("fit_intercept", 1, TypeError, ["1", "True or False"]),
    ("fit_intercept", "yes", TypeError, ["'yes'", "True or False"]),
    ("standardize", 0, TypeError, ["0", "True or False"]),
    ("standardize", None, TypeError, ["None", "True or False"]),
    ("warm_start", "no", TypeError, ["'no'", "True or False"]),
    ("penalty", "l3", ValueError, ["'l3'", "'l1'", "'elasticnet'", "None"]),
    ("penalty", "L1", ValueError, ["'L1'", "'l1'"]),
    ("penalty", "none", ValueError, ["'none'", "None"]),
    ("penalty", L1, TypeError, ["L1", "class", r"L1\(\)"]),
    ("penalty", 3, TypeError, ["3", "Penalty"]),
    ("penalty", lambda coef: coef, TypeError, ["function", "Penalty"]),
    ("solver", "lbfgs", ValueError, ["'lbfgs'", "'auto'", "'coordinate_descent'"]),
    ("solver", None, ValueError, ["None", "'auto'"]),
    ("solver", 7, ValueError, ["7", "'auto'"]),
    ("penalty_factor", [1.0, 2.0], ValueError, ["6 features", r"\(2,\)"]),
    ("penalty_factor", np.ones((6, 1)), ValueError, ["6 features", r"\(6, 1\)"]),
    ("penalty_factor", 2.0, ValueError, ["6 features", r"\(\)"]),
    ("penalty_factor", [1, 1, -1, 1, 1, 1], ValueError, [r"-1", ">= 0", "2"]),
    ("penalty_factor", [1, 1, 1, np.nan, 1, 1], ValueError, ["nan", "finite", "3"]),
    ("penalty_factor", [1, 1, 1, 1, np.inf, 1], ValueError, ["inf", "finite", "4"]),
    ("penalty_factor", ["a"] * 6, TypeError, ["'a'", "6 features"]),
    ("penalty_factor", np.ones(6) * 1j, (TypeError, ValueError), ["6 features"]),
    ("penalty_factor", {"age": 0.0}, ValueError, ["'age'"]),
    ("penalty_factor", {6: 0.0}, ValueError, ["6"]),
    ("penalty_factor", {1.5: 0.0}, ValueError, [r"1\.5"]),
    ("penalty_factor", {0: -1.0}, ValueError, [r"\[0\]", r"-1\.0"]),
    ("penalty_factor", {0: "free"}, TypeError, [r"\[0\]", "'free'"]),
]


def show(value):
    return value.__name__ if callable(value) else str(value)[:12].replace("\n", "")


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    "name, value, error, words", PARAMETERS, ids=[f"{name}={show(value)}" for name, value, *_ in PARAMETERS]
)
def test_parameters(task, name, value, error, words):
    X, y = map(frozen, task_data(task))
    params = {name: value}
    penalty = params.pop("penalty", "l1")
    assert_refused(error, [name, *words], estimator(task, penalty, **params).fit, X, y)


@pytest.mark.parametrize(
    "penalty, error, words",
    [
        (ElasticNet(l1_ratio=-0.1), ValueError, ["l1_ratio", r"-0\.1", r"\[0, 1\]"]),
        (ElasticNet(l1_ratio=1.1), ValueError, ["l1_ratio", r"1\.1", r"\[0, 1\]"]),
        (ElasticNet(l1_ratio=np.nan), ValueError, ["l1_ratio", "nan"]),
        (ElasticNet(l1_ratio="half"), TypeError, ["l1_ratio", "'half'"]),
        (ElasticNet(l1_ratio=None), TypeError, ["l1_ratio", "None"]),
        (ElasticNet(l1_ratio=[0.1, 0.9]), TypeError, ["l1_ratio", "list"]),
        (ElasticNet(positive=1), TypeError, ["positive", "1", "True or False"]),
        (L1(positive="yes"), TypeError, ["positive", "'yes'", "True or False"]),
    ],
    ids=str,
)
@pytest.mark.parametrize("task", TASKS)
def test_parameters_of_penalties(task, penalty, error, words):
    assert_refused(error, words, estimator(task, penalty).fit, *task_data(task))


@pytest.mark.parametrize(
    "loss, error, words",
    [
        ("absolute", ValueError, ["loss", "'absolute'", "'squared'"]),
        ("softmax", ValueError, ["loss", "'softmax'"]),
        (None, TypeError, ["loss", "None", "Loss"]),
        (3, TypeError, ["loss", "3", "Loss"]),
    ],
)
def test_loss(loss, error, words):
    assert_refused(error, words, PenalizedRegression(loss=loss).fit, *regression_data())


@pytest.mark.parametrize(
    "class_weight, words",
    [
        ("even", ["class_weight", "even", "balanced"]),
        ({0: 1.0, 7: 2.0}, ["class_weight", r"\b1\b"]),
        ({0: 1.0, 1: -2.0}, ["class_weight|sample_weight", "-2"]),
        ({0: 1.0, 1: np.nan}, ["class_weight|sample_weight", "NaN|nan"]),
        ({0: 0.0, 1: 0.0}, ["class_weight|sample_weight", "zero"]),
        ({0: 1.0, 1: "heavy"}, ["class_weight", "heavy"]),
        (3, ["class_weight", "3"]),
    ],
)
def test_class_weight(class_weight, words):
    X, y = class_data()
    model = PenalizedLogisticRegression(class_weight=class_weight)
    assert_refused((ValueError, TypeError), words, model.fit, X, y)


GOOD_X, GOOD_Y = regression_data(n=20, p=3)


def with_entry(value):
    X = GOOD_X.copy()
    X[4, 1] = value
    return X


WRONG_X = {
    "NaN": (with_entry(np.nan), ["NaN", "X"]),
    "inf": (with_entry(np.inf), ["infinity|inf", "X"]),
    "sparse NaN": (sparse.csr_array(with_entry(np.nan)), ["NaN", "X"]),
    "float32 overflow": (with_entry(np.inf).astype(np.float32), ["infinity|inf"]),
    "1-D": (GOOD_X[:, 0], ["1D|dim", "2D|2-D|reshape"]),
    "3-D": (GOOD_X[:, :, None], ["dim 3|3"]),
    "empty": (np.empty((0, 3)), ["0 sample", "minimum"]),
    "no columns": (np.empty((20, 0)), ["0 feature", "minimum"]),
    "complex": (GOOD_X + 1j, ["[Cc]omplex"]),
    "strings": (np.full((20, 3), "a"), ["float|numeric"]),
    "objects": (np.full((20, 3), None), ["float|NoneType|NaN"]),
    "number": (3.0, ["scalar|2D"]),
    "None": (None, ["None|scalar|2D|NaN"]),
}


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("case", WRONG_X)
def test_wrong_X(task, case):
    X, words = WRONG_X[case]
    y = GOOD_Y if task == "squared" else (GOOD_Y > 3).astype(int)
    y = y[: X.shape[0]] if getattr(X, "ndim", 0) else y
    assert_refused((ValueError, TypeError), words, estimator(task).fit, X, y)


def spoiled(value):
    y = GOOD_Y.copy()
    y[3] = value
    return y


WRONG_Y = {
    "NaN": ("squared", spoiled(np.nan), ["NaN", "y"]),
    "inf": ("squared", spoiled(np.inf), ["inf", "y"]),
    "length": ("squared", GOOD_Y[:-1], ["20", "19"]),
    "complex": ("squared", GOOD_Y + 1j, ["[Cc]omplex"]),
    "3-D": ("squared", GOOD_Y[:, None, None], ["dim 3|3"]),
    "strings": ("squared", np.full(20, "a"), ["float|numeric|'a'"]),
    "None": ("squared", None, ["y", "None"]),
    "one class": ("logistic", np.zeros(20, int), ["one class", "0", "two classes"]),
    "one string class": ("logistic", np.full(20, "only"), ["one class", "only"]),
    "numbers": ("logistic", GOOD_Y, ["continuous"]),
    "several columns": ("logistic", np.tile([0, 1], (20, 1)), ["1d|1-d|multi|column|2"]),
    "NaN label": ("logistic", np.r_[np.nan, np.zeros(10), np.ones(9)], ["NaN"]),
    "labels' length": ("logistic", np.arange(19) % 2, ["20", "19"]),
}


@pytest.mark.parametrize("case", WRONG_Y)
def test_wrong_y(case):
    task, y, words = WRONG_Y[case]
    assert_refused((ValueError, TypeError), words, estimator(task).fit, GOOD_X, y)


WRONG_WEIGHTS = {
    "negative": (np.where(np.arange(20) == 4, -2.0, 1.0), ["-2", "4", ">= 0"]),
    "NaN": (np.where(np.arange(20) == 4, np.nan, 1.0), ["NaN"]),
    "inf": (np.where(np.arange(20) == 4, np.inf, 1.0), ["inf"]),
    "all zero": (np.zeros(20), ["zero"]),
    "length": (np.ones(19), ["20", r"\(19,\)"]),
    "2-D": (np.ones((20, 1)), ["20", r"\(20, 1\)"]),
    "number": (2.0, ["20 samples", r"\(\)|scalar|2\.0"]),
    "strings": (np.full(20, "a"), ["'a'|numeric|float"]),
    "complex": (np.ones(20) * 1j, ["[Cc]omplex"]),
}


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("case", WRONG_WEIGHTS)
def test_wrong_sample_weight(task, case):
    weights, words = WRONG_WEIGHTS[case]
    y = GOOD_Y if task == "squared" else np.arange(20) % 2
    assert_refused((ValueError, TypeError), ["sample_weight", *words], estimator(task).fit, GOOD_X, y, weights)


def test_one_class_left_by_the_weights():
    y = np.arange(20) % 2
    assert_refused(ValueError, ["one class", "positive weight"], estimator("logistic").fit, GOOD_X, y, y.astype(float))


@pytest.mark.parametrize("method", ["predict", "decision_function", "predict_proba", "predict_log_proba", "score"])
@pytest.mark.parametrize("task", TASKS)
def test_prediction(task, method):
    if task == "squared" and method not in ("predict", "score"):
        return
    X, y = task_data(task)
    rest = (y,) if method == "score" else ()
    model = estimator(task)
    assert_refused(NotFittedError, ["not fitted", type(model).__name__], getattr(model, method), X, *rest)
    model.fit(X, y)
    assert_refused(ValueError, ["5 features", "6 features"], getattr(model, method), X[:, 1:], *rest)
    assert_refused(ValueError, ["NaN"], getattr(model, method), X * np.nan, *rest)


@pytest.mark.parametrize("task", TASKS)
def test_a_failed_fit_leaves_the_estimator_as_it_was(task):
    X, y = task_data(task)
    model = estimator(task, "l1").fit(X, y)
    before = model.predict(X)
    with pytest.raises(ValueError, match="sample_weight"):
        model.fit(X, y, sample_weight=-np.ones(len(y)))
    np.testing.assert_array_equal(model.predict(X), before)
    assert model.n_features_in_ == X.shape[1]


@pytest.mark.parametrize("task", ["squared", "logistic", "softmax"])
@pytest.mark.parametrize("penalty", ["l1", "l2", "elasticnet", None])
@pytest.mark.parametrize("convert", [np.array, np.asfortranarray, sparse.csr_array, sparse.csc_matrix])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_input_is_never_changed(task, penalty, convert, dtype):
    X, y = task_data(task)
    X, weights, factor = convert(X.astype(dtype)), np.linspace(0, 2, len(y)), np.linspace(0, 2, X.shape[1])
    given = [frozen(X), frozen(y), frozen(weights), frozen(factor)]
    for standardize in (False, True):
        model = estimator(task, penalty, alpha=0.1, standardize=standardize, penalty_factor=given[3])
        model.fit(*given[:3])
        model.predict(given[0])
        model.fit(given[0], given[1])
    for before, after in zip((X, y, weights, factor), given, strict=True):
        if sparse.issparse(before):
            before, after = before.toarray(), after.toarray()
        np.testing.assert_array_equal(before, after)


def test_functions_refuse_too():
    X, y = regression_data()
    assert_refused(ValueError, ["penalty", "'l3'"], alpha_max, X, y, penalty="l3")
    assert_refused(ValueError, ["loss", "'l3'"], make_problem, X, y, loss="l3")
    assert_refused(ValueError, ["y", "0 and 1", "logistic"], make_problem, X, y, loss="logistic")
    assert_refused(ValueError, ["one-hot", "softmax"], make_problem, X, y, loss="softmax")
    assert_refused(ValueError, ["penalty_factor", r"\(2,\)"], make_problem, X, y, penalty_factor=[1, 2])
    assert_refused(TypeError, ["penalty", "class", r"L1\(\)"], get_penalty, L1)
    assert_refused(TypeError, ["loss", "3"], get_loss, 3)
    for fit_intercept in (True, False):
        for weights in (None, np.arange(len(y)) % 2):
            spoiled = np.where(np.arange(X.size).reshape(X.shape) == X.size - 1, np.nan, X)
            params = {"fit_intercept": fit_intercept, "sample_weight": weights}
            assert_refused(ValueError, ["X", "NaN"], regularization_path, spoiled, y, **params)
            assert_refused(ValueError, ["X", "NaN"], alpha_max, spoiled, y, **params)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("convert", [np.asfortranarray, np.ascontiguousarray, sparse.csc_array, sparse.csr_array])
@pytest.mark.parametrize("how", ["plain", "float32", "standardize", "no intercept", "class without weight", "targets"])
def test_a_large_X_is_looked_at_too(task, bad, convert, how):
    """Where the pass that centres X does it, where there is none, and where rows without weight are not read."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((5000, 21)), rng.standard_normal(5000)
    params = {"standardize": how == "standardize", "fit_intercept": how != "no intercept", "alpha": 0.1}
    if task == "logistic":
        y = (np.arange(5000) // 1250).astype(float)
        params["class_weight"] = {1.0: 0.0, 0.0: 1.0, 2.0: 1.0, 3.0: 1.0} if how == "class without weight" else None
    elif how == "targets":
        y = np.column_stack([y, X[:, 1]])
    model = estimator(task, **params).fit(X, y)
    before = {name: np.copy(value) for name, value in vars(model).items() if name.endswith("_")}
    for row in (1500, 4999):
        spoiled = X.astype(np.float32) if how == "float32" else X.copy()
        spoiled[row, 20] = bad
        assert_refused(ValueError, ["X", "NaN|infinity"], model.fit, convert(spoiled), y)
        for name, value in before.items():
            np.testing.assert_equal(getattr(model, name), value)
