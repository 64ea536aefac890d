"""What GridSearchCV costs without a solver: estimators that validate and do nothing, or only do nothing."""

import numpy as np
import sklearn
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import validate_data

from peers import Peer, grid_search


class DoesNothing(RegressorMixin, BaseEstimator):
    def __init__(self, alpha=1.0):
        self.alpha = alpha

    def fit(self, X, y):
        self.mean_ = 0.0
        return self

    def predict(self, X):
        return np.zeros(X.shape[0])


class ValidatesOnly(DoesNothing):
    def fit(self, X, y):
        X, y = validate_data(self, X, y, accept_sparse=("csr", "csc"), dtype=(np.float64, np.float32), y_numeric=True)
        return super().fit(X, y)

    def predict(self, X):
        X = validate_data(self, X, accept_sparse=("csr", "csc"), dtype=(np.float64, np.float32), reset=False)
        return super().predict(X)


class Floor(Peer):
    distribution = "scikit-learn"
    special = True
    version = sklearn.__version__

    def __init__(self, name, estimator):
        self.name = name
        self.estimator = estimator

    def supports(self, workload):
        return None if workload.kind == "search" and not workload.own_cv else "only a floor for GridSearchCV"

    def tolerances(self, workload, setting):
        return (None,)

    def prepare(self, workload, data, setting):
        return data.layout("C")

    def run(self, workload, data, X, setting, tol):
        return grid_search(self.estimator, workload, data, X)


PEERS = (Floor("does-nothing", DoesNothing()), Floor("validates-only", ValidatesOnly()))
