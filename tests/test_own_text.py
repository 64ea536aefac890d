"""A user's text in compiled coordinate descent: numba's code is used where it is right, and nowhere else."""

import importlib.util
import pickle

import numpy as np
import pytest
from helpers import class_data, regression_data
from skreg._twins import apply_prox
from test_user_penalty import OwnMCP

from skreg import (
    L1,
    L2,
    MCP,
    Bounded,
    Box,
    ByColumn,
    NonNegative,
    PenalizedLogisticRegression,
    PenalizedRegression,
    Penalty,
    compile_prox,
    regularization_path,
)
from skreg.solvers import compiled, jit
from skreg.solvers.compiled import compiled_prox, compiled_prox_in_use


class Own(Penalty):
    """L1 with a knob, as a user writes it."""

    separable = convex = True

    def __init__(self, factor=1.0):
        self.factor = factor

    def value(self, coef, alpha):
        return np.sum(self.factor * alpha * np.abs(coef))

    def prox(self, coef, step, alpha):
        return np.sign(coef) * np.maximum(np.abs(coef) - step * self.factor * alpha, 0.0)


class Near(Own):
    """An array with one number per feature."""

    def value(self, coef, alpha):
        return np.sum(alpha * np.abs(coef - self.factor))

    def prox(self, coef, step, alpha):
        away = coef - self.factor
        return self.factor + away - np.clip(away, -step * alpha, step * alpha)

    def restrict(self, features):
        return Near(self.factor[features])


class Masks(Own):
    """Boolean masks: only arrays have them."""

    def prox(self, coef, step, alpha):
        result = coef.copy()
        result[np.abs(coef) <= step * alpha] = 0.0
        return result - np.sign(result) * step * alpha


def soft(coef, threshold):
    return np.sign(coef) * np.maximum(np.abs(coef) - threshold, 0.0)


class Helped(Own):
    """Another function, an attribute that `bind` makes, a constant of the class, and a word."""

    share = 0.5

    def __init__(self, factor=1.0, mode="l1"):
        self.factor = factor
        self.mode = mode

    def bind(self, n_features, feature_names=None):
        bound = Helped(self.factor, self.mode)
        bound._half = self.share * np.arange(1.0, n_features + 1)
        return bound

    def restrict(self, features):
        part = Helped(self.factor, self.mode)
        part._half = self._half[features]
        return part

    def value(self, coef, alpha):
        return np.sum(self._half * alpha * np.abs(coef))

    def prox(self, coef, step, alpha):
        return soft(coef, step * alpha * self._half) if self.mode == "l1" else 0.0 * coef


FORMS = [
    (Own(2.0), "scalar code"),
    (OwnMCP(), "scalar code"),
    (Near(np.linspace(-1, 1, 7)), "scalar code"),
    (Helped(), "scalar code"),
    (Helped(mode="none"), "scalar code"),
    (Masks(), "arrays of one element"),
]


def points(n):
    rng = np.random.default_rng(0)
    step, alpha = 10.0 ** rng.uniform(-2, 1.5, n), 10.0 ** rng.uniform(-2, 1, n)
    return rng.standard_normal(n) * alpha * 5.0, step, alpha


def run(twin, coef, step, alpha):
    out = np.empty(len(coef))
    apply_prox(*twin, coef, step, alpha, out)
    return out


@pytest.mark.parametrize("penalty, form", FORMS, ids=lambda item: str(item)[:30])
def test_numba_compiles_what_users_write(penalty, form):
    told = compile_prox(penalty, n_features=7)
    assert told.compiled and told.how.endswith(form)
    bound = penalty.bind(7)
    at = points(7)
    np.testing.assert_allclose(run(compiled_prox(bound), *at), bound.prox(*at), rtol=1e-13, atol=1e-15)
    part = bound.restrict(np.array([5, 2]))
    few = [item[[5, 2]] for item in at]
    np.testing.assert_allclose(run(compiled_prox(part), *few), bound.prox(*at)[[5, 2]], rtol=1e-13, atol=1e-15)


def test_other_parameters_and_alphas_compile_nothing(monkeypatch):
    compile_prox(OwnMCP(3.0))

    def never(*args):
        raise AssertionError("compiled again")

    monkeypatch.setattr(jit, "_c_function", never)
    for gamma in (1.5, 2.5, 40.0):
        assert compile_prox(OwnMCP(gamma)).compiled
        at = points(9)
        np.testing.assert_allclose(run(compiled_prox(OwnMCP(gamma)), *at), OwnMCP(gamma).prox(*at), rtol=1e-13)


class Method(Own):
    def _threshold(self, step, alpha):
        return step * alpha

    def prox(self, coef, step, alpha):
        return soft(coef, self._threshold(step, alpha))


class Raises(Own):
    def prox(self, coef, step, alpha):
        if np.any(step < 0):
            raise ValueError("step must be positive.")
        return soft(coef, step * alpha)


class Parent(L1):
    def prox(self, coef, step, alpha):
        return super().prox(coef, step, alpha)


class Unknown(Own):
    def __init__(self, factor=(1.0,)):
        self.factor = factor

    def value(self, coef, alpha):
        return np.sum(self.factor[0] * alpha * np.abs(coef))

    def prox(self, coef, step, alpha):
        return soft(coef, step * alpha * self.factor[0])


class Coupled(Own):
    """It claims to be separable and is not."""

    def prox(self, coef, step, alpha):
        return soft(coef, step * alpha * np.max(np.abs(coef)))


@pytest.mark.parametrize(
    "penalty, reason",
    [
        (Method(), "Unknown attribute '_threshold'"),
        (Raises(), "can raise"),
        (Parent(), "super"),
        (Unknown(), "'factor' is neither a number nor an array"),
        (Coupled(), "does not give what the text gives"),
    ],
    ids=lambda item: type(item).__name__,
)
def test_what_cannot_be_compiled_says_why_and_runs_its_text(penalty, reason):
    told = compile_prox(penalty)
    assert not told.compiled and reason.lower() in told.how.lower()
    assert not compiled_prox_in_use(penalty, 6)
    if isinstance(penalty, Coupled):
        return
    X, y = regression_data()
    model, plain = PenalizedRegression(penalty, alpha=0.1), PenalizedRegression("l1", alpha=0.1)
    np.testing.assert_allclose(model.fit(X, y).coef_, plain.fit(X, y).coef_, rtol=1e-4, atol=1e-5)


LIMIT = 2.0


class ReadsAGlobal(Own):
    def prox(self, coef, step, alpha):
        return np.clip(soft(coef, step * alpha), -LIMIT, LIMIT)


def test_code_that_is_out_of_date_is_not_used(monkeypatch):
    """Compiled code keeps the globals of its day: the comparison before every fit finds out."""
    assert compile_prox(ReadsAGlobal()).compiled
    monkeypatch.setitem(globals(), "LIMIT", 1.0)
    assert compiled_prox(ReadsAGlobal()) is not None
    assert not compiled_prox_in_use(ReadsAGlobal(), 6)
    assert not compile_prox(ReadsAGlobal()).compiled


def test_without_numba(monkeypatch):
    class Fresh(Own):
        def prox(self, coef, step, alpha):
            return soft(coef, step * alpha)

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert compile_prox(Fresh()) == (False, "Fresh: numba is not installed")


def test_compiled_when_it_is_worth_it(monkeypatch):
    """As soon as as much work has been done in NumPy as a compilation takes, in the middle of a path."""

    class Busy(Own):
        def prox(self, coef, step, alpha):
            return soft(coef, step * self.factor * alpha)

    X, y = regression_data(n=40, p=60)
    PenalizedRegression(Busy(), alpha=0.1).fit(X, y)
    assert Busy.prox not in jit._COMPILED
    monkeypatch.setattr(compiled, "WORTH", 1e5)
    monkeypatch.setattr(compiled, "_WORK", {})
    path = regularization_path(X, y, penalty=Busy(), alphas=10)
    (made,) = jit._COMPILED[Busy.prox].values()
    assert made.address is not None
    shipped = regularization_path(X, y, penalty="l1", alphas=10)
    np.testing.assert_allclose(path.coefs, shipped.coefs, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("n, p", [(40, 300), (300, 12)], ids=["wide", "tall"])
@pytest.mark.parametrize("own, shipped", [(Own(), L1()), (OwnMCP(), MCP())], ids=["L1", "MCP"])
def test_compiled_and_shipped_find_the_same(own, shipped, n, p):
    assert compile_prox(own).compiled
    for estimator, (X, y) in (
        (PenalizedRegression, regression_data(n, p)),
        (PenalizedLogisticRegression, class_data(300, 8)),
    ):
        params = {"alpha": 0.1, "tol": 1e-9}
        mine, theirs = estimator(own, **params).fit(X, y), estimator(shipped, **params).fit(X, y)
        np.testing.assert_allclose(mine.coef_, theirs.coef_, rtol=1e-6, atol=1e-7)
        assert pickle.loads(pickle.dumps(mine)).optimality_ == mine.optimality_


# -- twins around twins ---------------------------------------------------------------------------------------------------

AROUND = [
    0.7 * L1(),
    MCP() + 0.3 * L2(),
    2 * (Own() + 0.5 * L2()),
    Bounded(L1(), lower=-0.5),
    Bounded("elasticnet", lower=np.linspace(-1, 0, 7), upper=1.0),
    NonNegative(),
    Box(-1.0, np.linspace(0, 2, 7)),
    ByColumn({(0, 3): None, (1, 2): MCP(2.5), 4: Bounded(Own(2.0), upper=0.1)}, rest=0.3 * Own()),
]


@pytest.mark.parametrize("penalty", AROUND, ids=lambda penalty: str(penalty)[:40])
def test_penalties_made_of_others_have_twins(penalty):
    assert compile_prox(penalty, n_features=7).compiled
    bound = penalty.bind(7)
    for features in (np.arange(7), np.array([4, 0, 2])):
        at = [item[features] for item in points(7)]
        part = bound.restrict(features)
        np.testing.assert_allclose(run(compiled_prox(part), *at), part.prox(*at), rtol=1e-13, atol=1e-15)


def test_a_part_without_a_twin_leaves_the_whole_to_its_text():
    penalty = ByColumn({0: Method()}, rest="l1").bind(4)
    assert not compile_prox(penalty, n_features=4).compiled and compiled_prox(penalty) is None
    assert compiled_prox(2 * Method()) is None


@pytest.mark.parametrize(
    "penalty, same",
    [
        (Bounded("l1", lower=0.0), L1(positive=True)),
        (NonNegative(), Bounded(None, lower=0.0)),
        (ByColumn({(0, 1, 2): "l1"}, rest="l1"), L1()),
    ],
    ids=["bounded", "nonnegative", "by column"],
)
@pytest.mark.parametrize("p", [9, 300])
def test_fits_with_twins_around_twins(penalty, same, p):
    X, y = regression_data(n=60, p=p)
    mine, theirs = (PenalizedRegression(each, alpha=0.2, tol=1e-10).fit(X, y) for each in (penalty, same))
    assert mine.optimality_.converged
    np.testing.assert_allclose(mine.coef_, theirs.coef_, rtol=1e-5, atol=1e-6)
