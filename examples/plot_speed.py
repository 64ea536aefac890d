r"""
How fast, compared with others?
===============================

The time to reach the same accuracy, for skreg and for the libraries that solve the same problem. The
numbers are read from ``benchmarks/results/*.json``, which ``benchmarks/run.py`` writes; nothing on this
page is typed by hand. How it is measured stands in ``benchmarks/README.md``.
"""

import json
import sys
from pathlib import Path

import matplotlib.pyplot as plt

places = [folder / "benchmarks" for folder in (Path.cwd(), *Path.cwd().parents)]
benchmarks = next(place for place in places if (place / "report.py").exists())
sys.path.insert(0, str(benchmarks))
import report
from workloads import WORKLOADS

results = report.load(benchmarks / "results")
measured = [result for result in results if (found := report.outcome(result)) and found["ratio"]]

# %%
# First, what this page can and cannot say.

print(f"{len(measured)} of {len(WORKLOADS)} workloads of the table have a result here.")
if len(measured) < len(WORKLOADS):
    print("The others have not been measured with this version: do not read them into the picture.")
for machine in {
    json.dumps(result["machine"]["versions"]): result["machine"] for result in measured
}.values():
    versions = ", ".join(
        f"{name} {number}" for name, number in machine["versions"].items() if number
    )
    print(
        f"\n{machine['date'][:10]}, {machine['cpu']}, {machine['cores']} cores, {machine['threads']} thread(s)"
    )
    print(versions.replace(", ", "\n  ", 1).replace(", celer", "\n  celer"))

# %%
# Each row is a workload. The dot is skreg, the ticks are the others, all relative to the best of the
# others: **left of 1 is faster than everybody else**. Times are medians, to a relative suboptimality of
# 1e-6 (searches: at the default tolerance of each). Others beyond 30 times the best are off the picture.


def draw(measured):
    """A row for each workload; ratios of times on a logarithmic axis."""
    fig, ax = plt.subplots(figsize=(10, 1.7 + 0.36 * len(measured)))
    for row, result in enumerate(measured):
        found = report.outcome(result)
        best = found["peers"][found["best"]]["seconds"]
        peers = {
            name: entry["seconds"] / best
            for name, entry in found["peers"].items()
            if name != "skreg"
        }
        ax.plot(list(peers.values()), [row] * len(peers), "|", color="0.45", ms=13, mew=2)
        ax.plot(
            found["ratio"],
            row,
            "o" if found["ratio"] <= 1 else "s",
            color="C0" if found["ratio"] <= 1 else "C1",
            ms=9,
        )
    ax.plot([], [], "o", color="C0", label="skreg, faster than all others")
    ax.plot([], [], "s", color="C1", label="skreg, slower than the best other")
    ax.plot([], [], "|", color="0.45", ms=13, mew=2, label="others")
    ax.axvline(1, color="k", lw=1)
    ax.set_xscale("log")
    low, high = ax.get_xlim()
    ax.set_xlim(min(low, 0.3), min(max(high, 3), 30))
    ticks = [
        tick
        for tick in (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)
        if ax.get_xlim()[0] <= tick <= ax.get_xlim()[1]
    ]
    ax.set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    ax.set_yticks(range(len(measured)), labels=[result["workload"] for result in measured])
    ax.set(xlabel="time / time of the best other library", ylim=(len(measured) - 0.5, -0.5))
    ax.minorticks_off()
    ax.grid(axis="y", visible=False)
    fig.legend(loc="outside upper center", ncols=3)
    return fig


if measured:
    draw(measured)
    plt.show()

# %%
# In numbers, with the best of the others in its best setting:

if measured:
    print(f"{'workload':<26}{'skreg':>10}{'best other':>14}{'ratio':>8}  who")
for result in measured:
    found = report.outcome(result)
    own, best = found["peers"]["skreg"]["seconds"], found["best"]
    other = found["peers"][best]["seconds"]
    print(
        f"{result['workload']:<26}{report.duration(own):>10}{report.duration(other):>14}{found['ratio']:>8.2f}  {best}"
    )

# %%
# A ratio holds for one machine and one shape of data. Run your own:
# ``python benchmarks/run.py lasso-golub`` takes a minute. :doc:`/performance` says where the time goes.
