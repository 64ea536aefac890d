"""A good citizen of scikit-learn: everything that takes an estimator takes these."""

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from helpers import class_data, estimator, regression_data, task_data
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import BaggingClassifier, BaggingRegressor, StackingRegressor, VotingClassifier
from sklearn.feature_selection import RFE, SelectFromModel
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_validate, learning_curve
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import estimator_html_repr
from sklearn.utils.fixes import parse_version

from skreg import L1, L2, ElasticNet, PenalizedLogisticRegression, PenalizedRegression

TASKS = ["squared", "logistic", "softmax"]
each_task = pytest.mark.parametrize("task", TASKS)


def names(task, y):
    return y if task == "squared" else np.array(["red", "green", "blue"])[y]


# -- parameters ---------------------------------------------------------------------------------------------------------


@each_task
@pytest.mark.parametrize(
    "copy_of",
    [clone, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))],
    ids=["clone", "deepcopy", "pickle"],
)
@pytest.mark.parametrize("penalty", ["l1", ElasticNet(0.3, positive=True), None])
def test_copies(task, copy_of, penalty):
    X, y = task_data(task)
    model = estimator(task, penalty, alpha=0.05, penalty_factor={0: 0.5}).fit(X, names(task, y))
    other = copy_of(model)
    assert repr(other) == repr(model)
    if copy_of is clone:
        assert not hasattr(other, "coef_")
        other.fit(X, names(task, y))
    np.testing.assert_array_equal(other.coef_, model.coef_)
    np.testing.assert_array_equal(other.predict(X), model.predict(X))
    assert other.optimality_ == model.optimality_


def test_joblib_file(tmp_path):
    X, y = regression_data()
    model = PenalizedRegression(L1(), alpha=0.05).fit(X, y)
    joblib.dump(model, tmp_path / "model")
    np.testing.assert_array_equal(joblib.load(tmp_path / "model").predict(X), model.predict(X))


@each_task
def test_set_params_reaches_the_penalty_also_when_it_is_a_name(task):
    model = estimator(task, "elasticnet")
    assert model.set_params(penalty__l1_ratio=0.25) is model
    assert model.penalty.get_params() == {"l1_ratio": 0.25, "positive": False}
    model.set_params(penalty=L1(), penalty__positive=True, alpha=3.0)
    assert repr(model.penalty) == "L1(positive=True)" and model.alpha == 3.0
    model.set_params(penalty="elasticnet", penalty__l1_ratio=0.75)
    assert model.get_params()["penalty__l1_ratio"] == 0.75
    for wrong in ({"penalty__gamma": 3.0}, {"lambda": 1.0}, {"penalty": None, "penalty__l1_ratio": 0.5}):
        with pytest.raises((ValueError, AttributeError), match=r"Invalid parameter|None"):
            estimator(task, "l1").set_params(**wrong)


@each_task
def test_fit_leaves_the_parameters_alone(task):
    X, y = task_data(task)
    factor, penalty = {0: 0.0}, ElasticNet(0.3)
    model = estimator(task, penalty, penalty_factor=factor, alpha=0.05)
    before = copy.deepcopy(model.get_params())
    assert model.fit(X, y) is model
    assert repr(model.get_params()) == repr(before)
    assert model.penalty is penalty and model.penalty_factor is factor
    name = estimator(task, "l1").fit(X, y)
    assert name.penalty == "l1"


# -- searching ----------------------------------------------------------------------------------------------------------


def test_the_main_job_on_real_data():
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    labels = np.where(y == 1, "benign", "malignant")
    pipeline = make_pipeline(StandardScaler().set_output(transform="pandas"), PenalizedLogisticRegression())
    grid = {
        "penalizedlogisticregression__alpha": [1e-3, 1e-2, 1e-1],
        "penalizedlogisticregression__penalty": ["l1", L2(), ElasticNet(0.5)],
    }
    search = GridSearchCV(pipeline, grid, cv=3, error_score="raise", n_jobs=2).fit(X, labels)
    assert search.best_score_ > 0.96
    best = search.best_estimator_[-1]
    assert best.feature_names_in_.tolist() == X.columns.tolist()
    assert best.classes_.tolist() == ["benign", "malignant"]
    assert search.predict(X.iloc[:3]).tolist() == ["malignant"] * 3


@pytest.mark.parametrize("penalty", ["elasticnet", ElasticNet()])
def test_grid_over_the_shape_of_the_penalty(penalty):
    X, y = regression_data()
    grid = {"alpha": np.geomspace(1e-3, 1, 4), "penalty__l1_ratio": [0.1, 0.9]}
    search = GridSearchCV(PenalizedRegression(penalty), grid, cv=KFold(3), error_score="raise").fit(X, y)
    assert search.best_params_.keys() == grid.keys()
    # Every combination is another model.
    assert len(set(search.cv_results_["mean_test_score"])) == 8
    # The penalty of the user is not the one that was searched with.
    assert penalty == "elasticnet" or penalty.l1_ratio == 0.5


@each_task
def test_sample_weight_is_routed(task):
    X, y = task_data(task)
    weights = np.random.default_rng(0).integers(1, 5, len(y)).astype(float)
    with sklearn.config_context(enable_metadata_routing=True):
        model = estimator(task).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, model)
        if parse_version(sklearn.__version__) < parse_version("1.7"):
            # There a pipeline's own score asks too.
            pipeline.set_score_request(sample_weight=True)
        search = GridSearchCV(
            pipeline, {f"{type(model).__name__.lower()}__alpha": [0.01, 1.0]}, cv=KFold(3), error_score="raise"
        ).fit(X, y, sample_weight=weights)
        scores = cross_validate(pipeline, X, y, params={"sample_weight": weights}, cv=KFold(3), error_score="raise")
    expected = estimator(task, alpha=search.best_params_.popitem()[1])
    expected.fit(StandardScaler().fit_transform(X), y, sample_weight=weights)
    np.testing.assert_allclose(search.best_estimator_[-1].coef_, expected.coef_, rtol=1e-10)
    assert np.all(np.isfinite(scores["test_score"]))


def test_score_takes_weights():
    X, y = regression_data()
    weights = np.arange(len(y)) % 3
    model = PenalizedRegression().fit(X, y)
    np.testing.assert_allclose(
        model.score(X, y, sample_weight=weights), model.score(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    )


# -- meta-estimators ----------------------------------------------------------------------------------------------------


def test_tags():
    assert is_regressor(PenalizedRegression()) and not is_classifier(PenalizedRegression())
    assert is_classifier(PenalizedLogisticRegression())
    regression, classifier = PenalizedRegression().__sklearn_tags__(), PenalizedLogisticRegression().__sklearn_tags__()
    assert regression.input_tags.sparse and classifier.input_tags.sparse
    assert regression.target_tags.multi_output and regression.target_tags.single_output
    assert classifier.classifier_tags.multi_class
    assert not regression.non_deterministic and not classifier.non_deterministic


@pytest.mark.parametrize("task", ["squared", "logistic"])
def test_select_from_model(task):
    X, y = task_data(task)
    for penalty, threshold in (("l1", None), (L1(), 1e-5)):
        model = estimator(task, penalty, alpha=0.1)
        selector = SelectFromModel(model, threshold=threshold).fit(X, y)
        support = np.ravel(clone(model).fit(X, y).coef_) != 0
        assert 0 < support.sum() < X.shape[1]
        np.testing.assert_array_equal(selector.get_support(), support)
    assert RFE(estimator(task), n_features_to_select=2).fit(X, y).support_.sum() == 2


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
@pytest.mark.parametrize("task", ["logistic", "softmax"])
def test_calibration(task, method):
    X, y = task_data(task, n=150)
    model = CalibratedClassifierCV(estimator(task, "l1", alpha=0.02), method=method, cv=3).fit(X, names(task, y))
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
    assert model.score(X, names(task, y)) > 0.5


def test_one_column_per_class():
    X, y = class_data(n_classes=3)
    model = OneVsRestClassifier(PenalizedLogisticRegression("l1", alpha=0.02)).fit(X, names("softmax", y))
    assert len(model.estimators_) == 3
    for k, label in enumerate(model.classes_):
        alone = PenalizedLogisticRegression("l1", alpha=0.02).fit(X, names("softmax", y) == label)
        np.testing.assert_allclose(model.estimators_[k].coef_, alone.coef_, rtol=1e-6)
    several = MultiOutputClassifier(PenalizedLogisticRegression()).fit(X, np.column_stack([y, y == 1]))
    assert several.predict(X).shape == (len(y), 2)


def test_ensembles():
    X, y = regression_data()
    stack = StackingRegressor(
        [("lasso", PenalizedRegression("l1")), ("ridge", PenalizedRegression("l2"))],
        final_estimator=PenalizedRegression(L2(positive=True)),
        n_jobs=2,
    )
    assert stack.fit(X, y).score(X, y) > 0.5
    assert BaggingRegressor(PenalizedRegression("l1"), n_estimators=3, random_state=0).fit(X, y).score(X, y) > 0.5
    assert TransformedTargetRegressor(PenalizedRegression(), transformer=StandardScaler()).fit(X, y).score(X, y) > 0.5
    X, y = class_data()
    bag = BaggingClassifier(
        PenalizedLogisticRegression("l1"), n_estimators=4, max_features=0.7, random_state=0, n_jobs=2
    )
    assert bag.fit(X, names("logistic", y)).score(X, names("logistic", y)) > 0.6
    vote = VotingClassifier(
        [("a", PenalizedLogisticRegression()), ("b", PenalizedLogisticRegression("l1"))], voting="soft"
    )
    assert vote.fit(X, y).score(X, y) > 0.6


def test_columns_of_a_frame():
    frame = load_diabetes(as_frame=True).frame.assign(group=lambda frame: np.where(frame["age"] > 0, "old", "young"))
    y = frame.pop("target")
    columns = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["group"]), remainder="passthrough", verbose_feature_names_out=False
    ).set_output(transform="pandas")
    model = make_pipeline(columns, PenalizedRegression("l1", alpha=0.5, penalty_factor={"bmi": 0.0, "group_old": 10.0}))
    model.fit(frame, y)
    names_in = model[-1].feature_names_in_.tolist()
    assert names_in[:2] == ["group_old", "group_young"] and "bmi" in names_in
    coef = dict(zip(names_in, model[-1].coef_, strict=True))
    assert coef["group_old"] == 0.0 and coef["bmi"] > 500
    assert np.isfinite(model.score(frame, y))


def test_names_of_columns_are_remembered_and_compared():
    X, y = regression_data(p=3)
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    model = PenalizedRegression().fit(frame, y)
    assert model.feature_names_in_.tolist() == ["a", "b", "c"] and model.n_features_in_ == 3
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[["b", "a", "c"]])
    with pytest.warns(UserWarning, match="feature names"):
        model.predict(X)
    # A refit without names forgets them.
    assert not hasattr(model.fit(X[:, :2], y), "feature_names_in_") and model.n_features_in_ == 2


def test_inspection_and_prediction_by_fold():
    X, y = class_data(n_classes=3)
    model = PenalizedLogisticRegression("l1", alpha=0.01)
    for method in ("predict_proba", "predict_log_proba", "decision_function"):
        assert cross_val_predict(model, X, y, method=method, cv=3).shape == (len(y), 3)
    importance = permutation_importance(model.fit(X, y), X, y, n_repeats=2, random_state=0, n_jobs=2)
    assert importance.importances_mean.shape == (X.shape[1],)
    assert partial_dependence(model, X, [0])["average"].shape[0] == 3
    assert np.all(np.isfinite(learning_curve(model, X, y, train_sizes=[0.5, 1.0], cv=3, error_score="raise")[2]))


# -- warm starts and predictions ----------------------------------------------------------------------------------------


@each_task
@pytest.mark.parametrize("solver, penalty", [("auto", "l1"), ("auto", "l2"), ("proximal_gradient", ElasticNet(0.5))])
def test_warm_start(task, solver, penalty):
    X, y = task_data(task)
    params = {"alpha": 0.02, "solver": solver, "tol": 1e-9, "standardize": True}
    cold = estimator(task, penalty, **params).fit(X, y)
    warm = estimator(task, penalty, warm_start=True, **params).fit(X, y)
    assert warm.n_iter_ == cold.n_iter_
    warm.fit(X, y)
    assert warm.n_iter_ < cold.n_iter_ or cold.n_iter_ == 1
    for alpha in (0.2, 0.02):
        warm.set_params(alpha=alpha).fit(X, y)
    np.testing.assert_allclose(warm.coef_, cold.coef_, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(warm.intercept_, cold.intercept_, rtol=1e-4, atol=1e-5)


@each_task
def test_warm_start_with_other_data(task):
    """Other numbers of features, classes or targets, no intercept: as if it had never been fitted."""
    X, y = task_data(task)
    others = [
        (X[:, :3], y, {}),
        (X, y, {"fit_intercept": False}),
        (X, np.column_stack([y, -y]) if task == "squared" else np.where(np.arange(len(y)) % 5 == 0, 3, y), {}),
        (X, y, {"penalty": L1(positive=True)}),
        (X, -y if task == "squared" else np.where(y == 0, 1, y), {}) if task != "logistic" else (X, 1 - y, {}),
    ]
    for X_other, y_other, changed in others:
        params = {"alpha": 0.02, "tol": 1e-9, "penalty": "l1"} | changed
        warm = estimator(task, **{**params, "penalty": "l1", "fit_intercept": True}, warm_start=True).fit(X, y)
        warm.set_params(**changed).fit(X_other, y_other)
        cold = estimator(task, **params).fit(X_other, y_other)
        assert warm.coef_.shape == cold.coef_.shape and warm.n_features_in_ == X_other.shape[1]
        np.testing.assert_allclose(warm.coef_, cold.coef_, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(warm.intercept_, cold.intercept_, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("task", ["logistic", "softmax"])
@pytest.mark.parametrize("size", [1.0, 1e3, 1e8])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_decisions_and_probabilities_agree(task, size, dtype):
    X, y = task_data(task)
    model = estimator(task, alpha=1e-3).fit(X.astype(dtype), names(task, y))
    X = (size * X).astype(dtype)
    decision, proba, log_proba = model.decision_function(X), model.predict_proba(X), model.predict_log_proba(X)
    wide = np.column_stack([np.zeros(len(X), dtype), decision]) if task == "logistic" else decision
    rtol = 1e-9 if dtype == np.float64 else 1e-4
    np.testing.assert_array_equal(model.predict(X), model.classes_[wide.argmax(axis=1)])
    np.testing.assert_array_equal(model.predict(X), model.classes_[proba.argmax(axis=1)])
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(np.exp(log_proba), proba, rtol=rtol, atol=1e-12 if dtype == np.float64 else 1e-6)
    # Finite logarithms, also where the probability itself underflows.
    assert np.all(np.isfinite(log_proba)) and np.all(log_proba <= 0)
    np.testing.assert_allclose(log_proba[:, 1] - log_proba[:, 0], wide[:, 1] - wide[:, 0], rtol=1e-3, atol=1e-4)
    if size > 1e7:
        assert proba.min() == 0.0 and log_proba.min() < -1e4


def test_a_tie_goes_to_the_first_class():
    model = PenalizedLogisticRegression().fit([[0.0], [1.0]], ["no", "yes"])
    model.intercept_ = -0.5 * model.coef_[0]
    assert model.decision_function([[0.5]]) == 0.0 and model.predict([[0.5]]) == ["no"]


# -- how it looks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fitted", [False, True])
def test_html_shows_the_penalty_and_links_to_the_docs(fitted):
    X, y = regression_data()
    model = PenalizedRegression(ElasticNet(l1_ratio=0.875))
    html = estimator_html_repr(make_pipeline(StandardScaler(), model.fit(X, y) if fitted else model))
    assert "ElasticNet" in html and "0.875" in html
    assert "https://skreg.readthedocs.io/" in html and "skreg.PenalizedRegression.html" in html


def test_repr():
    assert repr(PenalizedRegression()) == "PenalizedRegression()"
    assert repr(PenalizedLogisticRegression(ElasticNet(0.9), alpha=0.1)) == (
        "PenalizedLogisticRegression(alpha=0.1, penalty=ElasticNet(l1_ratio=0.9))"
    )
