"""skreg: what a user would write, with ``solver="auto"``."""

import numpy as np
from prices import GAMMA, GROUP, Q

import skreg
from peers import Peer, decades, grid_search
from skreg import (
    L21,
    MCP,
    SLOPE,
    GroupLasso,
    PenalizedLogisticRegression,
    PenalizedLogisticRegressionCV,
    PenalizedRegression,
    PenalizedRegressionCV,
    fastest_solver,
    make_problem,
)

PENALTY = {"l1": "l1", "weighted l1": "l1", "elastic net": "elasticnet", "l2": "l2"}
PENALTY |= {"mcp": MCP(GAMMA), "group lasso": GroupLasso(GROUP, weights=None), "l21": L21(), "slope": SLOPE(q=Q)}


class Skreg(Peer):
    name = "skreg"
    distribution = "skreg"
    cold = "from skreg import PenalizedRegression\nPenalizedRegression('l1', alpha=0.1).fit(X, y)"

    def supports(self, workload):
        return None if workload.penalty in PENALTY else f"no {workload.penalty}"

    def penalty(self, workload):
        return PENALTY[workload.penalty]

    def settings(self, workload, data):
        # Whatever order X is in, it is used as it is: measure both.
        if workload.kind == "search":
            return ("C",)
        return ("csc",) if data.is_sparse else ("F", "C")

    def tolerances(self, workload, setting):
        return (None,) if workload.kind == "search" else decades(-2, -12)

    def prepare(self, workload, data, setting):
        return data.layout(setting)

    def run(self, workload, data, X, setting, tol):
        if workload.own_cv:
            search = PenalizedRegressionCV if workload.loss == "squared" else PenalizedLogisticRegressionCV
            model = search(self.penalty(workload), alphas=data.alphas, cv=5).fit(X, data.y)
            return model.cv_results_["mean_test_score"]
        if workload.kind == "search":
            return grid_search(PenalizedRegression("l1"), workload, data, X)
        if workload.kind == "path":
            return self.path(workload, data, X, tol)
        estimator = PenalizedRegression if workload.loss == "squared" else PenalizedLogisticRegression
        model = estimator(
            self.penalty(workload),
            alpha=data.alphas[0],
            penalty_factor=data.weights,
            fit_intercept=workload.fit_intercept,
            tol=tol,
        ).fit(X, data.y)
        return [model.coef_], [model.intercept_]

    def path(self, workload, data, X, tol):
        """What `skreg.regularization_path` solves, without what it says of the solutions."""
        y = np.eye(int(data.y.max()) + 1)[data.y] if workload.loss == "softmax" else data.y
        problem = make_problem(
            X,
            y,
            penalty=self.penalty(workload),
            loss=workload.loss,
            penalty_factor=data.weights,
            fit_intercept=workload.fit_intercept,
        )
        solutions = list(fastest_solver(problem).solver.solve(problem, data.alphas, tol=tol))
        shift = problem.design.shift
        moved = [0.0 if shift is None else shift @ solution.coef for solution in solutions]
        coefs = [solution.coef.T for solution in solutions]
        return coefs, [s.intercept + problem.offset - m for s, m in zip(solutions, moved, strict=True)]

    @property
    def version(self):
        return skreg.__version__


class Float64(Skreg):
    """The same on twice the bytes: what float32 is compared with."""

    name = "skreg-float64"
    special = True

    def supports(self, workload):
        return None if self.name in workload.against else "only compared where X is float32"

    def prepare(self, workload, data, setting):
        return data.layout(setting).astype(np.float64)


PEERS = (Skreg(), Float64())
