"""A problem in other coefficients: some of them, directions of them, another basis."""

import numpy as np

from skreg.design import make_design
from skreg.penalties import NoPenalty
from skreg.problem import Problem

__all__ = ["MOST_ENTRIES", "along", "in_basis", "on_features"]

# Another basis makes X dense; up to so many numbers.
MOST_ENTRIES = 1e8


def on_features(problem, index):
    """The problem on some of the features."""
    design = make_design(problem.design.X[:, index], problem.weights, problem.fit_intercept, False)
    if problem.design.scale is not None:
        design.scale = problem.design.scale[index]
    factor = None if problem.penalty_factor is None else problem.penalty_factor[index]
    return _of_same_data(problem, design, problem.penalty.restrict(index), factor)


def along(problem, directions):
    """The problem in some directions of coef, the columns of a matrix, of which none is penalised."""
    inverse_scale = 1.0 if problem.design.scale is None else 1.0 / problem.design.scale
    columns = problem.design.X @ (directions.T * inverse_scale).T
    return _of_same_data(problem, make_design(columns, problem.weights, problem.fit_intercept, False), NoPenalty())


def in_basis(problem):
    """The problem in the basis in which its penalty is separable, and that basis; None where there is none."""
    basis = problem.penalty.basis()
    if basis is None or np.prod(problem.design.shape) > MOST_ENTRIES:
        return None
    columns = basis.adjoint(problem.design.columns(np.arange(problem.n_features)).T).T
    design = make_design(columns, problem.weights, problem.fit_intercept, False)
    return _of_same_data(problem, design, basis.penalty, basis.factor), basis


def _of_same_data(problem, design, penalty, factor=None):
    """Another design and penalty for the same targets."""
    part = Problem(design, problem.y, problem.weights, problem.loss, penalty, factor, problem.fit_intercept)
    part.offset = part.offset + problem.offset
    return part
