"""Penalised regression and logistic regression with the penalty of your choice."""

from skreg.certificate import Optimality
from skreg.convert import Strength, convert_alpha, from_sklearn
from skreg.grid import alpha_max
from skreg.linear_model import PenalizedLogisticRegression, PenalizedRegression
from skreg.losses import Logistic, Loss, Softmax, Squared
from skreg.model_selection import PenalizedLogisticRegressionCV, PenalizedRegressionCV
from skreg.objective import Objective
from skreg.path import RegularizationPath, regularization_path
from skreg.penalties import (
    L0,
    L1,
    L2,
    L21,
    MCP,
    SCAD,
    SLOPE,
    Bounded,
    Box,
    ByColumn,
    ElasticNet,
    FusedLasso,
    GeneralizedRidge,
    Grouped,
    GroupLasso,
    GroupMCP,
    GroupSCAD,
    L1Ball,
    L2Ball,
    LogSum,
    Lq,
    Monotone,
    NonNegative,
    NuclearNorm,
    Penalty,
    Scaled,
    Simplex,
    SparseGroupLasso,
    TrendFilter,
    WithSquare,
)
from skreg.problem import Problem, make_problem
from skreg.reweighted import Reweighted
from skreg.solvers import compile_prox, fastest_solver

__version__ = "0.1.0.dev0"

__all__ = [
    "L0",
    "L1",
    "L2",
    "L21",
    "MCP",
    "SCAD",
    "SLOPE",
    "Bounded",
    "Box",
    "ByColumn",
    "ElasticNet",
    "FusedLasso",
    "GeneralizedRidge",
    "GroupLasso",
    "GroupMCP",
    "GroupSCAD",
    "Grouped",
    "L1Ball",
    "L2Ball",
    "LogSum",
    "Logistic",
    "Loss",
    "Lq",
    "Monotone",
    "NonNegative",
    "NuclearNorm",
    "Objective",
    "Optimality",
    "PenalizedLogisticRegression",
    "PenalizedLogisticRegressionCV",
    "PenalizedRegression",
    "PenalizedRegressionCV",
    "Penalty",
    "Problem",
    "RegularizationPath",
    "Reweighted",
    "Scaled",
    "Simplex",
    "Softmax",
    "SparseGroupLasso",
    "Squared",
    "Strength",
    "TrendFilter",
    "WithSquare",
    "__version__",
    "alpha_max",
    "compile_prox",
    "convert_alpha",
    "fastest_solver",
    "from_sklearn",
    "make_problem",
    "regularization_path",
]
