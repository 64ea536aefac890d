"""Time to an accuracy: sweep every solver's own tolerance, then time what reached it, all in turns.

Accuracy is ``(F(w) - F*) / (F(null) - F*)`` (see `objective.suboptimality`). ``F*`` is the lowest objective that any
peer found; it counts as certified when another peer found it too, to 1e-9.

With a concave penalty solvers may end in different points. Then ``F*`` is the lowest objective that the same setting of the
same peer found, so that its own way is timed to its own end; `Contest.by_peer` still tells whose end is how much higher.
"""

import math
import statistics
from dataclasses import dataclass, field

from objective import suboptimality
from worker import Failure, Worker

ACCURACIES = (1e-4, 1e-6, 1e-9)
# A solver that takes so much longer than the best is not run tighter; one within CLOSE is timed in all rounds.
HOPELESS, CLOSE = 10.0, 3.0
# Shorter runs are repeated until they fill this.
SHORTEST = 0.02


@dataclass
class Run:
    """One timed run."""

    peer: str
    setting: str
    tol: float | None
    seconds: float
    values: list = field(repr=False)

    @property
    def key(self):
        return self.peer, self.setting, self.tol


@dataclass
class Lane:
    """One setting of one peer, on its way down its tolerances."""

    worker: Worker
    setting: str
    tolerances: tuple
    note: str = ""
    runs: list = field(default_factory=list)

    def step(self, tol, timeout):
        """Run once; None, and a note, where that fails."""
        try:
            seconds, values = self.worker.run(self.setting, tol, timeout)
        except Failure as failure:
            self.note = f"{'' if tol is None else f'tol={tol:.0e}: '}{failure}"
            return None
        if not all(math.isfinite(value) for value in values):
            self.note = f"tol={tol}: not finite"
            return None
        self.runs.append(Run(self.worker.peer, self.setting, tol, seconds, values))
        return self.runs[-1]


class Contest:
    """One workload, all that take part.

    Parameters
    ----------
    workload : Workload
    lanes : list of Lane
    null : float
        F of the model without coefficients.
    accuracies : tuple of float
    timeout : float
        Seconds that a single run may take.
    say : callable
        Takes note of progress.
    optimum : list of float, optional
        F* of an earlier contest.
    """

    def __init__(self, workload, lanes, null, accuracies, timeout, say, optimum=None):
        self.workload, self.lanes, self.null = workload, lanes, null
        self.accuracies, self.timeout, self.say = sorted(accuracies, reverse=True), timeout, say
        self._optimum = optimum
        # Where the optimum is not the same for all: that of each setting of each peer.
        self._ends = {}

    # -- where the bottom is -----------------------------------------------------------------------------------------

    @property
    def runs(self):
        return [run for lane in self.lanes for run in lane.runs]

    @property
    def optimum(self):
        """F*, for every alpha the lowest objective seen."""
        rows = [run.values for run in self.runs] + ([self._optimum] if self._optimum is not None else [])
        return [min(column) for column in zip(*rows, strict=True)]

    def accuracy(self, run, optimum=None):
        if self.workload.concave:
            optimum = self._ends.get((run.peer, run.setting), run.values)
        return suboptimality(run.values, self.optimum if optimum is None else optimum, self.null)

    def by_peer(self):
        """The best accuracy of every peer, best first."""
        optimum = self.optimum
        found = {}
        for run in self.runs:
            found[run.peer] = min(found.get(run.peer, math.inf), suboptimality(run.values, optimum, self.null))
        return dict(sorted(found.items(), key=lambda item: item[1]))

    def agreement(self):
        """How far the second best peer is from F*: small means certified."""
        found = list(self.by_peer().values())
        return found[1] if len(found) > 1 else None

    def find_optimum(self):
        """Tight runs, peer after peer, until two agree."""
        peers = dict.fromkeys(lane.worker.peer for lane in self.lanes)
        for peer in peers:
            lanes = [lane for lane in self.lanes if lane.worker.peer == peer]
            # A method without a tolerance is exact; otherwise the next to last, as the last may be beyond rounding.
            lane = next((lane for lane in lanes if lane.tolerances == (None,)), lanes[0])
            tol = lane.tolerances[-2] if len(lane.tolerances) > 1 else None
            self.say(f"reference: {peer} {lane.setting}")
            lane.step(tol, self.timeout)
            agreement = self.agreement()
            if agreement is not None and agreement < 1e-10:
                return

    # -- the sweep ---------------------------------------------------------------------------------------------------

    def fastest(self, accuracy):
        """Seconds of the fastest run that is this accurate."""
        optimum = self.optimum
        return min((run.seconds for run in self.runs if self.accuracy(run, optimum) <= accuracy), default=math.inf)

    def sweep(self):
        """From loose to tight, all lanes in turns, until accurate enough or hopeless."""
        if self._optimum is None:
            self.find_optimum()
            for lane in self.lanes if self.workload.concave else ():
                if not lane.runs:
                    lane.step(lane.tolerances[-2], self.timeout)
                self._ends |= {run.key[:2]: run.values for run in lane.runs}
            if not self.runs:
                return
            self._optimum = self.optimum
            for lane in self.lanes:
                lane.runs.clear()
        waiting = [(lane, list(lane.tolerances)) for lane in self.lanes]
        while waiting:
            left = []
            for lane, tolerances in waiting:
                tol = tolerances.pop(0)
                if self.descend(lane, tol) and tolerances:
                    left.append((lane, tolerances))
            waiting = left
        for lane in self.lanes:
            self.refine(lane)

    def descend(self, lane, tol):
        """One run; whether a tighter one is worth it."""
        best = self.fastest(self.accuracies[-1])
        limit = min(self.timeout, max(5.0, 2 * HOPELESS * best))
        self.say(f"{lane.worker.peer} {lane.setting} tol={tol}")
        run = lane.step(tol, limit)
        if run is None:
            return False
        reached = self.accuracy(run)
        if reached <= self.accuracies[-1]:
            return False
        next_goal = next(accuracy for accuracy in self.accuracies if reached > accuracy)
        if run.seconds > max(HOPELESS * self.fastest(next_goal), 0.05):
            lane.note = f"more than {HOPELESS:g} x the best on the way to {next_goal:g}"
            return False
        return True

    def refine(self, lane):
        """Half a step back from the first tolerance that was tight enough."""
        for accuracy in self.accuracies:
            runs = sorted((run for run in lane.runs if run.tol), key=lambda run: -run.tol)
            first = next((k for k, run in enumerate(runs) if self.accuracy(run) <= accuracy), 0)
            if first > 0 and runs[first].seconds > 1.1 * runs[first - 1].seconds:
                self.say(f"{lane.worker.peer} {lane.setting} refines {accuracy:g}")
                lane.step(math.sqrt(runs[first].tol * runs[first - 1].tol), self.timeout)

    # -- the rounds --------------------------------------------------------------------------------------------------

    def candidates(self, accuracy, peer):
        """The two cheapest runs of a peer that are accurate enough, cheapest first."""
        optimum = self.optimum
        runs = [run for run in self.runs if run.peer == peer and self.accuracy(run, optimum) <= accuracy]
        runs.sort(key=lambda run: run.seconds)
        # However much slower the second was: the first run in a process touches memory that later ones find.
        return runs[:2]

    def rounds(self, count):
        """Times of what reached each accuracy, interleaved; seconds per key."""
        chosen = {}
        for accuracy in self.accuracies:
            entered = {peer: self.candidates(accuracy, peer) for peer in self.by_peer()}
            best = min((runs[0].seconds for runs in entered.values() if runs), default=math.inf)
            for peer, runs in entered.items():
                if runs and (peer == "skreg" or runs[0].seconds <= CLOSE * best):
                    chosen.update({run.key: run for run in runs})
        return take_turns(self.lanes, list(chosen.values()), count, self.timeout, self.say)

    def table(self, times):
        """For every accuracy: the median of each peer's best setting, the best peer, the ratio."""
        result = {}
        for accuracy in self.accuracies:
            entries = {}
            for peer in self.by_peer():
                for run in self.candidates(accuracy, peer):
                    sample = times.get(run.key, [])
                    seconds = statistics.median(sample) if sample else run.seconds
                    if peer not in entries or seconds < entries[peer]["seconds"]:
                        entries[peer] = {
                            "seconds": seconds,
                            "setting": run.setting,
                            "tol": run.tol,
                            "accuracy": self.accuracy(run),
                            "rounds": sample,
                        }
            result[f"{accuracy:.0e}"] = compare(self.workload, entries)
        return result


def take_turns(lanes, runs, count, timeout, say):
    """Seconds of each run in each of ``count`` rounds."""
    lanes = {(lane.worker.peer, lane.setting): lane for lane in lanes}
    times = {}
    for k in range(count):
        for run in runs:
            say(f"round {k + 1} of {count}: {run.peer} {run.setting}")
            repeat = max(1, math.ceil(SHORTEST / max(run.seconds, 1e-5)))
            try:
                seconds, _ = lanes[run.peer, run.setting].worker.run(run.setting, run.tol, timeout, repeat)
            except Failure:
                continue
            times.setdefault(run.key, []).append(seconds)
    return times


def compare(workload, entries):
    """Who is the best, and how far skreg is from it."""
    others = {peer: entry["seconds"] for peer, entry in entries.items() if peer != "skreg"}
    if workload.against:
        others = {peer: seconds for peer, seconds in others.items() if peer in workload.against}
    best = min(others, key=others.get, default=None)
    ratio = entries["skreg"]["seconds"] / others[best] if best and "skreg" in entries else None
    return {"peers": dict(sorted(entries.items(), key=lambda item: item[1]["seconds"])), "best": best, "ratio": ratio}
