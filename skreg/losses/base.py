"""What a loss has to tell."""

import numpy as np
from sklearn.base import BaseEstimator

__all__ = ["Loss"]


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
