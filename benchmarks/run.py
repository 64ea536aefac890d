"""Run benchmarks: ``python benchmarks/run.py --list``, ``python benchmarks/run.py lasso-wide --small``."""

import argparse
import json
import os
import sys
import time
from fnmatch import fnmatch

import peers
from workloads import WORKLOADS

# Time of a single run, in seconds, after which it is given up.
TIMEOUT = {"small": 20.0, "full": 90.0}


class Progress:
    """One line on stderr that changes; in a log file, a line every ten seconds."""

    def __init__(self):
        self.prefix = ""
        self.start = self.last = time.monotonic()

    def __call__(self, text):
        now = time.monotonic()
        line = f"{self.prefix} {now - self.start:5.0f} s  {text}"
        if sys.stderr.isatty():
            print(f"\r\x1b[K{line[:110]}", end="", file=sys.stderr, flush=True)
        elif now - self.last > 10:
            print(line, file=sys.stderr, flush=True)
            self.last = now

    def clear(self):
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workloads", nargs="*", help="names, or patterns such as 'path-*'")
    parser.add_argument("--all", action="store_true", help="every workload of the table")
    parser.add_argument("--list", action="store_true", help="print the table of workloads")
    parser.add_argument("--check", action="store_true", help="only whether all peers reach the same optimum")
    parser.add_argument("--small", action="store_true", help="the small variants: they test the benchmarks only")
    parser.add_argument("--accuracy", type=float, action="append", help="1e-4, 1e-6 and 1e-9 unless given")
    parser.add_argument("--peers", default=",".join(peers.NAMES), help="as in skglm,celer; all unless given")
    parser.add_argument("--rounds", type=int, default=5, help="timed repetitions, interleaved (5)")
    parser.add_argument("--threads", type=int, default=1, help="threads of BLAS and OpenMP (1)")
    parser.add_argument("--timeout", type=float, help="seconds that a single run may take")
    parser.add_argument("--missing", action="store_true", help="leave out workloads that have a result")
    return parser.parse_args(arguments)


def chosen(options):
    """Names of the workloads asked for, in the order of the table."""
    patterns = ["*"] if options.all else options.workloads
    for pattern in patterns:
        if not any(fnmatch(name, pattern) for name in WORKLOADS):
            raise SystemExit(f"No workload is called {pattern!r}: see --list.")
    return [name for name in WORKLOADS if any(fnmatch(name, pattern) for pattern in patterns)]


def subfolder(options):
    """Where results go: only those with all peers, the accuracy of the targets and three rounds count for the page."""
    if options.small:
        return "small"
    aimed = not options.accuracy or 1e-6 in options.accuracy
    complete = aimed and set(options.peers) == set(peers.NAMES) and options.rounds >= 3
    threads = "" if options.threads == 1 else f"threads-{options.threads}"
    return threads if complete else "partial"


def table():
    """The workloads, by row of the table of targets."""
    lines, row = [], None
    for workload in WORKLOADS.values():
        if workload.row != row:
            row = workload.row
            lines.append(f"\n{row}")
        size = f"{workload.full['n']} x {workload.full['p']}" if "p" in workload.full else "real data"
        what = f"{workload.loss}, {workload.penalty}, {workload.kind}, alpha {workload.alpha:g}, {size}"
        lines.append(f"  {workload.name:28} {workload.target!s:>5}  {what}")
    return "\n".join(lines)


def main(arguments=None):
    options = parse(arguments)
    if options.list:
        print(table())
        return 0
    names = chosen(options)
    if not names:
        raise SystemExit("Name a workload, or say --all; --list shows them.")
    # Before NumPy is imported anywhere.
    from worker import THREADS

    os.environ.update(dict.fromkeys(THREADS, str(options.threads)))
    size = "small" if options.small else "full"
    options.timeout = options.timeout or TIMEOUT[size]
    options.peers = list(dict.fromkeys(["skreg", *options.peers.split(",")]))
    try:
        return (check_all if options.check else run_all)(names, options)
    except KeyboardInterrupt:
        return 130


def run_all(names, options):
    from machine import rates
    from makers import Missing
    from measure import ACCURACIES
    from report import markdown
    from session import RESULTS, play

    if os.getloadavg()[0] > 0.5:
        print(f"This machine is busy (load {os.getloadavg()[0]:.1f}): times will say little.", file=sys.stderr)
    say = Progress()
    speed = rates(options.threads)
    accuracies = tuple(options.accuracy or ACCURACIES)
    results = []
    for k, name in enumerate(names):
        say.prefix = f"[{k + 1}/{len(names)} {name}]"
        reason = unavailable(name, options.small, Missing)
        target = RESULTS / subfolder(options) / f"{name}.json"
        if reason or (options.missing and target.exists()):
            say.clear()
            print(f"{name}: left out, {reason or 'it has a result'}", file=sys.stderr)
            continue
        result = play(
            name,
            options.small,
            options.peers,
            accuracies,
            options.rounds,
            options.threads,
            options.timeout,
            say,
        )
        result["rates"] = speed
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(result, indent=1, default=float) + "\n", encoding="utf-8")
        results.append(result)
        say.clear()
        print(f"{name}: {result['seconds']:.0f} s", file=sys.stderr, flush=True)
    print(markdown(results))
    return 0


def unavailable(name, small, missing):
    """Why there is no data, or ""."""
    try:
        workload = WORKLOADS[name]
        workload.make(**(workload.small if small else workload.full))
    except missing as error:
        return str(error)
    return ""


def check_all(names, options):
    from makers import Missing
    from session import check

    say, failures = Progress(), 0
    for k, name in enumerate(names):
        say.prefix = f"[{k + 1}/{len(names)} {name}]"
        if WORKLOADS[name].kind in ("search", "cold") or unavailable(name, True, Missing):
            continue
        lines, refusals = check(name, options.small, options.peers, options.threads, options.timeout, say)
        say.clear()
        print(name)
        for peer, setting, reached, note, verdict in lines:
            failures += verdict == "BAD"
            print(f"  {verdict:4} {peer:14} {setting:16} {reached:8.1e} {'' if verdict == 'ok' else note}")
        for peer, reason in refusals.items():
            print(f"  -    {peer:14} {reason}")
        sys.stdout.flush()
    print(f"{failures} settings of peers none of whose settings arrives" if failures else "All reach the same optimum.")
    return int(failures > 0)


if __name__ == "__main__":
    raise SystemExit(main())
