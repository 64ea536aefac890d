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
    regularization_path,
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
        path = regularization_path(
            X,
            data.y,
            penalty=self.penalty(workload),
            loss=workload.loss,
            alphas=data.alphas,
            penalty_factor=data.weights,
            fit_intercept=workload.fit_intercept,
            tol=tol,
        )
        return path.coefs, path.intercepts

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
