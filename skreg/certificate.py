"""The certificate: how far a candidate solution can be from the best one.

Two measures. The *violation* is the residual of the proximal fixed point, and
exists for every penalty (`skreg.point`). The *duality gap* bounds the suboptimality itself; it
needs the conjugates of loss and penalty, and a feasible dual point (`skreg.gap`).
"""

from dataclasses import dataclass

__all__ = ["CONDITION", "Optimality"]

# Where there is no gap: how much larger than violation ** 2 the suboptimality is taken to be.
# Near the optimum it is at most the sum of the squares over the smallest eigenvalue of the
# Hessian in units of its diagonal, so this is the condition number that is allowed for.
CONDITION = 1e6


@dataclass(frozen=True)
class Optimality:
    """Certificate of a fit: how far from the optimum it can be, at most.

    Attributes
    ----------
    objective : float
        Mean loss plus penalty; the sum of the next two.
    loss : float
        (Weighted) mean loss on the training data.
    penalty : float
        What the coefficients pay.
    gap : float or None
        Duality gap over the loss of the intercept alone: no model can have an
        objective lower than ``objective - gap * null_loss``. None where loss or
        penalty have no conjugate, or the dual point leaves its domain; inf where
        unpenalised columns are so nearly collinear that rounding leaves no dual
        point orthogonal to them.
    violation : float
        Largest residual of the proximal fixed point over all coefficients,
        intercept and unpenalised ones included, in units of
        ``sqrt(2 * null_loss)``.
    null_loss : float
        Loss of the intercept alone, the unit of the two measures above.
    tol : float
        The tolerance that was asked for.
    converged : bool
        Whether ``gap <= tol``; where there is no gap, ``1e6 * violation**2 <= tol``,
        which promises the same suboptimality up to a condition number of 1e6.
    kind : str
        ``"global"``: no coefficients are better, as the problem is convex, or the
        squared loss curves more than the penalty bends the other way (see
        `Penalty.concavity`; looked at up to 300 features). ``"local"``: no other value of
        a single coefficient is, as far as the curvature of the loss at the solution tells
        (all the way for the squared loss). ``"stationary"``: no small change helps to first
        order; all that is known where a concave penalty sees several coefficients together.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import PenalizedRegression
    >>> X, y = load_diabetes(return_X_y=True)
    >>> optimality = PenalizedRegression("l1", alpha=0.1).fit(X, y).optimality_
    >>> optimality.converged, optimality.kind, optimality.gap <= optimality.tol
    (True, 'global', True)
    """

    objective: float
    loss: float
    penalty: float
    gap: float | None
    violation: float
    null_loss: float
    tol: float
    converged: bool
    kind: str

    @property
    def measure(self):
        """What `tol` is compared with: the gap, or where there is none ``1e6 * violation**2``."""
        return CONDITION * self.violation**2 if self.gap is None else self.gap
