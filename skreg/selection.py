"""Candidates of a search, their scores, and rules that choose among them."""

from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

from skreg.penalties import NoPenalty

__all__ = ["Candidates", "Failed", "diagnose", "one_standard_error", "standard_errors"]

# A criterion is an expansion for models that are small beside the data: with half as many degrees of freedom as samples
# it is none any more.
SATURATED = 0.5


class Failed(NamedTuple):
    """Fits in folds that did not converge.

    Attributes
    ----------
    short : int
        How many stopped too early.
    endless : int
        How many have no finite solution.
    """

    short: int
    endless: int

    def said(self, tol):
        """What to do about them: a list of sentences."""
        said = []
        if self.short:
            said.append(
                f"{self.short} fits in the folds did not reach tol={tol:g}: increase max_iter (or tol, where rounding allows "
                "no more), or leave out the weakest alphas."
            )
        if self.endless:
            said.append(
                f"{self.endless} fits in the folds have no finite solution: the classes of their training sets are perfectly "
                "separable by coefficients that cost no more when they grow. Choose a penalty that grows with them, 'l1' say."
            )
        return said


class Candidates:
    """Everything that is compared: shapes of the penalty, shares of the refit, alphas.

    Parameters
    ----------
    shapes : list of dict
        Parameters of the penalty.
    shares : list of float
        As in `relaxed`.
    grids : list of ndarray
        Alphas of every shape.

    Attributes
    ----------
    results : dict of arrays
        In the shape of ``GridSearchCV.cv_results_``.
    failed : Failed
        Fits in folds that did not converge.
    left_out : int
        Folds that a callback has left out.
    """

    def __init__(self, shapes, shares, grids):
        self._shares = shares
        self._places = [(s, r, k) for s, grid in enumerate(grids) for r in range(len(shares)) for k in range(len(grid))]
        self._alphas = np.array([grids[s][k] for s, _, k in self._places])
        self.failed, self.left_out, self._folds = Failed(0, 0), 0, []
        params = []
        for s, r, k in self._places:
            own = {"alpha": float(grids[s][k])} | {f"penalty__{name}": value for name, value in shapes[s].items()}
            params.append(own | ({} if shares == [1.0] else {"relax": shares[r]}))
        self.results = {"params": params}
        for name in sorted(set().union(*params)):
            values = np.ma.masked_all(len(params), dtype=object)
            for i, own in enumerate(params):
                if name in own:
                    values[i] = own[name]
            kept = [own[name] for own in params if name in own]
            if all(isinstance(value, float) for value in kept) and len(kept) == len(params):
                values = np.ma.array(kept, dtype=float)
            self.results[f"param_{name}"] = values

    def set_folds(self, found, scoring=None, left_out=0):
        """Scores of every fold, as `_fold` returns them; ``scoring`` is named where none is finite."""
        self._folds, self.left_out = found, left_out
        self.failed = Failed(*map(sum, zip(*(failed for fold in found for _, _, failed in fold), strict=True)))
        scores = np.array([np.concatenate([part.ravel() for part, _, _ in fold]) for fold in found])
        for k, row in enumerate(scores):
            self.results[f"split{k}_test_score"] = row
        mean = scores.mean(axis=0)
        self.results |= {"mean_test_score": mean, "std_test_score": scores.std(axis=0)}
        if not np.isfinite(mean).any():
            raise ValueError(
                f"scoring={scoring!r} is not finite in some fold, whatever alpha is (r2 is not known for one row, say): choose "
                "another scoring, or another cv."
            )
        self._rank(mean)

    def set_criterion(self, values, degrees):
        """What a criterion charges every candidate."""
        self.results |= {"criterion": values, "degrees_of_freedom": degrees, "mean_test_score": -values}
        if not np.isfinite(values).any():
            raise ValueError(
                "The criterion is infinite for every alpha: each model has as many degrees of freedom as there are samples. "
                "Give stronger alphas."
            )
        self._rank(-values)

    def _rank(self, score):
        score = np.where(np.isnan(score), -np.inf, score)
        self.results["rank_test_score"] = rankdata(-score, method="min").astype(np.int32)

    @property
    def best(self):
        """The first of the best: the strongest alpha of equals."""
        return int(np.argmin(self.results["rank_test_score"]))

    def place(self, index):
        """(shape, share, position in its grid) of a candidate."""
        shape, share, position = self._places[index]
        return shape, self._shares[share], position

    def alpha(self, index):
        """Strength of a candidate."""
        return float(self._alphas[index])

    def same_shape(self, index):
        """Candidates with the same shape of the penalty."""
        shape = self._places[index][0]
        return np.array([i for i, place in enumerate(self._places) if place[0] == shape])

    def supports(self, index):
        """Which features each fold used there, bool of shape (n_folds, n_features); None without folds."""
        shape, _, position = self._places[index]
        return np.array([fold[shape][1][position] for fold in self._folds]) if self._folds else None


def standard_errors(results):
    """Number of folds, and the standard error of every mean score."""
    n_folds = sum(name.startswith("split") for name in results)
    return n_folds, results["std_test_score"] / np.sqrt(max(n_folds - 1, 1))


def one_standard_error(candidates):
    """The strongest alpha of the best shape whose mean score is within one standard error of the best.

    Parameters
    ----------
    candidates : Candidates

    Returns
    -------
    int
        Position of the candidate; among equal alphas the best.
    """
    results, best = candidates.results, candidates.best
    error = standard_errors(results)[1][best]
    mean = results["mean_test_score"]
    within = [i for i in candidates.same_shape(best) if mean[i] >= mean[best] - error]
    return int(max(within, key=lambda i: (candidates.alpha(i), mean[i])))


def diagnose(model):
    """Sentences about a fitted search: see `PenalizedRegressionCV.diagnose`."""
    if isinstance(model.penalty_, NoPenalty):
        return ["Without a penalty alpha plays no part: every candidate is the same fit, and nothing was chosen."]
    said = [*_edge(model), *_curve(model)]
    if model._left_out:
        n_folds = standard_errors(model.cv_results_)[0]
        said.append(
            f"A callback ended the search after {n_folds} of {n_folds + model._left_out} folds: the scores rest on these."
        )
    said += model._failed.said(model.tol)
    if model._trouble is not None:
        said.append(f"The fit to all data {model._trouble}")
    if model.optimality_.kind != "global":
        said.append(_local(model))
    if model._fold_supports is not None and np.any(model.coef_ == 0):
        said += _unstable(model._fold_supports)
    return said


def _edge(model):
    """Where the grid of alphas ends at the one chosen."""
    alphas, alpha = model.alphas_, model.alpha_
    if len(alphas) < 3:
        return []
    if alpha == alphas[-1]:
        if model._stopped is not None:
            return [
                f"The chosen alpha={alpha:.3g} is the smallest that was tried; the path ends there: {model._stopped}."
            ]
        return [
            f"The chosen alpha={alpha:.3g} is the smallest of the grid: a weaker penalty may be better still. "
            "Set a smaller alpha_min_ratio, or give smaller alphas."
        ]
    if alpha == alphas[0]:
        return [
            f"The chosen alpha={alpha:.3g} is the largest of the grid: the features may carry no signal for this score, or "
            "the given alphas do not reach far enough."
        ]
    return []


def _curve(model):
    """What makes the comparison of the alphas worth little."""
    results = model.cv_results_
    if "criterion" in results:
        degrees = results["degrees_of_freedom"][model.best_index_] / np.size(model.intercept_)
        if model.rule == "loo" or degrees <= SATURATED * model._n_rows:
            return []
        return [
            f"rule={model.rule!r} chose a model with {degrees:.0f} degrees of freedom for {model._n_rows} samples: so close to "
            "saturation criteria cannot be trusted. Set a larger alpha_min_ratio or max_support, or take folds (rule='min')."
        ]
    mean, error = results["mean_test_score"], standard_errors(results)[1]
    best = int(np.argmin(results["rank_test_score"]))
    if len(model.alphas_) > 2 and np.ptp(mean[np.isfinite(mean)]) <= error[best]:
        return [
            "The curve is flat: no two candidates differ by more than one standard error, so the choice is chance. "
            "Prefer rule='1se', or more data."
        ]
    return []


def _local(model):
    """What a penalty that is not convex leaves open."""
    name, kind = type(model.penalty_).__name__, model.optimality_.kind
    text = f"{name} is not convex: the fit is a {kind} solution, and the path that leads to it from strong alphas is part of the choice."
    failed = np.flatnonzero(~model._locally_convex)
    if failed.size == 0:
        return (
            f"{text} In the features used the objective is convex along the whole path, so nothing near it is better."
        )
    start = model.alphas_[failed[0]]
    if model.alpha_ > start:
        return f"{text} In the features used the objective is convex down to alpha={start:.3g}, below the one chosen."
    return (
        f"{text} From alpha={start:.3g} on the objective is not convex even in the features used, and the chosen "
        f"alpha={model.alpha_:.3g} is there: a small change of the data may lead to quite another solution. Choose a less concave "
        "shape of the penalty, or a stronger alpha."
    )


def _unstable(supports):
    """Jaccard similarity of the supports over all pairs of folds."""
    pairs = [(a, b) for i, a in enumerate(supports) for b in supports[:i] if np.any(a | b)]
    if not pairs:
        return []
    alike = float(np.mean([np.mean(a[a | b] & b[a | b]) for a, b in pairs]))
    if alike >= 0.5:
        return []
    always, ever = int(supports.all(axis=0).sum()), int(supports.any(axis=0).sum())
    return [
        f"The support is unstable: {ever} features are chosen in some fold and {always} in all; two folds share "
        f"{100 * alike:.0f} % of theirs. Do not read a meaning into single features."
    ]
