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
from sklearn.utils.validation import check_is_fitted

from skreg._validation import check_bool, check_integer, check_real
from skreg.convexity import convex_along
from skreg.criteria import CRITERIA, criterion
from skreg.fitting import in_units_of_X, path_in_units_of_X, trouble
from skreg.folds import blamed, grouped_moments, path_scores, with_moments
from skreg.grid import alpha_grid
from skreg.penalties import get_penalty
from skreg.problem import make_problem
from skreg.relax import refit, relaxed
from skreg.selection import Candidates, Failed, diagnose, one_standard_error
from skreg.solvers import get_solver
from skreg.solvers.probe import probe_prox
from skreg.stops import check_stops, saturated, too_large

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
        if not (self.scoring is None or isinstance(self.scoring, str) or callable(self.scoring)):
            raise TypeError(f"scoring must be None, the name of a scorer or a callable; got {self.scoring!r}.")
        return {
            "tol": check_real("tol", self.tol, low=0, low_open=True),
            "max_iter": check_integer("max_iter", self.max_iter, low=1),
            "fit_intercept": check_bool("fit_intercept", self.fit_intercept),
            "standardize": check_bool("standardize", self.standardize),
            "relax": _relax(self.relax),
            **dict(zip(("max_support", "max_deviance"), check_stops(self.max_support, self.max_deviance), strict=True)),
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

    def _search(self, data, params, fitting):
        """Choose alpha and fit."""
        numbers = self._check_numbers()
        if data.X.shape[0] < 2:
            raise ValueError(
                f"{type(self).__name__} needs two samples or more to choose alpha; got n_samples={data.X.shape[0]}."
            )
        routed, shapes = self._routed(data.weights, params), self._shapes()
        early = self.max_support is not None or self.max_deviance is not None
        fitting.begin(
            data.X,
            data.y,
            data.weights,
            n_parts=(self._criterion is None) + (len(shapes) if early or self._criterion else 1),
        )
        full = data._replace(weights=self._training_weights(data.y, data.weights))
        problems = self._problems(full, [penalty for _, penalty in shapes], numbers)
        grids = [alpha_grid(problem, self.alphas, self.alpha_min_ratio) for problem in problems]
        paths = [None] * len(shapes)
        if self._criterion is None:
            splits = list(
                check_cv(self.cv, data.y, classifier=is_classifier(self)).split(data.X, data.y, **routed["split"])
            )
            sums = self._moments(full, splits, problems[0], numbers)
            problems = [problem if sums is None else with_moments(problem, sums[-1]) for problem in problems]
        problems = [get_solver(self.solver, p).prepared(p, grid) for p, grid in zip(problems, grids, strict=True)]
        stops = [None] * len(shapes)

        def walk(shape, wanted=1):
            """The path of all data for one shape, unless it is known; not shorter than is ``wanted``."""
            if paths[shape] is None:
                paths[shape], stops[shape] = self._walk(problems[shape], grids[shape], numbers, data, fitting, wanted)
                grids[shape] = grids[shape][: len(paths[shape])]
            return paths[shape]

        if early or self._criterion is not None:
            for shape in range(len(shapes)):
                walk(shape)
        candidates = Candidates([shape for shape, _ in shapes], numbers["relax"], grids)
        if self._criterion is None:
            penalties = [penalty for _, penalty in shapes]
            found = self._folds(data, splits, sums, penalties, grids, numbers, routed["score"], fitting)
            candidates.set_folds(found, self.scoring, len(splits) - len(found))
            index, chosen = self._choose(candidates)
        else:
            n = data.X.shape[0] if data.weights is None else float(data.weights.sum())
            charged = [criterion(self.rule, p, path, n) for p, path in zip(problems, paths, strict=True)]
            candidates.set_criterion(*map(np.concatenate, zip(*charged, strict=True)))
            index = candidates.best
            chosen = {"alpha_min_": candidates.alpha(index)}
        shape, _, position = candidates.place(index)
        path = walk(shape, position + 1)
        return self._finish(candidates, index, chosen, problems[shape], path, numbers, data, stops[shape])

    def _walk(self, problem, grid, numbers, data, fitting, wanted):
        """The path of all data, watched, until it is stopped; and why it was.

        A callback is obeyed as soon as there are as many alphas as are ``wanted``.
        """
        names = ("coef_", "intercept_") if data.labels is None else ("coef_", "intercept_", "classes_")

        def fitted(solution):
            return dict(zip(names, (*_shown(problem, solution, data), data.labels), strict=False))

        path, stopped = [], None
        walk = fitting.watched(self._path(problem, grid, numbers), len(grid), numbers["verbose"], "path", fitted)
        for solution in walk:
            stopped = too_large(solution, numbers["max_support"])
            if stopped is not None:
                break
            path.append(solution)
            stopped = saturated(problem, solution, numbers["max_deviance"])
            if stopped is None and fitting.stopped and len(path) >= wanted:
                stopped = f"a callback ended it at alpha={solution.alpha:.3g}"
            if stopped is not None:
                break
        walk.close()
        if not path:
            raise ValueError(
                f"max_support={self.max_support} is less than the support at the first alpha, {grid[0]:.3g}."
            )
        return path, None if len(path) == len(grid) else stopped

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

    def _finish(self, candidates, index, chosen, problem, path, numbers, data, stopped):
        """Set what was found, all at once and last; warn of what did not converge."""
        shape, share, position = candidates.place(index)
        solution = path[position]
        probe_prox(problem, solution)
        blend = solution
        if share != 1.0:
            (free,) = refit(problem, [solution], numbers["tol"], numbers["max_iter"])
            blend = relaxed(solution, free, share)
        self.coef_path_, self.intercept_path_ = _shown_path(problem, path, data)
        self.coef_, self.intercept_ = _shown(problem, blend, data)
        if data.labels is not None:
            self.classes_ = data.labels
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
        self._failed, self._left_out, self._stopped = candidates.failed, candidates.left_out, stopped
        self._n_rows = np.count_nonzero(problem.weights)
        self._locally_convex = convex_along(problem, path)
        self._trouble = trouble(solution, numbers["max_iter"])
        reason = self._trouble
        if reason is None and any(self._failed):
            reason = " ".join(
                ["did not reach tol everywhere, so scores may be off.", *self._failed.said(numbers["tol"])]
            )
        if reason is not None:
            warnings.warn(f"{type(self).__name__} ({self.solver_}) {reason}", ConvergenceWarning, stacklevel=4)
        return self

    def _problems(self, data, penalties, numbers, sums=None):
        """One problem for each penalty; all share what is known of X."""
        names = getattr(self, "feature_names_in_", None)
        first = make_problem(
            data.X,
            data.target,
            penalty=penalties[0],
            loss=data.loss,
            penalty_factor=self.penalty_factor,
            fit_intercept=numbers["fit_intercept"],
            standardize=numbers["standardize"],
            sample_weight=data.weights,
            feature_names=names,
        )
        if sums is not None:
            first = with_moments(first, sums)
        options = self.penalty_factor, numbers["standardize"], names
        return [first, *(first.priced_by(penalty, *options) for penalty in penalties[1:])]

    def _path(self, problem, grid, numbers):
        return get_solver(self.solver, problem).solve(problem, grid, None, numbers["tol"], numbers["max_iter"])

    def _centres(self, reset, sample_weight):
        """No: folds are cut out of X before all of it has been read."""
        return False

    # -- folds ------------------------------------------------------------------------

    def _moments(self, data, splits, problem, numbers):
        """Those of every training set and of all rows, where a solver can go by them; else None."""
        if not problem.loss.quadratic or get_solver(self.solver, problem).name not in (
            "coordinate_descent",
            "closed_form",
        ):
            return None
        return grouped_moments(data.X, data.target, data.weights, splits, numbers["fit_intercept"])

    def _folds(self, data, splits, sums, penalties, grids, numbers, score_params, fitting):
        """What every fold found."""
        scorer = None if self.scoring is None else check_scoring(self._member(None, None, None), scoring=self.scoring)
        # It comes with scikit-learn.
        from joblib import effective_n_jobs

        found = []

        def enough():
            # With one score nothing can be said of how sure it is.
            return fitting.stopped and len(found) >= 2

        jobs = (
            (k, data, split, None if sums is None else sums[k], penalties, grids, numbers, scorer, score_params)
            for k, split in enumerate(splits)
            if not enough()
        )
        # What a fold does is only known here where it is done here.
        here = effective_n_jobs(self.n_jobs) == 1
        if here:
            results = (self._fold(*job, fitting.tick) for job in jobs)
        else:
            run = Parallel(n_jobs=self.n_jobs, pre_dispatch="n_jobs", return_as="generator")
            results = run(delayed(self._fold)(*job) for job in jobs)
        ticks = sum(map(len, grids)) if here else 0
        folds = fitting.watched(results, len(splits), numbers["verbose"], "folds", ticks=ticks)
        for one in folds:
            found.append(one)
            if enough():
                break
        folds.close()
        for _ in results:
            # Folds that have begun elsewhere come to their end; nobody wants them any more, and no others begin.
            pass
        return found

    def _fold(self, k, data, split, sums, penalties, grids, numbers, scorer, score_params, tick=None):
        """Paths on one training set, scored on its test set."""
        train, test = split
        score_params = {name: np.asarray(value)[test] for name, value in score_params.items()}
        with blamed(f"the training set of fold {k}"):
            own = data.rows(train)
            own = own.encoded(self._training_weights(own.y, own.weights))
        with blamed(f"the test set of fold {k}"):
            held = data.rows(test) if scorer is None or "sample_weight" in score_params else None
            held = held.encoded(held.weights, own.labels) if scorer is None else None
        found = []
        for problem, grid in zip(self._problems(own, penalties, numbers, sums), grids, strict=True):
            path = []
            for solution in self._path(problem, grid, numbers):
                path.append(solution)
                if tick is not None:
                    tick()
            shares = numbers["relax"]
            free = path if shares == [1.0] else refit(problem, path, numbers["tol"], numbers["max_iter"])
            scores = np.empty((len(shares), len(grid)))
            for place, share in enumerate(shares):
                blends = [relaxed(s, f, share) for s, f in zip(path, free, strict=True)]
                parts = _shown_path(problem, blends, own)
                if scorer is None:
                    scores[place] = path_scores(held, *parts, score_params.get("sample_weight"))
                else:
                    members = [self._member(*part, own.labels) for part in zip(*parts, strict=True)]
                    scores[place] = [scorer(member, data.X[test], data.y[test], **score_params) for member in members]
            used = np.array([s.coef != 0 for s in path])
            failed = Failed(
                sum(not s.optimality.converged and not s.diverges for s in path), sum(s.diverges for s in path)
            )
            found.append((scores, used if used.ndim == 2 else used.any(axis=2), failed))
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
            that did not converge, a support that differs over the folds, a criterion
            close to saturation, solutions that need not be global, and where along the path the
            objective stops being convex. Empty when there is nothing to say.
        """
        check_is_fitted(self)
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


def _shown(problem, solution, data):
    """Coefficients and intercept as the estimator shows them: one row for two classes."""
    coef, intercept = in_units_of_X(problem, solution.coef, solution.intercept, solution.alpha)
    return (coef, intercept) if data.labels is None else (np.atleast_2d(coef), np.atleast_1d(intercept))


def _shown_path(problem, solutions, data):
    """As `_shown`, stacked, for all solutions of a path."""
    coefs, intercepts = path_in_units_of_X(problem, solutions)
    return (coefs[:, None], intercepts[:, None]) if data.labels is not None and coefs.ndim == 2 else (coefs, intercepts)
