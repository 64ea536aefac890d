"""Newton models of small problems: the solution that everybody else finds, in as few models as are allowed."""

import numpy as np
import pytest
from scipy import sparse

from skreg import (
    L1,
    L2,
    Box,
    ElasticNet,
    NonNegative,
    PenalizedLogisticRegression,
    _small,
    make_problem,
    regularization_path,
)
from skreg.solvers import small
from skreg.solvers.coordinate import CoordinateDescent
from skreg.solvers.newton import Newton
from skreg.solvers.small import SmallNewton

N_SAMPLES, N_FEATURES = 60, 12


def classes(seed=0, means=3.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N_SAMPLES, N_FEATURES)) + means
    X[:, 3] = X[:, 2]
    X[:, 7] = means
    y = (X[:, :4].sum(axis=1) + 2 * rng.standard_normal(N_SAMPLES) > 4 * means).astype(float)
    return X, y


PENALTIES = [L1(), ElasticNet(l1_ratio=0.3), L2(), Box(-0.1, 0.1), NonNegative(), 2.0 * L1(positive=True)]


@pytest.mark.parametrize("alpha", [0.1, 1e-3])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize(
    "convert", [np.asfortranarray, np.float32, sparse.csr_array], ids=["dense", "float32", "sparse"]
)
@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
def test_small_problems_have_the_solution_of_the_general_models(penalty, convert, fit_intercept, alpha, monkeypatch):
    X, y = classes()
    options = {"loss": "logistic", "penalty": penalty, "fit_intercept": fit_intercept, "standardize": fit_intercept}
    options["standardize"] &= penalty.standardizes
    problem = make_problem(convert(X), y, **options)
    for solver in (CoordinateDescent(), Newton()):
        if solver.refuses(problem):
            continue
        (small,) = solver.solve(problem, [alpha], tol=1e-10)
        with monkeypatch.context() as patched:
            patched.setattr(SmallNewton, "fits", lambda *args: False)
            (general,) = solver.solve(problem, [alpha], tol=1e-10)
        assert small.optimality.converged
        assert small.optimality.objective == pytest.approx(general.optimality.objective, rel=1e-12)
        np.testing.assert_allclose(
            problem.eta(small.coef, small.intercept), problem.eta(general.coef, general.intercept), atol=1e-6
        )


@pytest.mark.parametrize("entries", [None, np.array([0, 2, 5, 11])], ids=["all", "some"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_copies_tell_of_a_point_what_X_tells(entries, fit_intercept):
    X, y = classes()
    problem = make_problem(X, y, penalty="l1", loss="logistic", fit_intercept=fit_intercept)
    newton = SmallNewton(problem, entries)
    start = np.zeros(N_FEATURES if entries is None else entries.size)
    known, _, n_models = newton.best_point(start, problem.null_intercept, 0.02, 1e-3, 3)
    plain = problem.point(known.coef, known.intercept, 0.02)
    assert n_models > 0
    assert abs(plain.row_gradient.sum()) < 1e-14 or not fit_intercept
    for name in ("eta", "gradient", "violations"):
        np.testing.assert_allclose(getattr(known, name), getattr(plain, name), rtol=1e-10, atol=1e-13, err_msg=name)
    for name in ("loss", "price", "violation"):
        assert getattr(known, name) == pytest.approx(getattr(plain, name), rel=1e-9), name
    assert known.gap() == pytest.approx(plain.gap(), rel=1e-7)


@pytest.mark.parametrize("n_columns", [0, 1, 3, 4, 9, 64])
def test_products_of_few_columns(n_columns):
    rng = np.random.default_rng(n_columns)
    columns, curvatures = rng.standard_normal((50, n_columns + 1)), rng.uniform(0.1, 1.0, 50)
    loops = _small.SmallLoops(np.asfortranarray(columns), np.ones(50), n_columns)
    loops.choose_all()
    loops.take(curvatures, curvatures, curvatures)
    loops.take_roots()
    products = loops.products(loops.weighted(0, 50))
    np.testing.assert_allclose(np.tril(products), np.tril(columns.T * curvatures @ columns), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("penalty", [L1(), L2()], ids=repr)
def test_no_more_models_than_are_allowed(penalty, monkeypatch):
    X, y = classes()
    made = []
    hessian = small.SmallNewton._hessian
    monkeypatch.setattr(small.SmallNewton, "_hessian", lambda *args: made.append(0) or hessian(*args))
    few = PenalizedLogisticRegression(penalty, alpha=1e-3, max_iter=3)
    with pytest.warns(match="max_iter=3 was reached"):
        few.fit(X, y)
    assert few.n_iter_ == 3
    assert len(made) == 2
    enough = PenalizedLogisticRegression(penalty, alpha=1e-3).fit(X, y)
    assert 3 < enough.n_iter_ < 15


def test_a_start_at_the_solution_needs_one_model():
    X, y = classes()
    model = PenalizedLogisticRegression("l1", alpha=0.01, warm_start=True).fit(X, y)
    coef = model.coef_.copy()
    assert model.fit(X, y).n_iter_ <= 2
    np.testing.assert_allclose(model.coef_, coef, atol=1e-9)


@pytest.mark.parametrize("form", [np.asfortranarray, sparse.csc_array])
def test_a_path_goes_on_when_its_working_set_is_too_large_to_be_copied(monkeypatch, form):
    monkeypatch.setattr(small, "MOST_COPIED", 60 * 25)
    rng = np.random.default_rng(0)
    X = np.where(rng.random((60, 300)) < 0.5, rng.standard_normal((60, 300)), 0.0)
    y = (X[:, :5].sum(axis=1) + 0.3 * rng.standard_normal(60) > 0).astype(float)
    path = regularization_path(
        form(X), y, penalty="l1", loss="logistic", alphas=np.geomspace(0.1, 0.003, 30), tol=1e-10
    )
    assert path.support_sizes[0] < 10 and path.support_sizes[-1] > 25
    for k in (5, 15, 29):
        single = regularization_path(X, y, penalty="l1", loss="logistic", alphas=[path.alphas[k]], tol=1e-10)
        np.testing.assert_allclose(path.coefs[k], single.coefs[0], atol=1e-4 * np.abs(single.coefs[0]).max())
        assert path.certificates[k].converged
