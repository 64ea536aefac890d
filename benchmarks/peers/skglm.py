"""skglm: its solvers, with and without its own intercept (which is one more coordinate)."""

import numpy as np
from prices import GAMMA, GROUP, slope_sequence
from skglm import GeneralizedLinearEstimator
from skglm.datafits import Logistic, Quadratic, QuadraticGroup, QuadraticMultiTask
from skglm.penalties import L1, L2_1, SLOPE, L1_plus_L2, MCPenalty, WeightedGroupL2, WeightedL1
from skglm.solvers import FISTA, AndersonCD, GramCD, GroupBCD, MultiTaskBCD, ProxNewton

from peers import Peer


def group_lasso(X, y, alpha, tol):
    start, members = np.arange(0, X.shape[1] + 1, GROUP, dtype=np.int32), np.arange(X.shape[1], dtype=np.int32)
    penalty = WeightedGroupL2(alpha, np.ones(len(start) - 1), start, members)
    model = GeneralizedLinearEstimator(QuadraticGroup(start, members), penalty, GroupBCD(tol=tol))
    return model.fit(X, y).coef_.ravel()


def several_targets(X, y, alpha, tol):
    solver = MultiTaskBCD(max_iter=500, tol=tol, fit_intercept=False)
    model = GeneralizedLinearEstimator(QuadraticMultiTask(), L2_1(alpha), solver)
    return model.fit(X, np.asfortranarray(y)).coef_


def slope(X, y, alpha, tol):
    penalty = SLOPE(alpha * slope_sequence(X.shape[1]))
    model = GeneralizedLinearEstimator(Quadratic(), penalty, FISTA(max_iter=100_000, tol=tol, opt_strategy="fixpoint"))
    return model.fit(X, y).coef_.ravel()


# Penalties that have a solver of their own, which wants centred columns.
OWN_SOLVER = {"group lasso": group_lasso, "l21": several_targets, "slope": slope}


class Skglm(Peer):
    name = "skglm"
    distribution = "skglm"
    cold = "from skglm import Lasso\nLasso(alpha=0.1).fit(X, y)"

    def supports(self, workload):
        if workload.kind == "search":
            return "the table compares with scikit-learn"
        if workload.loss == "softmax":
            return "no softmax (one against the rest)"
        if workload.penalty in OWN_SOLVER:
            return None
        if workload.penalty not in ("l1", "weighted l1", "elastic net", "mcp"):
            return "its L-BFGS, the solver for l2, fits no intercept" if workload.penalty == "l2" else "not mapped"
        return None

    def settings(self, workload, data):
        if workload.penalty in OWN_SOLVER:
            return ("centred",)
        if workload.loss == "logistic":
            return ("prox-newton", "anderson")
        if data.is_sparse:
            return ("anderson",)
        n, p = data.X.shape
        # Its estimators refuse GramCD.
        gram = ("gram-centred",) if p <= 2000 and n > p and not workload.by_estimator else ()
        return ("anderson", "anderson-centred", *gram)

    def run(self, workload, data, X, setting, tol):
        y, means, mean = data.y, None, 0.0
        if setting.endswith("centred"):
            means, mean = X.mean(axis=0), y.mean(axis=0)
            X, y = X - means, y - mean
        if workload.penalty in OWN_SOLVER:
            coef = OWN_SOLVER[workload.penalty](X, y, data.alphas[0], tol * data.unit)
            return [coef.T], [mean - means @ coef]
        intercept = workload.fit_intercept and means is None
        # The tolerance is absolute: in units of the largest gradient at the null model.
        solver = self.solver(setting, tol * data.unit, intercept)
        loss = Quadratic() if workload.loss == "squared" else Logistic()
        if setting == "gram-centred":
            coefs = self.gram_path(solver, X, y, self.penalty(workload, data, data.alphas[0]), data.alphas)
        elif workload.kind == "path" and workload.loss == "squared":
            coefs = solver.path(X, y, loss, self.penalty(workload, data, data.alphas[0]), data.alphas)[1]
        elif workload.kind == "path":
            solver.warm_start = True
            model = GeneralizedLinearEstimator(loss, self.penalty(workload, data, data.alphas[0]), solver)
            coefs = []
            for alpha in data.alphas:
                model.penalty = self.penalty(workload, data, alpha)
                model.fit(X, y)
                coefs.append(np.append(model.coef_.ravel(), model.intercept_))
            coefs = np.array(coefs).T if intercept else np.array(coefs).T[:-1]
        else:
            model = GeneralizedLinearEstimator(loss, self.penalty(workload, data, data.alphas[0]), solver).fit(X, y)
            coefs = np.append(model.coef_.ravel(), model.intercept_ if intercept else [])[:, None]
        p = X.shape[1]
        if means is not None:
            return coefs[:p].T, mean - means @ coefs[:p]
        return coefs[:p].T, coefs[p] if intercept else np.zeros(coefs.shape[1])

    def gram_path(self, solver, X, y, penalty, alphas):
        """It makes the Gram matrix anew for every alpha."""
        coefs = np.zeros((X.shape[1], len(alphas)))
        coef = np.zeros(X.shape[1])
        for k, alpha in enumerate(alphas):
            penalty.alpha = alpha
            coef = solver.solve(X, y, None, penalty, coef)[0]
            coefs[:, k] = coef
        return coefs

    def penalty(self, workload, data, alpha):
        if workload.penalty == "weighted l1":
            return WeightedL1(alpha, data.weights)
        if workload.penalty == "mcp":
            return MCPenalty(alpha, GAMMA)
        return L1(alpha) if workload.l1_ratio == 1 else L1_plus_L2(alpha, workload.l1_ratio)

    def solver(self, setting, tol, fit_intercept):
        if setting == "prox-newton":
            return ProxNewton(max_iter=500, tol=tol, fit_intercept=fit_intercept)
        if setting == "gram-centred":
            return GramCD(max_iter=100_000, tol=tol, fit_intercept=False)
        return AndersonCD(max_iter=500, tol=tol, fit_intercept=fit_intercept)


PEERS = (Skglm(),)
