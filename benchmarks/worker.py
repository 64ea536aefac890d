"""One process per peer: it has its own data and threads, can be killed, and sleeps while the others run.

The pair speaks over a pipe. The child sends back seconds and objectives, never coefficients.
"""

import gc
import multiprocessing
import os
import signal
import time
import traceback
import warnings

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class Failure(Exception):
    """A run that ended without an answer; the message says why."""


class Worker:
    """The parent's end.

    Attributes
    ----------
    settings : tuple of str
        What this peer offers for this workload.
    facts : dict
        Thread pools; size and scale of the problem.
    """

    def __init__(self, peer, workload, small, threads):
        os.environ.update(dict.fromkeys(THREADS, str(threads)))
        context = multiprocessing.get_context("spawn")
        self.arguments = (peer, workload, small, threads)
        self.peer = peer
        self.warm = set()
        self.pipe, child = context.Pipe()
        self.process = context.Process(target=serve, args=(child, peer, workload, small, threads), daemon=True)
        self.process.start()
        child.close()
        self.facts = self._receive(600.0)
        self.settings = self.facts.pop("settings")

    def run(self, setting, tol, timeout, repeat=1):
        """Seconds per run, and the objectives at every alpha (for a search, the scores)."""
        if not self.process.is_alive():
            self.__init__(*self.arguments)
        if setting not in self.warm:
            # Let it compile: a run on the small variant of the data.
            self.warm.add(setting)
            self._ask(setting, "warm up", 1, 600.0)
        # The answer also waits for the conversion of X and the objective.
        return self._ask(setting, tol, repeat, timeout * repeat + 20.0)

    def close(self):
        self.process.kill()
        self.process.join()
        self.pipe.close()

    def _ask(self, setting, tol, repeat, patience):
        try:
            self.pipe.send((setting, tol, repeat))
        except OSError:
            raise self._dead() from None
        return self._receive(patience)

    def _receive(self, patience):
        try:
            if not self.pipe.poll(patience):
                self.process.kill()
                self.process.join()
                raise Failure(f"killed after {patience:.0f} s")
            answer = self.pipe.recv()
        except (EOFError, OSError):
            raise self._dead() from None
        if isinstance(answer, Failure):
            raise answer
        return answer

    def _dead(self):
        self.process.join(5.0)
        return Failure(f"its process ended with exit code {self.process.exitcode}")


def serve(pipe, peer_name, workload_name, small, threads):
    """The child: answers until the pipe closes."""
    import peers
    from threadpoolctl import threadpool_info, threadpool_limits
    from workloads import WORKLOADS

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends it
    warnings.simplefilter("ignore")
    workload = WORKLOADS[workload_name]
    peer = peers.load(peer_name)
    data = workload.data(small)
    runner = Runner(peer, workload, data)
    with threadpool_limits(limits=threads):
        pools = [{key: pool.get(key) for key in ("prefix", "version", "num_threads")} for pool in threadpool_info()]
        try:
            settings = peer.settings(workload, data)
        except peers.Refused as refused:
            pipe.send(Failure(str(refused)))
            return
        pipe.send({"settings": settings, "threads": pools, "problem": describe(workload, data)})
        try:
            while True:
                pipe.send(answer(runner, *pipe.recv()))
        except (EOFError, OSError):
            return


def answer(runner, setting, tol, repeat):
    """What a run gives, or why it gave nothing."""
    try:
        if tol != "warm up":
            return runner.run(setting, tol, repeat)
        peer, workload = runner.peer, runner.workload
        small = Runner(peer, workload, workload.data(small=True))
        if setting in peer.settings(workload, small.data):
            small.run(setting, peer.tolerances(workload, setting)[0])
        return None
    except Exception as error:
        return Failure(traceback.format_exception_only(error)[-1].strip().partition("\n")[0][:200])


def describe(workload, data):
    """Size and scale of a problem."""
    from objective import null_objective

    X = data.X
    stored = X.data.nbytes + X.indices.nbytes + X.indptr.nbytes if data.is_sparse else X.nbytes
    return {
        "shape": list(X.shape),
        "bytes": stored,
        "alphas": [float(data.alphas[0]), float(data.alphas[-1])],
        "null": null_objective(workload.loss, data.y, workload.fit_intercept),
    }


class Runner:
    """Runs a peer on data, in this process."""

    def __init__(self, peer, workload, data):
        self.peer, self.workload, self.data = peer, workload, data
        self._prepared = {}

    def run(self, setting, tol, repeat=1):
        """Mean seconds of ``repeat`` runs, and the objectives."""
        from objective import objectives

        X = self._prepare(setting)
        gc.collect()
        gc.disable()
        try:
            start = time.perf_counter()
            for _ in range(repeat):
                answer = self.peer.run(self.workload, self.data, X, setting, tol)
            seconds = (time.perf_counter() - start) / repeat
        finally:
            gc.enable()
        if self.workload.kind == "search":
            return seconds, list(answer)
        return seconds, list(objectives(self.workload, self.data, *answer))

    def _prepare(self, setting):
        if setting not in self._prepared:
            self._prepared = {setting: self.peer.prepare(self.workload, self.data, setting)}
        return self._prepared[setting]
