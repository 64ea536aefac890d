"""Where do solvers end? Objectives on random problems, skreg against the peers that are installed.

    python benchmarks/ends.py mcp 200        # penalty, how many problems

Convex: one fit each, at tight tolerances. MCP: both go down the same path of alphas, each from its own solution before; what
counts is the objective at every alpha. A peer is lower where its objective is below that of skreg by more than 1e-6
(MCP) or 1e-8 (convex) times the objective of the model without coefficients.
"""

import argparse
import importlib
import warnings
from types import SimpleNamespace

import numpy as np
from makers import correlated
from objective import null_objective, objectives
from peers import load
from prices import PENALTIES
from workloads import Data

# Where each may end by its own tolerance, tight enough for the comparison.
PEERS = {"mcp": ("skglm",), "l1": ("skglm", "celer", "adelie"), "group lasso": ("skglm", "celer", "adelie")}
PEERS |= {"l21": ("skglm", "celer", "adelie"), "slope": ("skglm",)}
SETTING = {"skreg": "F", "skglm": "centred", "celer": "celer", "adelie": "single"}
TOLERANCE = {"skreg": 1e-12, "skglm": 1e-9, "celer": 1e-11, "adelie": 1e-14}


def random_problem(penalty, seed):
    """Data of random size, correlation and noise; columns have mean 0 and variance 1."""
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(30, 120)), 10 * int(rng.integers(2, 21))
    low = rng.uniform(0.0, 0.8)
    X = correlated(n, p, seed, low, low + 0.15)
    X = np.asfortranarray((X - X.mean(axis=0)) / X.std(axis=0))
    truth = np.zeros((p, 3 if penalty == "l21" else 1))
    chosen = rng.choice(p, size=int(rng.integers(2, 10)), replace=False)
    truth[chosen] = rng.standard_normal((len(chosen), truth.shape[1]))
    eta = X @ truth
    y = eta + rng.uniform(0.1, 1.0) * eta.std(axis=0) * rng.standard_normal(eta.shape)
    kind = "path" if penalty == "mcp" else "fit"
    workload = SimpleNamespace(
        penalty=penalty,
        loss="squared",
        kind=kind,
        alpha=rng.uniform(0.05, 0.3),
        fit_intercept=True,
        own_cv=False,
        by_estimator=False,
    )
    workload.l1_ratio = 1.0 if penalty == "l1" else None
    data = Data(workload, X, y if penalty == "l21" else y.ravel())
    if kind == "path":
        data.alphas = data.alphas[::5]
    return workload, data


def ends(name, workload, data):
    """F at every alpha where a peer ends."""
    peer = load(name)
    setting = "anderson-centred" if (name, workload.penalty) in (("skglm", "mcp"), ("skglm", "l1")) else SETTING[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answer = peer.run(workload, data, peer.prepare(workload, data, setting), setting, TOLERANCE[name])
    return objectives(workload, data, *answer)


def excesses(penalty, seed, names):
    """For every peer, F of skreg less F of the peer at every alpha, over F of the null model."""
    workload, data = random_problem(penalty, seed)
    null = null_objective("squared", data.y, fit_intercept=True)
    own = ends("skreg", workload, data)
    return {name: (own - ends(name, workload, data)) / null for name in names}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("penalty", choices=sorted(PEERS))
    parser.add_argument("count", type=int, nargs="?", default=200)
    options = parser.parse_args()
    assert options.penalty in PENALTIES
    names = [name for name in PEERS[options.penalty] if importlib.util.find_spec(name)]
    limit = 1e-6 if options.penalty == "mcp" else 1e-8
    found = [excesses(options.penalty, seed, names) for seed in range(options.count)]
    for name in names:
        excess = np.array([one[name] for one in found])
        at_end = excess[:, -1]
        print(
            f"{options.penalty}, {options.count} problems, against {name}: skreg no worse at the last alpha in "
            f"{100 * np.mean(at_end <= limit):.1f} %, better in {100 * np.mean(at_end < -limit):.1f} %; over all alphas no worse in "
            f"{100 * np.mean(excess <= limit):.1f} %, mean excess {excess.mean():.1e}, largest {excess.max():.1e}"
        )


if __name__ == "__main__":
    main()
