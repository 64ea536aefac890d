"""celer: squared loss through its estimators and `celer_path`; logistic only without an intercept, as it has none."""

import numpy as np
from celer import ElasticNet, GroupLasso, Lasso, LogisticRegression, celer_path
from celer.homotopy import mtl_path
from prices import GROUP

from peers import Peer, decades


class Celer(Peer):
    name = "celer"
    distribution = "celer"
    cold = "from celer import Lasso\nLasso(alpha=0.1).fit(X, y)"

    def supports(self, workload):
        if workload.own_cv:
            return "beside scikit-learn 1.9 its LassoCV and ElasticNetCV raise TypeError: unexpected keyword argument 'n_alphas'"
        if workload.kind == "search":
            return "the table compares with scikit-learn"
        if workload.penalty not in ("l1", "weighted l1", "elastic net", "group lasso", "l21"):
            return f"no {workload.penalty}"
        if workload.loss == "softmax":
            return "no softmax (one against the rest)"
        if workload.loss == "logistic" and workload.fit_intercept:
            return "no intercept for logistic"
        return None

    def settings(self, workload, data):
        return ("celer-pn", "celer") if workload.loss == "logistic" else ("celer",)

    def tolerances(self, workload, setting):
        return decades(-2, -12)

    def run(self, workload, data, X, setting, tol):
        n = X.shape[0]
        if workload.loss == "logistic":
            model = LogisticRegression(solver=setting, tol=tol, max_iter=1000)
            if workload.kind == "path":
                coefs = model.path(X, 2.0 * data.y - 1.0, 1.0 / (n * data.alphas), setting)[0].T
            else:
                coefs = model.set_params(C=1.0 / (n * data.alphas[0])).fit(X, data.y).coef_
            return coefs, np.zeros(len(coefs))
        if workload.kind == "path":
            return self.path(workload, data, X, tol)
        if workload.penalty == "l21":
            return self.several_targets(data, X, tol)
        common = {"alpha": data.alphas[0], "tol": tol, "max_iter": 1000, "fit_intercept": workload.fit_intercept}
        if workload.penalty == "group lasso":
            model = GroupLasso(GROUP, **common)
        else:
            common["weights"] = data.weights
            model = Lasso(**common) if workload.l1_ratio == 1 else ElasticNet(l1_ratio=workload.l1_ratio, **common)
        model.fit(X, data.y)
        return [model.coef_], [model.intercept_]

    def several_targets(self, data, X, tol):
        """What is inside its MultiTaskLasso, which does not run beside scikit-learn 1.9."""
        means, mean = X.mean(axis=0), data.y.mean(axis=0)
        y = data.y - mean
        coef = mtl_path(X - means, y, alphas=data.alphas, tol=tol * np.mean(y**2), max_iter=1000)[1][:, :, 0]
        return [coef], [mean - means @ coef.T]

    def path(self, workload, data, X, tol):
        means = np.asarray(X.mean(axis=0)).ravel()
        y = data.y - data.y.mean()
        centre = {"X_offset": means, "X_scale": np.ones(X.shape[1])} if data.is_sparse else {}
        coefs = celer_path(
            X if data.is_sparse else X - means,
            y,
            "lasso",
            alphas=data.alphas,
            l1_ratio=workload.l1_ratio,
            # celer_path multiplies nothing: the estimators scale the tolerance by the mean square of y.
            tol=tol * np.mean(y**2),
            max_iter=1000,
            prune=True,
            weights=data.weights,
            **centre,
        )[1]
        return coefs.T, data.y.mean() - means @ coefs


PEERS = (Celer(),)
