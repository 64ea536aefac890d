"""Settings of every penalty that there is, for the tests that run over all of them."""

import inspect
import itertools

import numpy as np
from helpers import penalty_classes

from skreg.penalties import L1, L21, Box, ElasticNet, GroupLasso, Lq

GROUPS = [0, 1, 1, 0, 2]

# Settings to try besides the defaults; a penalty with required parameters must have some.
SETTINGS = {
    "ElasticNet": [{"l1_ratio": 0}, {"l1_ratio": 1.0}, {"l1_ratio": 0.01}],
    "MCP": [{"gamma": 0.05}, {"gamma": 20}],
    "SCAD": [{"gamma": 2.01}, {"gamma": 20}],
    "LogSum": [{"eps": 0.01}, {"eps": 5}],
    "Lq": [{"q": 2 / 3}, {"q": 0.1}, {"q": 0.9}],
    "FusedLasso": [{"l1_ratio": 0.0}, {"l1_ratio": 1.0}],
    "GeneralizedRidge": [
        {"M": np.diff(np.eye(5), axis=0).T @ np.diff(np.eye(5), axis=0)},
        {"M": np.diag([5.0, 4, 3, 2, 1])},
    ],
    "SLOPE": [{"lambdas": np.array([3.0, 2, 2, 1, 0])}],
    "TrendFilter": [{"order": 0}, {"order": 3}],
    "Box": [{"lower": -1}, {"lower": -2, "upper": 2}],
    "Simplex": [{"total": 3}],
    "L1Ball": [{"radius": 2}],
    "L2Ball": [{"radius": 2}],
    "Grouped": [{"penalty": Lq(), "groups": GROUPS, "weights": [1, 0, 2]}, {"penalty": "l2", "groups": GROUPS}],
    "GroupLasso": [{"groups": GROUPS}, {"groups": {"a": [0, 3], "b": [1, 2], "c": [4]}, "weights": {"b": 0}}],
    "GroupMCP": [{"groups": GROUPS, "gamma": 0.1}, {"groups": GROUPS, "weights": None}],
    "GroupSCAD": [{"groups": GROUPS}],
    "L21": [{"groups": GROUPS}],
    "SparseGroupLasso": [{"groups": GROUPS, "l1_ratio": l1_ratio} for l1_ratio in (0, 0.3, 1.0)],
    "Scaled": [{"penalty": "mcp", "factor": 0.5}, {"penalty": L21(), "factor": 3}],
    "WithSquare": [{"penalty": "scad", "square": 0.2}, {"penalty": GroupLasso(GROUPS)}],
    "Bounded": [{"penalty": "l1", "lower": -2, "upper": 2}, {"penalty": ElasticNet(), "upper": 1}],
    "ByColumn": [
        {"penalties": {0: None, (1, 2): "mcp"}, "rest": L1()},
        {"penalties": {0: Box([-1], [2]), (1, 3): "l2", (2, 4): GroupLasso([0, 0])}},
    ],
}


def required(cls):
    """Names of the parameters that have no default."""
    kept = [
        parameter
        for parameter in inspect.signature(cls).parameters.values()
        if parameter.kind is not parameter.VAR_KEYWORD
    ]
    return [parameter.name for parameter in kept if parameter.default is inspect.Parameter.empty]


def instances(cls):
    """``cls`` with its defaults, with each switch turned, and with the settings of the table above."""
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(cls).parameters.items()
        if parameter.kind is not parameter.VAR_KEYWORD
    }
    missing = required(cls)
    chosen = list(SETTINGS.get(cls.__name__, []))
    if missing and not chosen:
        raise LookupError(f"{cls.__name__} requires {missing}: give it an entry in SETTINGS of tests/settings.py.")
    switches = [name for name, default in defaults.items() if isinstance(default, bool)]
    turned = [{name: not defaults[name]} for name in switches]
    chosen = chosen if missing else [{}, *chosen]
    return [cls(**{**one, **other}) for one, other in itertools.product(chosen, [{}, *turned])]


def all_penalties():
    """Every setting of every penalty: one in a new file is found without anyone remembering."""
    return [penalty for cls in penalty_classes() for penalty in instances(cls)]
