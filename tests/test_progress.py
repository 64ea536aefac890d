"""Who is told how far a fit is; and a fit that fails or is interrupted leaves the estimator as it was."""

import pickle
import signal
import threading

import numpy as np
import pytest
import sklearn
from helpers import class_data, regression_data, uneven_weights
from joblib import parallel_config
from numpy.testing import assert_allclose
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.fixes import parse_version

from skreg import (
    L1,
    PenalizedLogisticRegression,
    PenalizedLogisticRegressionCV,
    PenalizedRegression,
    PenalizedRegressionCV,
    regularization_path,
)

ESTIMATORS = [PenalizedRegression, PenalizedRegressionCV, PenalizedLogisticRegression, PenalizedLogisticRegressionCV]
CALLBACKS = parse_version(sklearn.__version__) >= parse_version("1.9")
since_callbacks = pytest.mark.skipif(not CALLBACKS, reason="scikit-learn has callbacks since 1.9")


class Recorder:
    """Writes down what it is told; auto-propagated, as scikit-learn's bar is."""

    max_propagation_depth = None

    def __init__(self, stop_at=None):
        self.stop_at = stop_at
        self.began, self.ended, self.fitted, self.life = [], [], [], []

    def setup(self, estimator, context):
        self.life.append("setup")

    def teardown(self, estimator, context):
        self.life.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, X, y, metadata):
        assert context.estimator_name in ("GridSearchCV", "Pipeline") or X.shape[0] == len(y)
        self.began.append((context.task_name, context.max_subtasks))

    def on_fit_task_end(self, estimator, context, *, fitted_estimator, metadata):
        self.ended.append(context.task_name)
        self.fitted.append(fitted_estimator)
        self.metadata = metadata
        return context.task_name == self.stop_at


def small(estimator):
    """A short search, where it is one."""
    return {"alphas": 3, "cv": 2} if estimator.__name__.endswith("CV") else {}


def data_for(estimator):
    return class_data() if "Logistic" in estimator.__name__ else regression_data()


@since_callbacks
@pytest.mark.parametrize("estimator, n_jobs", [(PenalizedRegressionCV, 2), (PenalizedLogisticRegressionCV, None)])
def test_a_search_tells_of_folds_and_path(estimator, n_jobs):
    X, y = data_for(estimator)
    recorder, weights = Recorder(), uneven_weights(len(y))
    search = estimator("l1", alphas=4, cv=3, n_jobs=n_jobs).set_callbacks(recorder).fit(X, y, sample_weight=weights)
    assert recorder.life == ["setup", "teardown"]
    assert recorder.began[:2] == [("fit", 2), ("folds", 3)] and ("path", 4) in recorder.began
    # Other processes do not tell what they do.
    fold = ["folds step"] if n_jobs else [*["alpha"] * 4, "folds step"]
    assert recorder.began.count(("folds step", 0 if n_jobs else 4)) == 3
    wanted = [*fold * 3, "folds", *["path step"] * 4, "path", "fit"]
    assert recorder.ended == wanted and sorted(name for name, _ in recorder.began) == sorted(wanted)
    assert recorder.metadata["sample_weight"] is not None
    steps = [model for name, model in zip(recorder.ended, recorder.fitted, strict=True) if name == "path step"]
    for model, coef, intercept in zip(steps, search.coef_path_, search.intercept_path_, strict=True):
        assert_allclose(model.coef_, coef)
        assert_allclose(model.intercept_, intercept)
        assert len(model.predict(X)) == len(y)
    assert_allclose(recorder.fitted[-1].predict(X), search.predict(X))
    pickle.dumps(search)


@since_callbacks
def test_a_criterion_tells_of_every_path():
    recorder = Recorder()
    search = PenalizedRegressionCV("elasticnet", alphas=3, penalty_grid={"l1_ratio": [0.5, 1.0]}, rule="bic")
    search.set_callbacks(recorder).fit(*regression_data())
    assert recorder.ended == [*["path step"] * 3, "path", *["path step"] * 3, "path", "fit"]


@since_callbacks
@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("task", ["folds step", "path step"])
def test_a_callback_ends_a_search_with_what_it_has(task, n_jobs):
    X, y = regression_data()
    whole = PenalizedRegressionCV("l1", alphas=20, cv=4, n_jobs=n_jobs)
    ended = PenalizedRegressionCV("l1", alphas=20, cv=4, n_jobs=n_jobs).set_callbacks(Recorder(stop_at=task))
    with parallel_config(backend="threading"):
        ended.fit(X, y)
        whole.fit(X, y)
    said = " ".join(ended.diagnose())
    if task == "folds step":
        assert "split1_test_score" in ended.cv_results_ and "split2_test_score" not in ended.cv_results_
        assert "after 2 of 4 folds" in said and "after" not in " ".join(whole.diagnose())
        mean = (whole.cv_results_["split0_test_score"] + whole.cv_results_["split1_test_score"]) / 2
        assert_allclose(ended.cv_results_["mean_test_score"], mean, rtol=1e-6)
        assert ended.alpha_ == whole.alphas_[np.argmax(mean)]
    else:
        assert ended.alpha_ == whole.alpha_
        assert_allclose(ended.coef_, whole.coef_)
        assert "a callback ended it" in said
    # The path goes on until there is a fit at the alpha chosen.
    assert ended.alphas_[-1] == ended.alpha_ and len(ended.alphas_) < 20
    single = PenalizedRegression("l1", alpha=ended.alpha_).fit(X, y)
    assert_allclose(ended.coef_, single.coef_, atol=1e-4)


@since_callbacks
def test_a_callback_ends_the_path_of_a_criterion():
    X, y = regression_data()
    search = PenalizedRegressionCV("l1", alphas=20, rule="bic").set_callbacks(Recorder(stop_at="path step")).fit(X, y)
    assert len(search.alphas_) == len(search.cv_results_["params"]) == 1


@since_callbacks
def test_a_callback_ends_a_long_fit():
    X, y = regression_data()
    recorder = Recorder(stop_at="iteration")
    model = PenalizedRegression("l1", alpha=0.01, solver="proximal_gradient", tol=1e-14).set_callbacks(recorder)
    model.fit(X, y)
    assert recorder.ended == ["iteration", "fit"] and not model.optimality_.converged
    longer = Recorder()
    model.set_callbacks(longer).fit(X, y)
    assert longer.ended.count("iteration") > 3 and model.optimality_.converged


@since_callbacks
def test_callbacks_come_through_searches_and_pipelines_of_scikit_learn():
    X, y = regression_data()
    recorder = Recorder()
    pipeline = make_pipeline(StandardScaler(), PenalizedRegression("l1"))
    grid = GridSearchCV(pipeline, {"penalizedregression__alpha": [0.1, 0.01]}, cv=2)
    grid.set_callbacks(recorder).fit(X, y)
    assert "iteration" in recorder.ended and recorder.life == ["setup", "teardown"]


@pytest.mark.skipif(CALLBACKS, reason="for scikit-learn before 1.9")
def test_there_are_no_callbacks_before():
    assert not any(hasattr(estimator, "set_callbacks") for estimator in ESTIMATORS)


class Fragile(L1):
    """Interrupts when told to."""

    armed = False

    def prox(self, coef, step, alpha):
        if Fragile.armed:
            raise KeyboardInterrupt
        return super().prox(coef, step, alpha)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("fitted", [True, False])
def test_ctrl_c_leaves_no_half_written_estimator(estimator, fitted, monkeypatch):
    X, y = data_for(estimator)
    model = estimator(Fragile(), **small(estimator))
    recorder = Recorder()
    if CALLBACKS:
        model.set_callbacks(recorder)
    if fitted:
        model.fit(X, y)
    before = dict(vars(model))
    monkeypatch.setattr(Fragile, "armed", True)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X[:, :4], y)
    assert vars(model) == before
    if fitted:
        assert model.predict(X).shape == y.shape
    else:
        with pytest.raises(NotFittedError):
            model.predict(X)
    if CALLBACKS:
        assert recorder.life[-2:] == ["setup", "teardown"]


def interrupted(call):
    """Ctrl-C as the operating system sends it, while Python is in the middle of something."""
    ended = threading.Event()

    def press():
        # Again while nothing happens, as people do: Python may lose one that arrives in a finalizer or a callback of the collector.
        patience = 0.2
        while not ended.wait(patience):
            signal.raise_signal(signal.SIGINT)
            patience = 5.0

    # A shell starts what runs in the background with this signal ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    presser = threading.Thread(target=press, daemon=True)
    presser.start()
    try:
        return call()
    finally:
        ended.set()
        presser.join()
        signal.signal(signal.SIGINT, before)


def test_a_real_ctrl_c():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((300, 150)), rng.integers(0, 2, 300)
    alphas = np.geomspace(0.2, 1e-6, 100_000)
    path = interrupted(
        lambda: regularization_path(X, y, penalty="l2", loss="logistic", alphas=alphas, keep_on_interrupt=True)
    )
    assert "interrupted after alpha" in path.stopped and 0 < len(path.alphas) < len(alphas)
    assert all(certificate.converged for certificate in path.certificates)
    search = PenalizedLogisticRegressionCV("l2", alphas=[0.1, 0.01], cv=2).fit(X, y)
    before = dict(vars(search))
    with pytest.raises(KeyboardInterrupt):
        interrupted(lambda: search.set_params(alphas=alphas).fit(X[:, :100], y))
    assert vars(search) == before | {"alphas": alphas}
    assert search.predict(X).shape == y.shape


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_the_bar_counts_folds_and_alphas(n_jobs, capsys):
    with parallel_config(backend="threading"):
        PenalizedRegressionCV("l1", alphas=7, cv=3, n_jobs=n_jobs, verbose=1).fit(*regression_data())
    said = capsys.readouterr().err
    assert ("3/3" if n_jobs else "20/21") in said and "path [" in said and "7/7" in said
    assert said.count("\n") == 2


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_bad_data_leave_an_estimator_as_it_was(estimator):
    X, y = data_for(estimator)
    model = estimator("l1", **small(estimator)).fit(X, y)
    before = model.predict(X)
    with pytest.raises(ValueError, match="inconsistent"):
        model.fit(X[:, :3], y[:-1])
    assert np.array_equal(model.predict(X), before)
