"""Losses: pointwise in the target and the linear predictor; they never see X."""

import numpy as np
from scipy.special import entr, expit, logsumexp, softmax, xlogy
from sklearn.base import BaseEstimator

from skreg import _kernels
from skreg.sums import inner

__all__ = ["Logistic", "Loss", "Softmax", "Squared", "get_loss", "loss_names"]


class Loss(BaseEstimator):
    """Base class of all losses: three pointwise methods make one.

    ``y`` and ``eta`` have the shape ``(n_samples,)``, or
    ``(n_samples, n_outputs)`` for losses that couple several outputs; row ``i``
    of a result depends on row ``i`` of the arguments only.

    Attributes
    ----------
    convex : bool
        Fact: `value` is convex in ``eta``.
    quadratic : bool
        Fact: `curvature` is 1 everywhere, so one Gram matrix serves all steps.
    shift_invariant : bool
        Fact: `value` depends on ``y - eta`` only, so the mean of ``y`` can be
        taken out before anything is computed.
    coupled_outputs : bool
        Fact: the outputs of a row depend on each other (softmax); losses that do
        not are summed over the columns of a two-dimensional ``y``.

    translation_invariant : bool
        Fact: adding the same number to all outputs of a row changes nothing.

    See Also
    --------
    skreg.testing.check_loss : Checks a loss of your own numerically.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import Loss, PenalizedRegression
    >>> class LogCosh(Loss):
    ...     def value(self, y, eta):
    ...         return np.logaddexp(eta - y, y - eta) - np.log(2)
    ...     def gradient(self, y, eta):
    ...         return np.tanh(eta - y)
    ...     def curvature(self, y, eta):
    ...         return 1 / np.cosh(np.clip(eta - y, -300, 300)) ** 2
    >>> X, y = np.arange(6.0).reshape(6, 1), np.array([0, 1, 2, 3, 4, 99.0])
    >>> PenalizedRegression(None, loss=LogCosh()).fit(X, y).coef_.round(2)
    array([1.36])
    """

    convex = True
    quadratic = False
    shift_invariant = False
    coupled_outputs = False
    translation_invariant = False

    def value(self, y, eta):
        """Loss of each row.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        eta : ndarray shaped like y
            Linear predictor.

        Returns
        -------
        ndarray of shape (n_samples,)
            Loss of each row; losses that do not couple their outputs may return
            one per row and output.
        """
        raise NotImplementedError(f"{type(self).__name__} must define value(self, y, eta).")

    def gradient(self, y, eta):
        """Derivative of the loss of each row with respect to ``eta``.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        eta : ndarray shaped like y
            Linear predictor.

        Returns
        -------
        ndarray shaped like eta
            Derivatives.
        """
        raise NotImplementedError(f"{type(self).__name__} must define gradient(self, y, eta).")

    def curvature(self, y, eta):
        """Second derivative of the loss of each row, one output at a time.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        eta : ndarray shaped like y
            Linear predictor.

        Returns
        -------
        ndarray shaped like eta
            Second derivatives, non-negative for convex losses.
        """
        raise NotImplementedError(f"{type(self).__name__} must define curvature(self, y, eta).")

    # -- optional, with working defaults ------------------------------------

    def expansion(self, y, eta):
        """Value, gradient and curvature together, for losses that get them cheaper so.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        eta : ndarray shaped like y
            Linear predictor.

        Returns
        -------
        value : ndarray
            As `value` returns it.
        gradient : ndarray
            As `gradient` returns it.
        curvature : ndarray
            As `curvature` returns it; by default the three are called.
        """
        return self.value(y, eta), self.gradient(y, eta), self.curvature(y, eta)

    def hessian_product(self, y, eta, direction):
        """Second derivative of the loss of each row, times a direction.

        Parameters
        ----------
        y, eta, direction : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Targets, linear predictor, direction.

        Returns
        -------
        ndarray shaped like eta
            The product; by default the outputs are taken as independent.
        """
        return self.curvature(y, eta) * direction

    def total_hessian(self, y, eta, weights):
        """Weighted sum over the rows of the second derivatives in the outputs.

        Parameters
        ----------
        y, eta : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Targets and linear predictor.
        weights : ndarray of shape (n_samples,)
            Factors of the rows.

        Returns
        -------
        ndarray of shape (n_outputs, n_outputs)
            The sum; by default found by `hessian_product`, an output at a time.
        """
        if eta.ndim == 1:
            return np.atleast_2d(weights @ self.curvature(y, eta))
        units = np.eye(eta.shape[1])
        return np.array([weights @ self.hessian_product(y, eta, np.broadcast_to(unit, eta.shape)) for unit in units])

    def coupling(self, y, eta):
        """What couples the outputs of a row, where it is a product.

        Parameters
        ----------
        y, eta : ndarray of shape (n_samples, n_outputs)
            Targets and linear predictor.

        Returns
        -------
        None or ndarray shaped like eta
            ``u`` such that the second derivative of a row in two different outputs is ``-u[k] * u[m]``; None
            (the default) where it has another form, or nobody knows.
        """
        return None

    def check_target(self, y):
        """Refuse targets the loss is not defined for.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Targets, finite.

        Raises
        ------
        ValueError
            With the values that are allowed. The base class allows all.
        """

    def conjugate(self, y, dual):
        r"""Convex conjugate in ``eta``, :math:`\sup_\eta \eta\, dual - value(y, \eta)`.

        Parameters
        ----------
        y, dual : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Targets and dual variables.

        Returns
        -------
        None or ndarray of shape (n_samples,)
            inf outside the domain; None (the default) when it is not known.
        """
        return None

    def inverse_link(self, eta):
        """Prediction on the scale of the target; by default ``eta`` itself.

        Parameters
        ----------
        eta : ndarray
            Linear predictor.

        Returns
        -------
        ndarray shaped like eta
            Prediction.
        """
        return eta

    def separates(self, y, eta):
        """Whether making ``eta`` larger for ever lowers the loss for ever.

        Parameters
        ----------
        y, eta : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Targets and linear predictor.

        Returns
        -------
        bool
            True where an unpenalised fit has no finite solution; False (the
            default) for losses that cannot tell.
        """
        return False

    def sets_apart(self, y, eta):
        """Which outputs, made larger for ever on their own, lower the loss for ever.

        Parameters
        ----------
        y, eta : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Targets and linear predictor.

        Returns
        -------
        bool or ndarray of bool, shape (n_outputs,)
            False (the default) for losses that cannot tell.
        """
        return False

    def null_eta(self, y, weights):
        """Best constant predictor, or None to have it found numerically.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        weights : ndarray of shape (n_samples,)
            Sample weights with sum 1.

        Returns
        -------
        None, float or ndarray of shape (n_outputs,)
            The constant.
        """
        return None


class Squared(Loss):
    r"""Squared error :math:`\frac12 (y - \eta)^2`, the loss of least squares.

    With the half and the mean over samples, ``alpha`` equals the one of
    scikit-learn's ``Lasso`` and ``ElasticNet``.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import Squared
    >>> Squared().value(np.array([1.0, 2.0]), np.array([0.0, 2.0]))
    array([0.5, 0. ])
    """

    quadratic = True
    shift_invariant = True

    def value(self, y, eta):
        """``0.5 * (y - eta)**2``."""
        return 0.5 * np.square(y - eta)

    def gradient(self, y, eta):
        """``eta - y``."""
        return eta - y

    def curvature(self, y, eta):
        """One."""
        return np.ones_like(eta)

    def hessian_product(self, y, eta, direction):
        """The direction itself."""
        return np.array(direction)

    def conjugate(self, y, dual):
        """``dual**2 / 2 + dual * y``."""
        return dual * (0.5 * dual + y)

    def null_eta(self, y, weights):
        """The weighted mean."""
        return inner(weights, y)


class Logistic(Loss):
    r"""Logistic loss :math:`\log(1 + e^\eta) - y\eta` of a target in {0, 1}.

    References
    ----------
    T. Hastie, R. Tibshirani, J. Friedman, "The Elements of Statistical
    Learning", 2nd ed., eq. (4.20).

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import Logistic
    >>> Logistic().value(np.array([1.0, 0.0]), np.array([0.0, -50.0])).round(3)
    array([0.693, 0.   ])
    """

    def value(self, y, eta):
        """``log(1 + exp(eta)) - y * eta``, without overflow or cancellation."""
        return np.logaddexp(0.0, (1.0 - 2.0 * y) * eta)

    def gradient(self, y, eta):
        """``p - y`` with ``p = 1 / (1 + exp(-eta))``."""
        sign = 1.0 - 2.0 * y
        return sign * expit(sign * eta)

    def curvature(self, y, eta):
        """``p * (1 - p)``, also where ``p`` rounds to 1."""
        return expit(eta) * expit(-eta)

    def expansion(self, y, eta):
        """All three from one exponential."""
        if type(self) is not Logistic:
            # A subclass may have changed one of the three.
            return super().expansion(y, eta)
        value, gradient, curvature = np.empty(eta.shape), np.empty(eta.shape), np.empty(eta.shape)
        if eta.ndim == 1 and eta.dtype == y.dtype == np.float64 and eta.flags.c_contiguous and y.flags.c_contiguous:
            _kernels.logistic_expansion(y, eta, value, gradient, curvature)
            return value, gradient, curvature
        flat = [np.ascontiguousarray(array, dtype=np.float64).reshape(-1) for array in (y, eta)]
        _kernels.logistic_expansion(*flat, value.reshape(-1), gradient.reshape(-1), curvature.reshape(-1))
        return value, gradient, curvature

    def check_target(self, y):
        """Only 0 and 1."""
        if not ((y == 0) | (y == 1)).all():
            raise ValueError(
                f"y must hold only 0 and 1 for loss='logistic'; got values such as {y[(y != 0) & (y != 1)][0]!r}."
            )

    def conjugate(self, y, dual):
        """Negative entropy of ``dual + y``, inf outside [0, 1]."""
        if dual.ndim == 1 and dual.dtype == y.dtype == np.float64 and dual.flags.c_contiguous and y.flags.c_contiguous:
            out = np.empty(dual.shape)
            _kernels.logistic_conjugate(y, dual, out)
            return out
        p = dual + y
        entropy = entr(p)
        entropy += entr(np.subtract(1.0, p, out=p))
        return np.negative(entropy, out=entropy)

    def inverse_link(self, eta):
        """Probability of class 1."""
        return expit(eta)

    def separates(self, y, eta):
        """Whether every row is on the right side."""
        return bool(np.all(np.where(y == 1, eta, -eta) > 0))

    def null_eta(self, y, weights):
        """Log-odds of the weighted share of ones."""
        with np.errstate(divide="ignore"):
            return np.log(inner(weights, y)) - np.log(inner(weights, 1.0 - y))


class Softmax(Loss):
    r"""Multinomial loss :math:`\log\sum_k e^{\eta_k} - \eta_y`, symmetric in the classes.

    ``y`` is one-hot, shape ``(n_samples, n_classes)``.

    References
    ----------
    J. Friedman, T. Hastie, R. Tibshirani, "Regularization paths for generalized
    linear models via coordinate descent", J. Stat. Softw. 33(1) (2010), sec. 4.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import Softmax
    >>> Softmax().value(np.array([[0, 1, 0]]), np.zeros((1, 3))).round(3)
    array([1.099])
    """

    coupled_outputs = True
    translation_invariant = True

    def value(self, y, eta):
        """``log(sum(exp(eta))) - eta[class]``, without overflow or cancellation."""
        own = np.einsum("ij,ij->i", y, eta)
        others = np.where(y == 1, -np.inf, eta - own[:, None])
        return np.logaddexp(0.0, logsumexp(others, axis=1))

    def gradient(self, y, eta):
        """``p - y`` with ``p = softmax(eta)``."""
        others = np.where(y == 1, 0.0, softmax(eta, axis=1))
        return others - y * others.sum(axis=1, keepdims=True)

    def curvature(self, y, eta):
        """``p * (1 - p)``: what moving one class alone meets."""
        p = softmax(eta, axis=1)
        return p * (1.0 - p)

    def hessian_product(self, y, eta, direction):
        """``p * direction - p * (p . direction)``."""
        p = self._probabilities(y, eta)
        return p * (direction - np.einsum("ij,ij->i", p, direction)[:, None])

    def total_hessian(self, y, eta, weights):
        """``diag(weights @ p) - p' diag(weights) p``."""
        if type(self) is not Softmax:
            return super().total_hessian(y, eta, weights)
        p = self._probabilities(y, eta)
        total = -(p.T * weights) @ p
        # Rows sum to zero: so the diagonal keeps its digits where p rounds to 1.
        np.fill_diagonal(total, 0.0)
        np.fill_diagonal(total, -total.sum(axis=0))
        return total

    def coupling(self, y, eta):
        """The probabilities."""
        return self._probabilities(y, eta) if type(self) is Softmax else None

    def _probabilities(self, y, eta):
        """Softmax of every row, by the exponentials of `expansion`."""
        y, eta = np.ascontiguousarray(y, dtype=np.float64), np.ascontiguousarray(eta, dtype=np.float64)
        value, gradient, curvature = np.empty(len(eta)), np.empty(eta.shape), np.empty(eta.shape)
        _kernels.softmax_expansion(y, eta, value, gradient, curvature)
        # Those of the other classes are their derivatives.
        return np.where(y == 1.0, np.exp(-value)[:, None], gradient)

    def expansion(self, y, eta):
        """All three from one exponential."""
        if type(self) is not Softmax:
            return super().expansion(y, eta)
        value, gradient, curvature = np.empty(len(eta)), np.empty(eta.shape), np.empty(eta.shape)
        y, eta = np.ascontiguousarray(y, dtype=np.float64), np.ascontiguousarray(eta, dtype=np.float64)
        _kernels.softmax_expansion(y, eta, value, gradient, curvature)
        return value, gradient, curvature

    def check_target(self, y):
        """Rows of zeros with a single one."""
        if y.ndim != 2 or not np.all((y == 0) | (y == 1)) or not np.all(y.sum(axis=1) == 1):
            raise ValueError("y must be one-hot for loss='softmax': rows of zeros with a single 1.")

    def conjugate(self, y, dual):
        """Negative entropy of ``dual + y``, inf outside the simplex."""
        p = dual + y
        inside = np.all(p >= 0, axis=1) & (np.abs(p.sum(axis=1) - 1.0) <= 1e-14 * p.shape[1])
        return np.where(inside, xlogy(p, np.maximum(p, 0.0)).sum(axis=1), np.inf)

    def inverse_link(self, eta):
        """Probabilities of the classes."""
        return softmax(eta, axis=1)

    def separates(self, y, eta):
        """Whether the right class of every row has the largest predictor."""
        own = np.einsum("ij,ij->i", y, eta)
        return bool(np.all(own > np.max(np.where(y == 1, -np.inf, eta), axis=1)))

    def sets_apart(self, y, eta):
        """Classes whose predictor is larger on each of their own rows than on any other row."""
        least = np.min(np.where(y == 1, eta, np.inf), axis=0)
        return least > np.max(np.where(y == 1, -np.inf, eta), axis=0)

    def null_eta(self, y, weights):
        """Logarithms of the weighted shares, with sum 0."""
        with np.errstate(divide="ignore"):
            share = np.log(inner(weights, y))
        return share - np.mean(share)


_NAMES = {"squared": Squared, "logistic": Logistic, "softmax": Softmax}


def loss_names():
    """Names that ``loss=`` of a regression accepts.

    Returns
    -------
    list of str
        Sorted names.

    Examples
    --------
    >>> from skreg.losses import loss_names
    >>> "squared" in loss_names()
    True
    """
    return sorted(_NAMES)


def get_loss(loss):
    """The loss object that a ``loss=`` argument stands for.

    Parameters
    ----------
    loss : str or Loss
        A name (see `loss_names`) or an object with ``value``, ``gradient`` and
        ``curvature``.

    Returns
    -------
    Loss
        The object itself if one was given; a new one otherwise.

    Raises
    ------
    ValueError, TypeError
        If it is not known.

    Examples
    --------
    >>> from skreg.losses import get_loss
    >>> get_loss("squared")
    Squared()
    """
    if isinstance(loss, str):
        if loss not in _NAMES:
            raise ValueError(f"loss={loss!r} is not a known name: choose one of {loss_names()} or a Loss object.")
        return _NAMES[loss]()
    if not isinstance(loss, Loss):
        raise TypeError(
            f"loss={loss!r} must be one of {loss_names()} or an instance of a subclass of skreg.Loss "
            f"(value, gradient and curvature); got {type(loss).__name__}."
        )
    return loss
