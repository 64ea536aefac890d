"""check_loss passes right losses, and fails wrong ones at the check that says why."""

import numpy as np
import pytest
from helpers import failures

from skreg.losses import Logistic, Loss, Softmax, Squared
from skreg.testing import check_loss, parametrize_loss_checks


class UserLogCosh(Loss):
    shift_invariant = True

    def value(self, y, eta):
        return np.logaddexp(eta - y, y - eta) - np.log(2)

    def gradient(self, y, eta):
        return np.tanh(eta - y)

    def curvature(self, y, eta):
        return 1 / np.cosh(np.clip(eta - y, -300, 300)) ** 2


class UserHuber(Loss):
    shift_invariant = True

    def __init__(self, delta=1.35):
        self.delta = delta

    def value(self, y, eta):
        residual = np.abs(y - eta)
        return np.where(residual <= self.delta, 0.5 * residual**2, self.delta * (residual - 0.5 * self.delta))

    def gradient(self, y, eta):
        return np.clip(eta - y, -self.delta, self.delta)

    def curvature(self, y, eta):
        return np.where(np.abs(eta - y) <= self.delta, 1.0, 0.0)


class UserPoisson(Loss):
    """Counts with a logarithmic link; exp overflows where the loss is truly infinite."""

    def check_target(self, y):
        if np.any(y < 0):
            raise ValueError("y must not be negative.")

    def value(self, y, eta):
        return np.exp(eta) - y * eta

    def gradient(self, y, eta):
        return np.exp(eta) - y

    def curvature(self, y, eta):
        return np.exp(eta)

    def inverse_link(self, eta):
        return np.exp(eta)

    def null_eta(self, y, weights):
        return np.log(weights @ y)


class UserMargin(Loss):
    """Logistic loss for labels -1 and 1."""

    def check_target(self, y):
        if not np.all(np.abs(y) == 1):
            raise ValueError("y must be -1 or 1.")

    def value(self, y, eta):
        return np.logaddexp(0, -y * eta)

    def gradient(self, y, eta):
        return -y * np.exp(-np.logaddexp(0, y * eta))

    def curvature(self, y, eta):
        return np.exp(-np.logaddexp(0, eta) - np.logaddexp(0, -eta))


class UserCauchy(Loss):
    convex = False

    def value(self, y, eta):
        return np.log1p(np.minimum(np.abs(eta - y), 1e150) ** 2)

    def gradient(self, y, eta):
        residual = np.clip(eta - y, -1e150, 1e150)
        return 2 * residual / (1 + residual**2)

    def curvature(self, y, eta):
        square = np.minimum(np.abs(eta - y), 1e70) ** 2
        return 2 * (1 - square) / (1 + square) ** 2


class UserDistance(Loss):
    """sqrt(1 + ||eta - y||^2) of several outputs, which are coupled."""

    coupled_outputs = True

    def _length(self, y, eta):
        return np.hypot(1.0, np.hypot(*(eta - y).T))

    def check_target(self, y):
        if np.shape(y)[1:] != (2,):
            raise ValueError("y must have two columns.")

    def value(self, y, eta):
        return self._length(y, eta)

    def gradient(self, y, eta):
        return (eta - y) / self._length(y, eta)[:, None]

    def curvature(self, y, eta):
        return self.hessian_product(y, eta, np.array([1.0, 0.0])) * [1, 0] + self.hessian_product(
            y, eta, np.array([0.0, 1.0])
        ) * [0, 1]

    def hessian_product(self, y, eta, direction):
        slope = self.gradient(y, eta)
        along = np.sum(slope * direction, axis=1, keepdims=True)
        return (direction - slope * along) / self._length(y, eta)[:, None]


RIGHT_LOSSES = [UserLogCosh(), UserHuber(), UserHuber(0.1), UserPoisson(), UserMargin(), UserCauchy(), UserDistance()]


@parametrize_loss_checks(RIGHT_LOSSES)
def test_right_losses_pass(loss, check):
    check(loss)


class SignOfGradient(Squared):
    def gradient(self, y, eta):
        return y - eta


class NoHalf(Squared):
    def value(self, y, eta):
        return np.square(y - eta)


class MeanValue(Squared):
    def value(self, y, eta):
        return np.mean(super().value(y, eta))


class CentresRows(Squared):
    def value(self, y, eta):
        return super().value(y - y.mean(), eta)


class WrongCurvature(Logistic):
    def curvature(self, y, eta):
        return 0.25 * np.ones_like(eta)


class IndependentSoftmax(Softmax):
    hessian_product = Loss.hessian_product


class ClaimsConvex(UserCauchy):
    convex = True


class ClaimsQuadratic(Logistic):
    quadratic = True


class Float64Only(Logistic):
    """A small number that float32 rounds away."""

    def value(self, y, eta):
        one = np.ones(1, dtype=eta.dtype)
        return super().value(y, eta) + np.log(((one + eta.dtype.type(1e-12)) - one) / 1e-12 + 1e-30)


class ClaimsShiftInvariant(UserPoisson):
    shift_invariant = True


class OneTargetOnly(Squared):
    def gradient(self, y, eta):
        return super().gradient(y, eta) if y.ndim == 1 else super().gradient(y, eta)[:, ::-1]


class MedianForMean(Squared):
    def null_eta(self, y, weights):
        return np.median(y)


class UnweightedMean(Squared):
    def null_eta(self, y, weights):
        return np.mean(y)


class NullEtaShape(Softmax):
    def null_eta(self, y, weights):
        return super().null_eta(y, weights)[:1]


class WrongLossConjugate(Squared):
    def conjugate(self, y, dual):
        return dual**2 + dual * y


class NoTargetInConjugate(Squared):
    def conjugate(self, y, dual):
        return 0.5 * dual**2


class Overflows(Logistic):
    def value(self, y, eta):
        return np.log(1 + np.exp(eta)) - y * eta


class NaNAtLarge(Logistic):
    def gradient(self, y, eta):
        return np.exp(eta) / (1 + np.exp(eta)) - y


class WarnsAtLarge(Logistic):
    """Right, but exp overflows on the way."""

    def inverse_link(self, eta):
        return 1 / (1 + np.exp(-eta))


class LossWritesToInput(Squared):
    def gradient(self, y, eta):
        eta -= y
        return eta.copy()


class LossReturnsInput(Squared):
    def gradient(self, y, eta):
        return np.subtract(eta, y, out=eta)


class LossWritesToSelf(Squared):
    def value(self, y, eta):
        self.last_ = eta.sum()
        return super().value(y, eta)


class RandomLoss(Squared):
    def value(self, y, eta):
        return super().value(y, eta) * (1 + 1e-13 * np.random.default_rng().random(len(y)))


class LossInitChecks(UserHuber):
    def __init__(self, delta=1.0):
        self.delta = float(delta)


class LinkChangesShape(Softmax):
    def inverse_link(self, eta):
        return super().inverse_link(eta)[:, 1:]


class FactIsText(Squared):
    convex = "yes"


class LossLosesState(UserHuber):
    def __init__(self, delta=1.35):
        self.delta = delta

    def __deepcopy__(self, memo):
        return type(self)(delta=1.0)


WRONG_LOSSES = [
    (SignOfGradient(), {"check_gradient"}),
    (NoHalf(), {"check_gradient"}),
    (MeanValue(), {"check_output"}),
    (CentresRows(), {"check_rows"}),
    (WrongCurvature(), {"check_curvature", "check_hessian_product"}),
    (IndependentSoftmax(), {"check_hessian_product"}),
    (ClaimsConvex(), {"check_convex"}),
    (ClaimsQuadratic(), {"check_quadratic"}),
    (Float64Only(), {"check_float32"}),
    (ClaimsShiftInvariant(), {"check_shift_invariant"}),
    (OneTargetOnly(), {"check_several_targets"}),
    (MedianForMean(), {"check_null_eta"}),
    (UnweightedMean(), {"check_null_eta"}),
    (NullEtaShape(), {"check_null_eta"}),
    (WrongLossConjugate(), {"check_conjugate"}),
    (NoTargetInConjugate(), {"check_conjugate"}),
    (Overflows(), {"check_extreme_eta"}),
    (NaNAtLarge(), {"check_extreme_eta"}),
    (WarnsAtLarge(), {"check_extreme_eta"}),
    (LossWritesToInput(), {"check_input_unchanged"}),
    (LossReturnsInput(), {"check_input_unchanged"}),
    (LossWritesToSelf(), {"check_self_unchanged"}),
    (RandomLoss(), {"check_deterministic"}),
    (LossInitChecks(), {"check_parameters"}),
    (LinkChangesShape(), {"check_inverse_link"}),
    (FactIsText(), {"check_facts"}),
    (LossLosesState(), {"check_copies"}),
]


@pytest.mark.parametrize(("loss", "names"), WRONG_LOSSES, ids=[type(loss).__name__ for loss, _ in WRONG_LOSSES])
def test_wrong_losses_fail_the_right_checks(loss, names):
    assert names <= set(failures(check_loss(loss, on_fail=None)))


def test_targets_may_be_given():
    y = np.array([3.0, 0.0, 1.0, 7.0])
    assert {result["status"] for result in check_loss(UserPoisson(), y=y)} == {"passed", "skipped"}
    with pytest.raises(ValueError, match="y must not be negative"):
        check_loss(UserPoisson(), y=-y)


def test_a_loss_that_refuses_every_target_asks_for_one():
    class Picky(Squared):
        def check_target(self, y):
            if len(y) != 4:
                raise ValueError("four or nothing")

    with pytest.raises(ValueError, match=r"give some it accepts: check_loss\(loss, y=...\)"):
        check_loss(Picky())
    check_loss(Picky(), y=np.arange(4.0))


def test_losses_by_name_and_bad_subjects():
    assert {result["status"] for result in check_loss("squared")} == {"passed"}
    with pytest.raises(TypeError, match="loss"):
        check_loss(object())
    with pytest.raises(TypeError, match="Give instances"):
        parametrize_loss_checks([Squared])


def test_message_of_a_loss_names_the_row():
    with pytest.raises(AssertionError, match="gradient is not the derivative of value") as caught:
        check_loss(NoHalf())
    for part in ("NoHalf(): ", "row = ", "y = ", "eta = ", "found = ", "expected = ", "off_by = ", "Usual cause: "):
        assert part in str(caught.value)
