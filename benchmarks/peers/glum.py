"""glum: regressors and binomial models, a whole path in one call."""

from glum import GeneralizedLinearRegressor

from peers import Peer, Refused


class Glum(Peer):
    name = "glum"
    distribution = "glum"
    cold = (
        "from glum import GeneralizedLinearRegressor\n"
        "GeneralizedLinearRegressor(family='normal', alpha=0.1, l1_ratio=1.0).fit(X, y)"
    )

    def supports(self, workload):
        if workload.kind == "search":
            return "the table compares with scikit-learn"
        if workload.loss == "softmax":
            return "no softmax"
        if "outputs" in workload.full:
            return "one target at a time"
        if workload.penalty not in ("l1", "weighted l1", "elastic net", "l2"):
            return f"no {workload.penalty}"
        return None

    def settings(self, workload, data):
        if data.X.shape[1] > 10_000:
            raise Refused("forms a p x p matrix, of more than 800 MB here")
        return ("irls-cd",) if workload.l1_ratio else ("irls-ls", "lbfgs")

    def run(self, workload, data, X, setting, tol):
        path = workload.kind == "path"
        model = GeneralizedLinearRegressor(
            alpha=list(data.alphas) if path else data.alphas[0],
            alpha_search=path,
            l1_ratio=workload.l1_ratio,
            P1="identity" if data.weights is None else data.weights,
            fit_intercept=workload.fit_intercept,
            family="normal" if workload.loss == "squared" else "binomial",
            solver=setting,
            # Absolute as well.
            gradient_tol=tol * data.unit,
            max_iter=10_000,
        ).fit(X, data.y)
        if path:
            return model.coef_path_, model.intercept_path_
        return [model.coef_], [model.intercept_]


PEERS = (Glum(),)
