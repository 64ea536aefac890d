"""Solvers: each says what it refuses, and solves the rest along a path of alphas."""

from typing import NamedTuple

from skreg.solvers.base import Solution, Solver
from skreg.solvers.basis import ChangeOfBasis
from skreg.solvers.blocks import BlockCoordinateDescent
from skreg.solvers.clusters import ClusterNewton
from skreg.solvers.compiled import Compilation, compile_prox
from skreg.solvers.coordinate import CoordinateDescent
from skreg.solvers.direct import ClosedForm
from skreg.solvers.gradient import ProximalGradient
from skreg.solvers.newton import Newton
from skreg.solvers.newton_cg import NewtonCG

__all__ = [
    "FASTEST_FIRST",
    "BlockCoordinateDescent",
    "ChangeOfBasis",
    "ClosedForm",
    "ClusterNewton",
    "Compilation",
    "CoordinateDescent",
    "Newton",
    "NewtonCG",
    "ProximalGradient",
    "Solution",
    "Solver",
    "SolverChoice",
    "compile_prox",
    "fastest_solver",
    "get_solver",
]

FASTEST_FIRST = (
    ClosedForm(),
    Newton(),
    CoordinateDescent(),
    BlockCoordinateDescent(),
    ChangeOfBasis(),
    ClusterNewton(),
    NewtonCG(),
    ProximalGradient(),
)


class SolverChoice(NamedTuple):
    """The solver that runs, and why no faster one does.

    Attributes
    ----------
    name : str
        Name of the solver, as ``solver=`` takes it.
    solver : Solver
        The solver itself.
    refusals : dict of str to str
        For every faster solver its reason to refuse.
    """

    name: str
    solver: Solver
    refusals: dict


def fastest_solver(problem):
    """The solver that ``solver="auto"`` runs: the first of these that does not refuse.

    ======================== =================================================
    closed_form              squared loss, quadratic penalty or none; the
                             smaller side of X moderate
    newton                   smooth loss, quadratic penalty or none
    coordinate_descent       every separable penalty
    block_coordinate_descent every penalty on blocks: groups, rows of
                             coefficients
    change_of_basis          penalties that are separable in another basis
                             (total variation, trend filter, generalised ridge)
    cluster_newton           penalties that show clusters (SLOPE, fused lasso)
    newton_cg                smooth loss, a quadratic form of many coefficients
                             (generalised ridge)
    proximal_gradient        every penalty
    ======================== =================================================

    Parameters
    ----------
    problem : Problem
        From `skreg.make_problem`.

    Returns
    -------
    SolverChoice
        ``name``, ``solver`` and ``refusals``, the reasons of the faster ones.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import fastest_solver, make_problem
    >>> choice = fastest_solver(make_problem(np.eye(3), np.arange(3.0), penalty="l1"))
    >>> choice.name
    'coordinate_descent'
    >>> print(choice.refusals["closed_form"])
    L1 is not quadratic: it has no closed form.
    """
    refusals = {}
    for solver in FASTEST_FIRST:
        reason = solver.refuses(problem)
        if reason is None:
            return SolverChoice(solver.name, solver, refusals)
        refusals[solver.name] = reason
    raise ValueError("No solver can fit this problem: " + " ".join(refusals.values()))


def get_solver(name, problem):
    """The solver called ``name``, if it can fit the problem.

    Parameters
    ----------
    name : str
        "auto" or the name of a solver.
    problem : Problem

    Returns
    -------
    Solver

    Raises
    ------
    ValueError
        If the name is not known, or the solver refuses; says which would run.
    """
    if name == "auto":
        return fastest_solver(problem).solver
    known = {solver.name: solver for solver in FASTEST_FIRST}
    if not isinstance(name, str) or name not in known:
        raise ValueError(f"solver={name!r} is not known: choose one of {['auto', *known]}.")
    reason = known[name].refuses(problem)
    if reason is not None:
        raise ValueError(
            f"{type(known[name]).__name__} cannot fit this problem: {reason} "
            f"solver='auto' would use {type(fastest_solver(problem).solver).__name__}."
        )
    return known[name]
