"""A penalty is two NumPy methods, also when a user writes them: in a module, a script or a notebook."""

import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from helpers import class_data, estimator, model_objective, regression_data, task_data
from scipy.optimize import isotonic_regression
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import skreg
from skreg import L1, PenalizedRegression, Penalty, alpha_max, fastest_solver, make_problem, regularization_path
from skreg.solvers import compiled
from skreg.solvers.coordinate import CoordinateDescent
from skreg.solvers.probe import probe_prox
from skreg.testing import check_penalty

TASKS = ["squared", "logistic", "softmax"]
each_task = pytest.mark.parametrize("task", TASKS)


class OwnL1(Penalty):
    separable = convex = True

    def value(self, coef, alpha):
        return np.sum(alpha * np.abs(coef))

    def prox(self, coef, step, alpha):
        return np.sign(coef) * np.maximum(np.abs(coef) - step * alpha, 0.0)


class Huberised(Penalty):
    """Quadratic up to ``knee``, linear beyond it: separable, convex, smooth."""

    separable = convex = True

    def __init__(self, knee=0.5):
        self.knee = knee

    def value(self, coef, alpha):
        size = np.abs(coef)
        return np.sum(alpha * np.where(size <= self.knee, size**2 / (2 * self.knee), size - self.knee / 2))

    def prox(self, coef, step, alpha):
        inner = coef / (1.0 + step * alpha / self.knee)
        return np.where(np.abs(inner) <= self.knee, inner, coef - step * alpha * np.sign(coef))


class OwnMCP(Penalty):
    """Zhang (2010); concave, and right for every step: beyond ``gamma`` the prox is a hard threshold."""

    separable = True

    def __init__(self, gamma=3.0):
        self.gamma = gamma

    def value(self, coef, alpha):
        size = np.minimum(np.abs(coef), self.gamma * alpha)
        return np.sum(alpha * size - size**2 / (2.0 * self.gamma))

    def prox(self, coef, step, alpha):
        size, gamma = np.abs(coef), self.gamma
        slope = np.where(step < gamma, 1.0 - step / gamma, 1.0)
        firm = np.sign(coef) * np.maximum(size - step * alpha, 0.0) / slope
        firm = np.where(size > gamma * alpha, coef, firm)
        hard = np.where(size > alpha * np.sqrt(gamma * step), coef, 0.0)
        return np.where(step < gamma, firm, hard)


class OwnGroupLasso(Penalty):
    """Neighbours in pairs live and die together: not separable."""

    convex = True

    def __init__(self, size=2):
        self.size = size

    def _norms(self, coef):
        return np.linalg.norm(coef.reshape(-1, self.size), axis=1)

    def value(self, coef, alpha):
        return alpha * np.sum(self._norms(coef))

    def prox(self, coef, step, alpha):
        norms = self._norms(coef)
        factor = np.maximum(1.0 - step * alpha / np.where(norms > 0, norms, 1.0), 0.0)
        return coef * np.repeat(factor, self.size)


class OwnSLOPE(Penalty):
    """The largest coefficient pays most: sorted, so not separable."""

    convex = True

    def __init__(self, ratio=0.5):
        self.ratio = ratio

    def _prices(self, n_features):
        return np.linspace(1.0, self.ratio, n_features)

    def value(self, coef, alpha):
        return alpha * np.sort(np.abs(coef))[::-1] @ self._prices(coef.size)

    def prox(self, coef, step, alpha):
        order = np.argsort(-np.abs(coef), kind="stable")
        falling = isotonic_regression(np.abs(coef)[order] - step * alpha * self._prices(coef.size), increasing=False).x
        result = np.empty(coef.shape)
        result[order] = np.maximum(falling, 0.0)
        return np.sign(coef) * result


OWN = [OwnL1(), Huberised(), OwnMCP(), OwnGroupLasso(), OwnSLOPE()]
each_own = pytest.mark.parametrize("penalty", OWN, ids=lambda penalty: type(penalty).__name__)
SHAPE = {"Huberised": "knee", "OwnMCP": "gamma", "OwnGroupLasso": "size", "OwnSLOPE": "ratio"}


@each_own
def test_they_are_right(penalty):
    """So that what follows tests the library, not these classes."""
    check_penalty(penalty)


@each_task
@each_own
@pytest.mark.parametrize("standardize", [False, True])
def test_fits_with_a_certificate(task, penalty, standardize):
    X, y = task_data(task)
    model = estimator(task, penalty, alpha=0.05, standardize=standardize).fit(X, y)
    optimality = model.optimality_
    assert optimality.converged and optimality.violation <= 1e-3
    assert optimality.kind == ("global" if penalty.convex else "local")
    assert np.all(np.isfinite(model.coef_)) and model.score(X, y) > 0.4
    assert model.solver_ == ("coordinate_descent" if penalty.separable else "proximal_gradient")


@each_task
@each_own
def test_no_small_change_lowers_the_objective(task, penalty):
    X, y = task_data(task)
    model = estimator(task, penalty, alpha=0.05, tol=1e-10).fit(X, y)

    def objective(coef):
        model.coef_ = coef
        price = sum(penalty.value(row, 0.05) for row in np.atleast_2d(coef))
        return model_objective(task, model, X, y) + price

    best = model.coef_.copy()
    lowest = objective(best)
    rng = np.random.default_rng(0)
    for size in (1e-6, 1e-3, 0.1 if penalty.convex else 1e-2):
        for _ in range(40):
            change = rng.standard_normal(best.shape) * (rng.random(best.shape) < 0.5)
            assert objective(best + size * change) >= lowest - 1e-9


@each_task
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("factor", [None, [0.0, 1.0, 2.0, 0.5, 1.0, 1.0]])
def test_own_l1_equals_the_shipped_one(task, standardize, factor):
    X, y = task_data(task)
    params = {"alpha": 0.03, "standardize": standardize, "penalty_factor": factor, "tol": 1e-10}
    own, shipped = estimator(task, OwnL1(), **params).fit(X, y), estimator(task, "l1", **params).fit(X, y)
    np.testing.assert_allclose(own.coef_, shipped.coef_, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(own.coef_ == 0.0, shipped.coef_ == 0.0)
    np.testing.assert_allclose(own.optimality_.objective, shipped.optimality_.objective, rtol=1e-9)


def test_own_l1_equals_the_shipped_one_on_many_columns():
    X, y = regression_data(n=60, p=500, seed=1)
    own, shipped = (PenalizedRegression(penalty, alpha=0.2, tol=1e-8).fit(X, y) for penalty in (OwnL1(), L1()))
    assert 0 < np.sum(shipped.coef_ != 0) < 60
    np.testing.assert_allclose(own.coef_, shipped.coef_, rtol=1e-3, atol=1e-4)


def test_a_concave_text_is_asked_for_many_coefficients_at_once():
    asked = []

    class Counted(OwnMCP):
        def prox(self, coef, step, alpha):
            asked.append(np.size(coef))
            return super().prox(coef, step, alpha)

    rng = np.random.default_rng(0)
    X = 0.8 * rng.standard_normal((50, 1)) + 0.6 * rng.standard_normal((50, 60))
    y = X[:, :8] @ rng.standard_normal(8) + 0.5 * rng.standard_normal(50)
    path = regularization_path(X, y, penalty=Counted(), alphas=15, alpha_min_ratio=0.02)
    assert all(one.converged and one.kind == "local" for one in path.certificates)
    # One coefficient at a time they were 3,700, and at saddles descent went round and round.
    assert len(asked) < 1_200


def test_a_concave_text_on_a_path_of_correlated_columns(monkeypatch):
    # Between columns that take turns descent had gone on for thousands of moves; Newton's method knows where to.
    monkeypatch.setattr(compiled, "WORTH", np.inf)
    calls = []

    class Counted(OwnMCP):
        def prox(self, coef, step, alpha):
            calls.append(coef.size)
            return super().prox(coef, step, alpha)

    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 600))
    X[:, 1:] += 1.5 * X[:, :-1]
    y = X[:, ::30].sum(axis=1) + 3.0 * rng.standard_normal(100)
    alphas = alpha_max(X, y, penalty="l1") * np.geomspace(1.0, 0.05, 30)
    path = regularization_path(X, y, penalty=Counted(), alphas=alphas)
    assert all(certificate.converged for certificate in path.certificates)
    assert len(calls) < 3_500


class WeightedL1(Penalty):
    """Forgets `restrict`."""

    separable = convex = True

    def __init__(self, weights):
        self.weights = weights

    def value(self, coef, alpha):
        return np.sum(alpha * self.weights * np.abs(coef))

    def prox(self, coef, step, alpha):
        return np.sign(coef) * np.maximum(np.abs(coef) - step * alpha * self.weights, 0.0)


class LabelledGroups(Penalty):
    """Forgets it, too."""

    convex = True

    def __init__(self, labels):
        self.labels = labels

    def blocks(self):
        return np.asarray(self.labels)

    def _norms(self, coef):
        return np.sqrt(np.bincount(self.labels, coef**2))[self.labels]

    def value(self, coef, alpha):
        return np.sum(alpha * self._norms(coef) / np.bincount(self.labels)[self.labels])

    def prox(self, coef, step, alpha):
        norms = self._norms(coef)
        return coef * np.maximum(1.0 - step * alpha / np.where(norms > 0, norms, 1.0), 0.0)


@pytest.mark.parametrize(
    "forgetful", [WeightedL1(np.ones(600)), LabelledGroups(np.arange(600) // 3)], ids=["array", "labels"]
)
def test_a_penalty_that_cannot_be_had_on_some_features(forgetful):
    X, y = regression_data(n=50, p=600)
    problem = make_problem(X, y, penalty=forgetful, loss="squared")
    found = fastest_solver(problem)
    assert found.name == "proximal_gradient"
    name = "coordinate_descent" if forgetful.separable else "block_coordinate_descent"
    with pytest.raises(ValueError, match=r"has an array \((weights|labels)\) and no `restrict\(features\)`"):
        PenalizedRegression(forgetful, solver=name).fit(X, y)
    assert PenalizedRegression(forgetful, alpha=10.0).fit(X, y).solver_ == "proximal_gradient"
    # On few features it is the same as one that can be.
    few = type(forgetful)(np.array([1, 1, 1, 0, 0, 0]))
    assert PenalizedRegression(few, alpha=0.1).fit(X[:, :6], y).solver_ == name
    results = check_penalty(few, on_fail=None)
    assert "no restrict(features)" in " ".join(str(one["exception"]) for one in results)


@each_own
def test_clone_and_pickle(penalty):
    X, y = regression_data()
    model = PenalizedRegression(penalty, alpha=0.05).fit(X, y)
    assert repr(clone(penalty)) == repr(penalty)
    np.testing.assert_array_equal(clone(model).fit(X, y).coef_, model.coef_)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))


@each_own
def test_tuned_by_grid_search(penalty):
    X, y = class_data()
    grid = {"alpha": [0.01, 0.1]}
    if (name := SHAPE.get(type(penalty).__name__)) is not None:
        grid[f"penalty__{name}"] = [getattr(penalty, name), 2 * getattr(penalty, name) - 1 if name == "size" else 1.5]
    search = GridSearchCV(estimator("logistic", penalty), grid, cv=3, n_jobs=2, error_score="raise").fit(X, y)
    assert search.best_score_ > 0.6 and search.best_params_.keys() == grid.keys()


def test_the_solver_asks_for_facts_and_not_for_names():
    X, y = regression_data()
    assert fastest_solver(make_problem(X, y, penalty=OwnMCP())).name == "coordinate_descent"
    refusal = fastest_solver(make_problem(X, y, penalty=OwnSLOPE())).refusals["coordinate_descent"]
    assert "OwnSLOPE" in refusal and "separable = True" in refusal


def test_a_subclass_with_its_own_prox_never_runs_its_parents():
    class TwiceAsDear(L1):
        def value(self, coef, alpha):
            return super().value(coef, 2.0 * alpha)

        def prox(self, coef, step, alpha):
            return super().prox(coef, step, 2.0 * alpha)

        def conjugate(self, dual, alpha):
            return super().conjugate(dual, 2.0 * alpha)

        def dual_scale(self, dual, alpha):
            return super().dual_scale(dual, 2.0 * alpha)

    X, y = regression_data()
    own, shipped = PenalizedRegression(TwiceAsDear(), alpha=0.1), PenalizedRegression("l1", alpha=0.2)
    np.testing.assert_allclose(own.fit(X, y).coef_, shipped.fit(X, y).coef_, rtol=1e-4, atol=1e-5)


# -- wrong ones ---------------------------------------------------------------------------------------------------------


class ForgetsStep(OwnL1):
    def prox(self, coef, step, alpha):
        return np.sign(coef) * np.maximum(np.abs(coef) - alpha, 0.0)


class ForgetsAlpha(OwnL1):
    def prox(self, coef, step, alpha):
        return np.sign(coef) * np.maximum(np.abs(coef) - step, 0.0)


class WrongSign(OwnL1):
    def prox(self, coef, step, alpha):
        return -super().prox(coef, step, alpha)


class DoesNothing(OwnL1):
    def prox(self, coef, step, alpha):
        return coef.copy()


class AlwaysZero(OwnL1):
    def prox(self, coef, step, alpha):
        return np.zeros_like(coef)


class HalfTheShrinkage(OwnL1):
    def prox(self, coef, step, alpha):
        return super().prox(coef, 0.5 * step, alpha)


class NotANumber(OwnL1):
    def prox(self, coef, step, alpha):
        return super().prox(coef, step, alpha) * np.nan


class WrongGroups(OwnGroupLasso):
    def prox(self, coef, step, alpha):
        return OwnL1().prox(coef, step, alpha)


class HardMCP(OwnMCP):
    """The threshold at which MCP would jump if the loss were flat."""

    def prox(self, coef, step, alpha):
        return np.where(np.abs(coef) > step * alpha, coef, 0.0)


class NewPriceOldProx(L1):
    """Half of a subclass: the prox that it inherits belongs to another price."""

    def value(self, coef, alpha):
        return super().value(coef, 3.0 * alpha)


WRONG = [
    ForgetsStep,
    ForgetsAlpha,
    WrongSign,
    DoesNothing,
    AlwaysZero,
    HalfTheShrinkage,
    NotANumber,
    WrongGroups,
    HardMCP,
    NewPriceOldProx,
]


@each_task
@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_a_wrong_prox_is_caught_after_the_fit(task, wrong):
    X, y = task_data(task)
    with pytest.raises(ValueError, match=rf"(?s){wrong.__name__}\.prox.*check_penalty"):
        estimator(task, wrong(), alpha=0.03, max_iter=8).fit(2.0 * X, y)


def test_the_last_question_to_a_prox_reads_no_data(monkeypatch):
    X, y = regression_data(60, 1_500)
    problem = make_problem(X, y, penalty=OwnL1(), loss="squared")
    (solution,) = CoordinateDescent().solve(problem, [0.1])
    monkeypatch.setattr(type(problem.design), "dot_t", None)
    probe_prox(problem, solution)


@pytest.mark.parametrize("missing", ["value", "prox"])
def test_a_method_that_is_missing_is_named(missing):
    body = {"value": OwnL1.value, "prox": OwnL1.prox, "separable": True}
    del body[missing]
    half = type("Half", (Penalty,), body)
    with pytest.raises(NotImplementedError, match=rf"Half must define {missing}\("):
        PenalizedRegression(half()).fit(*regression_data())


# -- in a script or a notebook ------------------------------------------------------------------------------------------

SCRIPT = """
    import numpy as np
    from sklearn.datasets import load_diabetes
    from sklearn.model_selection import GridSearchCV
    from skreg import Penalty, PenalizedRegression

    class Ridgeish(Penalty):
        separable = convex = True

        def __init__(self, mix=0.5):
            self.mix = mix

        def value(self, coef, alpha):
            return np.sum(alpha * (np.abs(coef) + self.mix * coef**2))

        def prox(self, coef, step, alpha):
            shrunk = np.sign(coef) * np.maximum(np.abs(coef) - step * alpha, 0)
            return shrunk / (1 + 2 * self.mix * step * alpha)

    if __name__ == "__main__":
        X, y = load_diabetes(return_X_y=True)
        grid = {"alpha": [0.01, 0.1], "penalty__mix": [0.0, 0.001]}
        search = GridSearchCV(PenalizedRegression(Ridgeish()), grid, cv=3, n_jobs=2, error_score="raise").fit(X, y)
        assert type(search.best_estimator_.penalty).__module__ == "__main__"
        print(f"{search.best_score_:.3f}", search.best_estimator_.optimality_.converged)
"""


@pytest.mark.parametrize("how", ["script", "stdin"])
def test_defined_in_main(how, tmp_path):
    text = textwrap.dedent(SCRIPT)
    (tmp_path / "script.py").write_text(text)
    command = [sys.executable, "-W", "error"] + (["script.py"] if how == "script" else ["-"])
    done = subprocess.run(command, cwd=tmp_path, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    score, converged = done.stdout.split()
    assert float(score) > 0.4 and converged == "True"


def test_the_contract_is_public():
    assert {"Penalty", "Loss", "make_problem", "fastest_solver", "alpha_max"} <= set(skreg.__all__)
