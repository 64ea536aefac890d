"""Penalised regression and logistic regression with the penalty of your choice."""

from skreg.certificate import Optimality
from skreg.convert import Strength, convert_alpha, from_sklearn
from skreg.grid import alpha_max
from skreg.linear_model import PenalizedLogisticRegression, PenalizedRegression
from skreg.losses import Logistic, Loss, Softmax, Squared
from skreg.model_selection import PenalizedLogisticRegressionCV, PenalizedRegressionCV
from skreg.objective import Objective
from skreg.path import RegularizationPath, regularization_path
from skreg.penalties import Penalty, catalogue
from skreg.penalties.catalogue import *  # noqa: F403
from skreg.problem import Problem, make_problem
from skreg.reweighted import Reweighted
from skreg.solvers import compile_prox, fastest_solver

__version__ = "0.1.0.dev0"

__all__ = [
    "Logistic",
    "Loss",
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
    "Softmax",
    "Squared",
    "Strength",
    "__version__",
    "alpha_max",
    "compile_prox",
    "convert_alpha",
    "fastest_solver",
    "from_sklearn",
    "make_problem",
    "regularization_path",
]
# The penalties.
__all__ += catalogue.__all__
