"""The search equals GridSearchCV over the same grid; rules, criteria and relaxed refits are what they say."""

from unittest import SkipTest

import numpy as np
import pandas as pd
import pytest
from helpers import class_data, regression_data, sparse_data, uneven_weights
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LassoCV, LinearRegression
from sklearn.metrics import log_loss, make_scorer, mean_squared_error
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneOut,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from skreg import (
    L1,
    L2,
    ElasticNet,
    GroupLasso,
    PenalizedLogisticRegression,
    PenalizedLogisticRegressionCV,
    PenalizedRegression,
    PenalizedRegressionCV,
    Penalty,
)
from skreg.folds import grouped_moments
from skreg.penalties import penalty_names

ALPHAS = np.geomspace(1.0, 0.003, 8)
# A check wants a model that predicts well: ridge and the trend filter do so at the far end of their own, longer range.
RATIO = dict.fromkeys(["l2", "trend"])
CHECKED = [
    *(PenalizedRegressionCV(name, alphas=2, alpha_min_ratio=RATIO.get(name, 0.1), cv=2) for name in penalty_names()),
    # Not MCP and SCAD: classes of the checks are separable, which is worth a warning where large coefficients cost no more.
    # scikit-learn 1.6 checks with a class of four members. One grid is found in the data; finding it is no matter of the penalty.
    PenalizedLogisticRegressionCV("l1", alphas=2, alpha_min_ratio=0.1, cv=3),
    *(PenalizedLogisticRegressionCV(p, alphas=[0.05], cv=3) for p in ("l2", "elasticnet", GroupLasso(1))),
]


@pytest.mark.parametrize(
    "estimator, check",
    [
        pytest.param(e, check, id=f"{type(e).__name__}({e.penalty})-{check.func.__name__}")
        for each in CHECKED
        for e, check in estimator_checks_generator(each)
    ],
)
def test_scikit_learn(estimator, check):
    try:
        check(estimator)
    except (SkipTest, pytest.skip.Exception) as reason:
        pytest.fail(f"skipped: {reason}")


def same(search, grid):
    """Against GridSearchCV: all scores, the choice, the coefficients."""
    for name in ("mean_test_score", "std_test_score"):
        assert_allclose(search.cv_results_[name], grid.cv_results_[name], rtol=1e-5, atol=1e-7)
    for k in range(grid.n_splits_):
        assert_allclose(search.cv_results_[f"split{k}_test_score"], grid.cv_results_[f"split{k}_test_score"], rtol=1e-5)
    assert search.cv_results_["rank_test_score"].tolist() == grid.cv_results_["rank_test_score"].tolist()
    assert search.best_params_ == pytest.approx(grid.best_params_)
    assert search.alpha_ == search.alpha_min_ == grid.best_params_["alpha"]
    assert_allclose(search.coef_, grid.best_estimator_.coef_, rtol=1e-4, atol=1e-5)
    assert_allclose(search.intercept_, grid.best_estimator_.intercept_, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("penalty", [L1(), L2(), ElasticNet(0.5)], ids=repr)
@pytest.mark.parametrize("kind", ["tall", "wide", "sparse", "targets", "standardized", "no intercept"])
def test_regression_equals_grid_search(penalty, kind):
    X, y = regression_data(n=40 if kind == "wide" else 90, p=50 if kind == "wide" else 7, mean=5.0)
    params = {"tol": 1e-10, "standardize": kind == "standardized", "fit_intercept": kind != "no intercept"}
    if kind == "sparse":
        X, y = sparse_data("squared")
        X = sparse.csc_array(X)
    if kind == "targets":
        X, y = regression_data(n_targets=2)
    cv, scoring = KFold(4), "neg_mean_squared_error"
    grid = GridSearchCV(PenalizedRegression(penalty, **params), {"alpha": ALPHAS}, cv=cv, scoring=scoring).fit(X, y)
    search = PenalizedRegressionCV(penalty, alphas=ALPHAS, cv=cv, scoring=scoring, **params).fit(X, y)
    same(search, grid)
    assert search.coef_path_.shape == (8, *search.coef_.shape)
    if kind != "targets":
        # The default score is minus the mean loss, half the mean squared error.
        default = clone(search).set_params(scoring=None).fit(X, y)
        assert_allclose(2 * default.cv_results_["mean_test_score"], grid.cv_results_["mean_test_score"], rtol=1e-5)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("scoring", ["neg_log_loss", "accuracy"])
def test_classes_equal_grid_search(n_classes, scoring):
    X, y = class_data(n_classes=n_classes)
    y = np.array(["b", "a", "c"])[y]
    params = {"penalty": "l1", "tol": 1e-10, "class_weight": "balanced"}
    alphas = ALPHAS[3:]
    grid = GridSearchCV(PenalizedLogisticRegression(**params), {"alpha": alphas}, scoring=scoring).fit(X, y)
    search = PenalizedLogisticRegressionCV(alphas=alphas, scoring=scoring, **params).fit(X, y)
    same(search, grid)
    assert (search.predict(X) == grid.predict(X)).all()
    if scoring == "neg_log_loss":
        default = clone(search).set_params(scoring=None).fit(X, y)
        assert_allclose(default.cv_results_["mean_test_score"], grid.cv_results_["mean_test_score"], rtol=1e-5)


class Mine(Penalty):
    """A user's own: L1 on the first two features, squares on all."""

    separable = True
    convex = True

    def __init__(self, first=True):
        self.first = first

    def restrict(self, features):
        return Mine(np.isin(features, [0, 1]) if self.first is True else np.asarray(self.first)[features])

    def bind(self, n_features, feature_names=None):
        return Mine(np.arange(n_features) < 2)

    def value(self, coef, alpha):
        return float(np.sum(alpha * (self.first * np.abs(coef) + 0.5 * coef**2)))

    def prox(self, coef, step, alpha):
        shrunk = np.sign(coef) * np.maximum(np.abs(coef) - step * alpha * self.first, 0.0)
        return shrunk / (1.0 + step * alpha)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", [*penalty_names(), "own", None])
def test_classes_equal_single_fits_for_every_penalty(name, n_classes):
    """Each fit from the one before: where a penalty is not convex, the start decides which solution is found."""
    X, y = class_data(n=160, p=5, n_classes=n_classes)
    penalty, weights = Mine() if name == "own" else name, uneven_weights(len(y))
    alphas, cv, common = [0.06, 0.02], StratifiedKFold(2), {"penalty": penalty, "tol": 1e-7}
    # The default score is the same, by another way.
    scoring = "neg_log_loss" if n_classes == 2 else None
    search = PenalizedLogisticRegressionCV(alphas=alphas, cv=cv, scoring=scoring, **common)
    search.fit(X, y, sample_weight=weights)

    def fitted(rows):
        single = PenalizedLogisticRegression(warm_start=True, **common)
        for alpha in alphas:
            yield single.set_params(alpha=alpha).fit(X[rows], y[rows], sample_weight=weights[rows])

    for k, (train, test) in enumerate(cv.split(X, y)):
        wanted = [-log_loss(y[test], m.predict_proba(X[test]), sample_weight=weights[test]) for m in fitted(train)]
        assert_allclose(search.cv_results_[f"split{k}_test_score"], wanted, rtol=1e-3)
    for k, single in enumerate(fitted(slice(None))):
        assert_allclose(search.coef_path_[k], single.coef_, atol=1e-3 * np.abs(search.coef_path_).max())
        if search.alpha_ == alphas[k]:
            assert_allclose(search.predict_proba(X), single.predict_proba(X), atol=1e-3)


def test_shapes_of_the_penalty_are_tuned_too():
    X, y = regression_data(n=80, p=12)
    ratios = [0.3, 0.9]
    search = PenalizedRegressionCV("elasticnet", alphas=ALPHAS, penalty_grid={"l1_ratio": ratios}, tol=1e-10).fit(X, y)
    pairs = {"alpha": ALPHAS, "penalty__l1_ratio": ratios}
    plain = PenalizedRegression(ElasticNet(), tol=1e-10)
    grid = GridSearchCV(plain, pairs, scoring="neg_mean_squared_error").fit(X, y)
    assert search.best_params_ == grid.best_params_
    assert search.penalty == "elasticnet"
    assert search.penalty_.l1_ratio == grid.best_params_["penalty__l1_ratio"]
    wanted = {
        (p["alpha"], p["penalty__l1_ratio"]): s
        for p, s in zip(grid.cv_results_["params"], grid.cv_results_["mean_test_score"], strict=True)
    }
    for params, score in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True):
        assert 2 * score == pytest.approx(wanted[params["alpha"], params["penalty__l1_ratio"]], rel=1e-5)
    assert search.cv_results_["param_penalty__l1_ratio"].tolist() == [r for r in ratios for _ in ALPHAS]


def test_lasso_cv_of_scikit_learn():
    X, y = regression_data(n=120, p=15)
    search = PenalizedRegressionCV("l1", alphas=30, tol=1e-10).fit(X, y)
    peer = LassoCV(alphas=search.alphas_, tol=1e-10, max_iter=100_000).fit(X, y)
    assert search.alpha_ == peer.alpha_
    assert_allclose(-2 * search.cv_results_["mean_test_score"], peer.mse_path_.mean(axis=1), rtol=1e-6)
    assert_allclose(search.coef_, peer.coef_, atol=1e-5)


def test_weights_and_groups_reach_fits_scores_and_splitter():
    X, y = regression_data(n=80)
    weights, groups = uneven_weights(80), np.arange(80) % 8
    search = PenalizedRegressionCV("l1", alphas=ALPHAS, cv=GroupKFold(4), tol=1e-10)
    search.fit(X, y, sample_weight=weights, groups=groups)
    for k, (train, test) in enumerate(GroupKFold(4).split(X, y, groups)):
        for j in (0, 5):
            model = PenalizedRegression("l1", alpha=ALPHAS[j], tol=1e-10).fit(X[train], y[train], weights[train])
            error = -0.5 * mean_squared_error(y[test], model.predict(X[test]), sample_weight=weights[test])
            assert search.cv_results_[f"split{k}_test_score"][j] == pytest.approx(error, rel=1e-6)
    with config_context(enable_metadata_routing=True):
        scorer = make_scorer(mean_squared_error, greater_is_better=False).set_score_request(sample_weight=True)
        routed = (
            PenalizedRegressionCV("l1", alphas=ALPHAS, cv=GroupKFold(4), scoring=scorer, tol=1e-10)
            .set_fit_request(sample_weight=True)
            .set_score_request(sample_weight=True)
        )
        routed.fit(X, y, sample_weight=weights, groups=groups)
        half = 0.5 * routed.cv_results_["mean_test_score"]
        assert_allclose(half, search.cv_results_["mean_test_score"], rtol=1e-6)
        scores = cross_val_score(routed, X, y, cv=GroupKFold(2), params={"groups": groups, "sample_weight": weights})
        assert np.isfinite(scores).all()
    with pytest.raises(TypeError, match="unexpected arguments"):
        search.fit(X, y, colour="red")


def test_one_standard_error_is_the_stronger_alpha():
    X, y = regression_data(n=60, p=20, seed=3)
    search = PenalizedRegressionCV("l1", alphas=60, cv=KFold(6)).fit(X, y)
    results = search.cv_results_
    folds = np.array([results[f"split{k}_test_score"] for k in range(6)])
    mean, error = folds.mean(axis=0), folds.std(axis=0, ddof=1) / np.sqrt(6)
    best = np.argmax(mean)
    wanted = search.alphas_[mean >= mean[best] - error[best]].max()
    assert search.alpha_1se_ == wanted > search.alpha_min_ == search.alphas_[best]
    strong = clone(search).set_params(rule="1se").fit(X, y)
    assert strong.alpha_ == wanted and strong.alpha_min_ == search.alpha_min_
    assert np.count_nonzero(strong.coef_) < np.count_nonzero(search.coef_)
    second = (
        clone(search).set_params(rule=lambda found: int(np.flatnonzero(found["rank_test_score"] == 2)[0])).fit(X, y)
    )
    assert second.cv_results_["rank_test_score"][second.best_index_] == 2
    with pytest.raises(ValueError, match="rule must return a position"):
        clone(search).set_params(rule=lambda found: 1000).fit(X, y)


def test_information_criteria_by_their_formulas():
    X, y = regression_data(n=50, p=10)
    n, p = X.shape
    for rule in ("aic", "aicc", "bic", "ebic", "gcv"):
        search = PenalizedRegressionCV("l1", alphas=20, rule=rule, tol=1e-10).fit(X, y)
        size = (search.coef_path_ != 0).sum(axis=1)
        rss = ((y[:, None] - X @ search.coef_path_.T - search.intercept_path_) ** 2).sum(axis=0)
        k = size + 1
        binomials = np.array([np.sum(np.log(np.arange(p - s + 1, p + 1) / np.arange(1, s + 1))) for s in size])
        wanted = {
            "aic": n * np.log(rss / n) + 2 * k,
            "aicc": n * np.log(rss / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1),
            "bic": n * np.log(rss / n) + np.log(n) * k,
            "ebic": n * np.log(rss / n) + np.log(n) * k + 2 * binomials,
            "gcv": rss / n / (1 - k / n) ** 2,
        }[rule]
        assert_allclose(search.cv_results_["criterion"], wanted, rtol=1e-6)
        assert search.alpha_ == search.alphas_[np.argmin(wanted)] and not hasattr(search, "alpha_1se_")
    X, y = class_data()
    search = PenalizedLogisticRegressionCV("l2", alphas=5, rule="bic").fit(X, y)
    degrees = search.cv_results_["degrees_of_freedom"]
    assert (np.diff(degrees) > 0).all() and 0 < degrees[0] < degrees[-1] < X.shape[1]


@pytest.mark.parametrize("shape", [(40, 6), (15, 30)])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("factor", [None, "free"])
def test_leave_one_out_is_exact(shape, fit_intercept, factor):
    X, y = regression_data(*shape)
    factor = None if factor is None else np.r_[0.0, np.linspace(0.5, 3, shape[1] - 1)]
    params = {"penalty_factor": factor, "fit_intercept": fit_intercept}
    closed = PenalizedRegressionCV("l2", alphas=ALPHAS, rule="loo", **params).fit(X, y)
    slow = PenalizedRegressionCV("l2", alphas=ALPHAS, cv=LeaveOneOut(), tol=1e-10, **params).fit(X, y)
    assert_allclose(closed.cv_results_["criterion"], -2 * slow.cv_results_["mean_test_score"], rtol=1e-6)
    assert closed.alpha_ == slow.alpha_


def test_leave_one_out_with_weights():
    X, y = regression_data(n=20, p=4)
    weights = uneven_weights(20)
    search = PenalizedRegressionCV("l2", alphas=[0.5], rule="loo").fit(X, y, sample_weight=weights)
    errors = []
    for i in np.flatnonzero(weights):
        rest = np.arange(20) != i
        model = PenalizedRegression("l2", alpha=0.5, tol=1e-12).fit(X[rest], y[rest], weights[rest])
        errors.append(weights[i] * (y[i] - model.predict(X[[i]])[0]) ** 2)
    assert search.cv_results_["criterion"][0] == pytest.approx(sum(errors) / weights.sum(), rel=1e-6)


def test_relaxed_refit_is_least_squares_on_the_support():
    X, y = regression_data(n=80, p=15, seed=2)
    cv, shares = KFold(4), [0, 0.5, 1]
    search = PenalizedRegressionCV("l1", alphas=10, relax=shares, cv=cv, tol=1e-10).fit(X, y)
    index = [(p["alpha"], p["relax"]) for p in search.cv_results_["params"]]
    alpha = search.alphas_[4]
    train, test = next(iter(cv.split(X)))
    model = PenalizedRegression("l1", alpha=alpha, tol=1e-10).fit(X[train], y[train])
    support = np.flatnonzero(model.coef_)
    free = LinearRegression().fit(X[np.ix_(train, support)], y[train]).predict(X[np.ix_(test, support)])
    for share in shares:
        predicted = share * model.predict(X[test]) + (1 - share) * free
        score = search.cv_results_["split0_test_score"][index.index((alpha, share))]
        assert score == pytest.approx(-0.5 * np.mean((y[test] - predicted) ** 2), rel=1e-5)
    assert search.relax_ == search.best_params_["relax"]
    only = PenalizedRegressionCV("l1", alphas=[alpha, alpha / 2], relax=[0.0], cv=cv, tol=1e-10).fit(X, y)
    support = np.flatnonzero(only.coef_)
    assert_allclose(only.coef_[support], LinearRegression().fit(X[:, support], y).coef_, rtol=1e-5)
    two = PenalizedRegressionCV("l1", alphas=5, relax=[0.0], cv=cv).fit(X, np.column_stack([y, y[::-1]]))
    one = PenalizedRegressionCV("l1", alphas=two.alphas_, relax=[0.0], cv=cv).fit(X, y)
    assert_allclose(two.coef_path_[:, 0], one.coef_path_, atol=1e-4)
    positive = PenalizedRegressionCV(L1(positive=True), alphas=5, relax=[0.0], cv=cv).fit(X, y)
    assert (positive.coef_ >= 0).all()


@pytest.mark.parametrize(
    "cv", [KFold(3), RepeatedKFold(n_splits=3, n_repeats=2, random_state=0)], ids=["KFold", "repeated"]
)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_moments_of_training_sets_are_sums_of_groups(cv, fit_intercept):
    X, y = regression_data(n=60, p=5, mean=1e4)
    X[:, 2] = 7.0
    weights = uneven_weights(60)
    splits = [*cv.split(X), (np.arange(60), None)]
    moments = grouped_moments(X, y, weights, splits[:-1], fit_intercept)
    for (gram, product, square), (train, _) in zip(moments, splits, strict=True):
        w = weights[train] / weights[train].sum()
        Z, r = X[train].astype(np.longdouble), y[train].astype(np.longdouble)
        if fit_intercept:
            Z, r = Z - w @ Z, r - w @ r
        assert_allclose(gram, ((Z.T * w) @ Z).astype(float), rtol=1e-9, atol=1e-9)
        assert_allclose(product, ((Z.T * w) @ r).astype(float), rtol=1e-9, atol=1e-9)
        assert square == pytest.approx(float(w @ r**2), rel=1e-12)


class Interrupting(L1):
    """Ctrl-C comes with the last alphas."""

    def prox(self, coef, step, alpha):
        if np.max(alpha) < 0.15:
            raise KeyboardInterrupt
        return super().prox(coef, step, alpha)


def test_ctrl_c_leaves_no_half_written_search():
    X, y = regression_data()
    search = PenalizedRegressionCV("l1", alphas=[0.3, 0.2]).fit(X, y)
    before = {name: value for name, value in vars(search).items() if name.endswith("_")}
    with pytest.raises(KeyboardInterrupt):
        search.set_params(penalty=Interrupting(), alphas=[0.3, 0.1]).fit(X, y)
    after = {name: value for name, value in vars(search).items() if name.endswith("_")}
    assert before.keys() == after.keys() and all(before[name] is after[name] for name in before)


def test_splits_without_common_groups_fall_back():
    X, y = regression_data(n=60, p=5)
    cv = ShuffleSplit(8, random_state=0)
    assert grouped_moments(X, y, None, list(cv.split(X)), True) is None
    search = PenalizedRegressionCV("l1", alphas=ALPHAS, cv=cv, tol=1e-10).fit(X, y)
    grid = GridSearchCV(
        PenalizedRegression("l1", tol=1e-10), {"alpha": ALPHAS}, cv=cv, scoring="neg_mean_squared_error"
    )
    assert search.alpha_ == grid.fit(X, y).best_params_["alpha"]


def test_diagnoses():
    X, y = regression_data(n=100, p=8)
    assert PenalizedRegressionCV("l1").fit(X, y).diagnose() == []
    (said,) = PenalizedRegressionCV("l1", alphas=[1.0, 0.5, 0.4]).fit(X, y).diagnose()
    assert "smallest of the grid" in said
    noise = np.random.default_rng(0).standard_normal((40, 30))
    said = " ".join(
        PenalizedRegressionCV("l1", alphas=[0.2, 0.15, 0.1]).fit(noise, noise[:, 0] * 0.1 + noise[::-1, 1]).diagnose()
    )
    assert "grid" in said or "unstable" in said or "flat" in said
    flat = PenalizedRegressionCV("l2", alphas=[1e-8, 1e-7, 1e-6]).fit(X, y).diagnose()
    assert any("flat" in sentence for sentence in flat)
    with pytest.warns(ConvergenceWarning, match="in the folds|max_iter"):
        short = PenalizedRegressionCV("l1", alphas=[0.1, 0.05, 0.01], max_iter=1, solver="proximal_gradient").fit(X, y)
    assert any("did not reach" in sentence for sentence in short.diagnose())


def test_in_a_pipeline_with_frames_and_processes(capsys):
    X, y = regression_data(n=60, p=4)
    frame = pd.DataFrame(X, columns=list("abcd"))
    pipeline = make_pipeline(StandardScaler().set_output(transform="pandas"), PenalizedRegressionCV("l1", alphas=10))
    model = pipeline.fit(frame, y)[-1]
    assert model.feature_names_in_.tolist() == list("abcd")
    model = PenalizedRegressionCV("l1", alphas=10, n_jobs=2, verbose=1, penalty_factor={"b": 0.0}).fit(frame, y)
    assert model.coef_path_[0, 1] != 0 and "5/5" in capsys.readouterr().err


@pytest.mark.parametrize(
    "params, match",
    [
        ({"rule": "best"}, "rule must be one of"),
        ({"rule": "bic", "cv": 5}, "rule='bic' needs no folds: cv must be None"),
        ({"rule": "aic", "scoring": "r2"}, "scoring must be None"),
        ({"rule": "loo", "penalty": "l1"}, "rule='loo' needs the squared loss and a quadratic penalty"),
        ({"relax": [2.0]}, "relax must be"),
        ({"penalty_grid": {"gamma": [1]}}, "penalty_grid must be"),
        ({"alphas": []}, "alphas must be"),
        ({"alphas": [np.nan]}, "alphas must be"),
        ({"penalty": "elasticnet", "penalty_grid": {"l1_ratio": [2.0]}}, "l1_ratio must be"),
    ],
)
def test_bad_input_is_named(params, match):
    with pytest.raises(ValueError, match=match):
        PenalizedRegressionCV(**params).fit(*regression_data())


def test_criteria_that_classes_have_not():
    with pytest.raises(ValueError, match="rule='gcv' needs the squared loss"):
        PenalizedLogisticRegressionCV(rule="gcv").fit(*class_data())
    with pytest.raises(TypeError, match="relax must be"):
        PenalizedLogisticRegressionCV(relax=0.5).fit(*class_data())
