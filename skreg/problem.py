"""Loss, penalty and design meet: objective, gradient, what certificates are measured in.

    minimise over b, w     sum_i s_i * loss(y_i, eta_i)  +  P(w; alpha * penalty_factor),     eta = Z w + b

with weights ``s`` of sum 1 and ``Z = (X - shift) / scale``. Coefficients have the
shape ``(n_features,)``, or ``(n_features, n_outputs)`` when ``y`` has columns.
"""

import math

import numpy as np

from skreg._validation import check_penalty_factor, check_standardize
from skreg.blocks import Blocks, numbered
from skreg.curvature import steepest
from skreg.design import make_design
from skreg.intercept import best_intercept
from skreg.lazy import cached_property
from skreg.losses import get_loss
from skreg.model import NOTHING
from skreg.moments import MomentPoint, Moments
from skreg.penalties import L1, L2, ElasticNet, NoPenalty, get_penalty
from skreg.point import Point
from skreg.sums import inner, total

__all__ = ["Problem", "make_problem"]

# To know whether the squared loss outweighs a concave penalty takes the eigenvalues of a Gram matrix of this size at most,
# and so many products to form it.
MOST_EIGENVALUES = 300
ONE_GRAM = 1e8

EPS = float(np.finfo(np.float64).eps)

# Cached values of a problem, by the attribute that they follow from.
COMPUTED_FROM = {
    "y": (
        "null_intercept",
        "null_value",
        "null_loss",
        "_mean_square",
        "square",
        "has_conjugate",
        "blocks",
        "block_residuals",
        "product",
        "null_gradient",
    ),
    "penalty": ("has_conjugate", "blocks", "twin", "block_residuals", "screen"),
    "design": ("screen", "product", "null_gradient", "squared_norms", "strong_convexity", "spectral_norm"),
    "weights": (
        "any_unweighted",
        "null_intercept",
        "null_value",
        "null_loss",
        "_mean_square",
        "square",
        "product",
        "null_gradient",
        "squared_norms",
        "strong_convexity",
        "spectral_norm",
    ),
}

# What is done to one entry after the other, or summed over them: several outputs are one long row.
ENTRYWISE = frozenset(
    method for one in (L1, L2, ElasticNet, NoPenalty) for method in (one.value, one.conjugate, one.prox)
)


class Problem:
    """One penalised problem, without its alpha.

    Built by `make_problem`; solvers read it and never write to it.

    Attributes
    ----------
    design : Design
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Targets; less their weighted mean when loss and intercept allow it.
    weights : ndarray of shape (n_samples,)
        Sample weights with sum 1.
    loss : Loss
    penalty : Penalty
    penalty_factor : ndarray of shape (n_features,) or None
        Factors of alpha, one per feature.
    fit_intercept : bool
    offset : float or ndarray of shape (n_outputs,)
        What was taken from ``y``; part of the intercept.
    moments : Moments or None
        What the squared loss depends on, once X has been read for it (`in_moments`).
    twin : CompiledProx or None
        What stands for the prox of a separable penalty, once a solver has found it.
    block_residuals : BlockResiduals or None
        What stands for the prox of a penalty on blocks where violations are computed, once a solver has found it.
    screen : Screen or None
        What tells which columns cannot matter, where a solver wants to know.
    null_gradient : ndarray of shape (n_features,) or None
        Gradient of the null model of a loss that is not squared, where centring X has taken it along.
    """

    moments = None
    twin = None
    block_residuals = None
    screen = None
    null_gradient = None

    def __init__(self, design, y, weights, loss, penalty, penalty_factor, fit_intercept):
        self.design = design
        self.weights = weights
        self.loss = loss
        self.penalty = penalty
        self.penalty_factor = penalty_factor
        self.fit_intercept = fit_intercept
        self.offset = 0.0
        if fit_intercept and loss.shift_invariant:
            self.offset = inner(weights, y)
            y = y - self.offset
        self.y = y

    @cached_property
    def any_unweighted(self):
        """Whether some sample has weight 0."""
        return not self.weights.all()

    # -- shapes ---------------------------------------------------------------

    @property
    def n_features(self):
        return self.design.shape[1]

    @property
    def n_outputs(self):
        return 1 if self.y.ndim == 1 else self.y.shape[1]

    @property
    def coef_shape(self):
        return (self.n_features,) if self.y.ndim == 1 else (self.n_features, self.n_outputs)

    @property
    def outputs_apart(self):
        """Whether neither loss nor penalty couples the outputs."""
        return not (self.loss.coupled_outputs or self.penalty.joint_outputs)

    def changed(self, **attributes):
        """A copy with other attributes; what was computed from them is forgotten."""
        part = Problem.__new__(Problem)
        part.__dict__.update(self.__dict__)
        for changed in attributes:
            for name in COMPUTED_FROM.get(changed, ()):
                part.__dict__.pop(name, None)
        part.__dict__.update(attributes)
        return part

    def priced_by(self, penalty, penalty_factor=None, standardize=False, feature_names=None):
        """The problem with another penalty, as `make_problem` would make it of the same data and options."""
        penalty = penalty.bind(self.n_features, feature_names)
        factor = check_penalty_factor(penalty_factor, penalty, self.n_features, feature_names)
        check_standardize(standardize, penalty)
        if self.design.scale is not None:
            penalty = penalty.rescaled(self.design.scale)
        return self.changed(penalty=penalty, penalty_factor=factor)

    def output(self, k):
        """The problem of one output alone, when the loss does not couple them."""
        return self.changed(
            y=np.ascontiguousarray(self.y[:, k]),
            offset=self.offset[k] if np.ndim(self.offset) else self.offset,
            moments=None if self.moments is None else self.moments.output(k),
        )

    def apart(self, coef, intercept):
        """(problem, coef, intercept) of each output where nothing couples them, else of all together."""
        if coef.ndim == 1 or not self.outputs_apart:
            return [(self, coef, intercept)]
        columns = zip(np.ascontiguousarray(coef.T), np.broadcast_to(intercept, coef.shape[1:]), strict=True)
        return [(self.output(k), *own) for k, own in enumerate(columns)]

    def gram(self):
        """``Z'SZ`` of all columns, from the moments where they are known."""
        if self.moments is not None:
            return self.moments.gram
        return self.design.gram(slice(None), row_weights=self.weights)

    def in_moments(self):
        """The same problem (squared loss), read from X once and for all."""
        if self.moments is not None:
            return self
        return self.changed(moments=Moments(self.gram(), self.product, self.square))

    def weighted(self, rows):
        """Something with one row per sample, times the weights; one output needs no transposes."""
        return rows * self.weights if rows.ndim == 1 else (rows.T * self.weights).T

    @cached_property
    def product(self):
        """``Z'Sy``: of the squared loss, what the gradient of the null model is but for its sign."""
        return self.design.dot_t(self.weighted(self.y))

    def sample(self, rows):
        """The problem on some of the rows, with the shift and scale of all: its loss is near that of all."""
        weights = self.weights[rows]
        return self.changed(
            # Models of the squared loss mostly multiply: of numbers that are half as long twice as many.
            design=self.design.sample(rows, single=self.loss.quadratic),
            y=self.y[rows],
            weights=weights / weights.sum(),
            # Where the mean of y has been taken out, there is none left to fit.
            fit_intercept=self.fit_intercept and not self.loss.shift_invariant,
        )

    def kind(self, alpha):
        """What a fixed point of the prox is: "global", "local" or "stationary" (see `Optimality`)."""
        if self.loss.convex and self.penalty.convex:
            return "global"
        if np.max(self.penalty.concavity(self.strength(alpha)), initial=0.0) <= self.strong_convexity:
            return "global"
        # The step of a block is that of its steepest direction: in others the penalty may bend more than the loss.
        alone = self.penalty.separable or (self.blocks is not None and np.all(self.blocks.sizes == 1))
        return "local" if alone else "stationary"

    @cached_property
    def strong_convexity(self):
        """The least curvature of the mean loss in any direction of coef, where that is cheap to know; else 0."""
        n_samples, n_features = self.design.shape
        dear = n_features > MOST_EIGENVALUES or (self.moments is None and n_samples * n_features**2 > ONE_GRAM)
        if not self.loss.quadratic or dear or n_samples <= n_features:
            return 0.0
        return float(np.linalg.eigvalsh(self.gram())[0]) * (1.0 - 1e-9)

    # -- the null model ---------------------------------------------------------

    @cached_property
    def null_intercept(self):
        """Best intercept of an otherwise empty model; 0 without intercept."""
        if not self.fit_intercept:
            return 0.0 if self.y.ndim == 1 else np.zeros(self.n_outputs)
        constant = self.loss.null_eta(self.y, self.weights)
        return best_intercept(self, np.zeros(self.y.shape)) if constant is None else constant

    def first_rows(self):
        """What X will be asked to meet first, for one output: `product` needs y, the gradient of the null model that of its rows."""
        if self.y.ndim > 1 or not math.isfinite(self.null_intercept):
            return None
        if self.loss.quadratic:
            return self.weighted(self.y)
        value, gradient, _ = self._null_expansion()
        # What certificates are measured in comes with it.
        self.null_value = total(self.weights, value)
        return self.weighted(gradient)

    def _null_expansion(self):
        """Value, gradient and curvature of the loss of every row, of the intercept alone."""
        return self.loss.expansion(self.y, np.zeros(self.y.shape) + self.null_intercept)

    @cached_property
    def null_value(self):
        """Loss of the intercept alone; a loss may leave out what does not depend on eta, and be negative."""
        if self.loss.quadratic:
            return 0.5 * _sum_of(self.square - self.null_intercept**2)
        # Not `value`, which takes logarithms one by one.
        return total(self.weights, self._null_expansion()[0])

    @cached_property
    def null_loss(self):
        """The size of it: the unit of certificates."""
        loss, size = abs(self.null_value), self._mean_square
        if loss > (10 * EPS) ** 2 * size:
            return loss
        # y is constant: rounding of its size is the smallest thing that can matter.
        return EPS * size if size > 0 else 1.0

    @property
    def unit(self):
        """What violations are measured in: that of a model without coefficients is of this size."""
        return math.sqrt(2.0 * self.null_loss)

    @cached_property
    def _mean_square(self):
        # Where there is an offset, y has no mean.
        return _sum_of(self.square + self.offset**2)

    @cached_property
    def square(self):
        """Weighted mean square of y, one for each output."""
        return inner(self.weights, np.square(self.y))

    def noise(self, complete=True):
        """What rounding leaves of the product of a unit column and a residual that is orthogonal to it.

        Where columns are so nearly collinear that their Hessian is not ``complete``, a direction that it
        hides may have a huge coefficient: there nothing but the last digits may be taken for rounding.
        """
        share = 1e-12 if self.loss.translation_invariant else 1e-14 if complete else 1e-15
        return max(share * self.unit, 1e-15 * math.sqrt(self._mean_square))

    # -- objective ----------------------------------------------------------------

    def eta(self, coef, intercept):
        """Linear predictor."""
        eta = self.design.dot(coef)
        eta += intercept
        return eta

    def eta_and_gradient(self, coef, before):
        """Linear predictor ``Z @ coef + before``, of one output, and the gradient there: X is read once for both."""
        before, y, weights = np.broadcast_to(before, self.y.shape), self.y, self.weights

        def pull(part, rows):
            return weights[rows] * self.loss.gradient(y[rows], part + before[rows])

        product, gradient = self.design.dot_and_back(coef, pull)
        return product + before, gradient

    def loss_value(self, eta):
        """Weighted mean loss."""
        return total(self.weights, self.loss.value(self.y, eta))

    def row_gradient(self, eta):
        """Derivative of the mean loss with respect to ``eta``."""
        gradient = self.loss.gradient(self.y, eta)
        return self.weighted(gradient)

    def strength(self, alpha):
        """What the penalty receives: ``alpha``, or alpha times the factors."""
        if self.penalty_factor is None:
            return alpha
        strength = alpha * self.penalty_factor
        return strength[:, None] if self.penalty.joint_outputs else strength

    def strengths(self, alpha):
        """The same as an array: one number for all features, or one for each; a row for each of several alphas."""
        strengths = np.array(alpha, dtype=np.float64)[..., None]
        return strengths if self.penalty_factor is None else strengths * self.penalty_factor

    def strengths_of(self, features, alpha):
        """The same of some features, always one number for each."""
        strengths = self.strengths(alpha)
        if self.penalty_factor is None:
            return strengths.repeat(len(features), axis=-1)
        return strengths.take(features, axis=-1)

    def penalty_value(self, coef, alpha):
        """Price of the coefficients."""
        alpha = self.strength(alpha)
        if self.penalty.joint_outputs:
            return float(self.penalty.value(coef.reshape(self.n_features, -1), alpha))
        if coef.ndim == 1 or self.entrywise("value", alpha):
            return float(self.penalty.value(coef, alpha))
        return float(sum(self.penalty.value(np.ascontiguousarray(column), alpha) for column in coef.T))

    def entrywise(self, method, strength):
        """Whether a method of the penalty treats all entries alike, whichever output they belong to."""
        return getattr(type(self.penalty), method) in ENTRYWISE and np.ndim(strength) == 0

    def prox(self, coef, step, alpha):
        """Proximal step of all coefficients.

        ``step`` is a number or, if the penalty is separable, shaped like ``coef``; of shape (n_features,) if it has blocks.
        """
        alpha = self.strength(alpha)
        if self.penalty.joint_outputs:
            step = np.reshape(step, (self.n_features, -1)) if np.ndim(step) else step
            return self.penalty.prox(coef.reshape(self.n_features, -1), step, alpha).reshape(coef.shape)
        if coef.ndim == 1 or (np.ndim(step) != 1 and self.entrywise("prox", alpha)):
            return self.penalty.prox(coef, step, alpha)
        steps = np.broadcast_to(np.transpose(step), coef.T.shape) if np.ndim(step) else [step] * coef.shape[1]
        columns = zip(coef.T, steps, strict=True)
        return np.column_stack([self.penalty.prox(np.array(column), s, alpha) for column, s in columns])

    @cached_property
    def has_conjugate(self):
        """Whether loss and penalty have conjugates, so that there are duality gaps."""
        row = self.y[:1]
        shape = (self.n_features, self.n_outputs) if self.penalty.joint_outputs else self.n_features
        known = self.loss.conjugate(row, np.zeros_like(row)) is not None
        return known and self.penalty.conjugate(np.zeros(shape), self.strength(1.0)) is not None

    # -- the model around a point -----------------------------------------------------

    @cached_property
    def blocks(self):
        """The blocks of ``coef.ravel()`` that the penalty sees together; None where it has none or is separable."""
        label = None if self.penalty.separable else self.penalty.blocks()
        if label is None:
            return None
        label = numbered(label).reshape(-1, 1)
        outputs = np.arange(self.n_outputs)
        return Blocks((label + 0 * outputs if self.penalty.joint_outputs else label * self.n_outputs + outputs).ravel())

    @cached_property
    def spectral_norm(self):
        """Bound on the largest eigenvalue of ``Z'SZ``."""
        return steepest(self.design, self.weights)

    @cached_property
    def squared_norms(self):
        """Weighted mean squares of the columns of the design; 1 for columns that move nothing."""
        norms = self.design.squared_norms(self.weights) if self.moments is None else self.moments.gram.diagonal()
        return np.where(norms > 0, norms, 1.0)

    def intercept_hessian(self, eta):
        """Second derivatives of the mean loss in the intercepts, shape (n_outputs, n_outputs)."""
        return self.loss.total_hessian(self.y, eta, self.weights)

    def hessian_rows(self, eta, direction):
        """Second derivative of the mean loss with respect to ``eta``, times a direction."""
        return self.weighted(self.loss.hessian_product(self.y, eta, direction))

    def unpenalised(self, alpha):
        """Positions of the features whose coefficients are free of charge."""
        free = self.penalty.unpenalised()
        if free is False and self.penalty_factor is None and alpha > 0:
            # Everything costs something.
            return NOTHING
        free = np.logical_or(free, np.equal(np.ravel(self.strength(alpha)), 0.0))
        return np.flatnonzero(np.broadcast_to(free, self.n_features))

    def point(self, coef, intercept, alpha, eta=None):
        """A candidate solution, and what can be said of it (see `Point`)."""
        kind = MomentPoint if self.moments is not None and coef.ndim == 1 else Point
        return kind(self, coef, intercept, alpha, eta)

    def certificate(self, coef, intercept, alpha, tol):
        """How far coefficients are from the optimum.

        Parameters
        ----------
        coef : ndarray of shape `coef_shape`
            In the units of the design.
        intercept : float or ndarray of shape (n_outputs,)
            Value of the linear predictor at the shift.
        alpha : float
            Strength.
        tol : float
            Tolerance.

        Returns
        -------
        Optimality
        """
        return self.point(coef, intercept, alpha).optimality(tol)


def _sum_of(numbers):
    """The sum over outputs, of which one is no array."""
    return float(numbers.sum() if isinstance(numbers, np.ndarray) else numbers)


def make_problem(
    X,
    y,
    *,
    penalty="l1",
    loss="squared",
    penalty_factor=None,
    fit_intercept=True,
    standardize=False,
    sample_weight=None,
    feature_names=None,
):
    """Put data, loss and penalty together, as `fit` does.

    Parameters
    ----------
    X : ndarray or CSR/CSC matrix of shape (n_samples, n_features)
        float64 or float32.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Targets; 0 and 1 for ``loss="logistic"``, one-hot for ``loss="softmax"``.
    penalty : str, Penalty or None, default="l1"
        Name or object; None for no penalty.
    loss : str or Loss, default="squared"
        Name or object.
    penalty_factor : array-like of shape (n_features,), dict or None, default=None
        Factors of alpha per feature, 0 for not penalised; a dict gives those of
        some columns by name or position, the others have 1.
    fit_intercept : bool, default=True
        Whether there is an intercept; it is never penalised.
    standardize : bool, default=False
        Whether the penalty sees coefficients of columns with standard deviation 1.
    sample_weight : array-like of shape (n_samples,), optional
        Non-negative weights.
    feature_names : ndarray of shape (n_features,), optional
        Column names.

    Returns
    -------
    Problem
        What solvers solve, for any alpha.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not what it has to be; the message names it.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import fastest_solver, make_problem
    >>> X, y = load_diabetes(return_X_y=True)
    >>> fastest_solver(make_problem(X, y, penalty="l2")).name
    'closed_form'
    """
    loss, penalty = get_loss(loss), get_penalty(penalty)
    n_samples, n_features = X.shape
    penalty = penalty.bind(n_features, feature_names)
    factor = check_penalty_factor(penalty_factor, penalty, n_features, feature_names)
    y = np.asarray(y, dtype=np.float64)
    loss.check_target(y)
    if sample_weight is None:
        weights = np.empty(n_samples)
        weights.fill(1.0 / n_samples)
    else:
        weights = np.asarray(sample_weight, dtype=np.float64)
        # Divide by the largest first: the sum of huge weights may overflow.
        weights = weights / weights.max()
        weights = weights / weights.sum()
    problem = Problem(None, y, weights, loss, penalty, factor, fit_intercept)
    standardize = check_standardize(standardize, penalty)
    design = problem.design = make_design(X, weights, fit_intercept, standardize, problem.first_rows())
    if design.scale is not None:
        problem.penalty = penalty.rescaled(design.scale)
    if design.first is not None:
        problem.__dict__["product" if loss.quadratic else "null_gradient"] = design.first
    if not math.isfinite(_sum_of(problem.null_intercept)):
        raise ValueError("y must hold every class, with positive weight, at least once.")
    return problem
