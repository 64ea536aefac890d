"""Convex penalties that see all coefficients at once: SLOPE and the nuclear norm."""

import copy

import numpy as np
from scipy.stats import norm

from skreg import _structured
from skreg._validation import check_real
from skreg.penalties.base import Penalty
from skreg.penalties.names import register

__all__ = ["SLOPE", "NuclearNorm"]


@register("slope")
class SLOPE(Penalty):
    r"""Sorted L1: the largest weight pays the highest price, and equals fuse.

    .. math:: P(w; \alpha) = \alpha \sum_{j=1}^{p} \lambda_j |w|_{(j)}, \qquad
              |w|_{(1)} \ge |w|_{(2)} \ge \dots, \quad \lambda_1 \ge \lambda_2 \ge \dots \ge 0

    Correlated features get weights of the same size, which makes clusters of
    them; with the default sequence the share of false discoveries among the
    non-zero weights stays near ``q`` (orthogonal columns of unit variance,
    ``alpha`` the standard deviation of the noise over ``sqrt(n_samples)``).

    Parameters
    ----------
    lambdas : array-like of shape (n_features,) or None, default=None
        The sequence, non-increasing and non-negative; None for that of Benjamini and
        Hochberg, :math:`\lambda_j = \Phi^{-1}(1 - j q / (2 p))`.
    q : float in (0, 1), default=0.1
        Target share of false discoveries; only used where ``lambdas`` is None.

    Raises
    ------
    ValueError
        At `fit`, if ``lambdas`` increases, is negative, all zero or not one per feature.

    References
    ----------
    M. Bogdan, E. van den Berg, C. Sabatti, W. Su, E. Candes, "SLOPE: adaptive
    variable selection via convex optimization", Ann. Appl. Stat. 9 (2015),
    eqs. (1.4) and (1.9), alg. 4 (the prox).

    Examples
    --------
    Two weights of similar size become equal:

    >>> import numpy as np
    >>> from skreg import SLOPE
    >>> SLOPE(lambdas=[3.0, 2.0, 1.0]).bind(3).prox(np.array([6.0, -5.5, 0.5]), step=1.0, alpha=1.0)
    array([ 3.25, -3.25,  0.  ])
    """

    convex = True

    def __init__(self, lambdas=None, q=0.1):
        self.lambdas = lambdas
        self.q = q

    def bind(self, n_features, feature_names=None):
        """Check the parameters; a copy that holds the sequence."""
        return self._with(self._sequence(n_features))

    def _with(self, lambdas):
        bound = copy.copy(self)
        bound.lambdas = lambdas
        return bound

    def _sequence(self, n_features):
        q = check_real("q", self.q, low=0, high=1, low_open=True, high_open=True)
        if self.lambdas is None:
            return norm.isf(np.arange(1, n_features + 1) * (q / (2.0 * n_features)))
        allowed = f"{n_features} finite numbers >= 0, one per feature, none larger than the one before, not all zero"
        try:
            lambdas = np.array(self.lambdas, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise TypeError(f"lambdas must be {allowed}; got {self.lambdas!r}.") from error
        if lambdas.shape != (n_features,):
            raise ValueError(f"lambdas must be {allowed}; got an array of shape {lambdas.shape}.")
        wrong = ~(np.isfinite(lambdas) & (lambdas >= 0)) | (np.diff(lambdas, prepend=lambdas[:1]) > 0)
        if wrong.any():
            raise ValueError(f"lambdas must be {allowed}; got {lambdas[wrong][0]} at position {np.argmax(wrong)}.")
        if not lambdas.any():
            raise ValueError(f"lambdas must be {allowed}; all are zero.")
        return lambdas

    def restrict(self, features):
        """The penalty while all other coefficients are zero: the head of the sequence."""
        return self._with(self.lambdas[: len(features)])

    def value(self, coef, alpha):
        """Sum of ``alpha * lambdas`` times the sizes, the largest first."""
        sizes = np.sort(np.abs(coef))[::-1]
        return float(np.sum(alpha * self.lambdas * sizes))

    def prox(self, coef, step, alpha):
        """Sizes less ``step * alpha * lambdas``, made non-increasing again by averaging, cut off at zero."""
        coef = np.asarray(coef, dtype=np.float64)
        sizes = np.abs(coef)
        order = np.argsort(-sizes, kind="stable")
        shrunk = np.empty(len(coef))
        _structured.isotonic_decreasing(sizes[order] - step * alpha * self.lambdas, shrunk)
        out = np.empty(len(coef))
        out[order] = shrunk
        return np.copysign(out, coef) + 0.0

    def conjugate(self, dual, alpha):
        """0 where the k largest sizes sum to no more than the k largest lambdas, for every k; else inf."""
        return 0.0 if self.dual_scale(dual, alpha) >= 1.0 - 1e-12 else np.inf

    def dual_scale(self, dual, alpha):
        """The factor that brings the largest partial sum down to its limit."""
        sums = np.cumsum(np.sort(np.abs(dual))[::-1])
        limits = alpha * np.cumsum(self.lambdas)
        beyond = sums > limits
        return float(np.min(limits[beyond] / sums[beyond], initial=1.0))

    def pattern(self, coef):
        """Which coefficients have the same size.

        Parameters
        ----------
        coef : ndarray of shape (n_features,)
            Coefficients.

        Returns
        -------
        labels : ndarray of int, shape (n_features,)
            Number of the cluster, the largest first; -1 for zeros.
        signs : ndarray of shape (n_features,)
            1 or -1.
        """
        sizes, labels = np.unique(-np.abs(coef), return_inverse=True)
        if sizes.size and sizes[-1] == 0:
            labels = np.where(labels == sizes.size - 1, -1, labels)
        return labels, np.where(coef < 0, -1.0, 1.0)


@register("nuclear")
class NuclearNorm(Penalty):
    r"""Sum of the singular values: few directions explain all targets.

    .. math:: P(W; \alpha) = \alpha \sum_k \sigma_k(W), \qquad
              \mathrm{prox}(W) = U \, \mathrm{diag}\big((\sigma - step\,\alpha)_+\big) \, V^T

    For several targets, or the classes of a multinomial model: the matrix of
    their coefficients gets a low rank. For a single target it is the (not squared)
    Euclidean norm of the coefficients.

    References
    ----------
    M. Yuan, A. Ekici, Z. Lu, R. Monteiro, "Dimension reduction and coefficient
    estimation in multivariate linear regression", J. R. Stat. Soc. B 69 (2007),
    eq. (4); J.-F. Cai, E. Candes, Z. Shen, "A singular value thresholding
    algorithm for matrix completion", SIAM J. Optim. 20 (2010), thm. 2.1.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import NuclearNorm
    >>> NuclearNorm().prox(np.diag([3.0, 0.5]), step=1.0, alpha=1.0)
    array([[2., 0.],
           [0., 0.]])
    """

    convex = True
    joint_outputs = True

    def value(self, coef, alpha):
        """``alpha`` times the sum of the singular values."""
        return float(alpha * np.sum(_singular_values(coef)))

    def prox(self, coef, step, alpha):
        """Soft-thresholding of the singular values."""
        coef = np.array(coef, dtype=np.float64)
        if step * alpha == 0:
            return coef
        left, values, right = np.linalg.svd(coef, full_matrices=False)
        return (left * np.maximum(values - step * alpha, 0.0)) @ right

    def conjugate(self, dual, alpha):
        """0 where no singular value exceeds ``alpha``, else inf."""
        return 0.0 if self.dual_scale(dual, alpha) >= 1.0 - 1e-12 else np.inf

    def dual_scale(self, dual, alpha):
        """The factor that brings the largest singular value down to ``alpha``."""
        largest = np.max(_singular_values(dual), initial=0.0)
        return float(alpha / largest) if largest > alpha else 1.0


def _singular_values(matrix):
    return np.linalg.svd(np.asarray(matrix, dtype=np.float64), compute_uv=False)
