"""Penalties on groups: how groups are named, and fits against conditions written by hand."""

import numpy as np
import pandas as pd
import pytest
from helpers import class_data, one_hot, regression_data
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.special import softmax
from sklearn.linear_model import LinearRegression, MultiTaskLasso
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skreg import (
    L21,
    MCP,
    Grouped,
    GroupLasso,
    GroupMCP,
    GroupSCAD,
    NonNegative,
    PenalizedLogisticRegression,
    PenalizedRegression,
    PenalizedRegressionCV,
    SparseGroupLasso,
    alpha_max,
)

label_of = np.array([0, 1, 1, 2, 2, 2, 0, 3])
NAMES = np.array(list("abcdefgh"), dtype=object)

# -- how groups are named ---------------------------------------------------------------------------------------------

SAME = [
    label_of,
    label_of.tolist(),
    ["p", "q", "q", "r", "r", "r", "p", "s"],
    [[0, 6], [1, 2], [3, 4, 5], [7]],
    [["a", "g"], ["c", "b"], [3, "e", 5], ["h"]],
    {"one": ["a", "g"], "two": [1, 2], "three": ["d", "e", "f"], "four": "h"},
]


@pytest.mark.parametrize("groups", SAME, ids=str)
def test_all_ways_to_name_groups(groups):
    coef = np.arange(1.0, 9.0)
    expected = GroupLasso(label_of).prox(coef, 1.0, 1.0)
    bound = GroupLasso(groups).bind(8, NAMES)
    assert_allclose(bound.prox(coef, 1.0, 1.0), expected, rtol=1e-15)
    norm = np.sqrt(1 + 49)
    assert expected[0] == pytest.approx(1 - np.sqrt(2) / norm)


def test_groups_of_one_size():
    assert_allclose(GroupLasso(2).bind(6).blocks(), [0, 0, 1, 1, 2, 2])


@pytest.mark.parametrize(
    ("groups", "error", "words"),
    [
        ([[0, 1], [1, 2, 3, 4, 5, 6, 7]], ValueError, "column 1 is in two groups, 0 and 1"),
        ([[0, 1], [2, 3]], ValueError, r"columns \['e', 'f', 'g', 'h'\] are in no group"),
        ([[0, 9], [1]], ValueError, "holds the column 9, which X does not have"),
        ([["z"], [1]], ValueError, "holds the column 'z', which X does not have"),
        ([[], [1]], ValueError, "group 0 has no columns"),
        ([0, 1], ValueError, "one label for each of the 8 features"),
        ([0, [1, 2], 3], TypeError, "groups must be"),
        ([0, 1, None, 0, 0, 0, 0, 0], TypeError, "groups must be"),
        (3, ValueError, "divides the number of features, 8"),
        (0, ValueError, "divides"),
        ("ab", TypeError, "groups must be"),
        (None, TypeError, "groups must be .* got None"),
        (True, TypeError, "groups must be"),
    ],
)
@pytest.mark.parametrize("penalty", [GroupLasso, SparseGroupLasso])
def test_wrong_groups_are_told(penalty, groups, error, words):
    with pytest.raises(error, match=words):
        penalty(groups).bind(8, NAMES)


@pytest.mark.parametrize(
    ("penalty", "error", "words"),
    [
        (GroupLasso(label_of, weights="size"), TypeError, "weights must be"),
        (GroupLasso(label_of, weights=[1, 2]), ValueError, "for 4 groups"),
        (GroupLasso(label_of, weights={7: 1}), ValueError, "names the group 7"),
        (GroupLasso(label_of, weights={0: -1}), ValueError, r"weights\[0\]"),
        (GroupMCP(label_of, gamma=0), ValueError, "gamma"),
        (GroupSCAD(label_of, gamma=2), ValueError, "gamma"),
        (SparseGroupLasso(label_of, l1_ratio=1.5), ValueError, "l1_ratio"),
        (Grouped(L21(), label_of), ValueError, "separable"),
        (Grouped(MCP(-1), label_of), ValueError, "gamma"),
        (Grouped(NonNegative(), label_of), ValueError, "both signs"),
    ],
    ids=repr,
)
def test_wrong_parameters_are_told(penalty, error, words):
    with pytest.raises(error, match=words):
        penalty.bind(8)


def test_factors_of_a_group_must_agree():
    X, y = regression_data()
    with pytest.raises(ValueError, match="same for all features of a block"):
        PenalizedRegression(GroupLasso(label_of), penalty_factor=np.arange(8.0)).fit(X, y)
    factor = np.array([2.0, 1, 1, 0, 0, 0, 2, 3])
    one = PenalizedRegression(GroupLasso(label_of), alpha=0.2, penalty_factor=factor, tol=1e-10).fit(X, y)
    weights = {0: 2 * np.sqrt(2), 1: np.sqrt(2), 2: 0, 3: 3}
    other = PenalizedRegression(GroupLasso(label_of, weights), alpha=0.2, tol=1e-10).fit(X, y)
    assert_allclose(one.coef_, other.coef_, atol=1e-5)


# -- fits -------------------------------------------------------------------------------------------------------------


def assert_group_lasso(gradient, coef, alpha, l1=0.0, weights=None, atol=1e-5):
    """The conditions of Yuan and Lin (2006), eq. (2.2), and of Simon et al. (2013), sec. 3."""
    for label in np.unique(label_of):
        own, block = coef[label_of == label], gradient[label_of == label]
        strength = alpha * (np.sqrt(len(own)) if weights is None else weights[label])
        if np.any(own):
            pull = strength * own / np.linalg.norm(own)
            rest = block + pull + l1 * np.sign(own)
            assert_allclose(rest[own != 0], 0.0, atol=atol)
            assert np.all(np.abs((block + pull)[own == 0]) <= l1 + atol)
        else:
            excess = np.sign(block) * np.maximum(np.abs(block) - l1, 0.0)
            assert np.linalg.norm(excess) <= strength + atol


@pytest.mark.parametrize("layout", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("l1_ratio", [None, 0.0, 0.4, 1.0])
def test_the_conditions_of_the_group_lasso(layout, l1_ratio):
    X, y = regression_data(seed=4)
    penalty = GroupLasso(label_of) if l1_ratio is None else SparseGroupLasso(label_of, l1_ratio)
    share = l1_ratio or 0.0
    for alpha in (0.05, 0.4):
        model = PenalizedRegression(penalty, alpha=alpha, tol=1e-11).fit(layout(X), y)
        assert model.optimality_.converged and model.optimality_.kind == "global" and model.optimality_.gap is not None
        gradient = -X.T @ (y - model.predict(layout(X))) / len(y)
        assert_group_lasso(gradient, model.coef_, (1 - share) * alpha, share * alpha)


def test_classes_and_unpenalised_groups():
    X, y = class_data(p=8)
    model = PenalizedLogisticRegression(GroupLasso(label_of, weights=[1, 0, 2, 1]), alpha=0.05, tol=1e-11).fit(X, y)
    gradient = X.T @ (model.predict_proba(X)[:, 1] - y) / len(y)
    assert_group_lasso(gradient, model.coef_[0], 0.05, weights=[1, 0, 2, 1])
    assert np.all(model.coef_[0][1:3] != 0)


@pytest.mark.parametrize("penalty", [GroupMCP(label_of), GroupSCAD(label_of), Grouped("l0", label_of)], ids=repr)
def test_concave_groups_are_stationary(penalty):
    X, y = regression_data(seed=6)
    model = PenalizedRegression(penalty, alpha=0.5, tol=1e-10).fit(X, y)
    assert model.optimality_.converged
    gradient = -X.T @ (y - model.predict(X)) / len(y)
    for label in np.unique(label_of):
        own, weight = model.coef_[label_of == label], 0.5 * np.sqrt(np.sum(label_of == label))
        norm = np.linalg.norm(own)
        if norm == 0:
            continue
        if isinstance(penalty, GroupMCP):
            slope = max(weight - norm / 3.0, 0.0)
        elif isinstance(penalty, GroupSCAD):
            slope = weight if norm <= weight else max(3.7 * weight - norm, 0.0) / 2.7
        else:
            slope = 0.0
        assert_allclose(gradient[label_of == label] + slope * own / norm, 0.0, atol=1e-4)


def test_rows_of_several_targets():
    X, y = regression_data(n_targets=3)
    model = PenalizedRegression(L21(), alpha=0.3, tol=1e-10).fit(X, y)
    theirs = MultiTaskLasso(alpha=0.3, tol=1e-12, max_iter=100_000).fit(X, y)
    assert_allclose(model.coef_, theirs.coef_, atol=1e-5)
    assert_allclose(model.intercept_, theirs.intercept_, atol=1e-5)
    assert 0 <= model.optimality_.gap <= 1e-10
    single = PenalizedRegression(L21(), alpha=0.3, tol=1e-10).fit(X, y[:, 0])
    assert_allclose(single.coef_, PenalizedRegression("l1", alpha=0.3, tol=1e-10).fit(X, y[:, 0]).coef_, atol=1e-5)


def test_rows_of_several_classes():
    X, y = class_data(n=120, p=8, n_classes=3)
    model = PenalizedLogisticRegression(L21(), alpha=0.08, tol=1e-11).fit(X, y)
    gradient = (softmax(model.decision_function(X), axis=1) - one_hot(y)).T @ X / len(y)
    norms = np.linalg.norm(model.coef_, axis=0)
    assert 0 < np.count_nonzero(norms) < 8
    for j in range(8):
        if norms[j]:
            assert_allclose(gradient[:, j] + 0.08 * model.coef_[:, j] / norms[j], 0.0, atol=1e-5)
        else:
            assert np.linalg.norm(gradient[:, j]) <= 0.08 + 1e-6


def test_alpha_max():
    X, y = regression_data()
    centred = X - X.mean(axis=0)
    correlation = centred.T @ (y - y.mean()) / len(y)
    norms = [np.linalg.norm(correlation[label_of == k]) / np.sqrt(np.sum(label_of == k)) for k in range(4)]
    assert alpha_max(X, y, penalty=GroupLasso(label_of)) == pytest.approx(max(norms), rel=1e-9)
    # A free group is fitted first.
    penalty = GroupLasso(label_of, weights=[1, 0, 1, 1])
    top = alpha_max(X, y, penalty=penalty)
    free = np.column_stack([np.ones(len(y)), X[:, label_of == 1]])
    residual = y - free @ np.linalg.lstsq(free, y, rcond=None)[0]
    norms = [np.linalg.norm(X[:, label_of == k].T @ residual) / len(y) for k in (0, 2, 3)]
    assert top == pytest.approx(max(norms), rel=1e-5)
    coef = PenalizedRegression(penalty, alpha=top * 1.0001, tol=1e-9).fit(X, y).coef_
    assert np.all((coef != 0) == (label_of == 1))
    assert PenalizedRegression(penalty, alpha=0.99 * top, tol=1e-9).fit(X, y).coef_[label_of != 1].any()
    Y = regression_data(n_targets=3)[1]
    rows = np.linalg.norm(centred.T @ (Y - Y.mean(axis=0)), axis=1) / len(Y)
    assert alpha_max(X, Y, penalty=L21()) == pytest.approx(rows.max(), rel=1e-9)


# -- a citizen of scikit-learn ----------------------------------------------------------------------------------------


def test_names_in_a_pipeline_and_a_grid():
    X, y = regression_data()
    frame = pd.DataFrame(X, columns=NAMES)
    groups = {"one": ["a", "g"], "two": ["b", "c"], "three": ["d", "e", "f"], "four": ["h"]}
    scaler = StandardScaler().set_output(transform="pandas")
    model = make_pipeline(scaler, PenalizedRegression(SparseGroupLasso(groups), alpha=0.1))
    grid = {
        "penalizedregression__penalty__l1_ratio": [0.2, 0.8],
        "penalizedregression__penalty__weights": [None, "sqrt"],
    }
    search = GridSearchCV(model, grid, cv=3, n_jobs=2, error_score="raise").fit(frame, y)
    # A hard problem: 40 rows for 9 parameters, and noise.
    assert search.best_score_ > 0.1 + np.mean(cross_val_score(LinearRegression(), X, y, cv=3))
    chosen = PenalizedRegressionCV(GroupMCP(groups), alphas=10, cv=3).fit(frame, y)
    assert chosen.score(frame, y) > 0.5


def test_factors_that_differ_within_a_group_are_named():
    X, y = regression_data(n=20, p=6)
    model = PenalizedRegression(GroupLasso(3), penalty_factor=[1, 1, 1, 1, 1, 2.0])
    with pytest.raises(ValueError, match=r"of a block of GroupLasso; got \[1.0, 1.0, 2.0\] in block 1\."):
        model.fit(X, y)
    model.set_params(penalty_factor=[1, 1, 1, 2, 2, 2.0]).fit(X, y)
