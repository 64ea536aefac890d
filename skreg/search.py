"""The search for alpha: paths in folds or one criterion, one rule, one path of all data."""

import inspect
import warnings
from numbers import Real

import numpy as np
from sklearn import get_config
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import ParameterGrid, check_cv
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.parallel import Parallel, delayed

from skreg._validation import check_bool, check_integer, check_real
from skreg.criteria import CRITERIA, criterion
from skreg.fitting import in_units_of_X, trouble
from skreg.folds import grouped_moments, with_moments
from skreg.grid import alpha_grid
from skreg.penalties import get_penalty
from skreg.problem import make_problem
from skreg.relax import refit, relaxed
from skreg.selection import Candidates, diagnose, one_standard_error
from skreg.solvers import get_solver
from skreg.solvers.probe import probe_prox

__all__ = ["PathCV"]


class PathCV:
    """What both estimators share: paths in folds, one rule, one path of all data."""

    def _check_numbers(self):
        if not (callable(self.rule) or self.rule in ("min", "1se", *CRITERIA)):
            raise ValueError(f"rule must be one of {['min', '1se', *CRITERIA]} or a callable; got {self.rule!r}.")
        if self._criterion is not None:
            for name in ("cv", "scoring", "relax"):
                if getattr(self, name) is not None:
                    raise ValueError(
                        f"rule={self.rule!r} needs no folds: {name} must be None; got {getattr(self, name)!r}."
                    )
        return {
            "tol": check_real("tol", self.tol, low=0, low_open=True),
            "max_iter": check_integer("max_iter", self.max_iter, low=1),
            "fit_intercept": check_bool("fit_intercept", self.fit_intercept),
            "standardize": check_bool("standardize", self.standardize),
            "relax": _relax(self.relax),
            "verbose": check_integer("verbose", int(self.verbose), low=0),
        }

    @property
    def _criterion(self):
        return self.rule if isinstance(self.rule, str) and self.rule in CRITERIA else None

    def _shapes(self):
        """(parameters, penalty) for everything in `penalty_grid`."""
        if self.penalty_grid is None:
            return [({}, get_penalty(self.penalty))]
        try:
            grid = list(ParameterGrid(self.penalty_grid))
            return [(shape, clone(get_penalty(self.penalty)).set_params(**shape)) for shape in grid]
        except (TypeError, ValueError) as error:
            raise type(error)(
                "penalty_grid must be a dict {parameter of the penalty: list of values}, or a list of such dicts; "
                f"got {self.penalty_grid!r}: {error}"
            ) from error

    def _search(self, X, y, target, loss, sample_weight, params, fitting, classes=None):
        """Choose alpha and fit."""
        numbers = self._check_numbers()
        if X.shape[0] < 2:
            raise ValueError(
                f"{type(self).__name__} needs two samples or more to choose alpha; got n_samples={X.shape[0]}."
            )
        routed = self._routed(sample_weight, params)
        weights = self._training_weights(y, sample_weight)
        problems, grids, shapes = [], [], self._shapes()
        fitting.begin(X, y, sample_weight, n_parts=2 if self._criterion is None else len(shapes))
        for _, penalty in shapes:
            problem = self._problem(X, target, weights, loss, penalty, numbers)
            problems.append(problem if not problems else problems[0].changed(penalty=problem.penalty))
            grids.append(alpha_grid(problems[-1], self.alphas, self.alpha_min_ratio))
        candidates = Candidates([shape for shape, _ in shapes], numbers["relax"], grids)

        def walk(problem, grid, sums=None):
            """The path of all data, watched."""
            names = ("coef_", "intercept_") if classes is None else ("coef_", "intercept_", "classes_")

            def fitted(s):
                parts = _shown(problem, s, X.dtype, classes)
                return dict(zip(names, parts if classes is None else (*parts, classes), strict=True))

            path = self._path(problem, grid, numbers, sums)
            return list(fitting.watched(path, len(grid), numbers["verbose"], "path", fitted))

        if self._criterion is None:
            found, sums = self._folds(X, y, target, sample_weight, problems, grids, numbers, routed, classes, fitting)
            candidates.set_folds(found)
            index, chosen = self._choose(candidates)
            shape = candidates.place(index)[0]
            path = walk(problems[shape], grids[shape], sums)
        else:
            n = X.shape[0] if sample_weight is None else float(sample_weight.sum())
            paths = [walk(problem, grid) for problem, grid in zip(problems, grids, strict=True)]
            charged = [criterion(self.rule, p, path, n) for p, path in zip(problems, paths, strict=True)]
            candidates.set_criterion(*map(np.concatenate, zip(*charged, strict=True)))
            index = candidates.best
            chosen = {"alpha_min_": candidates.alpha(index)}
            shape = candidates.place(index)[0]
            path = paths[shape]
        return self._finish(candidates, index, chosen, problems[shape], path, numbers, X.dtype, classes)

    def _choose(self, candidates):
        """The position that the rule takes, and the strengths that two rules would."""
        best, strong = candidates.best, one_standard_error(candidates)
        index = strong if self.rule == "1se" else best
        if callable(self.rule):
            index = self.rule(candidates.results)
            last = len(candidates.results["params"]) - 1
            if not isinstance(index, (int, np.integer)) or not 0 <= index <= last:
                raise ValueError(f"rule must return a position in cv_results_, 0 to {last}; got {index!r}.")
        return int(index), {"alpha_min_": candidates.alpha(best), "alpha_1se_": candidates.alpha(strong)}

    def _finish(self, candidates, index, chosen, problem, path, numbers, dtype, classes):
        """Set what was found, all at once and last; warn of what did not converge."""
        shape, share, position = candidates.place(index)
        solution = path[position]
        probe_prox(problem, solution)
        blend = solution
        if share != 1.0:
            (free,) = refit(problem, [solution], numbers["tol"], numbers["max_iter"])
            blend = relaxed(solution, free, share)
        parts = [_shown(problem, s, dtype, classes) for s in path]
        self.coef_path_, self.intercept_path_ = (np.stack(part) for part in zip(*parts, strict=True))
        self.coef_, self.intercept_ = _shown(problem, blend, dtype, classes)
        if classes is not None:
            self.classes_ = classes
        self.cv_results_ = candidates.results
        self.best_index_ = index
        self.best_params_ = candidates.results["params"][index]
        self.best_score_ = float(candidates.results["mean_test_score"][index])
        self.alphas_ = np.array([s.alpha for s in path])
        self.alpha_ = candidates.alpha(index)
        for name in ("alpha_min_", "alpha_1se_"):
            # A search without folds leaves none of those that a search with folds has left.
            vars(self).pop(name, None)
        vars(self).update(chosen)
        # An object of our own, for `penalty` may be a name.
        self.penalty_ = clone(self._shapes()[shape][1])
        self.relax_ = share
        self.n_iter_, self.optimality_ = solution.n_iter, solution.optimality
        self.solver_ = get_solver(self.solver, problem).name
        self._fold_supports = candidates.supports(index)
        self._unsolved = candidates.unsolved
        reason = trouble(solution, numbers["max_iter"])
        if reason is None and self._unsolved:
            reason = (
                f"did not reach tol={numbers['tol']:g} in {self._unsolved} of the fits in the folds, so their scores may be "
                "off: increase max_iter, or set a larger alpha_min_ratio."
            )
        if reason is not None:
            warnings.warn(f"{type(self).__name__} ({self.solver_}) {reason}", ConvergenceWarning, stacklevel=4)
        return self

    def _problem(self, X, target, weights, loss, penalty, numbers):
        return make_problem(
            X,
            target,
            penalty=penalty,
            loss=loss,
            penalty_factor=self.penalty_factor,
            fit_intercept=numbers["fit_intercept"],
            standardize=numbers["standardize"],
            sample_weight=weights,
            feature_names=getattr(self, "feature_names_in_", None),
        )

    def _path(self, problem, grid, numbers, sums):
        solver = get_solver(self.solver, problem)
        if sums is not None:
            problem = with_moments(problem, sums)
        return solver.solve(problem, grid, None, numbers["tol"], numbers["max_iter"])

    # -- folds ------------------------------------------------------------------------

    def _folds(self, X, y, target, sample_weight, problems, grids, numbers, routed, classes, fitting):
        """What every fold found, and the moments of all rows."""
        cv = check_cv(self.cv, y, classifier=is_classifier(self))
        splits = list(cv.split(X, y, **routed["split"]))
        moments = [None] * (len(splits) + 1)
        solver = get_solver(self.solver, problems[0])
        if problems[0].loss.quadratic and solver.name == "coordinate_descent":
            moments = grouped_moments(X, target, sample_weight, splits, numbers["fit_intercept"]) or moments
        scorer = None if self.scoring is None else check_scoring(self._member(None, None, None), scoring=self.scoring)
        jobs = (
            delayed(self._fold)(
                X,
                y,
                target,
                sample_weight,
                train,
                test,
                problems,
                grids,
                numbers,
                sums,
                scorer,
                routed["score"],
                classes,
            )
            for (train, test), sums in zip(splits, moments[:-1], strict=True)
        )
        parallel = Parallel(n_jobs=self.n_jobs, return_as="generator")
        return list(fitting.watched(parallel(jobs), len(splits), numbers["verbose"], "folds")), moments[-1]

    def _fold(
        self, X, y, target, sample_weight, train, test, problems, grids, numbers, sums, scorer, score_params, classes
    ):
        """Paths on one training set, scored on its test set."""
        own = self._training_weights(y[train], None if sample_weight is None else sample_weight[train])
        base = self._problem(X[train], target[train], own, problems[0].loss, problems[0].penalty, numbers)
        found = []
        for full, grid in zip(problems, grids, strict=True):
            problem = base.changed(penalty=full.penalty)
            path = list(self._path(problem, grid, numbers, sums))
            shares = numbers["relax"]
            free = path if shares == [1.0] else refit(problem, path, numbers["tol"], numbers["max_iter"])
            scores = np.empty((len(shares), len(grid)))
            for place, share in enumerate(shares):
                blends = [relaxed(s, f, share) for s, f in zip(path, free, strict=True)]
                parts = [_shown(problem, s, X.dtype, classes) for s in blends]
                rows = {name: np.asarray(value)[test] for name, value in score_params.items()}
                if scorer is None:
                    scores[place] = _losses(problem.loss, X[test], target[test], parts, rows.get("sample_weight"))
                else:
                    scores[place] = [scorer(self._member(*part, classes), X[test], y[test], **rows) for part in parts]
            used = np.array([s.coef != 0 for s in path])
            unsolved = sum(not s.optimality.converged for s in path)
            found.append((scores, used if used.ndim == 2 else used.any(axis=2), unsolved))
        return found

    def _routed(self, sample_weight, params):
        """What the splitter and the scorer get of what `fit` was given."""
        if get_config()["enable_metadata_routing"]:
            given = {} if sample_weight is None else {"sample_weight": sample_weight}
            routed = process_routing(self, "fit", **given, **params) if given or params else None
            if routed is None or self._criterion is not None:
                return {"split": {}, "score": {}}
            score = dict(routed.scorer.score) if self.scoring is not None else given
            return {"split": dict(routed.splitter.split), "score": score}
        unknown = sorted(set(params) - {"groups"})
        if unknown:
            raise TypeError(
                f"fit() got unexpected arguments {unknown}: without scikit-learn's metadata routing only sample_weight and "
                "groups are understood. sklearn.set_config(enable_metadata_routing=True) turns it on."
            )
        score = {} if sample_weight is None else {"sample_weight": sample_weight}
        if self.scoring is not None and callable(self.scoring) and not _takes_weights(self.scoring):
            score = {}
        return {"split": params, "score": score}

    def get_metadata_routing(self):
        """What `fit` passes on: to the splitter, and to the scorer.

        Returns
        -------
        MetadataRouter
        """
        router = MetadataRouter(owner=self).add_self_request(self)
        router = router.add(
            splitter=check_cv(self.cv, classifier=is_classifier(self)),
            method_mapping=MethodMapping().add(caller="fit", callee="split"),
        )
        if self.scoring is None:
            return router
        scorer = check_scoring(self._member(None, None, None), scoring=self.scoring)
        return router.add(scorer=scorer, method_mapping=MethodMapping().add(caller="fit", callee="score"))

    def diagnose(self):
        """What to know before trusting the choice.

        Returns
        -------
        list of str
            Sentences: the chosen alpha on the edge of the grid, a flat curve, fits
            that did not converge, a support that differs over the folds, solutions
            that need not be global. Empty when there is nothing to say.
        """
        return diagnose(self)


def _relax(relax):
    if relax is None:
        return [1.0]
    allowed = "None or a list of numbers in [0, 1], where 1 is the penalised and 0 the unpenalised fit of the support"
    if isinstance(relax, (str, Real)) or not np.iterable(relax) or not len(relax):
        raise TypeError(f"relax must be {allowed}; got {relax!r}.")
    return [check_real("relax", share, low=0, high=1) for share in relax]


def _takes_weights(scorer):
    parameters = inspect.signature(scorer).parameters
    return "sample_weight" in parameters or any(p.kind == p.VAR_KEYWORD for p in parameters.values())


def _shown(problem, solution, dtype, classes):
    """Coefficients and intercept as the estimator shows them: one row for two classes."""
    coef, intercept = in_units_of_X(problem, solution.coef, solution.intercept, solution.alpha, dtype)
    return (coef, intercept) if classes is None else (np.atleast_2d(coef), np.atleast_1d(intercept))


def _losses(loss, X, target, parts, weights):
    """Negative mean loss of every member of a path: one product for all of them."""
    coefs, intercepts = (np.stack(part).astype(np.float64) for part in zip(*parts, strict=True))
    eta = X @ coefs.reshape(-1, X.shape[1]).T
    eta = np.asarray(eta).reshape(X.shape[0], *coefs.shape[:-1]) + intercepts
    values = [loss.value(target, eta[:, k].reshape(target.shape)) for k in range(len(coefs))]
    return [-np.average(v.reshape(len(v), -1).sum(axis=1), weights=weights) for v in values]
