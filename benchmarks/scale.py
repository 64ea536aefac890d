"""Time and memory against the number of rows and of columns: ``python benchmarks/scale.py`` writes results/scale.json.

Each size is fitted in a process of its own, one thread; three fits, the fastest counts, as other programs only add.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

RESULTS = Path(__file__).parent / "results"

ROWS = [(n, 100) for n in (1_000, 10_000, 100_000, 1_000_000)]
COLUMNS = [(1_000, p) for p in (100, 1_000, 10_000, 100_000)]
PROBLEMS = ("lasso", "ridge", "L1 logistic", "lasso, 100 alphas")
LAYOUTS = (("F", "float64"), ("C", "float64"), ("F", "float32"))


def high_water():
    """Most memory that this process has held since the mark was lowered, in bytes; Linux."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def lower_the_mark():
    """Begin to count anew from what is held now; returns that."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return high_water()


def measure(problem, n, p, order, dtype):
    """Seconds, and the peak of memory over X in units of its size."""
    import time

    import numpy as np

    from skreg import PenalizedLogisticRegression, PenalizedRegression, regularization_path

    rng = np.random.default_rng(0)
    X = np.empty((n, p), dtype=dtype, order=order)
    common = 0.5 * rng.standard_normal(n)
    for j in range(p):
        X[:, j] = common + rng.standard_normal(n)
    y = X[:, :10].astype(np.float64) @ np.linspace(1.0, 2.0, 10) + 3.0 * rng.standard_normal(n)
    if problem == "L1 logistic":
        y = y > 0
    slope = np.abs(X.T @ ((y - y.mean()) / n).astype(dtype)).max()
    fits = {
        "lasso": lambda: PenalizedRegression("l1", alpha=0.1 * slope).fit(X, y),
        "ridge": lambda: PenalizedRegression("l2", alpha=0.1 * slope).fit(X, y),
        "L1 logistic": lambda: PenalizedLogisticRegression("l1", alpha=0.1 * slope).fit(X, y),
        "lasso, 100 alphas": lambda: regularization_path(X, y, penalty="l1", alphas=100),
    }
    held, seconds = lower_the_mark(), []
    while len(seconds) < 3 and sum(seconds) < 20.0:
        start = time.perf_counter()
        fits[problem]()
        seconds.append(time.perf_counter() - start)
    return {"seconds": min(seconds), "extra": (high_water() - held) / X.nbytes}


def run(problem, n, p, order, dtype):
    """`measure` in a fresh process."""
    command = [sys.executable, __file__, "--one", json.dumps([problem, n, p, order, dtype])]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    done = subprocess.run(command, env=os.environ | threads, capture_output=True, text=True, check=True)
    return {"problem": problem, "n": n, "p": p, "order": order, "dtype": dtype, **json.loads(done.stdout)}


def table(entries):
    """Rows of the table in doc/performance.rst: seconds by size."""
    lines = []
    for title, sizes in (("rows", ROWS), ("columns", COLUMNS)):
        lines.append(f"by {title}: " + "  ".join(f"{n} x {p}" for n, p in sizes))
        for problem in PROBLEMS:
            for order, dtype in LAYOUTS:
                own = {
                    (e["n"], e["p"]): e
                    for e in entries
                    if (e["problem"], e["order"], e["dtype"]) == (problem, order, dtype)
                }
                times = [f"{own[size]['seconds']:.4f} s (+{own[size]['extra']:.2f})" for size in sizes if size in own]
                lines += [f"  {problem:18} {order} {dtype}  " + "  ".join(times)] if times else []
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--most", type=float, default=1e8, help="largest number of entries of X (1e8)")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(*json.loads(options.one))))
        return
    from machine import facts

    result = {"machine": facts(1), "entries": []}
    entries = result["entries"]
    RESULTS.mkdir(exist_ok=True)
    for problem in PROBLEMS:
        for order, dtype in LAYOUTS:
            first = (order, dtype) == LAYOUTS[0]
            # Other layouts: the lasso on the largest sizes.
            sizes = ROWS + COLUMNS if first else ROWS[-1:] + COLUMNS[-1:] if problem == PROBLEMS[0] else []
            for n, p in dict.fromkeys(sizes):
                if n * p <= options.most:
                    entries.append(run(problem, n, p, order, dtype))
                    seconds = entries[-1]["seconds"]
                    print(f"{problem:18} {n:8} x {p:<7} {order} {dtype}  {seconds:.4f} s", file=sys.stderr)
                    # After each, so that what is stopped early is not lost.
                    (RESULTS / "scale.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(table(entries))


if __name__ == "__main__":
    main()
