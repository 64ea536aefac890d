"""Markdown and a plot from the results: ``python benchmarks/report.py`` writes results/benchmarks.md and .svg."""

import argparse
import json
import statistics

from workloads import WORKLOADS

ACCURACY = "1e-06"


def load(folder):
    """Results in the order of the table of workloads."""
    results = []
    for name in WORKLOADS:
        path = folder / f"{name}.json"
        if path.exists():
            results.append(json.loads(path.read_text(encoding="utf-8")))
    return results


def outcome(result, accuracy=ACCURACY):
    """The comparison at an accuracy, or the only one that there is; None where nobody reached it."""
    times = result.get("times", {})
    return times.get(accuracy) or times.get("any")


def duration(seconds):
    """Three digits, in the unit that reads best."""
    if seconds is None:
        return "-"
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


def ratio_text(value):
    return "-" if value is None else f"{value:.2f}"


def passes(result, seconds):
    """How often X could have been read in that time."""
    rates, problem = result.get("rates"), result.get("problem")
    if not rates or not problem or seconds is None or result["kind"] == "search":
        return "-"
    count = seconds * rates["GB/s"] * 1e9 / problem["bytes"]
    return f"{count:.0f}" if count >= 10 else f"{count:.1f}"


def markdown(results):
    """One line per workload: times and ratios at each accuracy, targets at 1e-6."""
    if not results:
        return ""
    accuracies = sorted({a for r in results for a in r.get("times", {}) if a != "any"}, key=float, reverse=True)
    main = ACCURACY if ACCURACY in accuracies or not accuracies else accuracies[-1]
    others = [accuracy for accuracy in accuracies if accuracy != main]
    names = [accuracy.replace("e-0", "e-") for accuracy in (main, *others)]
    head = ["workload", "skreg", "passes over X", "best peer", "", f"ratio at {names[0]}", "target", ""]
    head += [f"at {name}" for name in names[1:]]
    lines = ["| " + " | ".join(head) + " |", "|---|--:|--:|---|--:|--:|--:|---|" + "--:|" * len(others)]
    row = None
    for result in results:
        if result["row"] != row:
            row = result["row"]
            lines.append(f"| **{row}** |" + " |" * (len(head) - 1))
        lines.append("| " + " | ".join(cells(result, main, others)) + " |")
    return "\n".join([*lines, "", *notes(results)])


def cells(result, main, others):
    found = outcome(result, main)
    times = result.get("times", {})
    extra = [ratio_text(times[accuracy]["ratio"]) if accuracy in times else "-" for accuracy in others]
    if found is None or "skreg" not in found["peers"]:
        best = found and found["best"]
        seconds = found["peers"][best]["seconds"] if best else None
        return [result["workload"], "not reached", "-", best or "nobody", duration(seconds), "-", "", "", *extra]
    own = found["peers"]["skreg"]["seconds"]
    best = found["best"]
    entry = found["peers"].get(best, {})
    ratio, target = found["ratio"], result["target"]
    verdict = "" if ratio is None or target is None else ("met" if ratio <= target else f"{ratio / target:.1f} x over")
    label = f"{best} ({entry['setting']})" if best and entry["setting"] != "default" else best or "-"
    first = [result["workload"], duration(own), passes(result, own), label, duration(entry.get("seconds"))]
    return [*first, ratio_text(ratio), "" if target is None else f"{target:g}", verdict, *extra]


def notes(results):
    """What a reader must know in order to judge the table."""
    machine, rates = results[-1]["machine"], results[-1].get("rates", {})
    setting = f"{machine['cpu']}, {machine['threads']} thread(s), load {machine['load']} at the start"
    lines = [
        "Ratio: time of skreg / time of the best peer in its best setting, to the same accuracy "
        "(F(w) - F*) / (F(null) - F*). Medians of interleaved rounds.",
        f"{machine['date'][:10]}, {setting}. It reads X at {rates.get('GB/s', 0):.1f} GB/s and makes Gram matrices at "
        f"{rates.get('GFLOP/s', 0):.0f} GFLOP/s.",
        ", ".join(f"{name} {number}" for name, number in machine["versions"].items()) + ".",
    ]
    rounds = sorted({result.get("rounds", 5) for result in results})
    if rounds != [5]:
        lines.append(
            f"Rounds per workload: {', '.join(map(str, rounds))}; a ratio stands at every accuracy that was measured."
        )
    loads = [result["machine"]["load"] for result in results if result["machine"]["load"] is not None]
    if max(loads, default=0.0) > 1.0:
        lines.append(
            f"The machine was busy when some began (load up to {max(loads):.1f}): peers take turns, so ratios say more than times."
        )
    if any(result["size"] == "small" for result in results):
        lines.append("**Small variants: they test the benchmarks, and say nothing about speed.**")
    doubtful = [
        result["workload"]
        for result in results
        if "optimum" in result and (result["optimum"]["agreement"] is None or result["optimum"]["agreement"] > 1e-9)
    ]
    if doubtful:
        lines.append(f"Optimum found by one peer only: {', '.join(doubtful)}.")
    lines += [result["notes"]["scores"] + "." for result in results if "scores" in result.get("notes", {})]
    return ["\n\n".join(lines)]


def page(results):
    """The table, the plot, and who did not take part where."""
    reasons = {}
    for result in results:
        for peer, reason in result.get("refusals", {}).items():
            if WORKLOADS[result["workload"]].kind != "search":
                reasons.setdefault((peer, reason), []).append(result["workload"])
    lines = ["# Benchmarks", "", "![Ratios](benchmarks.svg)", "", markdown(results), ""]
    lines += ["## Who did not take part, and why", ""]
    lines += [f"- {peer}: {reason} ({', '.join(names)})" for (peer, reason), names in sorted(reasons.items())]
    ratios = [found["ratio"] for found in map(outcome, results) if found and found["ratio"]]
    if ratios:
        middle = statistics.geometric_mean(ratios)
        lines += ["", f"Geometric mean of the {len(ratios)} ratios: {middle:.2f}."]
    return "\n".join(lines) + "\n"


def plot(results, path):
    """A dot per workload and peer, relative to the best peer; skreg filled, a tick for its target."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    results = [result for result in results if (found := outcome(result)) and found["best"]]
    figure, axes = plt.subplots(figsize=(8.5, 1.2 + 0.21 * len(results)), layout="constrained")
    for k, result in enumerate(results):
        found = outcome(result)
        best = found["peers"][found["best"]]["seconds"]
        others = [entry["seconds"] / best for name, entry in found["peers"].items() if name != "skreg"]
        others = [ratio for ratio in others if ratio < 30]
        axes.plot(others, [k] * len(others), "|", color="0.6", markersize=8, label="peers" if k == 0 else None)
        if result["target"] is not None:
            label = "target" if k == 0 else None
            axes.plot(result["target"], k, marker="<", color="tab:orange", markersize=5, linestyle="", label=label)
        if found["ratio"] is not None:
            axes.plot(found["ratio"], k, "o", color="tab:blue", markersize=6, label="skreg" if k == 0 else None)
    rows = [result["row"] for result in results]
    for k in range(1, len(rows)):
        if rows[k] != rows[k - 1]:
            axes.axhline(k - 0.5, color="0.9", linewidth=0.8, zorder=0)
    axes.axvline(1.0, color="0.3", linewidth=1.0)
    axes.set_xscale("log")
    ticks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks(range(len(results)), [result["workload"] for result in results], fontsize=8)
    axes.set_ylim(len(results) - 0.5, -0.5)
    axes.set_xlabel("time / time of the best peer, to a relative suboptimality of 1e-6   (left of 1 is faster)")
    axes.grid(axis="x", color="0.92", zorder=0)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.06), ncols=3, frameon=False, fontsize=8)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def main(arguments=None):
    from session import RESULTS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", default="", help="small, partial, threads-2; none for the full ones")
    folder = RESULTS / parser.parse_args(arguments).folder
    results = load(folder)
    if not results:
        raise SystemExit(f"No results in {folder}: run benchmarks/run.py first.")
    (folder / "benchmarks.md").write_text(page(results), encoding="utf-8")
    plot(results, folder / "benchmarks.svg")
    print(f"{folder / 'benchmarks.md'}\n{folder / 'benchmarks.svg'}")


if __name__ == "__main__":
    main()
