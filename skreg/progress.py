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
        Whether a callback has asked for an end.
    """

    def __init__(self, estimator):
        self.estimator = estimator
        self.stopped = False
        self._before = dict(vars(estimator))
        self._root = self._listening = self._bar = self._step = None

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
        self._end(self._begin(self._root, "iteration", 0))
        return self.stopped

    def watched(self, items, total, verbose, label, fitted=None, ticks=0):
        """Pass items on; a bar and callbacks are told of each.

        Parameters
        ----------
        items : iterable
        total : int
            How many are expected.
        verbose : bool
            Whether to draw a bar on stderr.
        label : str
            What the part is called.
        fitted : callable, optional
            From an item to the attributes of a fit that callbacks may look at.
        ticks : int, default=0
            How often `tick` will be called while each item is made; 0 where nobody calls.

        Yields
        ------
        The items.
        """
        bar, part = _Bar(total * max(ticks, 1), verbose, label), self._begin(self._root, label, total)
        self._bar = bar
        try:
            self._step = self._begin(part, f"{label} step", ticks)
            for done, item in enumerate(items, start=1):
                self._end(self._step, None if fitted is None else lambda item=item: fitted(item))
                if not ticks:
                    bar.advance()
                yield item
                self._step = self._begin(part, f"{label} step", ticks) if done < total else None
            self._end(part)
        except GeneratorExit:
            # Enough is known.
            self._end(part)
            raise
        finally:
            bar.close()

    def tick(self):
        """One part of the item that is being made is done."""
        self._bar.advance()
        self._end(self._begin(self._step, "alpha", 0))

    def _begin(self, parent, name, total):
        if parent is None:
            return None
        task = parent.subcontext(task_name=name, max_subtasks=total)
        task.call_on_fit_task_begin(estimator=self.estimator, **self._given)
        return task

    def _end(self, task, attributes=None):
        if task is not None:
            wish = task.call_on_fit_task_end(
                estimator=self.estimator, **self._given, reconstruction_attributes=attributes
            )
            self.stopped = bool(wish) or self.stopped

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


class _Bar:
    """A bar on stderr, if one is wanted."""

    def __init__(self, total, verbose, label):
        self.total, self.verbose, self.label = total, verbose, label
        self.done, self.start = 0, time.perf_counter()
        self._draw()

    def advance(self):
        """One more is done."""
        self.done += 1
        self._draw()

    def close(self):
        """The last look at it."""
        self._draw("\n")

    def _draw(self, end=""):
        if not self.verbose:
            return
        filled = WIDTH * self.done // max(self.total, 1)
        bar = "#" * filled + "." * (WIDTH - filled)
        seconds = time.perf_counter() - self.start
        sys.stderr.write(f"\r{self.label} [{bar}] {self.done}/{self.total} {seconds:.1f} s{end}")
        sys.stderr.flush()


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
    bar = _Bar(total, verbose, label)
    try:
        for item in items:
            yield item
            bar.advance()
    finally:
        bar.close()
