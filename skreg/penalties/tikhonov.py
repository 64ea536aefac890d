"""Generalised ridge: a quadratic form of the coefficients."""

import copy

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, aslinearoperator, cg, splu

from skreg.penalties.base import Penalty
from skreg.penalties.basis import Basis
from skreg.penalties.convex import L2

__all__ = ["GeneralizedRidge"]

# Matrices up to this size are taken to their eigenvectors; beyond it, products and solves.
MAX_EIGENVECTORS = 1_000


class GeneralizedRidge(Penalty):
    r"""Tikhonov's penalty: squares, products and differences of weights, as a matrix says.

    .. math:: P(w; \alpha) = \frac{\alpha}{2} \, w^T M w, \qquad
              \mathrm{prox}(w) = (I + step\,\alpha M)^{-1} w

    The inverse of a prior covariance, the Laplacian of a graph of features, or
    :math:`D^T D` with differences :math:`D` for smooth weights. Directions in which
    :math:`M` is zero are free of charge.

    Parameters
    ----------
    M : array-like, sparse or LinearOperator of shape (n_features, n_features)
        Symmetric, positive semi-definite.

    Raises
    ------
    ValueError, TypeError
        At `fit`, if ``M`` has another shape, is not finite, not symmetric or not
        positive semi-definite.

    See Also
    --------
    L2 : The identity for ``M``.

    Notes
    -----
    Up to 1000 features fits are made in the basis of the eigenvectors of ``M``, where
    the penalty is `L2`: in closed form for the squared loss. Beyond, and for a
    LinearOperator, Newton's method takes products with ``M`` and X only.

    References
    ----------
    A. N. Tikhonov, V. Y. Arsenin, "Solutions of ill-posed problems" (1977);
    W. N. van Wieringen, "Lecture notes on ridge regression", arXiv:1509.09169, eq. (3.2).

    Examples
    --------
    Weights of neighbours are drawn together:

    >>> import numpy as np
    >>> from skreg import GeneralizedRidge, PenalizedRegression
    >>> D = np.diff(np.eye(3), axis=0)
    >>> X, y = np.eye(3), np.array([0.0, 3.0, 0.0])
    >>> PenalizedRegression(GeneralizedRidge(D.T @ D), alpha=1.0, fit_intercept=False).fit(X, y).coef_.round(2)
    array([0.9, 1.2, 0.9])
    """

    convex = True
    standardizes = False

    def __init__(self, M):
        self.M = M

    def bind(self, n_features, feature_names=None):
        """Check the matrix; a copy that knows its eigenvectors where it is small."""
        return self._of(_checked(self.M, n_features))

    def _of(self, matrix):
        bound = copy.copy(self)
        bound.M = matrix
        bound._values = bound._vectors = None
        if not isinstance(matrix, LinearOperator) and matrix.shape[0] <= MAX_EIGENVECTORS:
            values, vectors = np.linalg.eigh(matrix.toarray() if sparse.issparse(matrix) else matrix)
            bound._values, bound._vectors = np.where(values > _rounding(values), values, 0.0), vectors
        return bound

    def restrict(self, features):
        """The penalty while all other coefficients are zero: rows and columns of the matrix."""
        if isinstance(self.M, LinearOperator):
            rows = np.zeros((self.M.shape[0], len(features)))
            rows[features, np.arange(len(features))] = 1.0
            return self._of((self.M @ rows)[features])
        return self._of(
            self.M[np.ix_(features, features)] if isinstance(self.M, np.ndarray) else self.M[features][:, features]
        )

    def value(self, coef, alpha):
        """Half of ``alpha * coef' M coef``."""
        coef = np.asarray(coef, dtype=np.float64)
        return float(0.5 * alpha * max(coef @ (self.M @ coef), 0.0))

    def prox(self, coef, step, alpha):
        """The solution of a linear system."""
        coef, strength = np.array(coef, dtype=np.float64), step * alpha
        if strength == 0:
            return coef
        if self._vectors is not None:
            return self._vectors @ (self._vectors.T @ coef / (1.0 + strength * self._values))
        if isinstance(self.M, LinearOperator):
            operator = aslinearoperator(sparse.eye_array(len(coef))) + strength * self.M
            return cg(operator, coef, rtol=1e-14, maxiter=10 * len(coef))[0]
        system = sparse.eye_array(len(coef), format="csc") + strength * sparse.csc_array(self.M)
        return splu(system).solve(coef)

    def quadratic_form(self, alpha):
        """``alpha * M`` where its eigenvectors are not known."""
        return alpha * self.M if self._values is None else None

    def null_space(self):
        """Eigenvectors with eigenvalue zero, where they are known."""
        free = None if self._values is None else self._vectors[:, self._values == 0]
        return None if free is None or free.shape[1] == 0 else free

    def conjugate(self, dual, alpha):
        """Half of ``dual' M^-1 dual / alpha``; None where the inverse is not known: see `basis`."""
        if self._values is None or np.min(self._values, initial=np.inf) == 0:
            return None
        if alpha == 0:
            return np.inf if np.any(dual) else 0.0
        return float(0.5 / alpha * np.sum((self._vectors.T @ dual) ** 2 / self._values))

    def dual_scale(self, dual, alpha):
        """1: every dual point is allowed, if alpha is not 0."""
        return 1.0 if alpha > 0 or not np.any(dual) else 0.0

    def basis(self):
        """Eigenvectors over the roots of their eigenvalues: there the penalty is `L2`."""
        if self._values is None:
            return None
        free = self._values == 0
        length = np.where(free, 1.0, np.sqrt(np.where(free, 1.0, self._values)))
        vectors = self._vectors / length

        def inverse(coef):
            return ((self._vectors.T @ coef).T * length).T

        return Basis(vectors.__matmul__, vectors.T.__matmul__, inverse, L2(), np.where(free, 0.0, 1.0))


def _rounding(values):
    """Eigenvalues below this are zero."""
    return 4.0 * len(values) * np.finfo(np.float64).eps * np.max(np.abs(values), initial=0.0)


def _checked(M, n_features):
    """The matrix as float64, CSR or an operator, or a sentence on what is wrong with it."""
    allowed = f"a symmetric, positive semi-definite matrix of shape ({n_features}, {n_features}), one row per feature"
    if not isinstance(M, LinearOperator):
        try:
            M = sparse.csr_array(M, dtype=np.float64) if sparse.issparse(M) else np.array(M, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise TypeError(f"M must be {allowed}; got {M!r}.") from error
    if M.shape != (n_features, n_features):
        raise ValueError(f"M must be {allowed}; got shape {M.shape}.")
    if isinstance(M, LinearOperator):
        _probe(M, n_features, allowed)
        return M
    entries = M.data if sparse.issparse(M) else M
    if not np.all(np.isfinite(entries)):
        raise ValueError(f"M must be {allowed}; some entries are not finite.")
    size = np.max(np.abs(entries), initial=0.0)
    asymmetry = abs(M - M.T).max() if n_features else 0.0
    if asymmetry > 1e-10 * size:
        raise ValueError(f"M must be {allowed}; entries differ from those of its transpose by up to {asymmetry:.3g}.")
    M = 0.5 * (M + M.T)
    if n_features > MAX_EIGENVECTORS:
        _probe(M, n_features, allowed)
        return M
    values = np.linalg.eigvalsh(M.toarray() if sparse.issparse(M) else M)
    if values[0] < -1e-10 * size * n_features:
        raise ValueError(f"M must be {allowed}; its least eigenvalue is {values[0]:.3g}.")
    return M


def _probe(M, n_features, allowed):
    """What a few products can tell of symmetry and sign."""
    probes = np.random.default_rng(0).standard_normal((n_features, 4))
    form = probes.T @ (M @ probes)
    size = np.max(np.abs(form))
    if not np.isfinite(size) or np.max(np.abs(form - form.T)) > 1e-8 * size or np.min(np.diagonal(form)) < -1e-8 * size:
        raise ValueError(f"M must be {allowed}; products with it contradict that.")
