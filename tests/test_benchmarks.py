# ruff: noqa: E402
"""The benchmarks measure what they say: the table is consistent, the objective neutral, and all peers minimise it."""

import json
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import skreg

FOLDER = Path(__file__).parents[1] / "benchmarks"
if not FOLDER.is_dir():
    pytest.skip("the benchmarks are not part of this distribution", allow_module_level=True)
sys.path.insert(0, str(FOLDER))

import measure
import objective
import peers
import prices
import report
import run
import session
import worker
from makers import GOLUB
from workloads import WORKLOADS

READY = list(WORKLOADS.values())
BLOCKS = ["mcp-wide", "group-lasso-wide", "multi-task-l21-wide", "slope-wide"]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Threads of peers that wait for each other can take minutes on a busy machine."""
    with threadpool_limits(limits=1):
        yield


def penalty_of(workload):
    """The penalty of skreg."""
    if workload.l1_ratio is not None:
        return skreg.ElasticNet(workload.l1_ratio)
    return load("skreg").penalty(workload)


def without_data(workload):
    return "golub" in workload.name and not GOLUB.exists()


def load(name):
    """A peer; its own warnings are its own affair."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return peers.load(name)
        except ImportError as error:
            pytest.skip(str(error))


def solve(name, workload, data, setting, tol):
    peer = load(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return worker.Runner(peer, workload, data).run(setting, tol)[1]


# -- the table --------------------------------------------------------------------------------------------------------


def test_entries_are_complete():
    for workload in WORKLOADS.values():
        assert workload.row
        assert 0 < workload.target <= 1.1
        assert workload.kind in ("fit", "path", "search", "cold")
        assert callable(workload.make)
        assert set(workload.against) <= set(peers.NAMES)
        assert workload.penalty in prices.PENALTIES


def test_small_variants_are_small_and_full_ones_are_not():
    for workload in READY:
        if {"n", "p"} <= set(workload.full):
            assert workload.full["n"] * workload.full["p"] > 10 * workload.small["n"] * workload.small["p"]
        if not without_data(workload):
            assert np.prod(workload.data(small=True).X.shape) <= 500_000


@pytest.mark.parametrize(
    "name", ["lasso-wide", "weighted-lasso-wide", "lasso-text", "path-logistic-tall", "multinomial-l1", *BLOCKS]
)
def test_alphas_are_fractions_of_alpha_max(name):
    workload = WORKLOADS[name]
    data = workload.data(small=True)
    y = np.eye(data.y.max() + 1)[data.y] if workload.loss == "softmax" else data.y
    penalty = penalty_of(workload)
    top = skreg.alpha_max(data.X, y, penalty=penalty, loss=workload.loss, penalty_factor=data.weights)
    assert data.unit == pytest.approx(top)
    assert data.alphas[-1] == pytest.approx(workload.alpha * data.unit)


def test_data_do_not_change():
    one, two = (WORKLOADS["logistic-l1-text"].data(small=True) for _ in range(2))
    assert (one.X != two.X).nnz == 0
    np.testing.assert_array_equal(one.y, two.y)


# -- the objective ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["lasso-wide", "enet-tall", "ridge-targets", "logistic-l1-text", "multinomial-l2", *BLOCKS]
)
def test_objective_is_that_of_the_certificate(name):
    workload = WORKLOADS[name]
    data = workload.data(small=True)
    estimator = skreg.PenalizedRegression if workload.loss == "squared" else skreg.PenalizedLogisticRegression
    model = estimator(penalty_of(workload), alpha=data.alphas[0]).fit(data.X, data.y)
    assert objective.objectives(workload, data, [model.coef_], [model.intercept_]) == pytest.approx(
        [model.optimality_.objective], rel=1e-12
    )
    if data.y.ndim == 1:  # several targets have a certificate for all
        null = objective.null_objective(workload.loss, data.y, fit_intercept=True)
        assert null == pytest.approx(model.optimality_.null_loss)


def test_accuracy_is_relative_to_what_there_is_to_gain():
    assert objective.suboptimality([3.0], [2.0], 6.0) == 0.25
    assert objective.suboptimality([6.0, 3.0], [6.0, 2.0], 6.0) == 0.25


# -- the peers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["lasso-wide", "path-logistic-tall"])
def test_skreg_reaches_what_scikit_learn_reaches(name):
    workload = WORKLOADS[name]
    data = workload.data(small=True)
    null = objective.null_objective(workload.loss, data.y, fit_intercept=True)
    own = solve("skreg", workload, data, "C", 1e-9)
    if workload.loss == "squared":
        other = solve("sklearn", workload, data, "cd", 1e-12)
    else:  # saga takes its time: only the ends
        data.alphas = data.alphas[[0, 40]]
        own = [own[0], own[40]]
        other = solve("sklearn", workload, data, "saga", 1e-6)
    assert len(own) == len(data.alphas)
    assert objective.suboptimality(own, np.minimum(own, other), null) < 1e-8
    assert objective.suboptimality(other, np.minimum(own, other), null) < 1e-5


@pytest.mark.parametrize("name", ["cv-lasso", "cv-enet", "cv-logistic-l2"])
def test_cross_validations_have_the_same_scores(name):
    workload = WORKLOADS[name]
    data = workload.data(small=True)
    data.alphas = data.alphas[::9]
    scores = []
    for peer_name in ("skreg", "sklearn"):
        peer = peers.load(peer_name)
        for setting in peer.settings(workload, data):
            X = peer.prepare(workload, data, setting)
            scores.append(peer.run(workload, data, X, setting, None))
    for other in scores[1:]:
        assert other == pytest.approx(scores[0], rel=1e-3)


@pytest.mark.parametrize("name", [name for name in peers.NAMES if name not in ("skreg", "sklearn")])
def test_a_peer_reaches_what_skreg_reaches(name):
    workload = WORKLOADS["lasso-wide"]
    peer = load(name)
    if peer.special:
        pytest.skip(peer.supports(workload))
    data = workload.data(small=True)
    own = solve("skreg", workload, data, "F", 1e-10)
    other = solve(name, workload, data, peer.settings(workload, data)[0], peer.tolerances(workload, "")[-2])
    null = objective.null_objective("squared", data.y, fit_intercept=True)
    assert objective.suboptimality(other, own, null) == pytest.approx(0.0, abs=1e-7)


def test_every_workload_has_a_peer():
    for workload in READY:
        only_there = workload.penalty in ("mcp", "group lasso", "slope")
        names = workload.against or (("skglm",) if only_there else ("sklearn",))
        if only_there and find_spec("skglm") is None:
            continue
        assert any(peers.load(name).supports(workload) is None for name in names)


# -- from a contest to a page -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def result():
    """A contest in two processes."""
    played = session.play("tiny-lasso", True, ["skreg", "sklearn"], (1e-4, 1e-6), 2, 1, 20.0, lambda text: None)
    return json.loads(json.dumps(played, default=float))


def test_a_contest_ends_with_a_ratio(result):
    assert result["optimum"]["agreement"] < 1e-9
    for accuracy in ("1e-04", "1e-06"):
        found = result["times"][accuracy]
        assert found["best"] == "sklearn"
        assert found["peers"]["skreg"]["accuracy"] <= float(accuracy)
        assert found["ratio"] == found["peers"]["skreg"]["seconds"] / found["peers"]["sklearn"]["seconds"]
    assert result["machine"]["versions"]["skreg"].startswith(skreg.__version__)


def test_a_result_makes_a_page_and_a_plot(result, tmp_path):
    page = report.page([result])
    assert "| tiny-lasso |" in page
    assert "0.8" in page
    pytest.importorskip("matplotlib")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report.plot([result], tmp_path / "plot.svg")
    assert "tiny-lasso" in (tmp_path / "plot.svg").read_text(encoding="utf-8") or (tmp_path / "plot.svg").stat().st_size


def test_a_solver_that_does_not_answer_is_given_up():
    class Stuck:
        peer = "stuck"

        def run(self, setting, tol, timeout, repeat=1):
            if tol < 1e-3:
                raise measure.Failure("killed")
            return 1.0, [5.0]

    class Quick(Stuck):
        peer = "skreg"

        def run(self, setting, tol, timeout, repeat=1):
            return 0.01, [4.0 + tol]

    lanes = [measure.Lane(kind(), "default", (1e-2, 1e-4, 1e-6)) for kind in (Quick, Stuck)]
    workload = SimpleNamespace(against=(), concave=False)
    contest = measure.Contest(workload, lanes, 6.0, (1e-4, 1e-6), 5.0, lambda text: None, optimum=[4.0])
    contest.sweep()
    assert lanes[1].note
    table = contest.table(contest.rounds(1))
    assert table["1e-06"]["best"] is None
    assert table["1e-06"]["peers"]["skreg"]["tol"] <= 2e-6


def test_command_line_lists_and_refuses(capsys):
    assert run.main(["--list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in WORKLOADS)
    with pytest.raises(SystemExit, match="No workload"):
        run.main(["nonsense"])
