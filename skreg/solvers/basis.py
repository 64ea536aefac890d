"""Penalties that are separable in another basis are solved there."""

import numpy as np

from skreg.solvers.base import Solver
from skreg.solvers.coordinate import CoordinateDescent
from skreg.solvers.direct import ClosedForm
from skreg.solvers.newton import Newton
from skreg.subproblems import MOST_ENTRIES, in_basis

__all__ = ["ChangeOfBasis"]


class ChangeOfBasis(Solver):
    """Total variation is L1 of the jumps, generalised ridge is L2 along eigenvectors: X is combined to match.

    What the penalty does not charge (constants, polynomials, eigenvectors with
    eigenvalue zero) become unpenalised columns. Objective and duality gap are the
    same in both bases, and so is the certificate.

    References
    ----------
    R. Tibshirani, "Adaptive piecewise polynomial estimation via trend filtering",
    Ann. Stat. 42 (2014), lemma 1; L. Elden, "Algorithms for the regularization of
    ill-conditioned least squares problems", BIT 17 (1977), sec. 2 (standard form).
    """

    name = "change_of_basis"

    def refuses(self, problem):
        """Penalties without such a basis, and an X that would be too large when dense."""
        if problem.penalty.basis() is None:
            return f"{type(problem.penalty).__name__} has no basis in which it is separable."
        if np.prod(problem.design.shape) > MOST_ENTRIES:
            return f"X has {problem.design.shape} entries, which another basis would make dense."
        return None

    def solve(self, problem, alphas, start=None, tol=1e-6, max_iter=10_000):
        """Each alpha in the other basis, from the solution before."""
        part, basis = in_basis(problem)
        solver = next(s for s in (ClosedForm(), Newton(), CoordinateDescent()) if s.refuses(part) is None)
        if start is not None:
            start = basis.inverse(start[0]), start[1]
        for solution in solver.solve(part, alphas, start, tol, max_iter):
            coef = basis.forward(solution.coef)
            intercept = solution.intercept + (part.offset - problem.offset)
            if part.design.shift is not None:
                # The columns were centred before: what is left is rounding.
                intercept = intercept - part.design.shift @ solution.coef
            yield solution._replace(coef=coef, intercept=intercept)
