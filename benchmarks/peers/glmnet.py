"""glmnet's Fortran through python-glmnet, without its cross-validation."""

import numpy as np
from glmnet import ElasticNet, LogitNet

from peers import Peer, decades


class Glmnet(Peer):
    name = "glmnet"
    distribution = "python-glmnet"
    cold = "from glmnet import ElasticNet\nElasticNet(n_splits=0, lambda_path=[0.1], standardize=False).fit(X, y)"

    def supports(self, workload):
        if workload.own_cv:
            return "its cross-validation shuffles the rows, so there are no common scores to compare"
        if workload.kind == "search":
            return "the table compares with scikit-learn"
        if "outputs" in workload.full:
            return "several targets are not wrapped"
        if workload.penalty not in ("l1", "weighted l1", "elastic net", "l2"):
            return f"no {workload.penalty}"
        return None

    def settings(self, workload, data):
        # Its authors advise against a single lambda: a short path leads to it faster.
        return ("path",) if workload.kind == "path" else ("single", "short-path")

    def tolerances(self, workload, setting):
        return decades(-4, -20)

    def prepare(self, workload, data, setting):
        return data.layout("csr" if data.is_sparse else "F")

    def run(self, workload, data, X, setting, tol):
        alphas = data.alphas
        if setting == "short-path" and workload.l1_ratio:
            alphas = np.geomspace(data.unit, alphas[0], 10)
        elif setting == "short-path":
            alphas = np.geomspace(1000.0 * data.unit, alphas[0], 10)
        # It standardises y: the squares are then priced in units of its deviation, so prices are not the elastic net's.
        l1_ratio, alphas = self.mixture(workload, data, alphas)
        model = (ElasticNet if workload.loss == "squared" else LogitNet)(
            alpha=l1_ratio,
            lambda_path=np.asarray(alphas, dtype=float),
            standardize=False,
            fit_intercept=workload.fit_intercept,
            n_splits=0,
            tol=tol,
            max_iter=10_000_000,
        )
        weights = None
        if data.weights is not None:  # factors are rescaled to have mean 1
            weights = data.weights
            model.lambda_path = model.lambda_path * weights.mean()
        model.fit(X, data.y, relative_penalties=weights)
        if len(model.lambda_path_) < len(alphas):
            raise RuntimeError(f"stopped after {len(model.lambda_path_)} of {len(alphas)} alphas")
        coefs = np.moveaxis(model.coef_path_, -1, 0)
        intercepts = np.moveaxis(np.atleast_1d(model.intercept_path_), -1, 0)
        return coefs[-len(data.alphas) :], intercepts[-len(data.alphas) :]

    @staticmethod
    def mixture(workload, data, alphas):
        """glmnet's (alpha, lambda) for our (l1_ratio, alpha): gaussian squares cost 1 / std(y) of ours."""
        if workload.loss != "squared":
            return workload.l1_ratio, alphas
        l1, l2 = workload.l1_ratio, (1.0 - workload.l1_ratio) * data.y.std()
        return l1 / (l1 + l2), np.asarray(alphas) * (l1 + l2)


PEERS = (Glmnet(),)
