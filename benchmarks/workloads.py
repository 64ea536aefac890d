"""The table of workloads: named, with a fixed seed, in the order of the table of targets."""

from dataclasses import dataclass, field

import makers as make
import numpy as np
from objective import null_gradient
from prices import CONCAVE, L1_RATIO, largest_alpha
from scipy import sparse

LAYOUTS = {"F": np.asfortranarray, "C": np.ascontiguousarray, "csc": sparse.csc_array, "csr": sparse.csr_array}


@dataclass(frozen=True)
class Workload:
    """One problem, or one path of problems.

    Attributes
    ----------
    row : str
        Its row in the table of targets.
    target : float or None
        Wanted: time of skreg / time of the best peer.
    make : callable
        Maker of the data, with the arguments ``full`` or ``small``.
    alpha : float
        Strength in units of alpha_max, for L2 of the largest derivative of the loss at the null model.
        The last one of a path, which begins at 1 (L2: at 1000).
    kind : {"fit", "path", "search", "cold"}
        One alpha; 100 of them; GridSearchCV; a fresh process.
    against : tuple of str
        The peers that count for the ratio; all of them if empty.
    own_cv : bool
        A search by the estimators that cross-validate themselves, along the path of 100 alphas.
    by_estimator : bool
        What GridSearchCV does many times: ``fit`` of an estimator counts, checks of the input included, and no function that has none.
    """

    name: str
    row: str
    target: float | None
    make: object = None
    full: dict = field(default_factory=dict)
    small: dict = field(default_factory=dict)
    loss: str = "squared"
    penalty: str = "l1"
    alpha: float = 0.1
    kind: str = "fit"
    fit_intercept: bool = True
    against: tuple = ()
    own_cv: bool = False
    by_estimator: bool = False

    @property
    def l1_ratio(self):
        return L1_RATIO.get(self.penalty)

    @property
    def concave(self):
        """Whether there may be several points where a solver can end."""
        return self.penalty in CONCAVE

    def data(self, small=False):
        return Data(self, *self.make(**(self.small if small else self.full)))


class Data:
    """``X``, ``y``, the ``alphas`` to solve for (largest first) and the ``weights`` of the penalty, or None."""

    def __init__(self, workload, X, y):
        self.X, self.y = X, y
        self.weights = None
        if workload.penalty == "weighted l1":
            self.weights = np.random.default_rng(9).uniform(0.5, 2.0, size=X.shape[1])
        gradient = null_gradient(workload.loss, X, y, workload.fit_intercept)
        self.unit = largest_alpha(workload.penalty, gradient, self.weights)
        top = 1000.0 if workload.penalty == "l2" else 1.0
        many = workload.kind == "path" or workload.own_cv
        fractions = np.geomspace(top, workload.alpha, 100) if many else np.array([workload.alpha])
        self.alphas = self.unit * fractions
        self._layouts = {}

    def layout(self, name):
        """X as "F", "C", "csc" or "csr": a copy where it must be, once."""
        if name not in self._layouts:
            self._layouts[name] = LAYOUTS[name](self.X)
        return self._layouts[name]

    @property
    def is_sparse(self):
        return sparse.issparse(self.X)


def _table():
    def entry(name, make=None, full=None, small=None, **settings):
        return Workload(name, row, settings.pop("target", target), make, full or {}, small or {}, **settings)

    # -- lasso and elastic net ---------------------------------------------------------------------------------------
    tall = make.regression, {"n": 100_000, "p": 500, "support": 50}, {"n": 2000, "p": 50, "support": 10}
    wide = make.regression, {"n": 500, "p": 20_000, "support": 50}, {"n": 80, "p": 600, "support": 10}
    widest = make.regression, {"n": 500, "p": 50_000, "support": 50}, {"n": 80, "p": 1500, "support": 10}
    gene = make.golub, {"signs": True}, {"signs": True, "genes": 500}
    texts = (
        make.text_regression,
        {"n": 20_000, "p": 50_000, "support": 500},
        {"n": 500, "p": 1000, "support": 20, "nonzeros": 20},
    )

    row, target = "lasso, elastic net: tall dense", 0.4
    yield entry("lasso-tall", *tall, alpha=0.1)
    yield entry("lasso-tall-100", *tall, alpha=0.01)
    yield entry("enet-tall", *tall, penalty="elastic net", alpha=0.1)
    yield entry("enet-tall-100", *tall, penalty="elastic net", alpha=0.01)

    row, target = "lasso, weighted lasso, elastic net: wide correlated", 0.3
    yield entry("lasso-wide", *wide, alpha=0.1)
    yield entry("lasso-wide-20", *wide, alpha=0.05)
    yield entry("weighted-lasso-wide", *wide, penalty="weighted l1", alpha=0.1)
    yield entry("enet-wide", *wide, penalty="elastic net", alpha=0.1)
    yield entry("lasso-widest", *widest, alpha=0.1)
    yield entry("enet-widest-20", *widest, penalty="elastic net", alpha=0.05)

    row, target = "the same with small alpha (support near n)", 0.2
    yield entry("lasso-wide-100", *wide, alpha=0.01)
    yield entry("weighted-lasso-wide-100", *wide, penalty="weighted l1", alpha=0.01)
    yield entry("enet-wide-100", *wide, penalty="elastic net", alpha=0.01)
    yield entry("lasso-widest-100", *widest, alpha=0.01)

    row, target = "lasso: gene expression", 0.5
    yield entry("lasso-golub", *gene, alpha=0.1)
    yield entry("lasso-golub-100", *gene, alpha=0.01)

    row, target = "lasso: sparse text", 0.5
    yield entry("lasso-text", *texts, alpha=0.1)
    yield entry("lasso-text-100", *texts, alpha=0.01)

    # -- ridge ---------------------------------------------------------------------------------------------------------
    row, target = "ridge: tall, wide, several targets", 0.7
    targets = make.regression, {**tall[1], "outputs": 10}, {**tall[2], "outputs": 3}
    yield entry("ridge-tall", *tall, penalty="l2", alpha=0.1)
    yield entry("ridge-wide", *wide, penalty="l2", alpha=0.1)
    yield entry("ridge-targets", *targets, penalty="l2", alpha=0.1)

    row, target = "ridge: all alphas at once", 0.2
    yield entry("ridge-path-tall", *tall, penalty="l2", alpha=1e-3, kind="path")
    yield entry("ridge-path-wide", *wide, penalty="l2", alpha=1e-3, kind="path")

    # -- classes -------------------------------------------------------------------------------------------------------
    logistic = {"loss": "logistic"}
    dense = make.classes, {"n": 5000, "p": 2000, "support": 50}, {"n": 300, "p": 100, "support": 10}
    tall_classes = make.classes, {"n": 200_000, "p": 100, "support": 20}, {"n": 3000, "p": 30, "support": 10}
    wide_classes = make.classes, {"n": 500, "p": 20_000, "support": 50}, {"n": 100, "p": 600, "support": 10}
    gene_classes = make.golub, {}, {"genes": 500}
    text_classes = (
        make.text_classes,
        {"n": 20_000, "p": 47_000, "support": 500},
        {"n": 500, "p": 1000, "support": 20, "nonzeros": 20},
    )

    row, target = "L1 logistic: dense correlated, tall, wide, sparse", 0.5
    yield entry("logistic-l1-dense", *dense, **logistic, alpha=0.1)
    yield entry("logistic-l1-dense-100", *dense, **logistic, alpha=0.01)
    yield entry("logistic-l1-tall", *tall_classes, **logistic, alpha=0.1)
    yield entry("logistic-l1-tall-100", *tall_classes, **logistic, alpha=0.01)
    yield entry("logistic-l1-wide", *wide_classes, **logistic, alpha=0.1)
    yield entry("logistic-l1-golub", *gene_classes, **logistic, alpha=0.1)
    yield entry("logistic-l1-text", *text_classes, **logistic, alpha=0.1)
    yield entry("logistic-l1-text-100", *text_classes, **logistic, alpha=0.01)
    # celer and liblinear have no free intercept: here they may show what they can.
    yield entry("logistic-l1-text-100-origin", *text_classes, **logistic, alpha=0.01, fit_intercept=False)

    row, target = "L2 logistic: tall, sparse", 0.5
    yield entry("logistic-l2-tall", *tall_classes, **logistic, penalty="l2", alpha=0.01)
    yield entry("logistic-l2-text", *text_classes, **logistic, penalty="l2", alpha=0.01, target=0.8)

    row, target = "multinomial: L2", 0.5
    multinomial = {"loss": "softmax"}
    many = (
        make.classes,
        {"n": 20_000, "p": 200, "support": 50, "n_classes": 10},
        {"n": 500, "p": 20, "support": 10, "n_classes": 4},
    )
    digits = make.digits, {}, {"n": 300}
    yield entry("multinomial-l2", *many, **multinomial, penalty="l2", alpha=0.01)
    yield entry("multinomial-l2-digits", *digits, **multinomial, penalty="l2", alpha=0.01)
    row, target = "multinomial: L1", 0.2
    yield entry("multinomial-l1", *many, **multinomial, alpha=0.05)
    yield entry("multinomial-l1-digits", *digits, **multinomial, alpha=0.05)

    # -- paths ---------------------------------------------------------------------------------------------------------
    row, target = "path of 100 alphas, squared loss: tall, wide, gene expression, sparse", 0.5
    yield entry("path-tall", *tall, kind="path", alpha=1e-3)
    yield entry("path-wide", *wide, kind="path", alpha=0.01, target=0.25)
    yield entry("path-golub", *gene, kind="path", alpha=0.01)
    yield entry("path-text", *texts, kind="path", alpha=0.01, target=0.4)
    row, target = "path of 100 alphas, logistic: tall, gene expression, sparse", 0.4
    yield entry("path-logistic-tall", *tall_classes, **logistic, kind="path", alpha=1e-3)
    yield entry("path-logistic-golub", *gene_classes, **logistic, kind="path", alpha=0.01, target=0.7)
    yield entry("path-logistic-text", *text_classes, **logistic, kind="path", alpha=0.01, target=0.5)

    row, target = "MCP, group lasso, multi-task L21, SLOPE", 0.5
    groups = make.groups, {"n": 500, "p": 20_000, "groups": 10}, {"n": 80, "p": 600, "groups": 3}
    tasks = make.regression, {"n": 500, "p": 10_000, "support": 50, "outputs": 10}, {**wide[2], "outputs": 3}
    yield entry("mcp-wide", *wide, penalty="mcp", alpha=0.3)
    yield entry("group-lasso-wide", *groups, penalty="group lasso", alpha=0.1)
    yield entry("multi-task-l21-wide", *tasks, penalty="l21", alpha=0.1)
    yield entry("slope-wide", *wide, penalty="slope", alpha=0.1)

    # -- the small and the cold ----------------------------------------------------------------------------------------
    row, target = "tiny fits", 0.8
    tiny = {"by_estimator": True}
    cancer = make.breast_cancer, {}, {}
    yield entry("tiny-lasso", make.diabetes, **tiny, alpha=0.1)
    yield entry("tiny-ridge", make.diabetes, **tiny, penalty="l2", alpha=0.1)
    yield entry("tiny-logistic-l1", *cancer, **logistic, **tiny, alpha=0.1)
    yield entry("tiny-logistic-l2", *cancer, **logistic, **tiny, penalty="l2", alpha=0.1)
    yield entry(
        "tiny-multinomial-l2", make.digits, {"n": 360}, {"n": 360}, **multinomial, **tiny, penalty="l2", alpha=0.1
    )

    row, target = "GridSearchCV: 50 alphas x 5 folds, StandardScaler in a pipeline", 0.97
    search = make.regression, {"n": 2000, "p": 200, "support": 20}, {"n": 200, "p": 20, "support": 5}
    yield entry("search", *search, kind="search", alpha=1e-3, against=("sklearn",))

    row, target = "LassoCV, ElasticNetCV, LogisticRegressionCV: 100 alphas x 5 folds", 0.5
    own = {"kind": "search", "own_cv": True, "against": ("sklearn",)}
    search_classes = make.classes, {"n": 2000, "p": 200, "support": 20}, {"n": 200, "p": 20, "support": 5}
    yield entry("cv-lasso", *search, **own, alpha=1e-3)
    yield entry("cv-enet", *search, **own, penalty="elastic net", alpha=1e-3)
    yield entry("cv-logistic-l2", *search_classes, **own, **logistic, penalty="l2", alpha=1e-3)

    row, target = "fresh process: import and first fit", 1.1
    yield entry("cold", make.diabetes, kind="cold", against=("sklearn",))

    row, target = "float32 against float64", 0.5
    halves = make.regression, {**tall[1], "float32": True}, {**tall[2], "float32": True}
    yield entry("lasso-tall-float32", *halves, alpha=0.1, against=("skreg-float64",))


WORKLOADS = {workload.name: workload for workload in _table()}
