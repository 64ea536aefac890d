"""Every loss of the library keeps the contract, and gives what a pencil gives, also where exp overflows."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

import skreg.losses
from skreg.losses import Logistic, Loss, Softmax, Squared, get_loss, loss_names
from skreg.testing import parametrize_loss_checks

# -- discovery ----------------------------------------------------------------


def loss_classes():
    found = [item for item in vars(skreg.losses).values() if inspect.isclass(item) and issubclass(item, Loss)]
    return sorted((cls for cls in found if cls is not Loss), key=lambda cls: cls.__name__)


LOSSES = [cls() for cls in loss_classes()]


@parametrize_loss_checks(LOSSES)
def test_contract(loss, check):
    check(loss)


@parametrize_loss_checks([Squared()], y=np.array([[1.0, -2.0], [0.5, 3.0], [1e3, 1e-3]])[:, 0], random_state=1)
def test_contract_with_other_targets(loss, check):
    check(loss)


@parametrize_loss_checks([Softmax()], y=np.eye(5)[[0, 4, 1, 2, 3, 3, 0, 1, 2, 4, 4]], random_state=1)
def test_contract_with_five_classes(loss, check):
    check(loss)


def test_discovery_finds_what_is_exported():
    exported = {name for name in skreg.losses.__all__ if inspect.isclass(getattr(skreg.losses, name))}
    assert exported - {"Loss"} == {cls.__name__ for cls in loss_classes()}


# -- by hand ------------------------------------------------------------------

LOG2, LOG3 = np.log(2.0), np.log(3.0)


def check_row(loss, y, eta, value, gradient, curvature):
    y, eta = np.array([y], dtype=float), np.array([eta], dtype=float)
    assert_allclose(loss.value(y, eta), [value], rtol=1e-13, atol=1e-15)
    assert_allclose(loss.gradient(y, eta), [gradient], rtol=1e-13, atol=1e-15)
    assert_allclose(loss.curvature(y, eta), [curvature], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(
    ("y", "eta", "value", "gradient"),
    [(1.0, 1.0, 0.0, 0.0), (1.0, 3.0, 2.0, 2.0), (1.0, -3.0, 8.0, -4.0), (0.0, 1e150, 5e299, 1e150)],
)
def test_squared_by_hand(y, eta, value, gradient):
    check_row(Squared(), y, eta, value, gradient, 1.0)


@pytest.mark.parametrize(
    ("y", "eta", "value", "gradient", "curvature"),
    [
        (0, 0.0, LOG2, 0.5, 0.25),
        (1, 0.0, LOG2, -0.5, 0.25),
        (0, LOG3, np.log(4), 0.75, 0.1875),
        (1, LOG3, np.log(4 / 3), -0.25, 0.1875),
        (0, -LOG3, np.log(4 / 3), 0.25, 0.1875),
        # Far out the loss is eta or exp(-|eta|), and nothing overflows on the way.
        (0, 40.0, 40.0, 1.0, np.exp(-40)),
        (0, -40.0, np.exp(-40), np.exp(-40), np.exp(-40)),
        (1, -700.0, 700.0, -1.0, np.exp(-700)),
        (0, 1e10, 1e10, 1.0, 0.0),
        (0, -1e10, 0.0, 0.0, 0.0),
        (1, -1e300, 1e300, -1.0, 0.0),
        (1, 1e300, 0.0, 0.0, 0.0),
    ],
)
def test_logistic_by_hand(y, eta, value, gradient, curvature):
    check_row(Logistic(), y, eta, value, gradient, curvature)


@pytest.mark.parametrize(
    ("y", "eta", "value", "p"),
    [
        ([1, 0, 0], [0.0, 0.0, 0.0], LOG3, [1 / 3, 1 / 3, 1 / 3]),
        ([0, 1, 0], [5.0, 5.0, 5.0], LOG3, [1 / 3, 1 / 3, 1 / 3]),
        ([0, 0, 1], [0.0, 0.0, LOG2], LOG2, [0.25, 0.25, 0.5]),
        ([1, 0, 0], [0.0, 0.0, LOG2], np.log(4), [0.25, 0.25, 0.5]),
        ([1, 0, 0], [0.0, 1e3, -1e3], 1e3, [0.0, 1.0, 0.0]),
        ([0, 0, 1], [1e300, 1e300, -1e300], 2e300, [0.5, 0.5, 0.0]),
        ([1, 0, 0], [1e300, 0.0, -1e300], 0.0, [1.0, 0.0, 0.0]),
    ],
)
def test_softmax_by_hand(y, eta, value, p):
    p = np.array(p)
    check_row(Softmax(), y, eta, value, p - y, p * (1 - p))


def test_softmax_of_two_classes_is_logistic_of_the_difference():
    rng = np.random.default_rng(0)
    y, eta = rng.integers(0, 2, 30), 5 * rng.standard_normal((30, 2))
    margin, one_hot = eta[:, 1] - eta[:, 0], np.eye(2)[y]
    assert_allclose(Softmax().value(one_hot, eta), Logistic().value(y, margin), rtol=1e-10, atol=1e-14)
    assert_allclose(Softmax().gradient(one_hot, eta)[:, 1], Logistic().gradient(y, margin), rtol=1e-10, atol=1e-14)
    assert_allclose(Softmax().curvature(one_hot, eta)[:, 1], Logistic().curvature(y, margin), rtol=1e-10, atol=1e-14)
    assert_allclose(Softmax().inverse_link(eta)[:, 1], Logistic().inverse_link(margin), rtol=1e-10)


def test_hessian_product_by_hand():
    # p = (1/4, 1/4, 1/2); diag(p) - p p' times (1, 0, 0) is its first column.
    product = Softmax().hessian_product(np.eye(3)[:1], np.array([[0.0, 0.0, LOG2]]), np.array([[1.0, 0.0, 0.0]]))
    assert_allclose(product, [[3 / 16, -1 / 16, -1 / 8]], rtol=1e-14)
    # A common shift of all classes changes nothing.
    product = Softmax().hessian_product(np.eye(3)[:1], np.array([[0.0, 0.0, LOG2]]), np.ones((1, 3)))
    assert_allclose(product, 0.0, atol=1e-16)


def test_null_eta_by_hand():
    weights = np.array([0.5, 0.25, 0.25])
    assert Squared().null_eta(np.array([2.0, 4.0, 0.0]), weights) == 2.0
    assert_allclose(Squared().null_eta(np.array([[2.0, 0.0], [4.0, 4.0], [0.0, 4.0]]), weights), [2.0, 2.0])
    assert Logistic().null_eta(np.array([1.0, 0.0, 1.0]), weights) == pytest.approx(LOG3)
    one_hot = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    assert_allclose(Softmax().null_eta(one_hot, weights), [0.0, 0.0], atol=1e-16)
    weights = np.array([0.75, 0.25, 0.0])
    assert_allclose(Softmax().null_eta(one_hot, weights), [LOG3 / 2, -LOG3 / 2])


def test_conjugate_by_hand():
    assert_allclose(Squared().conjugate(np.array([1.0, 1.0]), np.array([2.0, -1.0])), [4.0, -0.5])
    y, dual = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 0.0]), np.array([0.0, 0.5, 1.0, -0.75, 0.1, -1e-9])
    entropy = 0.25 * np.log(0.25) + 0.75 * np.log(0.75)
    assert_allclose(Logistic().conjugate(y, dual), [0.0, -LOG2, 0.0, entropy, np.inf, np.inf])
    y = np.array([[1.0, 0.0, 0.0]] * 3)
    dual = np.array([[-1.0, 0.5, 0.5], [0.0, 0.0, 0.0], [-1.0, 1.5, -0.5]])
    assert_allclose(Softmax().conjugate(y, dual), [-LOG2, 0.0, np.inf])


def test_inverse_link_by_hand():
    assert_allclose(Logistic().inverse_link(np.array([0.0, LOG3, -1e300, 1e300])), [0.5, 0.75, 0.0, 1.0])
    assert_allclose(
        Softmax().inverse_link(np.array([[0.0, 0.0, LOG2], [1e300, 0.0, 0.0]])), [[0.25, 0.25, 0.5], [1, 0, 0]]
    )
    eta = np.array([1.0, -2.0])
    assert_array_equal(Squared().inverse_link(eta), eta)


# -- targets ------------------------------------------------------------------

TARGETS = [
    (Logistic(), [0.0, 1.0, 2.0], ("0 and 1", "2.0")),
    (Logistic(), [-1.0, 1.0], ("0 and 1", "-1.0")),
    (Logistic(), [0.5], ("0 and 1", "0.5")),
    (Softmax(), [[1.0, 1.0]], ("one-hot",)),
    (Softmax(), [[0.0, 0.0]], ("one-hot",)),
    (Softmax(), [[0.5, 0.5]], ("one-hot",)),
    (Softmax(), [0.0, 1.0], ("one-hot",)),
]


@pytest.mark.parametrize(("loss", "y", "words"), TARGETS)
def test_wrong_targets_are_named(loss, y, words):
    with pytest.raises(ValueError, match="y must") as caught:
        loss.check_target(np.array(y))
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("loss", "y"),
    [
        (Squared(), [-1e9, 0.0, 0.5]),
        (Squared(), [[1.0, 2.0]]),
        (Logistic(), [0.0, 1.0]),
        (Logistic(), [1.0, 1.0]),
        (Softmax(), [[0.0, 1.0, 0.0]]),
    ],
)
def test_right_targets_are_accepted(loss, y):
    assert loss.check_target(np.array(y)) is None


# -- names --------------------------------------------------------------------


def test_names():
    assert loss_names() == ["logistic", "softmax", "squared"]
    for name in loss_names():
        assert type(get_loss(name)).__name__.lower() == name
    loss = Squared()
    assert get_loss(loss) is loss


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ("hinge", ValueError, ("'hinge'", "'squared'", "Loss")),
        (Squared, TypeError, ("Squared",)),
        (None, TypeError, ("None", "'squared'", "Loss")),
        (3, TypeError, ("3", "int")),
    ],
)
def test_wrong_names(wrong, error, words):
    with pytest.raises(error) as caught:
        get_loss(wrong)
    for word in words:
        assert word in str(caught.value)


def test_the_base_class_says_what_is_missing():
    class Empty(Loss):
        pass

    for method in ("value", "gradient", "curvature"):
        with pytest.raises(NotImplementedError, match=rf"Empty must define {method}\(self, y, eta\)"):
            getattr(Empty(), method)(np.zeros(2), np.zeros(2))


# -- properties ---------------------------------------------------------------

etas = arrays(float, (4, 3), elements=st.floats(-1e4, 1e4))
classes = arrays(int, 4, elements=st.integers(0, 2))


@given(eta=etas, shift=st.floats(-1e4, 1e4), k=classes)
def test_softmax_is_symmetric(eta, shift, k):
    y, loss, tolerance = np.eye(3)[k], Softmax(), 1e-11 * (1 + np.abs(eta).max() + abs(shift))
    assert_allclose(loss.value(y, eta + shift), loss.value(y, eta), rtol=1e-9, atol=tolerance)
    assert_allclose(loss.gradient(y, eta + shift), loss.gradient(y, eta), rtol=1e-9, atol=tolerance)
    assert_allclose(loss.value(y[:, ::-1], eta[:, ::-1]), loss.value(y, eta), rtol=1e-12, atol=1e-12)
    assert_allclose(loss.gradient(y, eta).sum(axis=1), 0.0, atol=1e-14)


@given(eta=etas)
def test_logistic_is_symmetric(eta):
    eta, loss = eta.ravel(), Logistic()
    one, zero = np.ones_like(eta), np.zeros_like(eta)
    assert_allclose(loss.value(one, eta), loss.value(zero, -eta), rtol=1e-12, atol=1e-15 * np.abs(eta).max() + 1e-300)
    assert_allclose(loss.gradient(one, eta), -loss.gradient(zero, -eta), rtol=1e-12, atol=1e-15)
    assert_array_equal(loss.curvature(one, eta), loss.curvature(zero, -eta))


@given(eta=etas, k=classes)
def test_losses_are_not_negative_and_gradients_are_bounded(eta, k):
    assert np.all(Softmax().value(np.eye(3)[k], eta) >= 0)
    assert np.all(np.abs(Softmax().gradient(np.eye(3)[k], eta)) <= 1)
    y, column = (k > 0) * 1.0, eta[:, 0]
    assert np.all(Logistic().value(y, column) >= 0)
    assert np.all(np.abs(Logistic().gradient(y, column)) <= 1)
    assert np.all((Logistic().curvature(y, column) >= 0) & (Logistic().curvature(y, column) <= 0.25))


@given(eta=etas, k=classes)
def test_the_duality_gap_of_a_row_is_zero_at_its_gradient(eta, k):
    for loss, y, point in (
        (Squared(), eta[:, 1], eta[:, 0]),
        (Logistic(), (k > 0) * 1.0, eta[:, 0]),
        (Softmax(), np.eye(3)[k], eta),
    ):
        dual = loss.gradient(y, point)
        product = (dual * point).reshape(4, -1).sum(axis=1)
        gap = loss.value(y, point) + loss.conjugate(y, dual) - product
        assert_allclose(gap, 0.0, atol=1e-9 * (1 + np.abs(product).max()))


@pytest.mark.parametrize("name", ["logistic", "softmax"])
def test_the_joint_expansion_is_what_the_three_methods_say(name):
    """Tails included: the compiled loops against the NumPy text."""
    loss, rng = get_loss(name), np.random.default_rng(0)
    size = np.concatenate([np.zeros(5), rng.uniform(-3, 3, 40), [-800.0, -40.0, -37.0, 37.0, 40.0, 800.0]])
    if name == "logistic":
        y, eta = rng.integers(0, 2, size.size).astype(float), size
    else:
        y, eta = np.eye(3)[rng.integers(0, 3, size.size)], size[:, None] * rng.standard_normal((size.size, 3))
    joint = loss.expansion(y, eta)
    for ours, text in zip(joint, (loss.value(y, eta), loss.gradient(y, eta), loss.curvature(y, eta)), strict=True):
        np.testing.assert_allclose(ours, text, rtol=1e-13, atol=1e-15)
