"""A penalty that a user wrote, two NumPy methods, against the shipped one: with numba, and without it.

    python benchmarks/own_penalty.py            # half a minute
    python benchmarks/own_penalty.py --small    # seconds; says nothing about speed

The last columns: objective relative to the shipped one's (MCP has many minima). Times are the fastest of five runs of ``fit`` (two of paths), in turns.
"""

import argparse
import time

import numpy as np
from makers import classes, regression

from skreg import (
    L1,
    MCP,
    PenalizedLogisticRegression,
    PenalizedRegression,
    Penalty,
    alpha_max,
    compile_prox,
    regularization_path,
)


class OwnL1(Penalty):
    separable = convex = True

    def value(self, coef, alpha):
        return np.sum(alpha * np.abs(coef))

    def prox(self, coef, step, alpha):
        return np.sign(coef) * np.maximum(np.abs(coef) - step * alpha, 0.0)


class OwnMCP(Penalty):
    separable = True

    def __init__(self, gamma=3.0):
        self.gamma = gamma

    def value(self, coef, alpha):
        size = np.minimum(np.abs(coef), self.gamma * alpha)
        return np.sum(alpha * size - size**2 / (2.0 * self.gamma))

    def prox(self, coef, step, alpha):
        size, gamma = np.abs(coef), self.gamma
        firm = np.sign(coef) * np.maximum(size - step * alpha, 0.0) / np.where(step < gamma, 1.0 - step / gamma, 1.0)
        firm = np.where(size > gamma * alpha, coef, firm)
        return np.where(step < gamma, firm, np.where(size > alpha * np.sqrt(gamma * step), coef, 0.0))


# name, task, (n, p, support), share of alpha_max, alphas of a path
WORKLOADS = [
    ("wide", "squared", (500, 20_000, 30), 0.2, None),
    ("tall", "squared", (100_000, 500, 50), 0.05, None),
    ("logistic", "logistic", (5_000, 2_000, 40), 0.3, None),
    ("path, wide", "squared", (300, 5_000, 30), None, 100),
    ("path, square", "squared", (1_000, 1_000, 50), None, 50),
]


def cases(small):
    """Every workload: its name, its call and its alpha."""
    for name, task, (n, p, support), share, n_alphas in WORKLOADS:
        if small:
            n, p, support = n // 20 + 40, p // 20 + 10, 5
        X, y = classes(n, p, support) if task == "logistic" else regression(n, p, support)
        top = alpha_max(X, y, penalty="l1", loss=task)
        if n_alphas is None:
            estimator = PenalizedLogisticRegression if task == "logistic" else PenalizedRegression

            def run(penalty, estimator=estimator, alpha=share * top, X=X, y=y):
                return [estimator(penalty, alpha=alpha).fit(X, y).optimality_.objective]
        else:
            alphas = np.geomspace(top, 0.05 * top, n_alphas)

            def run(penalty, alphas=alphas, X=X, y=y):
                return [one.objective for one in regularization_path(X, y, penalty=penalty, alphas=alphas).certificates]

        yield f"{name}, {n} x {p}", run


def fastest(run, penalties, rounds):
    """The least time of each, all in turns, and their objectives."""
    times, objectives = np.full(len(penalties), np.inf), [None] * len(penalties)
    for _ in range(rounds):
        for k, penalty in enumerate(penalties):
            start = time.perf_counter()
            objectives[k] = run(penalty)
            times[k] = min(times[k], time.perf_counter() - start)
    return times, objectives


def fresh(cls):
    """The class with a prox of its own, which nobody has compiled."""
    text = cls.prox
    own = type(text)(text.__code__, text.__globals__, text.__name__)
    return type(cls.__name__, (cls,), {"prox": own, "__module__": cls.__module__})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true")
    small = parser.parse_args().small
    from skreg.solvers import compiled

    heads = ["shipped", "numba", "NumPy", "numba", "NumPy", "above", "above"]
    print(" " * 34 + "".join(f"{head:>10}" for head in heads))
    for name, run in cases(small):
        for cls, shipped in ((OwnL1, L1()), (OwnMCP, MCP())):
            compile_prox(cls())
            compiled.WORTH = np.inf  # the third column is to stay NumPy
            times, objectives = fastest(run, [shipped, cls(), fresh(cls)()], 2 if "path" in name else 5)
            ratios = times / times[0]
            excess = [np.max(np.divide(each, objectives[0]) - 1.0) for each in objectives[1:]]
            columns = [f"{1e3 * seconds:.0f} ms" for seconds in times] + [f"{ratio:.2f} x" for ratio in ratios[1:]]
            columns += [f"{share:.0e}" for share in excess]
            print(f"{name:28}{cls.__name__:6}" + "".join(f"{text:>10}" for text in columns), flush=True)


if __name__ == "__main__":
    main()
