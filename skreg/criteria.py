"""Choosing alpha without folds: information criteria, generalised cross-validation, exact leave-one-out."""

import numpy as np
from scipy.linalg import qr, svd
from scipy.special import gammaln

from skreg.degrees import degrees_along

__all__ = ["CRITERIA", "criterion", "leave_one_out"]

CRITERIA = ("aic", "aicc", "bic", "ebic", "gcv", "loo")


def criterion(rule, problem, solutions, n_samples):
    r"""What a criterion charges for every solution; the smallest wins.

    With the degrees of freedom ``k`` (intercept included), ``n`` samples and the
    deviance ``D``, which is :math:`n \log(RSS / n)` for the squared loss (Gaussian
    noise of unknown variance) and twice the sum of losses otherwise:

    ==== ==========================================
    aic  ``D + 2 k``
    aicc ``D + 2 k n / (n - k - 1)``
    bic  ``D + log(n) k``
    ebic ``D + log(n) k + 2 log(binomial(p, support))``
    gcv  ``RSS / n / (1 - k / n)^2``
    loo  mean squared leave-one-out error, exact
    ==== ==========================================

    Parameters
    ----------
    rule : str
        One of `CRITERIA`.
    problem : Problem
    solutions : list of Solution
    n_samples : float
        Sum of the sample weights.

    Returns
    -------
    values : ndarray of shape (n_alphas,)
        inf where the model has as many degrees of freedom as there are samples.
    degrees : ndarray of shape (n_alphas,)
        Degrees of freedom without the intercept.

    References
    ----------
    H. Akaike (1974); C. M. Hurvich, C.-L. Tsai, Biometrika 76 (1989); G. Schwarz, Ann. Stat. 6 (1978); J. Chen,
    Z. Chen, Biometrika 95 (2008), eq. (4), gamma = 1; G. Golub, M. Heath, G. Wahba, Technometrics 21 (1979).
    """
    degrees = degrees_along(problem, solutions)
    if rule == "loo":
        errors = leave_one_out(problem, [solution.alpha for solution in solutions])
        return np.mean(errors.reshape(len(errors), -1) ** 2, axis=1), degrees
    n, t = n_samples, problem.n_outputs
    k = degrees + t * problem.fit_intercept
    loss = np.array([solution.optimality.loss for solution in solutions])
    room = n * t - k
    with np.errstate(divide="ignore", invalid="ignore"):
        if rule == "gcv":
            values = 2.0 * loss / t / (1.0 - k / (n * t)) ** 2
        else:
            deviance = n * t * np.log(2.0 * loss / t) if problem.loss.quadratic else 2.0 * n * loss
            price = {"aic": 2.0, "aicc": 2.0 * n * t / (room - 1.0)}.get(rule, np.log(n))
            values = deviance + price * k
        if rule == "ebic":
            p = problem.n_features * t
            size = np.array([np.count_nonzero(solution.coef) for solution in solutions])
            values = values + 2.0 * (gammaln(p + 1) - gammaln(size + 1) - gammaln(p - size + 1))
    return np.where(room > (1.0 if rule == "aicc" else 1e-8), values, np.inf), degrees


def leave_one_out(problem, alphas):
    """Errors of predicting each row by the ridge fitted to the others, for all alphas from one factorisation.

    Leaving out a row of weight ``s`` (of sum 1) leaves a mean loss over ``1 - s``, so
    the same alpha weighs ``1 - s`` times as much: with that the textbook formula
    ``residual / (1 - leverage)`` is exact.

    Parameters
    ----------
    problem : Problem
        Squared loss, quadratic penalty proportional to alpha.
    alphas : sequence of float

    Returns
    -------
    ndarray of shape (n_alphas, n_samples) or (n_alphas, n_samples, n_outputs)
        Errors times the root of ``weight * n_samples``, so that the mean of their squares is the weighted one.

    Raises
    ------
    ValueError
        If the problem is another one.

    References
    ----------
    T. Hastie, R. Tibshirani, J. Friedman, "The Elements of Statistical Learning", 2nd ed., eq. (7.64).
    """
    unit = problem.penalty.quadratic(problem.strength(1.0))
    if not problem.loss.quadratic or unit is None:
        raise ValueError(
            f"rule='loo' needs the squared loss and a quadratic penalty such as L2; got {type(problem.loss).__name__} and "
            f"{type(problem.penalty).__name__}. Take cv=LeaveOneOut() and rule='min', or rule='gcv'."
        )
    unit = np.broadcast_to(np.asarray(unit, dtype=np.float64), problem.n_features)
    for alpha in (min(alphas), max(alphas)):
        if not np.allclose(problem.penalty.quadratic(problem.strength(alpha)), alpha * unit, rtol=1e-12):
            raise ValueError(
                f"rule='loo' needs a penalty in proportion to alpha; {type(problem.penalty).__name__} is not."
            )
    root = np.sqrt(problem.weights)[:, None]
    columns = problem.design.columns(np.arange(problem.n_features)) * root
    y = problem.y.reshape(len(root), -1) * root
    free, paid = unit == 0, unit > 0
    basis = np.hstack([root] * problem.fit_intercept + [columns[:, free]])
    columns = columns[:, paid] / np.sqrt(unit[paid])
    leverage = np.zeros(len(root))
    if basis.shape[1]:
        Q, R, _ = qr(basis, mode="economic", pivoting=True)
        size = np.abs(np.diagonal(R))
        Q = Q[:, size > 1e-12 * size.max(initial=0.0)]
        leverage = np.sum(Q**2, axis=1)
        columns, y = columns - Q @ (Q.T @ columns), y - Q @ (Q.T @ y)
    U, values, _ = svd(columns, full_matrices=False)
    turned = U.T @ y
    if np.ptp(problem.weights) == 0:
        # All rows weigh the same: one product for all alphas.
        strengths = np.asarray(alphas) * (1.0 - problem.weights[0])
        with np.errstate(divide="ignore", invalid="ignore"):
            kept = np.where(values > 0, values**2 / (values**2 + strengths[:, None]), 0.0)
        left = 1.0 - leverage - kept @ (U**2).T
        rest = y.T - np.einsum("ak,kt->atk", kept, turned) @ U.T
        errors = _over(np.moveaxis(rest, 1, 2), left[:, :, None])
    else:
        errors = []
        for alpha in alphas:
            strength = alpha * (1.0 - root**2)
            with np.errstate(divide="ignore", invalid="ignore"):
                kept = U * np.where(values > 0, values**2 / (values**2 + strength), 0.0)
            left = 1.0 - leverage - np.einsum("ij,ij->i", U, kept)
            errors.append(_over(y - kept @ turned, left[:, None]))
    return np.stack(errors).reshape(len(alphas), *problem.y.shape) * np.sqrt(len(root))


def _over(rest, left):
    """Errors from residuals; a row that alone decides a coefficient cannot be predicted without it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(left > 1e-12, rest / left, np.inf)
