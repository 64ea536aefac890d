"""Every mapping is pinned by a fit of the library that it speaks of."""

import numpy as np
import pytest
from helpers import class_data, fit_quietly, plain, regression_data, sklearn_logistic
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from sklearn.linear_model import (
    ElasticNet,
    GammaRegressor,
    Lasso,
    LassoCV,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    SGDClassifier,
    SGDRegressor,
    TweedieRegressor,
)
from sklearn.preprocessing import StandardScaler

from skreg import Loss, PenalizedRegression, convert_alpha, from_sklearn
from skreg.convert import KNOWN
from skreg.penalties import ElasticNet as Net

TIGHT = {"tol": 1e-12}


def assert_same(ours, theirs, atol=1e-5):
    assert_allclose(plain(ours)[0], plain(theirs)[0], atol=atol)
    assert_allclose(plain(ours)[1], plain(theirs)[1], atol=atol)


@pytest.mark.parametrize(
    "theirs",
    [
        LinearRegression(),
        LinearRegression(positive=True),
        Ridge(alpha=7.0),
        Ridge(alpha=7.0, fit_intercept=False),
        Ridge(alpha=7.0, positive=True),
        Lasso(alpha=0.1, tol=1e-12),
        Lasso(alpha=0.1, tol=1e-12, positive=True),
        ElasticNet(alpha=0.2, l1_ratio=0.3, tol=1e-12),
    ],
    ids=repr,
)
def test_regressions_from_scikit_learn(theirs):
    X, y = regression_data()
    ours = from_sklearn(theirs, n_samples=len(y)).set_params(tol=1e-12).fit(X, y)
    assert_same(ours, theirs.fit(X, y))


@pytest.mark.parametrize("l1_ratio", [0, 0.4, 1])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_regressions_from_scikit_learn(l1_ratio, n_classes):
    X, y = class_data(n_classes=n_classes)
    theirs = sklearn_logistic(0.02, l1_ratio, len(y))
    ours = from_sklearn(theirs, n_samples=len(y)).set_params(tol=1e-12).fit(X, y)
    assert ours.alpha == pytest.approx(0.02)
    assert_same(ours, fit_quietly(theirs, X, y), atol=1e-4)


def test_balanced_and_unpenalised_logistic_regression():
    X, y = class_data()
    theirs = LogisticRegression(C=0.3, class_weight="balanced", tol=1e-10, max_iter=1000)
    assert_same(from_sklearn(theirs, len(y)).set_params(tol=1e-12).fit(X, y), theirs.fit(X, y), atol=1e-4)
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
    assert_same(from_sklearn(theirs).set_params(tol=1e-12).fit(X, y), theirs.fit(X, y), atol=1e-3)


@pytest.mark.parametrize("penalty", ["l1", "l2", "elasticnet"])
def test_stochastic_gradient_descent(penalty):
    X, y = regression_data(n=500)
    X = StandardScaler().fit_transform(X)
    settings = {"alpha": 0.3, "penalty": penalty, "l1_ratio": 0.5, "tol": None, "max_iter": 300}
    settings |= {"random_state": 0}
    theirs = SGDRegressor(learning_rate="invscaling", eta0=0.01, power_t=0.5, **settings)
    assert_same(from_sklearn(theirs).fit(X, y), theirs.fit(X, y), atol=0.02)
    labels = (y > y.mean()).astype(int)
    settings["alpha"] = 0.05
    theirs = SGDClassifier("log_loss", learning_rate="invscaling", eta0=0.1, power_t=0.5, **settings)
    assert_same(from_sklearn(theirs).fit(X, labels), theirs.fit(X, labels), atol=0.02)


class Poisson(Loss):
    def value(self, y, eta):
        return np.exp(eta) - y * eta

    def gradient(self, y, eta):
        return np.exp(eta) - y

    def curvature(self, y, eta):
        return np.exp(eta)


class Gamma(Loss):
    def value(self, y, eta):
        return y * np.exp(-eta) + eta

    def gradient(self, y, eta):
        return 1 - y * np.exp(-eta)

    def curvature(self, y, eta):
        return y * np.exp(-eta)


def test_generalised_linear_models():
    X, _ = regression_data(n=100, p=4)
    y = np.random.default_rng(0).poisson(np.exp(0.3 * X[:, 0] + 0.5)) + 1.0
    for loss, peers in ((Poisson(), [PoissonRegressor, TweedieRegressor]), (Gamma(), [GammaRegressor])):
        ours = PenalizedRegression("l2", alpha=0.1, loss=loss, tol=1e-12).fit(X, y)
        for peer in peers:
            power = {"power": 1, "link": "log"} if peer is TweedieRegressor else {}
            alpha = convert_alpha(0.1, target=f"sklearn.{peer.__name__}", l1_ratio=0).value
            assert_same(ours, peer(alpha=alpha, tol=1e-10, max_iter=1000, **power).fit(X, y), atol=1e-4)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.6, 1.0])
def test_glmnet_by_its_objective(l1_ratio):
    """glmnet divides y by its standard deviation, solves with lambda / sd(y), and multiplies back."""
    X, y = regression_data()
    lam, sd = 0.8, y.std()
    centred, target = X - X.mean(axis=0), (y - y.mean()) / sd
    p = X.shape[1]

    def function(z):
        w = z[:p] - z[p:]
        residual = target - centred @ w
        slope = -centred.T @ residual / len(y) + lam / sd * (1 - l1_ratio) * w
        value = (
            residual @ residual / (2 * len(y)) + lam / sd * (1 - l1_ratio) / 2 * w @ w + lam / sd * l1_ratio * z.sum()
        )
        return value, np.concatenate([slope, -slope]) + lam / sd * l1_ratio

    options = {"ftol": 0, "gtol": 1e-13, "maxiter": 10_000, "maxfun": 50_000}
    z = minimize(function, np.zeros(2 * p), jac=True, method="L-BFGS-B", bounds=[(0, None)] * 2 * p, options=options).x
    ours = convert_alpha(lam, source="glmnet", l1_ratio=l1_ratio, y_std=sd)
    model = PenalizedRegression(Net(ours.l1_ratio), alpha=ours.value, tol=1e-12).fit(X, y)
    assert_allclose(model.coef_, sd * (z[:p] - z[p:]), atol=1e-5)
    back = convert_alpha(ours.value, target="glmnet", l1_ratio=ours.l1_ratio, y_std=sd)
    assert_allclose(back, (lam, l1_ratio), rtol=1e-12)


def test_glmnet_itself():
    glmnet = pytest.importorskip("glmnet", reason="python-glmnet needs a Fortran compiler where it has no wheel")
    X, y = regression_data()
    theirs = glmnet.ElasticNet(alpha=0.5, lambda_path=[1.0, 0.8], standardize=False, n_splits=0, tol=1e-14).fit(X, y)
    ours = convert_alpha(0.8, source="glmnet", l1_ratio=0.5, y_std=y.std())
    model = PenalizedRegression(Net(ours.l1_ratio), alpha=ours.value, tol=1e-12).fit(X, y)
    assert_allclose(model.coef_, theirs.coef_path_[:, -1], atol=1e-4)


def test_glum_itself():
    glum = pytest.importorskip("glum", reason="glum is a peer of the benchmarks, not a requirement of the tests")
    X, y = regression_data()
    theirs = glum.GeneralizedLinearRegressor(alpha=0.3, l1_ratio=0.5, gradient_tol=1e-10, max_iter=10_000).fit(X, y)
    alpha = convert_alpha(0.3, source="glum", l1_ratio=0.5)
    assert_same(PenalizedRegression(Net(0.5), alpha=alpha.value, **TIGHT).fit(X, y), theirs, atol=1e-4)


def test_statsmodels_itself():
    api = pytest.importorskip("statsmodels.api", reason="statsmodels is not a requirement of the tests")
    X, y = regression_data()
    theirs = api.OLS(y, X).fit_regularized(alpha=0.3, L1_wt=0.5, cnvrg_tol=1e-12, maxiter=10_000).params
    model = PenalizedRegression(Net(0.5), alpha=0.3, fit_intercept=False, **TIGHT).fit(X, y)
    assert_allclose(model.coef_, theirs, atol=1e-5)


@pytest.mark.parametrize("name", KNOWN)
def test_there_and_back(name):
    ratio = 0.0 if name == "sklearn.Ridge" else 0.3
    there = convert_alpha(0.7, target=name, l1_ratio=ratio, n_samples=40, y_std=3.0)
    back = convert_alpha(there.value, source=name, l1_ratio=there.l1_ratio, n_samples=40, y_std=3.0)
    assert_allclose(back, (0.7, ratio), rtol=1e-12)


def test_what_cannot_be_converted():
    with pytest.raises(ValueError, match="source='lars' is not known"):
        convert_alpha(1.0, source="lars")
    with pytest.raises(ValueError, match="n_samples"):
        convert_alpha(1.0, target="sklearn.Ridge", l1_ratio=0)
    with pytest.raises(ValueError, match="no L1 part"):
        convert_alpha(1.0, target="sklearn.Ridge", n_samples=10)
    with pytest.raises(TypeError, match=r"got LassoCV.*use PenalizedRegressionCV"):
        from_sklearn(LassoCV())
    for theirs in (PoissonRegressor(alpha=0.3), GammaRegressor(alpha=0.3), TweedieRegressor(alpha=0.3)):
        with pytest.raises(
            TypeError, match=r"no loss for \w+; .*write a Loss .*alpha=0.3\): the strength is the same number"
        ):
            from_sklearn(theirs)
    with pytest.raises(ValueError, match="one alpha per target"):
        from_sklearn(Ridge(alpha=[1.0, 2.0]), 10)
    with pytest.raises(ValueError, match="liblinear"):
        from_sklearn(LogisticRegression(solver="liblinear"), 10)
    with pytest.raises(ValueError, match="loss='hinge' has no counterpart"):
        from_sklearn(SGDClassifier())
