r"""
How fast, compared with others?
===============================

The time to reach the same accuracy, for skreg and for the libraries that solve the same problem. The
numbers are read from ``benchmarks/results/*.json``, which ``benchmarks/run.py`` writes; nothing on this
page is typed by hand. How it is measured stands in ``benchmarks/README.md``.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt

places = [folder / "benchmarks" for folder in (Path.cwd(), *Path.cwd().parents)]
benchmarks = next(place for place in places if (place / "report.py").exists())
sys.path.insert(0, str(benchmarks))
import report
from workloads import WORKLOADS

results = report.load(benchmarks / "results")
found = {result["workload"]: report.outcome(result) for result in results}
compared = [result for result in results if (found[result["workload"]] or {}).get("ratio")]

# %%
# First, what this page can and cannot say.

print(f"{len(compared)} of {len(WORKLOADS)} workloads are compared here.")
alone = [result["workload"] for result in results if result not in compared]
if alone:
    print("Measured, but without a comparison at this accuracy:", ", ".join(alone))
if len(results) < len(WORKLOADS):
    print("The others have not been measured: do not read them into the picture.")

machines = [result["machine"] for result in compared]
for part in ("cpu", "cores", "threads"):
    print(f"{part + ':':<14} {', '.join(sorted({str(machine[part]) for machine in machines}))}")
for name in machines[0]["versions"] if machines else ():
    seen = {machine["versions"].get(name) for machine in machines} - {None}
    # Workloads are measured one after the other, while skreg goes on: each file says its commit.
    release = sorted({version.split()[0] for version in seen})
    dates = sorted(machine["date"][:10] for machine in machines)
    extra = f", {len(seen)} commits, from {dates[0]} to {dates[-1]}" if name == "skreg" else ""
    if release:
        print(f"{name + ':':<14} {', '.join(release)}{extra}")

# %%
# Each row is a workload. The dot is skreg, the ticks are the others, all relative to the best of the
# others: **left of 1 is faster than everybody else**. Times are medians, to a relative suboptimality of
# 1e-6 (searches: at the default tolerance of each). Others beyond 30 times the best are off the picture.


def draw(compared):
    """A row for each workload below the heading of its group; ratios of times on a logarithmic axis."""
    lines = []
    for result in compared:
        if not lines or lines[-1]["row"] != result["row"]:
            lines.append({"row": result["row"], "workload": None})
        lines.append(result)
    fig, ax = plt.subplots(figsize=(10, 1.4 + 0.3 * len(lines)))
    best_is_1 = {"color": "0.45", "ms": 11, "mew": 2}
    for place, result in enumerate(lines):
        if result["workload"] is None:
            beside = {"transform": ax.get_yaxis_transform(), "backgroundcolor": "white"}
            ax.text(0.01, place + 0.1, result["row"], va="center", weight="bold", size=10, **beside)
            continue
        told = found[result["workload"]]
        best = told["peers"][told["best"]]["seconds"]
        others = [
            entry["seconds"] / best for name, entry in told["peers"].items() if name != "skreg"
        ]
        ax.axhline(place, color="0.93", lw=0.8, zorder=0)
        ax.plot(others, [place] * len(others), "|", **best_is_1)
        faster = told["ratio"] <= 1
        ax.plot(told["ratio"], place, "o" if faster else "s", color="C0" if faster else "C1", ms=8)
    ax.plot([], [], "o", color="C0", label="skreg, faster than all others")
    ax.plot([], [], "s", color="C1", label="skreg, slower than the best other")
    ax.plot([], [], "|", label="others", **best_is_1)
    ax.axvline(1, color="k", lw=1)
    ax.set_xscale("log")
    low, high = ax.get_xlim()
    ax.set_xlim(min(low, 0.1), min(max(high, 3), 30))
    ticks = [tick for tick in (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30) if ax.get_xlim()[0] <= tick]
    ticks = [tick for tick in ticks if tick <= ax.get_xlim()[1]]
    ax.set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    ax.set_yticks(
        [place for place, line in enumerate(lines) if line["workload"]],
        labels=[line["workload"] for line in lines if line["workload"]],
    )
    ax.set(xlabel="time / time of the best other library", ylim=(len(lines) - 0.5, -0.7))
    ax.minorticks_off()
    ax.grid(axis="y", visible=False)
    ax.tick_params(axis="x", top=True, labeltop=True)
    fig.legend(loc="outside upper center", ncols=3)


if compared:
    draw(compared)
    plt.show()

# %%
# In numbers, with the best of the others in its best setting:

if compared:
    print(f"{'workload':<28}{'skreg':>9}{'best other':>12}{'ratio':>7}  who")
for result in compared:
    told = found[result["workload"]]
    own, best = told["peers"]["skreg"]["seconds"], told["best"]
    times = f"{report.duration(own):>9}{report.duration(told['peers'][best]['seconds']):>12}"
    print(f"{result['workload']:<28}{times}{told['ratio']:>7.2f}  {best}")

# %%
# A ratio holds for one machine and one shape of data. Run your own:
# ``python benchmarks/run.py lasso-golub`` takes a minute. :doc:`/performance` says where the time goes.
