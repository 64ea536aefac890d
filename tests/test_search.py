"""What searches make of odd folds, early ends, penalties that are not convex, and misuse."""

import numpy as np
import pytest
from helpers import class_data, regression_data, uneven_weights
from numpy.testing import assert_allclose
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.feature_selection import SelectFromModel
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, LeaveOneOut
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skreg import (
    L1,
    L2,
    Bounded,
    ElasticNet,
    PenalizedLogisticRegression,
    PenalizedLogisticRegressionCV,
    PenalizedRegression,
    PenalizedRegressionCV,
    Penalty,
    regularization_path,
)
from skreg.inspection import CrossValidationDisplay, RegularizationPathDisplay


class MinimaxConcave(Penalty):
    """MCP from its formulas (Zhang 2010), with the large-step branch."""

    separable = True

    def __init__(self, gamma=3.0):
        self.gamma = gamma

    def value(self, coef, alpha):
        size, top = np.abs(coef), 0.5 * self.gamma * np.square(alpha)
        inside = alpha * size - np.square(size) / (2 * self.gamma)
        return np.sum(np.where(size <= self.gamma * alpha, inside, top))

    def prox(self, coef, step, alpha):
        size = np.abs(coef)
        if np.any(np.asarray(step) >= self.gamma):
            return np.where(size > np.sqrt(step * self.gamma) * alpha, coef, 0.0)
        inner = np.sign(coef) * np.maximum(size - step * alpha, 0.0) / (1.0 - step / self.gamma)
        return np.where(size <= self.gamma * alpha, inner, coef)

    def concavity(self, alpha):
        return np.where(np.asarray(alpha) > 0, 1.0 / self.gamma, 0.0)


# -- folds --------------------------------------------------------------------------------------------------------------


def test_a_class_that_a_training_set_lacks():
    X, y = class_data(n_classes=3)
    order = np.argsort(y, kind="stable")
    X, y = X[order], np.array(["b", "a", "c"])[y[order]]
    search = PenalizedLogisticRegressionCV("l1", alphas=[0.1, 0.01], cv=KFold(3), tol=1e-10)
    with pytest.raises(ValueError, match=r"has not seen.*stratified splitter.*the test set of fold \d"):
        search.fit(X, y)
    search.set_params(scoring="accuracy").fit(X, y)
    plain = PenalizedLogisticRegression("l1", tol=1e-10)
    grid = GridSearchCV(plain, {"alpha": [0.1, 0.01]}, cv=KFold(3), scoring="accuracy").fit(X, y)
    assert_allclose(search.cv_results_["mean_test_score"], grid.cv_results_["mean_test_score"])
    with pytest.raises(ValueError, match=r"one class: True.*the training set of fold 0"):
        PenalizedLogisticRegressionCV("l1", alphas=[0.1], cv=KFold(2)).fit(X, np.arange(len(y)) >= len(y) / 2)


def test_folds_without_weight_are_named():
    X, y = regression_data()
    for part, name in ((slice(0, 20), "test"), (slice(20, 60), "training")):
        weights = np.ones(60)
        weights[part] = 0
        with pytest.raises(ValueError, match=f"sample_weight must not be 0.*the {name} set of fold 0"):
            PenalizedRegressionCV("l1", alphas=3, cv=KFold(3)).fit(X, y, sample_weight=weights)


@pytest.mark.parametrize("penalty", [L1(), L2()], ids=repr)
def test_a_constant_target_in_a_training_set(penalty):
    X, _ = regression_data()
    y = np.where(np.arange(60) < 20, np.arange(60.0), 1e3)
    search = PenalizedRegressionCV(penalty, alphas=5, cv=KFold(3)).fit(X, y)
    constant = -0.5 * np.mean((y[:20] - 1e3) ** 2)
    assert_allclose(search.cv_results_["split0_test_score"], constant, rtol=1e-6)


@pytest.mark.parametrize("standardize", [True, False])
def test_every_training_set_has_bounds_in_units_of_X(standardize):
    """They become those of standardised columns by the standard deviations of that training set."""
    X, y = regression_data(n=40, p=5)
    # Columns whose spread differs from fold to fold.
    X[:13] *= 3.0
    alphas = [0.3, 0.1, 0.03]
    own = Bounded(ElasticNet(), lower=-0.1, upper=0.1)
    common = {"standardize": standardize, "tol": 1e-10}
    search = PenalizedRegressionCV(
        own, penalty_grid={"penalty__l1_ratio": [0.3, 1.0]}, alphas=alphas, cv=KFold(3), **common
    ).fit(X, y)
    wanted = GridSearchCV(
        PenalizedRegression(own, **common),
        {"penalty__penalty__l1_ratio": [0.3, 1.0], "alpha": alphas},
        cv=KFold(3),
        scoring="neg_mean_squared_error",
    ).fit(X, y)
    assert np.abs(wanted.best_estimator_.coef_).max() == pytest.approx(0.1)
    found = {(p["penalty__penalty__l1_ratio"], p["alpha"]): s for p, s in both(wanted)}
    for params, score in both(search):
        assert 2 * score == pytest.approx(found[params["penalty__penalty__l1_ratio"], params["alpha"]], rel=1e-5)


def both(search):
    return zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True)


def test_ridge_goes_by_sums_over_folds():
    """The same scores as from X itself."""
    X, y = regression_data(n=200, p=10, mean=50.0)
    y = np.column_stack([y, y[::-1]])
    weights = uneven_weights(200)
    factor = np.linspace(0.5, 2, 10)
    params = {"alphas": [1.0, 1e-3], "tol": 1e-10, "penalty_factor": factor, "standardize": True}
    search = PenalizedRegressionCV("l2", cv=KFold(4), **params).fit(X, y, sample_weight=weights)
    # Twice the same row in a training set, one of them for nothing: sums are not used.
    splits = [(np.r_[train, train[np.flatnonzero(weights[train] == 0)[0]]], test) for train, test in KFold(4).split(X)]
    plain = PenalizedRegressionCV("l2", cv=splits, **params).fit(X, y, sample_weight=weights)
    assert_allclose(search.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"], rtol=1e-8)
    assert_allclose(search.coef_path_, plain.coef_path_, rtol=1e-6, atol=1e-9)


# -- early ends ---------------------------------------------------------------------------------------------------------


def test_a_search_ends_where_the_path_does():
    X, y = regression_data(n=100, p=20)
    full = PenalizedRegressionCV("l1", alphas=40).fit(X, y)
    sizes = (full.coef_path_ != 0).sum(axis=1)
    cut = PenalizedRegressionCV("l1", alphas=40, max_support=4).fit(X, y)
    n_alphas = np.argmax(sizes > 4)
    assert len(cut.alphas_) == len(cut.cv_results_["params"]) == n_alphas
    assert_allclose(cut.cv_results_["mean_test_score"], full.cv_results_["mean_test_score"][:n_alphas], rtol=1e-5)
    assert np.count_nonzero(cut.coef_) <= 4
    assert any("max_support=4" in sentence for sentence in cut.diagnose())
    shares = regularization_path(X, y, alphas=40).deviance_explained
    for rule in ("min", "bic"):
        grid = {"l1_ratio": [1.0, 0.5]}
        half = PenalizedRegressionCV("elasticnet", alphas=40, max_deviance=0.5, penalty_grid=grid, rule=rule).fit(X, y)
        count = sum(params["penalty__l1_ratio"] == 1.0 for params in half.cv_results_["params"])
        assert count == np.argmax(shares >= 0.5) + 1
    with pytest.raises(ValueError, match="max_support=0 is less"):
        PenalizedRegressionCV("l1", alphas=[0.01], max_support=0).fit(X, y)


# -- convexity ----------------------------------------------------------------------------------------------------------


def test_the_start_of_the_non_convex_region():
    """Against eigenvalues, by hand."""
    X, y = regression_data(n=60, p=30, seed=4)
    X = X / X.std(axis=0)
    weights = uneven_weights(60)
    path = regularization_path(X, y, penalty=MinimaxConcave(3.0), alphas=8, sample_weight=weights)
    share = weights / weights.sum()
    Z = X - share @ X
    gram = Z.T * share @ Z
    lowest = [np.linalg.eigvalsh(gram[np.ix_(s, s)])[0] if s.any() else np.inf for s in path.coefs != 0]
    wanted = np.array(lowest) > 1 / 3
    assert wanted[0] and not wanted[-1]
    assert path.locally_convex.tolist() == wanted.tolist()
    assert regularization_path(X, y, penalty="l1", alphas=3).locally_convex.all()
    display = path.plot()
    shade = display.ax_.transData.inverted().transform(display.shade_.get_window_extent())
    assert shade[:, 0].max() == pytest.approx(path.alphas[np.argmin(wanted)])
    two = regularization_path(X, np.column_stack([y, -y]), penalty=MinimaxConcave(3.0), alphas=path.alphas[::3])
    one = regularization_path(X, y, penalty=MinimaxConcave(3.0), alphas=path.alphas[::3])
    assert two.locally_convex.tolist() == one.locally_convex.tolist()


def test_local_convexity_with_classes():
    X, y = class_data(n=200, p=8)
    path = regularization_path(X, y, loss="logistic", penalty=MinimaxConcave(20.0), alphas=12, alpha_min_ratio=0.01)
    for coef, intercept, convex in zip(path.coefs[:, 0], path.intercepts[:, 0], path.locally_convex, strict=True):
        used = np.flatnonzero(coef)
        p = 1 / (1 + np.exp(-(X @ coef + intercept)))
        Z = np.column_stack([np.ones(len(y)), X[:, used]])
        hessian = Z.T * (p * (1 - p)) @ Z / len(y)
        hessian[1:, 1:] -= np.eye(used.size) / 20.0
        # With the intercept at its best, this is the Schur complement.
        assert convex == (np.linalg.eigvalsh(hessian)[0] > 0)
    assert path.locally_convex[0]


def test_diagnosis_of_a_penalty_that_is_not_convex():
    X, y = regression_data(n=60, p=30, seed=4)
    X = X / X.std(axis=0)

    def said(position, ratio):
        rule = lambda results: position  # noqa: E731
        search = PenalizedRegressionCV(MinimaxConcave(3.0), alphas=5, alpha_min_ratio=ratio, cv=2, rule=rule)
        return search.fit(X, y).diagnose()

    assert any("convex down to alpha=" in sentence for sentence in said(1, 0.01))
    assert any("quite another solution" in sentence for sentence in said(3, 0.01))
    assert any("along the whole path" in sentence for sentence in said(3, 0.6))


# -- misuse -------------------------------------------------------------------------------------------------------------


def test_what_is_said_of_misuse():
    X, y = regression_data()
    with pytest.raises(NotFittedError):
        PenalizedRegressionCV().diagnose()
    with pytest.raises(TypeError, match="scoring must be None, the name of a scorer or a callable"):
        PenalizedRegressionCV(scoring=["r2"]).fit(X, y)
    with pytest.raises(ValueError, match="scoring='r2' is not finite"), pytest.warns(UserWarning, match="R.2 score"):
        PenalizedRegressionCV("l1", alphas=3, cv=LeaveOneOut(), scoring="r2").fit(X, y)
    with pytest.raises(ValueError, match=r"alphas must be .* got 0.1. One strength alone is given as a list"):
        PenalizedRegressionCV("l1", alphas=0.1).fit(X, y)
    with pytest.raises(ValueError, match="max_support must be an integer"):
        PenalizedRegressionCV("l1", max_support=-1).fit(X, y)
    with pytest.raises(ValueError, match=r"shows a search.*got PenalizedRegression"):
        CrossValidationDisplay.from_estimator(PenalizedRegression().fit(X, y))
    with pytest.raises(ValueError, match=r"relax must be None here.* FusedLasso"):
        PenalizedRegressionCV("fused", alphas=3, relax=[0, 1]).fit(X, y)
    search = PenalizedRegressionCV("l1", alphas=3).fit(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="output must be an integer from 0 to 1"):
        RegularizationPathDisplay.from_estimator(search, output=2)


def test_diagnoses_of_criteria_and_of_no_penalty():
    X, y = regression_data(20, 50)
    (said,) = PenalizedRegressionCV("l1", rule="bic").fit(X, y).diagnose()
    assert "rule='bic'" in said and "saturation" in said
    X, y = regression_data()
    (said,) = PenalizedRegressionCV(None, alphas=3).fit(X, y).diagnose()
    assert "nothing was chosen" in said
    assert PenalizedRegressionCV("l1", rule="bic").fit(X, y).diagnose() == []


# -- in scikit-learn ----------------------------------------------------------------------------------------------------


def test_weights_groups_and_names_go_through_a_pipeline():
    pd = pytest.importorskip("pandas")
    X, y = regression_data()
    frame, weights, groups = pd.DataFrame(X, columns=list("abcdefgh")), uneven_weights(60), np.arange(60) % 6
    search = PenalizedRegressionCV("l1", alphas=5, cv=GroupKFold(3))
    scaler = StandardScaler().set_output(transform="pandas")
    plain = make_pipeline(scaler, search).fit(
        frame, y, penalizedregressioncv__sample_weight=weights, penalizedregressioncv__groups=groups
    )
    with config_context(enable_metadata_routing=True):
        scaler, search = scaler.set_fit_request(sample_weight=False), search.set_fit_request(sample_weight=True)
        routed = make_pipeline(scaler, search).fit(frame, y, sample_weight=weights, groups=groups)
    direct = PenalizedRegressionCV("l1", alphas=5, cv=GroupKFold(3))
    direct.fit(StandardScaler().fit_transform(X), y, sample_weight=weights, groups=groups)
    for model in (plain, routed):
        assert_allclose(model[-1].cv_results_["mean_test_score"], direct.cv_results_["mean_test_score"])
        assert model[-1].feature_names_in_.tolist() == list("abcdefgh")
    chosen = SelectFromModel(PenalizedRegressionCV("l1", rule="1se"), threshold=1e-10).fit(frame, y)
    assert chosen.get_feature_names_out().tolist() == [
        n for n, w in zip(frame, chosen.estimator_.coef_, strict=True) if w
    ]


# -- a path, used -------------------------------------------------------------------------------------------------------


def test_a_path_at_one_more_alpha():
    X, y = regression_data()
    weights = uneven_weights(60)
    path = regularization_path(X, y, penalty=ElasticNet(0.5), alphas=5, sample_weight=weights, tol=1e-12)
    for alpha in (0.05, 10 * path.alphas[0], 0.0):
        model = PenalizedRegression(ElasticNet(0.5), alpha=alpha, tol=1e-12).fit(X, y, sample_weight=weights)
        coef, intercept = path.at(alpha)
        assert_allclose(coef, model.coef_, atol=1e-6)
        assert intercept == pytest.approx(model.intercept_)
    with pytest.raises(ValueError, match="alpha must be"):
        path.at(-1.0)
    X, y = class_data()
    coef, intercept = regularization_path(X, y, loss="logistic", alphas=3).at(0.01)
    assert coef.shape == (1, 6) and intercept.shape == (1,)


def test_degrees_of_freedom_take_the_gram_matrix_of_the_path(monkeypatch):
    from skreg.design import Design

    X, y = regression_data(n=400, p=10)
    path = regularization_path(X, y, penalty="elasticnet", alphas=20)
    monkeypatch.setattr(Design, "gram", None)
    assert path.degrees_of_freedom[-1] > 9


def test_folds_without_a_finite_solution_are_not_told_to_iterate_longer():
    """One row keeps the classes from being separable; the training set without it has no finite solution."""
    x = np.linspace(-2.0, 2.0, 40)
    y = (x > 0).astype(int)
    y[35] = 0
    search = PenalizedLogisticRegressionCV("mcp", alphas=[0.05], cv=KFold(4, shuffle=True, random_state=0))
    with pytest.warns(ConvergenceWarning, match="1 fits in the folds have no finite solution.*'l1' say") as caught:
        search.fit(x[:, None], y)
    assert len(caught) == 1 and "max_iter" not in str(caught[0].message)
    assert search.optimality_.converged
    assert any("no finite solution" in said for said in search.diagnose())
    y[35] = 1
    with pytest.warns(ConvergenceWarning, match="perfectly separable"):
        search.fit(x[:, None], y)
    assert not any("max_iter" in said for said in search.diagnose())
