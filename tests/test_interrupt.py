"""Ctrl-C in long fits, fits in several threads at once, and the GIL."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers import class_data, regression_data, sparse_data
from threadpoolctl import threadpool_info, threadpool_limits

from skreg import PenalizedLogisticRegression, PenalizedRegression, _kernels, regularization_path
from skreg.penalties import L1
from skreg.solvers.compiled import compiled_prox
from skreg.solvers.interrupt import interruptible, lower_factor

# Every job is repeated until it is interrupted, after a quarter of a second, and says how much CPU time went by from the signal
# to the exception. CPU time, since a busy machine may leave this process waiting.
INTERRUPTED = """
import os, signal, sys, threading, time, warnings
import numpy as np
from scipy import sparse
from skreg import PenalizedLogisticRegression, PenalizedRegression, _active, _blocks, _kernels, make_problem, regularization_path
from skreg.penalties import L1, SLOPE, GroupLasso
from skreg.solvers.compiled import compiled_prox
from skreg.solvers.interrupt import eigen, lower_factor

warnings.simplefilter("ignore")
# A shell starts what runs in the background with this signal ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
rng = np.random.default_rng(0)
k = 1500
A = rng.standard_normal((k // 2, k))
gram, step, alpha = A.T @ A / k, np.full(k, 1.0), np.full(k, 1e-9)
step = 1.0 / np.diagonal(gram).copy()
columns = sparse.random(3000, 3000, density=0.01, format="csc", random_state=0)
X, y = rng.standard_normal((3000, 800)), rng.standard_normal(3000)


def gram_descent():
    start = np.zeros(k), rng.standard_normal(k)
    _kernels.gram_descent(gram, *start, step, alpha, *compiled_prox(L1()), 0.0, 1_000_000)


def active_set():
    active = _active.ActiveSet(k)
    coef, grad = rng.standard_normal(k), rng.standard_normal(k)
    active.bind(gram + np.eye(k), coef, grad, step, alpha, *compiled_prox(L1()))
    active.solve(0.0, 10 * k, *np.empty((3, k)))


def column_descent():
    n, m = columns.shape
    ones = np.ones(m)
    _kernels.column_descent(
        columns.data, columns.indptr[:-1].astype(np.intp), columns.indices, columns.indptr, np.arange(m), ones, np.ones(n),
        np.zeros(n), 0.0, np.zeros(m), 0.0,
        np.zeros(m), rng.standard_normal(m), 1e-6 * ones, 0.0 * ones, *compiled_prox(L1()), 0.0, 1_000_000,
    )


def proximal_gradient():
    PenalizedRegression(SLOPE(), alpha=1e-6, tol=1e-14, solver="proximal_gradient", max_iter=10**8).fit(X, y)


def group_lasso():
    PenalizedLogisticRegression(GroupLasso(np.arange(800) // 4), alpha=1e-5, tol=1e-12).fit(X, y > 0)


def newton():
    PenalizedLogisticRegression("l2", alpha=1e-6, tol=1e-12).fit(X, y > 0)


def path():
    regularization_path(X[:400], y[:400], penalty="l1", tol=1e-10)


def eigenvalues():
    eigen(np.kron(gram[:60, :60], np.eye(60)) + np.diag(np.arange(3600.0)))


def factor():
    lower_factor(np.eye(9000))


for job in (gram_descent, active_set, column_descent, proximal_gradient, group_lasso, newton, path, eigenvalues, factor):
    sent = []

    def interrupt():
        sent.append(time.process_time())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.25, interrupt)
    timer.start()
    try:
        while True:
            job()
    except KeyboardInterrupt:
        print(job.__name__, time.process_time() - sent[0])
    sys.stdout.flush()
os._exit(0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT that a process sends to itself")
def test_ctrl_c_ends_every_solver_within_a_second():
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=120)
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert len(lines) == 9, done.stdout + done.stderr
    for name, seconds in lines.items():
        assert float(seconds) < 1.0, name


def test_a_call_in_another_thread_gives_what_it_gives_and_raises_what_it_raises():
    def number(value):
        assert threading.current_thread() is not threading.main_thread()
        return 1.0 / value

    assert interruptible(number, 2.0) == 0.5
    with pytest.raises(ZeroDivisionError):
        interruptible(number, 0.0)
    assert ThreadPoolExecutor().submit(interruptible, float, "3").result() == 3.0


def test_large_matrices_are_factorised_as_small_ones_are(monkeypatch):
    monkeypatch.setattr("skreg.solvers.interrupt.SHORT_FACTOR", 0)
    root = np.tril(np.random.default_rng(0).standard_normal((6, 6))) + 5.0 * np.eye(6)
    factor, failed = lower_factor(root @ root.T)
    np.testing.assert_allclose(np.tril(factor), root, rtol=1e-12)
    assert not failed
    assert lower_factor(-np.eye(3))[1]


def fits():
    """One fit of each solver and kind of data."""
    X, y = regression_data(300, 60)
    wide, target = regression_data(40, 400, seed=1)
    S, s = sparse_data("squared", 300, 500)
    C, c = class_data(200, 40, n_classes=3)
    yield lambda: PenalizedRegression("l1", alpha=0.01).fit(X, y)
    yield lambda: PenalizedRegression("l1", alpha=0.01).fit(wide, target)
    yield lambda: PenalizedRegression("mcp", alpha=0.05).fit(S, s)
    yield lambda: PenalizedRegression("l2", alpha=0.1).fit(wide, target)
    yield lambda: PenalizedRegression("slope", alpha=0.05).fit(X, y)
    yield lambda: PenalizedLogisticRegression("l2", alpha=0.1).fit(C, c)
    yield lambda: PenalizedLogisticRegression("l1", alpha=0.02).fit(C, c)


def test_two_threads_fit_at_once_and_find_the_same_bits():
    jobs = list(fits())
    alone = [job() for job in jobs]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda job: job(), jobs * 4))
    for k, model in enumerate(together):
        np.testing.assert_array_equal(model.coef_, alone[k % len(jobs)].coef_)
        np.testing.assert_array_equal(model.intercept_, alone[k % len(jobs)].intercept_)
        assert model.n_iter_ == alone[k % len(jobs)].n_iter_


def test_paths_in_threads_find_the_same_bits():
    X, y = regression_data(50, 300)
    alone = regularization_path(X, y, penalty="l1").coefs
    with ThreadPoolExecutor(2) as pool:
        for path in pool.map(lambda _: regularization_path(X, y, penalty="l1"), range(4)):
            np.testing.assert_array_equal(path.coefs, alone)


def test_the_inner_loop_runs_without_the_gil():
    rng = np.random.default_rng(0)
    k = 400
    A = rng.standard_normal((2 * k, k))
    gram = A.T @ A / k
    coef, grad = np.zeros(k), rng.standard_normal(k)
    arguments = gram, coef, grad, 1.0 / np.diagonal(gram), np.full(k, 1e-9), *compiled_prox(L1()), -1.0, 100_000
    worker = threading.Thread(target=_kernels.gram_descent, args=arguments)
    worker.start()
    turns = 0
    while worker.is_alive():
        time.sleep(0.001)
        turns += 1
    # With the GIL held this thread would have had a turn or two.
    assert turns > 10


def test_a_fit_has_no_threads_of_its_own_and_leaves_those_of_blas_alone():
    with threadpool_limits(limits=1):
        before, threads = threadpool_info(), threading.active_count()
        seen = []

        class Watched(L1):
            def value(self, coef, alpha):
                seen.append((threadpool_info(), threading.active_count()))
                return super().value(coef, alpha)

        X, y = regression_data(200, 30)
        PenalizedRegression(Watched(), alpha=0.1).fit(X, y)
        PenalizedRegression("l2", alpha=0.1).fit(X, y)
        assert seen
        assert all(state == (before, threads) for state in seen)
        assert threadpool_info() == before
