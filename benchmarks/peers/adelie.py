"""adelie: `grpnet` on groups of one, and `gaussian_cov` where the Gram matrix is small."""

import os

import adelie
import numpy as np
from prices import GROUP
from scipy import sparse

from peers import Peer, decades


class Adelie(Peer):
    name = "adelie"
    distribution = "adelie"
    cold = (
        "import adelie\n"
        "settings = {'lmda_path': [0.1], 'progress_bar': False, 'early_exit': False}\n"
        "adelie.grpnet(np.asfortranarray(X), adelie.glm.gaussian(y), **settings)"
    )

    def supports(self, workload):
        if workload.kind == "search":
            return "the table compares with scikit-learn"
        if workload.penalty not in ("l1", "weighted l1", "elastic net", "l2", "group lasso", "l21"):
            return "not mapped"
        if workload.loss == "softmax" and workload.l1_ratio:
            return "groups the classes of a feature"
        return None

    def settings(self, workload, data):
        n, p = data.X.shape
        ways = ("path",) if workload.kind == "path" else ("single", "short-path")
        # Without an L1 part its covariance method fails on its own arrays.
        gram = workload.loss == "squared" and workload.l1_ratio and not data.is_sparse and n > p
        # Its estimator calls `grpnet`.
        return (*ways, "covariance") if gram and not workload.by_estimator else ways

    def tolerances(self, workload, setting):
        return decades(-4, -20)

    def prepare(self, workload, data, setting):
        X = super().prepare(workload, data, setting)
        return sparse.csc_matrix(X) if data.is_sparse else X

    def run(self, workload, data, X, setting, tol):
        n, p = X.shape
        alphas = data.alphas
        if setting == "short-path":
            alphas = np.geomspace(1000.0 * data.unit if workload.penalty == "l2" else data.unit, alphas[0], 10)
        common = {
            "alpha": 1.0 if workload.l1_ratio is None else workload.l1_ratio,
            "penalty": np.ones(p) if data.weights is None else data.weights,
            "tol": tol,
            "early_exit": False,
            "progress_bar": False,
            "n_threads": int(os.environ.get("OMP_NUM_THREADS", "1")),
        }
        if workload.penalty == "group lasso":
            common |= {"groups": np.arange(0, p, GROUP), "penalty": np.ones(p // GROUP)}
        if setting == "covariance":
            means = X.mean(axis=0)
            centred = X - means
            y = data.y - data.y.mean()
            gram = np.asfortranarray(centred.T @ centred / n)
            state = adelie.gaussian_cov(gram, centred.T @ y / n, lmda_path=alphas, **common)
            coefs = state.betas.toarray()
            return coefs, data.y.mean() - coefs @ means
        glm, outputs = self.glm(workload, data)
        if workload.loss != "squared":
            common |= {"irls_tol": tol}
        kind = adelie.matrix.sparse if data.is_sparse else adelie.matrix.dense
        matrix = kind(X, method="naive", n_threads=common["n_threads"])
        # With several outputs its loss is divided by their number.
        state = adelie.grpnet(matrix, glm, lmda_path=alphas / outputs, intercept=workload.fit_intercept, **common)
        count = len(data.alphas)
        if state.betas.shape[0] < len(alphas):
            raise RuntimeError(f"stopped after {state.betas.shape[0]} of {len(alphas)} alphas")
        coefs = state.betas[-count:]
        if outputs > 1:
            coefs = coefs.toarray().reshape(count, p, outputs).transpose(0, 2, 1)
        return coefs, np.asarray(state.intercepts[-count:])

    @staticmethod
    def glm(workload, data):
        if workload.loss == "logistic":
            return adelie.glm.binomial(data.y.astype(np.float64)), 1
        if workload.loss == "softmax":
            outputs = int(data.y.max()) + 1
            return adelie.glm.multinomial(np.eye(outputs)[data.y]), outputs
        if data.y.ndim > 1:
            return adelie.glm.multigaussian(data.y), data.y.shape[1]
        return adelie.glm.gaussian(data.y), 1


PEERS = (Adelie(),)
