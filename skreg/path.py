"""Regularisation paths: the same problem at many strengths."""

import warnings
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skreg._validation import check_bool, check_integer, check_real
from skreg.convexity import convex_along
from skreg.degrees import degrees_along
from skreg.fitting import in_units_of_X, path_in_units_of_X, problem_of_data, trouble
from skreg.grid import alpha_grid
from skreg.progress import watched
from skreg.solvers import get_solver
from skreg.solvers.probe import probe_prox
from skreg.stops import check_stops, explained, saturated, too_large

__all__ = ["RegularizationPath", "regularization_path"]


# Where alpha is 0 its logarithm is not a distance.
TINY = np.finfo(np.float64).tiny


@dataclass(frozen=True, eq=False, repr=False)
class RegularizationPath:
    """Solutions along alpha, from `regularization_path`.

    Entry ``k`` of every array belongs to ``alphas[k]``.

    Attributes
    ----------
    alphas : ndarray of shape (n_alphas,)
        Strengths that were solved, from strong to weak.
    coefs : ndarray of shape (n_alphas, n_features) or (n_alphas, n_outputs, n_features)
        ``coefs[k]`` is the ``coef_`` of an estimator with ``alpha=alphas[k]``.
    intercepts : ndarray of shape (n_alphas,) or (n_alphas, n_outputs)
        Likewise for ``intercept_``.
    certificates : tuple of Optimality
        How far each solution can be from the best.
    objectives : ndarray of shape (n_alphas,)
        Mean loss plus penalty.
    deviance_explained : ndarray of shape (n_alphas,)
        The share of the null model's loss that is gone: R^2 on the training data
        for the squared loss. NaN for losses without a conjugate, whose smallest
        value is not known.
    support_sizes : ndarray of int of shape (n_alphas,)
        Features with a coefficient that is not zero.
    degrees_of_freedom : ndarray of shape (n_alphas,)
        See Notes; computed when asked for.
    locally_convex : ndarray of bool of shape (n_alphas,)
        Whether the objective is convex in the coefficients that are not zero: where a
        penalty such as MCP outweighs the loss it is not, and a small change of the data
        may lead to quite another solution. Computed when asked for.
    n_iter : ndarray of int of shape (n_alphas,)
        Iterations of the solver.
    solver : str
        The solver that ran.
    classes : ndarray of shape (n_classes,) or None
        Sorted labels, if y had labels.
    feature_names : ndarray of shape (n_features,) or None
        Names of the columns, if X had string names.
    stopped : str or None
        Why the path ends before the last alpha that was asked for, as a sentence.

    Notes
    -----
    Degrees of freedom are ``trace(H (H + D)^-1)`` with the Hessian ``H`` of the loss
    and the curvature ``D`` of the penalty on the support: the number of non-zero
    coefficients for the lasso, the trace of the hat matrix for ridge. The intercept
    is not counted. For penalties that are not convex the support is counted.

    References
    ----------
    H. Zou, T. Hastie, R. Tibshirani, Ann. Stat. 35 (2007), thm. 1; R. Tibshirani,
    J. Taylor, Ann. Stat. 40 (2012), eq. (17); P. Breheny, J. Huang, Ann. Appl. Stat. 5
    (2011), sec. 4.1 (local convexity).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import regularization_path
    >>> path = regularization_path(*load_diabetes(return_X_y=True), penalty="l1", alphas=[1.0, 0.1])
    >>> path.coefs.shape, path.support_sizes, path.degrees_of_freedom
    ((2, 10), array([3, 7]), array([3., 7.]))
    >>> path
    RegularizationPath(2 alphas from 1 to 0.1, 10 features of which 3 to 7 are used, solver='coordinate_descent')
    >>> coef, intercept = path.at(0.5)
    >>> coef.round()
    array([  0.,   0., 471., 137.,   0.,   0., -58.,   0., 408.,   0.])
    """

    alphas: np.ndarray
    coefs: np.ndarray
    intercepts: np.ndarray
    certificates: tuple
    deviance_explained: np.ndarray
    n_iter: np.ndarray
    solver: str
    classes: np.ndarray | None
    feature_names: np.ndarray | None
    stopped: str | None
    _problem: object = field(repr=False)
    _solutions: tuple = field(repr=False)

    @property
    def objectives(self):
        return np.array([certificate.objective for certificate in self.certificates])

    @property
    def support_sizes(self):
        used = self.coefs != 0
        return (used if used.ndim == 2 else used.any(axis=1)).sum(axis=1)

    @cached_property
    def degrees_of_freedom(self):
        return degrees_along(self._problem, self._solutions)

    @cached_property
    def locally_convex(self):
        return convex_along(self._problem, self._solutions)

    def at(self, alpha):
        """Solve at one more strength, from the solution nearest to it.

        Parameters
        ----------
        alpha : float
            Strength, also outside the range of `alphas`.

        Returns
        -------
        coef : ndarray of shape (n_features,) or (n_outputs, n_features)
            As ``coefs[k]``.
        intercept : float or ndarray of shape (n_outputs,)
            As ``intercepts[k]``.

        Raises
        ------
        ValueError
            If ``alpha`` is negative, or the path was pickled: it left the data behind.

        Warns
        -----
        ConvergenceWarning
            If the certificate does not meet the tolerance of the path.
        """
        alpha = check_real("alpha", alpha, low=0)
        if self._problem is None:
            raise ValueError("a path that was pickled has left its data behind, and has no more than its alphas.")
        near = self._solutions[int(np.argmin(np.abs(np.log((self.alphas + TINY) / (alpha + TINY)))))]
        solver, tol = get_solver(self.solver, self._problem), near.optimality.tol
        solution = next(iter(solver.solve(self._problem, [alpha], (near.coef, near.intercept), tol)))
        _warn("RegularizationPath.at", [solution], 10_000, self.solver)
        parts = in_units_of_X(self._problem, solution.coef, solution.intercept, alpha)
        return parts if self.classes is None else (np.atleast_2d(parts[0]), np.atleast_1d(parts[1]))

    def __repr__(self):
        sizes, strengths = self.support_sizes, f"{self.alphas[0]:.3g} to {self.alphas[-1]:.3g}"
        used = f"{self.coefs.shape[-1]} features of which {sizes.min()} to {sizes.max()} are used"
        stopped = "" if self.stopped is None else f", stopped={self.stopped!r}"
        return f"RegularizationPath({len(sizes)} alphas from {strengths}, {used}, solver={self.solver!r}{stopped})"

    def plot(self, **options):
        """Draw the weights against alpha.

        Parameters
        ----------
        **options : dict
            Arguments of `RegularizationPathDisplay.from_path`.

        Returns
        -------
        RegularizationPathDisplay
        """
        from skreg.inspection import RegularizationPathDisplay

        return RegularizationPathDisplay.from_path(self, **options)

    def __getstate__(self):
        # The problem holds the data: what it is needed for is computed before it goes.
        _ = self.degrees_of_freedom, self.locally_convex
        return self.__dict__ | {"_problem": None, "_solutions": ()}

    def __setstate__(self, state):
        self.__dict__.update(state)


def regularization_path(
    X,
    y,
    *,
    penalty="l1",
    loss="squared",
    alphas=100,
    alpha_min_ratio=None,
    penalty_factor=None,
    fit_intercept=True,
    standardize=False,
    sample_weight=None,
    solver="auto",
    tol=1e-6,
    max_iter=10_000,
    max_support=None,
    max_deviance=None,
    keep_on_interrupt=False,
    verbose=False,
):
    """Solve for many strengths, from strong to weak, each from the solution before.

    Parameters
    ----------
    X : array-like or sparse of shape (n_samples, n_features)
        Training data; float64 and float32 are used as they are.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Targets; labels of two classes or more for ``loss="logistic"`` or
        ``"softmax"`` (two are one column, more are one softmax).
    penalty : str, Penalty or None, default="l1"
        Name or object.
    loss : str or Loss, default="squared"
        Name or object.
    alphas : int or array-like of shape (n_alphas,), default=100
        How many, evenly spaced on a logarithmic scale from `alpha_max` down; or the
        strengths themselves, in any order. Where there is no `alpha_max` (L2), the
        path starts where every coefficient has lost a factor of 1000 at least.
    alpha_min_ratio : float, optional
        Smallest over largest alpha of an automatic grid; by default 1e-3, and 1e-7
        where there is no `alpha_max`.
    penalty_factor : array-like of shape (n_features,), dict or None, default=None
        Factors of alpha per feature, 0 for not penalised.
    fit_intercept : bool, default=True
        Whether there is an intercept.
    standardize : bool, default=False
        Whether the penalty sees coefficients of columns with standard deviation 1.
    sample_weight : array-like of shape (n_samples,), optional
        Non-negative weights.
    solver : str, default="auto"
        As in `PenalizedRegression`.
    tol : float, default=1e-6
        Largest relative suboptimality of every solution.
    max_iter : int, default=10000
        Limit on the solver's iterations for each alpha.
    max_support : int, optional
        End the path before the first solution with more features than this.
    max_deviance : float in (0, 1], optional
        End the path with the first solution that explains this share of the deviance.
    keep_on_interrupt : bool, default=False
        Whether Ctrl-C ends the path with what is solved, instead of raising.
    verbose : bool, default=False
        Whether to draw a bar on stderr.

    Returns
    -------
    RegularizationPath
        Its arrays have one entry per alpha that was solved.

    Raises
    ------
    ValueError, TypeError
        If the data or a parameter are not what they have to be.

    Warns
    -----
    ConvergenceWarning
        If a certificate does not meet `tol`; says at which alphas.

    References
    ----------
    J. Friedman, T. Hastie, R. Tibshirani, "Regularization paths for generalized
    linear models via coordinate descent", J. Stat. Softw. 33(1) (2010), sec. 2.5.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import regularization_path
    >>> X, y = load_diabetes(return_X_y=True)
    >>> path = regularization_path(X, y, penalty="l1", max_support=3)
    >>> path.support_sizes[[0, -1]], path.stopped
    (array([0, 3]), 'more than max_support=3 features at alpha=0.703')
    """
    tol = check_real("tol", tol, low=0, low_open=True)
    max_iter = check_integer("max_iter", max_iter, low=1)
    max_support, max_deviance = check_stops(max_support, max_deviance)
    problem, classes, names = problem_of_data(
        X,
        y,
        penalty=penalty,
        loss=loss,
        penalty_factor=penalty_factor,
        fit_intercept=fit_intercept,
        standardize=standardize,
        sample_weight=sample_weight,
    )
    chosen = get_solver(solver, problem)
    grid = alpha_grid(problem, alphas, alpha_min_ratio)
    problem = chosen.prepared(problem, grid)
    solutions, stopped = [], None
    walk = watched(chosen.solve(problem, grid, None, tol, max_iter), len(grid), verbose, "path")
    try:
        for solution in walk:
            stopped = too_large(solution, max_support)
            if stopped is not None:
                break
            solutions.append(solution)
            stopped = saturated(problem, solution, max_deviance)
            if stopped is not None:
                break
    except KeyboardInterrupt:
        if not check_bool("keep_on_interrupt", keep_on_interrupt) or not solutions:
            raise
        stopped = f"interrupted after alpha={solutions[-1].alpha:.3g}"
    finally:
        walk.close()
    if not solutions:
        raise ValueError(f"max_support={max_support} is less than the support at the first alpha, {grid[0]:.3g}.")
    if stopped is not None and len(solutions) == len(grid):
        stopped = None
    probe_prox(problem, solutions[-1])
    _warn("regularization_path", solutions, max_iter, chosen.name)
    coefs, intercepts = path_in_units_of_X(problem, solutions)
    if classes is not None and len(classes) == 2:
        # As an estimator shows them: one row.
        coefs, intercepts = coefs[:, None, :], intercepts[:, None]
    return RegularizationPath(
        alphas=grid[: len(solutions)],
        coefs=coefs,
        intercepts=intercepts,
        certificates=tuple(s.optimality for s in solutions),
        deviance_explained=explained(problem, [s.optimality.loss for s in solutions]),
        n_iter=np.array([s.n_iter for s in solutions]),
        solver=chosen.name,
        classes=classes,
        feature_names=names,
        stopped=stopped,
        _problem=problem,
        _solutions=tuple(solutions),
    )


def _warn(caller, solutions, max_iter, solver):
    reasons = [(s.alpha, trouble(s, max_iter)) for s in solutions]
    reasons = [(alpha, reason) for alpha, reason in reasons if reason is not None]
    if reasons:
        alpha, reason = reasons[0]
        warnings.warn(
            f"{caller} ({solver}): {len(reasons)} of {len(solutions)} alphas; the largest, alpha={alpha:.3g}, {reason}",
            ConvergenceWarning,
            stacklevel=3,
        )
