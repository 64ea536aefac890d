"""scikit-learn: its several solvers."""

from inspect import signature

import numpy as np
from sklearn.linear_model import (
    ElasticNet,
    ElasticNetCV,
    Lasso,
    LassoCV,
    LassoLars,
    LogisticRegression,
    LogisticRegressionCV,
    MultiTaskLasso,
    Ridge,
    enet_path,
    lars_path,
)

from peers import Peer, decades, grid_search

# liblinear penalises the intercept as the weight of a column of this value: large enough, and it is as good as free.
NEARLY_FREE = 1e4
EXACT = ("cholesky", "svd", "cholesky-once", "svd-once", "lars")

# Before 1.8 the penalty of LogisticRegression had a name, and a share of L1 beside the wrong one was ignored.
NAMED = signature(LogisticRegression).parameters["l1_ratio"].default is None


class Sklearn(Peer):
    name = "sklearn"
    distribution = "scikit-learn"
    cold = "from sklearn.linear_model import Lasso\nLasso(alpha=0.1).fit(X, y)"

    def supports(self, workload):
        known = ("l1", "weighted l1", "elastic net", "l2", "l21")
        return None if workload.penalty in known else f"no {workload.penalty}"

    def settings(self, workload, data):
        n, p = data.X.shape
        if workload.kind == "search":
            return ("cd",) if workload.loss == "squared" else ("lbfgs", "newton-cholesky")
        if workload.penalty == "l21":
            return ("cd",)
        if workload.loss == "squared" and workload.l1_ratio == 0:
            if workload.kind == "path":
                return ("cholesky-once", "svd-once")
            return ("cholesky", "svd", "lsqr", "sparse_cg") if not data.is_sparse else ("lsqr", "sparse_cg")
        if workload.loss == "squared":
            gram = ("cd-gram",) if p <= 2000 and n > p else ()
            lars = ("lars",) if workload.penalty == "l1" and not data.is_sparse else ()
            return ("cd", *gram, *lars)
        if workload.l1_ratio == 0:
            liblinear = ("liblinear",) if workload.loss == "logistic" else ()
            return ("lbfgs", "newton-cg", *(("newton-cholesky",) if p <= 5000 else ()), *liblinear)
        return ("saga", "liblinear") if workload.loss == "logistic" else ("saga",)

    def tolerances(self, workload, setting):
        if workload.kind == "search" or setting in EXACT:
            return (None,)
        return decades(0, -12) if setting in ("liblinear", "saga") else decades(-2, -12)

    def prepare(self, workload, data, setting):
        if setting in ("saga", "liblinear", "lbfgs", "newton-cg", "newton-cholesky") or (
            workload.kind == "search" and not workload.own_cv
        ):
            return data.layout("csr" if data.is_sparse else "C")
        return super().prepare(workload, data, setting)

    def run(self, workload, data, X, setting, tol):
        if workload.own_cv:
            return self.own_cv(workload, data, X, setting)
        if workload.kind == "search":
            return grid_search(Lasso(), workload, data, X)
        if workload.loss != "squared":
            return self.classify(workload, data, X, setting, tol)
        if setting.endswith("-once"):
            return self.all_ridges(data, X, setting.removesuffix("-once"), workload.fit_intercept)
        if workload.kind == "path" and not data.is_sparse:
            return self.path(workload, data, X, setting, tol)
        if data.weights is not None:
            X = X / data.weights
        coefs, intercepts = [], []
        model = self.regressor(workload, setting, tol)
        for alpha in data.alphas:
            model.set_params(alpha=alpha * X.shape[0] if workload.l1_ratio == 0 else alpha).fit(X, data.y)
            coefs.append(model.coef_ if data.weights is None else model.coef_ / data.weights)
            intercepts.append(model.intercept_)
        return coefs, intercepts

    def own_cv(self, workload, data, X, setting):
        """Its estimators that cross-validate themselves: minus the mean loss at every alpha."""
        if workload.loss == "squared":
            common = {"alphas": data.alphas, "cv": 5}
            l1_ratio = workload.l1_ratio
            model = LassoCV(**common) if l1_ratio == 1 else ElasticNetCV(l1_ratio=l1_ratio, **common)
            return -0.5 * model.fit(X, data.y).mse_path_.mean(axis=1)
        # C sums over the rows of a training set: four fifths of all.
        strengths = 1.0 / (data.alphas * 0.8 * X.shape[0])
        words = {} if NAMED else {"l1_ratios": (0,), "use_legacy_attributes": False}
        model = LogisticRegressionCV(Cs=strengths, cv=5, scoring="neg_log_loss", solver=setting, **words).fit(X, data.y)
        scores = next(iter(model.scores_.values())) if isinstance(model.scores_, dict) else model.scores_
        return np.mean(scores, axis=0).ravel()

    def regressor(self, workload, setting, tol):
        common = {"fit_intercept": workload.fit_intercept, "max_iter": 100_000}
        if workload.l1_ratio == 0:
            return Ridge(solver=setting, **common, **({} if tol is None else {"tol": tol}))
        if setting == "lars":
            return LassoLars(**common)
        if workload.penalty == "l21":
            return MultiTaskLasso(tol=tol, **common)
        common |= {"tol": tol, "precompute": setting == "cd-gram", "warm_start": workload.kind == "path"}
        return Lasso(**common) if workload.l1_ratio == 1 else ElasticNet(l1_ratio=workload.l1_ratio, **common)

    def all_ridges(self, data, X, solver, fit_intercept):
        """One target per alpha: the decomposition, or the Gram matrix, is made once for all."""
        y = np.repeat(data.y[:, None], len(data.alphas), axis=1)
        model = Ridge(alpha=data.alphas * X.shape[0], solver=solver, fit_intercept=fit_intercept).fit(X, y)
        return model.coef_, model.intercept_

    def path(self, workload, data, X, setting, tol):
        """The path functions know no intercept: centre first."""
        means = X.mean(axis=0)
        centred = X - means
        y = data.y - data.y.mean()
        if setting == "lars":
            knots, _, coefs = lars_path(centred, y, method="lasso", alpha_min=data.alphas[-1], copy_X=False)
            # Linear between its knots, which go down.
            right = np.clip(np.searchsorted(-knots, -data.alphas), 1, len(knots) - 1)
            share = np.clip((knots[right - 1] - data.alphas) / (knots[right - 1] - knots[right]), 0.0, 1.0)
            coefs = coefs[:, right - 1] * (1.0 - share) + coefs[:, right] * share
        else:
            coefs = enet_path(
                centred,
                y,
                l1_ratio=workload.l1_ratio,
                alphas=data.alphas,
                precompute=setting == "cd-gram",
                copy_X=False,
                tol=tol,
                max_iter=100_000,
            )[1]
        return coefs.T, data.y.mean() - means @ coefs

    def classify(self, workload, data, X, setting, tol):
        model = LogisticRegression(
            solver=setting,
            tol=tol,
            fit_intercept=workload.fit_intercept,
            intercept_scaling=NEARLY_FREE if workload.fit_intercept and setting == "liblinear" else 1.0,
            max_iter=100_000,
            random_state=0,
            warm_start=workload.kind == "path" and setting != "liblinear",
        ).set_params(**logistic_shape(workload.l1_ratio))
        coefs, intercepts = [], []
        for alpha in data.alphas:
            model.set_params(C=1.0 / (alpha * X.shape[0])).fit(X, data.y)
            coefs.append(model.coef_)
            intercepts.append(model.intercept_)
        return coefs, intercepts


def logistic_shape(l1_ratio):
    """The penalty of LogisticRegression, in the words of the installed version."""
    if NAMED and l1_ratio in (0, 1):
        return {"penalty": "l1" if l1_ratio else "l2"}
    return {"l1_ratio": l1_ratio} | ({"penalty": "elasticnet"} if NAMED else {})


PEERS = (Sklearn(),)
