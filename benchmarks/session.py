"""One workload from start to result: who can take part, the contest, what is written down."""

import json
import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import peers
from machine import facts
from measure import Contest, Lane, compare, take_turns
from worker import THREADS, Failure, Worker
from workloads import WORKLOADS

RESULTS = Path(__file__).parent / "results"

# Imports NumPy before the clock of nobody: a fresh process pays for all that it needs.
COLD = "import numpy as np\nX = np.random.default_rng(0).standard_normal((442, 10))\ny = X[:, 0] + 1.0\n{fit}\n"


def enter(workload, names, small, threads, say):
    """Workers of those that take part, and the reasons of the others."""
    workers, refusals = [], {}
    for name in names:
        try:
            peer = peers.load(name)
        except ImportError as error:
            refusals[name] = f"cannot be imported: {error}"
            continue
        reason = peer.supports(workload)
        if workload.kind == "fit" and workload.against and name not in ("skreg", *workload.against):
            reason = f"this is about {', '.join(workload.against)}"
        if reason is None:
            say(f"starting {name}")
            try:
                workers.append(Worker(name, workload.name, small, threads))
            except Failure as failure:
                reason = str(failure)
        if reason is not None and not peer.special:
            refusals[name] = reason
    return workers, refusals


def play(name, small, names, accuracies, rounds, threads, timeout, say):
    """Measure one workload; the result is ready for JSON."""
    workload = WORKLOADS[name]
    start = time.perf_counter()
    result = {"workload": name, "row": workload.row, "target": workload.target, "kind": workload.kind}
    result |= {"size": "small" if small else "full", "machine": facts(threads)}
    result |= {"rounds": rounds, "timeout": timeout}
    if workload.kind == "cold":
        result |= cold(workload, names, rounds, threads, say)
    else:
        workers, refusals = enter(workload, names, small, threads, say)
        try:
            result |= {"refusals": refusals, "pools": {worker.peer: worker.facts["threads"] for worker in workers}}
            if workers:
                result["problem"] = workers[0].facts["problem"]
                lanes = make_lanes(workload, workers)
                if workload.kind == "search":
                    result |= search(workload, lanes, rounds, timeout, say)
                else:
                    optimum = None if small else known_optimum(name, result["problem"])
                    contest = Contest(workload, lanes, result["problem"]["null"], accuracies, timeout, say, optimum)
                    result |= fits(contest, rounds)
        finally:
            for worker in workers:
                worker.close()
    result["seconds"] = round(time.perf_counter() - start, 1)
    return result


def make_lanes(workload, workers):
    return [
        Lane(worker, setting, peers.load(worker.peer).tolerances(workload, setting))
        for worker in workers
        for setting in worker.settings
    ]


def fits(contest, rounds):
    """Sweep, then rounds."""
    contest.sweep()
    notes = {f"{lane.worker.peer} {lane.setting}": lane.note for lane in contest.lanes if lane.note}
    if not contest.runs:
        return {"notes": notes, "times": {}}
    times = contest.table(contest.rounds(rounds))
    sweep = [[*run.key, run.seconds, contest.accuracy(run)] for run in contest.runs]
    best = {"values": contest.optimum, "peers": contest.by_peer(), "agreement": contest.agreement()}
    return {"notes": notes, "times": times, "optimum": best, "sweep": sweep}


def known_optimum(name, problem):
    """F* of the last result, if it was certified and the problem is the same."""
    try:
        old = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
        optimum, before = old["optimum"], old["problem"]
        same = all(
            abs(a - b) <= 1e-12 * abs(b)
            for a, b in zip([problem["null"], *problem["alphas"]], [before["null"], *before["alphas"]], strict=True)
        )
    except (OSError, KeyError, ValueError):
        return None
    certified = optimum["agreement"] is not None and optimum["agreement"] <= 1e-9
    return optimum["values"] if same and certified else None


def search(workload, lanes, rounds, timeout, say):
    """GridSearchCV, every estimator with its own default tolerance; how far the scores are apart."""
    runs = []
    for lane in lanes:
        say(f"{lane.worker.peer} searches")
        run = lane.step(None, timeout)
        runs += [run] if run else []
    times = take_turns(lanes, runs, rounds, timeout, say)
    entries = {run.peer: timed(times.get(run.key, [run.seconds])) for run in runs}
    scores = {run.peer: run.values for run in runs}
    notes = {lane.worker.peer: lane.note for lane in lanes if lane.note}
    if {"skreg", "sklearn"} <= set(scores):
        apart = max(abs(a - b) for a, b in zip(scores["skreg"], scores["sklearn"], strict=True))
        notes["scores"] = f"mean test scores of skreg and scikit-learn differ by {apart:.1e} at most"
    return {"times": {"any": compare(workload, entries)}, "notes": notes}


def timed(sample):
    return {"seconds": statistics.median(sample), "setting": "default", "tol": None, "rounds": sample}


def cold(workload, names, rounds, threads, say):
    """Import and first fit, in a new process each time; peers that are not installed are refused by their exit code."""
    environment = os.environ | dict.fromkeys(THREADS, str(threads))
    entries, refusals, samples = {}, {}, {}
    for name in names:
        try:
            peer = peers.load(name)
            program = "" if peer.special else peer.cold
        except ImportError as error:
            program, refusals[name] = "", f"cannot be imported: {error}"
        if program:
            samples[name] = (COLD.format(fit=program), [])
    for k in range(rounds + 1):
        for name, (program, sample) in list(samples.items()):
            say(f"round {k} of {rounds}: {name} in a fresh process")
            start = time.perf_counter()
            done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], env=environment, capture_output=True)
            seconds = time.perf_counter() - start
            if done.returncode:
                refusals[name] = done.stderr.decode().strip().rpartition("\n")[2]
                del samples[name]
            elif k > 0:  # the first round fills the caches of the disk
                sample.append(seconds)
    entries = {name: timed(sample) for name, (_, sample) in samples.items()}
    return {"refusals": refusals, "times": {"any": compare(workload, entries)}, "notes": {}}


def check(name, small, names, threads, timeout, say, enough=1e-6):
    """Whether all peers reach the same optimum: that is, whether their parameters are mapped rightly.

    Returns one line per setting: peer, setting, accuracy, note and a verdict: "ok", "far" (another setting of the same
    peer gets there, so that the mapping is right) or "BAD".
    """
    workload = WORKLOADS[name]
    workers, refusals = enter(workload, names, small, threads, say)
    try:
        lanes = make_lanes(workload, workers)
        if not lanes:
            return [], refusals
        contest = Contest(workload, lanes, workers[0].facts["problem"]["null"], (enough,), timeout, say)
        waiting = [(lane, middle_first(lane.tolerances)) for lane in lanes]
        while waiting:
            for lane, tolerances in waiting:
                say(f"{lane.worker.peer} {lane.setting} tol={tolerances[0]}")
                lane.step(tolerances.pop(0), timeout)
            waiting = [(lane, left) for lane, left in waiting if left and reached(contest, lane) > enough]
        proven = {lane.worker.peer for lane in lanes if reached(contest, lane) <= enough}
        lines = []
        for lane in lanes:
            found = reached(contest, lane)
            verdict = "ok" if found <= enough else "far" if lane.worker.peer in proven else "BAD"
            lines.append((lane.worker.peer, lane.setting, found, lane.note, verdict))
        return lines, refusals
    finally:
        for worker in workers:
            worker.close()


def reached(contest, lane):
    """The best accuracy of a lane."""
    return min((contest.accuracy(run) for run in lane.runs), default=math.inf)


def middle_first(tolerances):
    """Tight enough for most, then the tighter, then the looser ones."""
    middle = (2 * len(tolerances)) // 3
    return [*tolerances[middle:], *reversed(tolerances[:middle])]
