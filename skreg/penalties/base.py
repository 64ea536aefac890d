"""The contract of a penalty: ``value``, ``prox`` and a few facts."""

import numpy as np
from sklearn.base import BaseEstimator

__all__ = ["Penalty"]


class Penalty(BaseEstimator):
    r"""Base class of all penalties: two NumPy methods make one.

    A penalty holds the *shape* of the price that coefficients pay
    (``l1_ratio``, ``gamma``, ...); the *strength* ``alpha`` is always given by
    the estimator and arrives as an argument. Subclasses store their parameters
    in ``__init__`` under the same names, as scikit-learn estimators do, and
    inherit ``repr``, ``clone``, ``get_params`` and grid search from it.

    Attributes
    ----------
    separable : bool
        Fact: `prox` acts on one coefficient at a time, so ``alpha`` and
        ``step`` may be arrays with one number per feature. Such penalties run in
        coordinate descent and accept a ``penalty_factor``.
    convex : bool
        Fact: `value` is convex in ``coef``, so a solution is global.
    joint_outputs : bool
        Fact: the penalty wants the coefficients of all outputs at once, shape
        ``(n_features, n_outputs)``, and arrays of ``alpha`` and ``step`` have the
        shape ``(n_features, 1)``; otherwise it is called once per output with
        shape ``(n_features,)``.
    standardizes : bool
        Fact: coefficients of columns divided by their standard deviations can be
        charged; ``standardize=True`` is refused otherwise. True by default.
    constrains : bool
        Fact: some coefficients are forbidden at every alpha (`value` is ``inf`` there), so that data may be out of
        reach of the model. Estimators then have scikit-learn's tag ``poor_score``: nobody can promise them a score.
        False by default.

    See Also
    --------
    skreg.testing.check_penalty : Checks a penalty of your own numerically.

    Notes
    -----
    Methods must not change their input nor ``self``.

    Examples
    --------
    The absolute value with a tenth of its square on top:

    >>> import numpy as np
    >>> from skreg import Penalty, PenalizedRegression
    >>> class Mine(Penalty):
    ...     separable = convex = True
    ...     def value(self, coef, alpha):
    ...         return np.sum(alpha * (np.abs(coef) + 0.1 * coef**2))
    ...     def prox(self, coef, step, alpha):
    ...         shrunk = np.sign(coef) * np.maximum(np.abs(coef) - step * alpha, 0)
    ...         return shrunk / (1 + 0.2 * step * alpha)
    >>> X, y = np.eye(3), np.array([3.0, 0.1, -2.0])
    >>> model = PenalizedRegression(Mine(), alpha=0.1, fit_intercept=False).fit(X, y)
    >>> model.coef_.round(3)
    array([ 2.547,  0.   , -1.604])
    """

    _doc_link_module = "skreg"

    separable = False
    convex = False
    joint_outputs = False
    standardizes = True
    constrains = False

    def value(self, coef, alpha):
        """Price of ``coef`` at strength ``alpha``.

        Parameters
        ----------
        coef : ndarray of shape (n_features,)
            Coefficients; ``(n_features, n_outputs)`` if `joint_outputs`.
        alpha : float or ndarray of shape (n_features,)
            Strength, non-negative. Arrays, one strength per feature, only reach
            penalties that are `separable` or have `blocks`, and are then the same
            within a block.

        Returns
        -------
        float
            The price; ``inf`` outside a constraint, at every alpha.
        """
        raise NotImplementedError(f"{type(self).__name__} must define value(self, coef, alpha).")

    def prox(self, coef, step, alpha):
        r"""Proximal operator, the one step every solver is made of.

        .. math:: \arg\min_u \; \mathrm{value}(u, \alpha) + \frac{\|u - coef\|^2}{2\, step}

        Parameters
        ----------
        coef : ndarray of shape (n_features,)
            The point to start from (``(n_features, n_outputs)`` if `joint_outputs`).
        step : float or ndarray of shape (n_features,)
            Step size, positive; arrays as for ``alpha``.
        alpha : float or ndarray of shape (n_features,)
            Strength, non-negative; arrays only as in `value`.

        Returns
        -------
        ndarray
            A new array shaped like ``coef``.
        """
        raise NotImplementedError(f"{type(self).__name__} must define prox(self, coef, step, alpha).")

    def __mul__(self, factor):
        """``factor * penalty``: the penalty at ``factor`` times alpha."""
        from skreg.penalties.combine import scaled

        return scaled(self, factor)

    __rmul__ = __mul__

    def __add__(self, other):
        """``penalty + other``, where the prox of the sum is known."""
        from skreg.penalties.addition import added

        return added(self, other)

    def __radd__(self, other):
        """``0 + penalty``: that is how ``sum`` begins."""
        return self if type(other) is int and other == 0 else NotImplemented

    # -- optional, with working defaults ------------------------------------

    def bind(self, n_features, feature_names=None):
        """Check the parameters against the data, once per fit.

        Parameters
        ----------
        n_features : int
            Number of features of the fit.
        feature_names : ndarray of shape (n_features,), optional
            Column names, when the data have them.

        Returns
        -------
        Penalty
            ``self``, or a copy with names resolved to positions.

        Raises
        ------
        ValueError, TypeError
            If a parameter is out of range; the message names it.
        """
        return self

    def restrict(self, features):
        """The same penalty on a subset of the features.

        Parameters
        ----------
        features : ndarray of int
            Positions of the features that are kept.

        Returns
        -------
        Penalty
            A penalty on ``len(features)`` coefficients.
        """
        return self

    def rescaled(self, scale):
        """The same penalty, for coefficients that are ``scale`` times as large.

        With ``standardize=True`` a penalty sees the coefficients of standardised
        columns; what it says in units of X, bounds say, has to follow.

        Parameters
        ----------
        scale : ndarray of shape (n_features,)
            Standard deviations of the columns; inf for a constant one.

        Returns
        -------
        Penalty
            By default ``self``, which charges the standardised coefficients.

        Raises
        ------
        ValueError
            If that has no meaning.
        """
        return self

    def blocks(self):
        """Labels of the blocks on which `prox` acts, or None.

        Returns
        -------
        None or ndarray of shape (n_features,)
            One label per feature.
        """
        return None

    def concavity(self, alpha):
        """Smallest ``c`` for which ``value + 0.5 * sum(c * coef**2)`` is convex.

        Where the loss curves more than that, a solution is global though the
        penalty is not convex.

        Parameters
        ----------
        alpha : float or ndarray of shape (n_features,)
            Strength.

        Returns
        -------
        float or ndarray of shape (n_features,)
            By default 0 for convex penalties and inf, that is not known, for others.
        """
        return 0.0 if self.convex else np.inf

    def unpenalised(self):
        """Which features are free of charge: their coefficients cost nothing, however large.

        A sign may still be fixed. `alpha_max` fits these features first, and the
        dual point of a certificate is orthogonal to them. Features with a
        ``penalty_factor`` of 0 need no mention here.

        Returns
        -------
        bool or ndarray of bool, shape (n_features,)
            False by default.
        """
        return False

    def null_space(self):
        """Directions of ``coef`` that are free of charge, where they are not columns.

        For penalties of differences, say, which never charge a constant: what
        `alpha_max` fits first is any combination of these.

        Returns
        -------
        None or ndarray of shape (n_features, n_directions)
            A basis; None (the default) where `unpenalised` tells all.
        """
        return None

    def basis(self):
        """Another basis of the coefficients, in which the price is that of a separable penalty.

        For penalties of differences, say: in terms of the jumps they are L1.

        Returns
        -------
        None or Basis
            None by default; see ``skreg.penalties.basis``.
        """
        return None

    def pattern(self, coef):
        """Which coefficients move together, as long as the price is linear in what moves.

        For penalties that are norms or sums of absolute values; a Newton step on
        the clusters ends what proximal steps have begun.

        Parameters
        ----------
        coef : ndarray of shape (n_features,)
            Coefficients.

        Returns
        -------
        None or tuple (labels, signs)
            Two arrays of shape (n_features,): the number of the cluster from 0, -1 for
            coefficients that stay zero, and the sign with which each moves. None by default.
        """
        return None

    def quadratic(self, alpha):
        """Weights ``d`` if the price is ``0.5 * sum(d * coef**2)``, else None.

        Closed forms and Newton's method need nothing else.

        Parameters
        ----------
        alpha : float or ndarray of shape (n_features,)
            Strength.

        Returns
        -------
        None, float or ndarray of shape (n_features,)
            The weights of the squares.
        """
        return None

    def quadratic_form(self, alpha):
        """The matrix ``Q`` if the price is ``0.5 * coef' Q coef``, where `quadratic` and `basis` do not say it; else None.

        Parameters
        ----------
        alpha : float
            Strength.

        Returns
        -------
        None, ndarray, sparse array or LinearOperator, shape (n_features, n_features)
            Symmetric, positive semi-definite. None by default.
        """
        return None

    def conjugate(self, dual, alpha):
        r"""Convex conjugate :math:`\sup_u u^T dual - value(u, \alpha)`, or None.

        Parameters
        ----------
        dual : ndarray of shape (n_features,)
            Dual point.
        alpha : float or ndarray of shape (n_features,)
            Strength.

        Returns
        -------
        None or float
            None (the default) when it is not known: certificates then rest on
            the violation instead of the duality gap.
        """
        return None

    def dual_scale(self, dual, alpha):
        """Largest factor in [0, 1] that makes `conjugate` finite.

        Parameters
        ----------
        dual : ndarray of shape (n_features,)
            Dual point.
        alpha : float or ndarray of shape (n_features,)
            Strength.

        Returns
        -------
        float
            By default found by bisection on `conjugate`.
        """
        if np.isfinite(self.conjugate(dual, alpha)):
            return 1.0
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = 0.5 * (low + high)
            if np.isfinite(self.conjugate(middle * dual, alpha)):
                low = middle
            else:
                high = middle
        return low
