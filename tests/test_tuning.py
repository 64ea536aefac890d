"""GridSearchCV tunes every parameter of every penalty, in a pipeline, with two workers."""

import inspect

import numpy as np
import pytest
from helpers import class_data, penalty_classes, regression_data
from joblib import parallel_backend
from settings import GROUPS, instances
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skreg import (
    L2,
    MCP,
    Bounded,
    ElasticNet,
    Grouped,
    Lq,
    PenalizedLogisticRegression,
    PenalizedRegression,
    SparseGroupLasso,
)

X, Y = regression_data(n=40, p=5, n_targets=2, seed=3)
NEIGHBOURS = np.diff(np.eye(5), axis=0)

# Two values of every parameter that there is, by its name; by its class and name where the name means several things.
VALUES = {
    "eps": [0.3, 3.0],
    "factor": [0.5, 2.0],
    "gamma": [2.1, 5.0],
    "groups": [GROUPS, [0, 0, 1, 1, 1]],
    "increasing": [True, False],
    "l1_ratio": [0.2, 0.8],
    "lambdas": [None, [3.0, 2.0, 2.0, 1.0, 0.0]],
    "lower": [-0.5, 0.5],
    "M": [np.eye(5), NEIGHBOURS.T @ NEIGHBOURS],
    "order": [0, 1],
    "penalties": [{(0, 1): "l2", (2, 3, 4): "l1"}, {(0, 1): "mcp", (2, 3, 4): None}],
    "penalty": ["l1", "l2"],
    "positive": [True, False],
    "Lq.q": [0.5, 2 / 3],
    "SLOPE.q": [0.01, 0.5],
    "radius": [0.5, 2.0],
    "rest": ["l2", None],
    "square": [0.2, 2.0],
    "total": [0.5, 2.0],
    "upper": [0.6, 1.0],
    "weights": ["sqrt", [1.0, 0.5, 3.0]],
}
# What the parameter can be seen to do only together with another one.
BESIDE = {
    "ByColumn.rest": {"penalties": {0: "l1"}},
    "Grouped.groups": {"weights": "sqrt"},
    "L21.weights": {"groups": GROUPS},
}


# Parameters of what is inside another penalty.
INSIDE = [
    (0.5 * MCP(), "penalty__gamma", [2.1, 5.0]),
    (Bounded(ElasticNet(), upper=1.0), "penalty__l1_ratio", [0.2, 0.8]),
    (Grouped(Lq(), GROUPS), "penalty__q", [0.5, 2 / 3]),
    (SparseGroupLasso(GROUPS) + L2(), "penalty__l1_ratio", [0.2, 0.8]),
]


def every_parameter():
    """(penalty, name, values) of every parameter of every penalty."""
    cases = []
    for cls in penalty_classes():
        for name in inspect.signature(cls).parameters:
            own = f"{cls.__name__}.{name}"
            penalty = instances(cls)[0].set_params(**BESIDE.get(own, {}))
            cases.append((penalty, name, VALUES[own if own in VALUES else name]))
    return cases + INSIDE


CASES = every_parameter()


@pytest.mark.parametrize(
    ("penalty", "name", "values"), CASES, ids=[f"{type(penalty).__name__}.{name}" for penalty, name, _ in CASES]
)
def test_every_parameter(penalty, name, values):
    model = Pipeline([("scale", StandardScaler()), ("model", PenalizedRegression(penalty, alpha=0.3))])
    before = repr(penalty)
    search = GridSearchCV(model, {f"model__penalty__{name}": values}, cv=2, n_jobs=2, error_score="raise")
    with parallel_backend("threading"):
        search.fit(X, Y)
    # Each value was used, and made a difference.
    assert len(set(search.cv_results_["mean_test_score"])) == 2
    best = search.best_estimator_[-1]
    wanted = search.best_params_[f"model__penalty__{name}"]
    assert repr(best.get_params()[f"penalty__{name}"]) == repr(wanted)
    assert best.optimality_.converged and repr(penalty) == before


def test_all_of_them_in_one_search_by_processes():
    model = Pipeline([("scale", StandardScaler()), ("model", PenalizedLogisticRegression(alpha=0.05))])
    grids = [{"model__penalty": [penalty], f"model__penalty__{name}": values} for penalty, name, values in CASES]
    X, y = class_data(n=100, p=5)
    search = GridSearchCV(model, grids, cv=2, n_jobs=2, error_score="raise", refit=False).fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    assert len(scores) == 2 * len(CASES)
    # What processes give is what this one gives.
    for params, score in list(zip(search.cv_results_["params"], scores, strict=True))[::7]:
        assert np.mean(cross_val_score(clone(model).set_params(**params), X, y, cv=2)) == pytest.approx(score)
