"""The peers: one file each, all with the interface of `Peer`."""

import importlib
from importlib.metadata import PackageNotFoundError, version

# A file each; the first is measured, the others are what it is measured against.
FILES = {name: name for name in ("skreg", "sklearn", "skglm", "celer", "adelie", "glum", "glmnet")}
FILES |= {"skreg-float64": "skreg", "validates-only": "floors", "does-nothing": "floors"}
NAMES = tuple(FILES)


def decades(loose, tight):
    """Tolerances from 10**loose down to 10**tight."""
    return tuple(10.0**k for k in range(loose, tight - 1, -1))


class Refused(Exception):
    """Why a peer cannot take these data."""


class Peer:
    """One library. Nothing here is timed except `run`.

    Attributes
    ----------
    name : str
    distribution : str
        What it is called where packages are installed from.
    cold : str
        A program that fits its lasso to ``X``, ``y``, imports included.
    special : bool
        Takes part in one kind of workload only, and is not missed elsewhere.
    """

    name = ""
    distribution = ""
    cold = ""
    special = False

    def supports(self, workload):
        """None, or the reason why it cannot do this."""
        raise NotImplementedError

    def settings(self, workload, data):
        """Ways of running it that a user who knows it well would try; raises `Refused` for these data."""
        return ("default",)

    def tolerances(self, workload, setting):
        """Its own tolerances, loosest first; ``(None,)`` for a method that has none."""
        return decades(-2, -10)

    def prepare(self, workload, data, setting):
        """Data in the layout that it likes best; the result is what `run` gets."""
        return data.layout("csc" if data.is_sparse else "F")

    def run(self, workload, data, X, setting, tol):
        """Solve for ``data.alphas``.

        Returns
        -------
        coefs, intercepts : sequences
            One entry per alpha, as `objective.objectives` reads them. A search returns the mean test scores.
        """
        raise NotImplementedError

    @property
    def version(self):
        return version(self.distribution)


def load(name):
    """The peer of that name; ImportError where it is not installed."""
    module = importlib.import_module(f"peers.{FILES[name]}")
    peer = next(peer for peer in module.PEERS if peer.name == name)
    try:
        assert peer.version
    except PackageNotFoundError as error:
        raise ImportError(f"{peer.distribution} is not installed") from error
    return peer


def grid_search(estimator, workload, data, X):
    """The search of the table: 50 alphas, 5 folds, columns scaled in a pipeline. Returns the mean test scores."""
    import numpy as np
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    pipeline = make_pipeline(StandardScaler(), estimator)
    alphas = data.unit * np.geomspace(1.0, workload.alpha, 50)
    grid = {f"{pipeline.steps[-1][0]}__alpha": alphas}
    return GridSearchCV(pipeline, grid, cv=5).fit(X, data.y).cv_results_["mean_test_score"]
