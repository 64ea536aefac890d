"""Who is told how far a fit is: a bar on stderr, and the callbacks of scikit-learn 1.9 (experimental there)."""

import sys
import time
from contextvars import ContextVar

try:
    from sklearn.callback import CallbackSupportMixin as CallbackSupport
    from sklearn.callback import with_callbacks
except ImportError:  # scikit-learn < 1.9

    class CallbackSupport:
        """Nothing: there are no callbacks."""

    def with_callbacks(method):
        """The method itself."""
        return method


__all__ = ["LISTENER", "CallbackSupport", "Fitting", "watched"]

WIDTH = 30

# Who wants to be called each time that a solver has looked at its certificate; it returns whether to stop.
LISTENER = ContextVar("listener", default=None)

# scikit-learn ends the life of callbacks after a decorated method; a decorated nothing does that, and no more.
_tear_down = with_callbacks(lambda estimator: None)


class Fitting:
    """One ``fit`` of an estimator, as a context: callbacks are told, and what fails leaves the estimator as it was.

    Parameters
    ----------
    estimator : CallbackSupport and BaseEstimator

    Attributes
    ----------
    stopped : bool
        Whether a callback has ended the solver.
    """

    def __init__(self, estimator):
        self.estimator = estimator
        self.stopped = False
        self._before = dict(vars(estimator))
        self._root = self._listening = None

    def __enter__(self):
        return self

    def begin(self, X, y, sample_weight, n_parts=None):
        """Data are valid; without ``n_parts`` every look of the solver at its certificate is a part."""
        if not self._before.get("_skl_callbacks"):
            return
        self._given = {"X": X, "y": y, "metadata": None if sample_weight is None else {"sample_weight": sample_weight}}
        self._root = self.estimator._init_callback_context(max_subtasks=n_parts)
        self._root.call_on_fit_task_begin(estimator=self.estimator, **self._given)
        if n_parts is None:
            self._listening = LISTENER.set(self._look)

    def _look(self):
        look = self._root.subcontext(task_name="iteration")
        look.call_on_fit_task_begin(estimator=self.estimator, **self._given)
        self.stopped = look.call_on_fit_task_end(estimator=self.estimator, **self._given) or self.stopped
        return self.stopped

    def watched(self, items, total, verbose, label, fitted=None):
        """`watched`, with a part for all and one for each of the items; ``fitted`` gives the attributes of a fit."""
        items = watched(items, total, verbose, label)
        return items if self._root is None else self._told(items, total, label, fitted)

    def _told(self, items, total, label, fitted):
        part = self._root.subcontext(task_name=label, max_subtasks=total)
        part.call_on_fit_task_begin(estimator=self.estimator, **self._given)

        def begin():
            step = part.subcontext(task_name=f"{label} step")
            step.call_on_fit_task_begin(estimator=self.estimator, **self._given)
            return step

        step = begin()
        for done, item in enumerate(items, start=1):
            attributes = None if fitted is None else lambda item=item: fitted(item)
            # What is searched through must be known to its end: a wish to stop is not heard here.
            step.call_on_fit_task_end(estimator=self.estimator, **self._given, reconstruction_attributes=attributes)
            yield item
            if done < total:
                step = begin()
        part.call_on_fit_task_end(estimator=self.estimator, **self._given)

    def __exit__(self, kind, error, trace):
        if self._listening is not None:
            LISTENER.reset(self._listening)
        try:
            if kind is None and self._root is not None:
                self._root.call_on_fit_task_end(estimator=self.estimator, **self._given, reconstruction_attributes=dict)
        finally:
            if self._root is not None:
                _tear_down(self.estimator)
            if kind is not None:
                vars(self.estimator).clear()
                vars(self.estimator).update(self._before)


def watched(items, total, verbose, label):
    """Pass items on; with ``verbose`` draw a bar on stderr.

    Parameters
    ----------
    items : iterable
    total : int
        How many are expected.
    verbose : bool
        Whether to draw.
    label : str
        What stands before the bar.

    Yields
    ------
    The items.
    """
    if not verbose:
        yield from items
        return
    begin = time.perf_counter()
    done = 0

    def draw(end=""):
        filled = WIDTH * done // max(total, 1)
        bar = "#" * filled + "." * (WIDTH - filled)
        seconds = time.perf_counter() - begin
        sys.stderr.write(f"\r{label} [{bar}] {done}/{total} {seconds:.1f} s{end}")
        sys.stderr.flush()

    try:
        draw()
        for item in items:
            yield item
            done += 1
            draw()
    finally:
        draw("\n")
