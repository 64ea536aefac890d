"""A penalty in pictures: the price of a weight, what the prox makes of it, weights that cost the same."""

import numpy as np

from skreg._validation import check_integer, check_real
from skreg.inspection._axes import legend
from skreg.penalties import get_penalty
from skreg.penalties.sizes import accepted_size

__all__ = ["PenaltyDisplay"]

PANELS = ("value", "prox", "levels")

# Odd, so that zero, where most happens, is among them.
N_POINTS = 401
N_GRID = 121

FORBIDDEN = {"color": "0.82", "label": "not allowed"}


class PenaltyDisplay:
    """What a penalty does: price and prox of one weight, and level lines of two.

    Make one with `from_penalty`.

    Parameters
    ----------
    coef : ndarray of shape (n_points,)
        Weights of the first feature; all others are zero.
    value : ndarray of shape (n_points,), optional
        Their prices; inf where a constraint forbids them.
    prox : ndarray of shape (n_points,), optional
        What the prox makes of them.
    grid : ndarray of shape (n_grid,), optional
        Weights of either feature in the plane.
    levels : ndarray of shape (n_grid, n_grid), optional
        Prices in the plane; the first feature varies along rows, as pictures have it.
    name : str
        What is drawn.
    alpha : float
        Strength.
    step : float
        Step of the prox.
    feature_names : tuple of two str
        Names of both features.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        One for each panel, in the order price, prox, level lines.
    ax_ : matplotlib Axes
        The first of them.
    figure_ : matplotlib Figure
        Their figure.

    Examples
    --------
    >>> from skreg import MCP, GroupLasso
    >>> from skreg.inspection import PenaltyDisplay
    >>> display = PenaltyDisplay.from_penalty(MCP(gamma=3))
    >>> display.axes_.shape
    (3,)

    The level lines of a group of two features are circles:

    >>> display = PenaltyDisplay.from_penalty(GroupLasso([0, 0]), show="levels")
    >>> display.ax_.get_xlabel()
    'weight of x0'
    """

    def __init__(
        self, *, coef, value=None, prox=None, grid=None, levels=None, name="", alpha=1.0, step=1.0,
        feature_names=("x0", "x1"),
    ):  # fmt: skip
        self.coef, self.value, self.prox = coef, value, prox
        self.grid, self.levels = grid, levels
        self.name, self.alpha, self.step = name, alpha, step
        self.feature_names = feature_names

    @classmethod
    def from_penalty(
        cls,
        penalty,
        *,
        alpha=1.0,
        step=1.0,
        reach=None,
        show=PANELS,
        features=(0, 1),
        n_features=None,
        feature_names=None,
        axes=None,
    ):
        """Try a penalty at many weights and draw what it does.

        Parameters
        ----------
        penalty : str, Penalty or None
            Any penalty, also your own.
        alpha : float, default=1.0
            Strength, >= 0.
        step : float, default=1.0
            Step of the prox, > 0: in a fit, one over the variance of the column.
        reach : float, optional
            Weights from ``-reach`` to ``reach`` are shown. By default five times ``alpha``, where most penalties
            have their knots, times ``step`` if that is above 1; without alpha the same as for 1.
        show : str or sequence of str, default=("value", "prox", "levels")
            Which of the three panels.
        features : tuple of two int, default=(0, 1)
            Positions of the two weights in ``coef.ravel()``; all others are zero. Of penalties that see
            all outputs at once (`L21`, `NuclearNorm`) two outputs are shown: 0 and 1 are
            the weights of the first feature, 0 and 3 the diagonal.
        n_features : int, optional
            How many features the penalty is tried on. By default the number of
            ``feature_names``, else the smallest from 2 on that the penalty accepts.
        feature_names : array-like of str, optional
            Names of the columns, for penalties that know columns by name.
        axes : matplotlib Axes, or sequence of them, optional
            Where to draw, one for each panel; a new figure by default.

        Returns
        -------
        PenaltyDisplay
            Drawn.
        """
        alpha = check_real("alpha", alpha, low=0)
        step = check_real("step", step, low=0, low_open=True)
        reach = (
            5.0 * (alpha or 1.0) * max(1.0, step) if reach is None else check_real("reach", reach, low=0, low_open=True)
        )
        show = (show,) if isinstance(show, str) else tuple(show)
        if not show or not set(show) <= set(PANELS):
            raise ValueError(f"show must be one or more of {PANELS}; got {show!r}.")
        penalty = get_penalty(penalty)
        names = None if feature_names is None else np.asarray(feature_names, dtype=object)
        if n_features is None:
            n_features = accepted_size(penalty, 2, (*range(2, 65), 1)) if names is None else len(names)
        line = _Plane(penalty, check_integer("n_features", n_features, low=1), names, features)
        coef, grid = np.linspace(-reach, reach, N_POINTS), np.linspace(-reach, reach, N_GRID)
        return cls(
            coef=coef,
            value=np.array([line.value(weight, 0.0, alpha) for weight in coef]) if "value" in show else None,
            prox=np.array([line.prox(weight, step, alpha) for weight in coef]) if "prox" in show else None,
            grid=grid,
            levels=line.values(grid, alpha) if "levels" in show else None,
            name=repr(penalty),
            alpha=alpha,
            step=step,
            feature_names=line.names,
        ).plot(axes)

    def plot(self, axes=None):
        """Draw.

        Parameters
        ----------
        axes : matplotlib Axes, or sequence of them, optional
            Where to draw, one for each panel; a new figure by default.

        Returns
        -------
        PenaltyDisplay
            Itself, with ``axes_``, ``ax_`` and ``figure_``.
        """
        shown = [name for name in PANELS if getattr(self, name) is not None]
        if axes is None:
            import matplotlib.pyplot as plt

            figure, axes = plt.subplots(1, len(shown), figsize=(4.4 * len(shown), 4.1), layout="constrained")
            figure.suptitle(self.name)
        self.axes_ = np.atleast_1d(np.asarray(axes, dtype=object)).ravel()
        if len(self.axes_) != len(shown):
            raise ValueError(f"axes must be one for each of the panels {shown}; got {len(self.axes_)}.")
        self.ax_, self.figure_ = self.axes_[0], self.axes_[0].figure
        for ax, name in zip(self.axes_, shown, strict=True):
            getattr(self, f"_draw_{name}")(ax)
        return self

    def _draw_value(self, ax):
        allowed = np.isfinite(self.value)
        low, high = (self.value[allowed].min(), self.value[allowed].max()) if allowed.any() else (0.0, 0.0)
        room = 0.06 * (high - low) or 0.5
        _broken_line(ax, self.coef, self.value, color="C1")
        ax.set(xlabel=f"weight of {self.feature_names[0]}", ylabel="price", title=f"price at alpha = {self.alpha:g}")
        ax.set(xlim=self.coef[[0, -1]], ylim=(low - room, high + room))
        self._shade(ax, allowed)

    def _draw_prox(self, ax):
        ax.plot(self.coef, self.coef, color="0.65", linewidth=1.2, label="unchanged")
        _broken_line(ax, self.coef, self.prox, color="C0", label="prox")
        reach = self.coef[[0, -1]]
        ends = min(reach[0], self.prox.min()), max(reach[1], self.prox.max())
        ax.set(xlabel="weight before", ylabel="weight after", title=f"prox at step = {self.step:g}")
        ax.set(xlim=reach, ylim=ends)
        legend(ax)

    def _draw_levels(self, ax):
        grid, levels = self.grid, self.levels
        allowed = np.isfinite(levels)
        ax.set(xlim=grid[[0, -1]], ylim=grid[[0, -1]], aspect="equal", title=f"level lines at alpha = {self.alpha:g}")
        ax.set(xlabel=f"weight of {self.feature_names[0]}", ylabel=f"weight of {self.feature_names[1]}")
        ax.grid(visible=False)
        if not allowed.all():
            mask = np.ma.masked_array(np.ones_like(levels), mask=allowed)
            ax.pcolormesh(grid, grid, mask, cmap="gray", vmin=0, vmax=1 / 0.82, rasterized=True)
            ax.fill(np.nan, np.nan, **FORBIDDEN)
            legend(ax)
        finite = np.ma.masked_array(levels, mask=~allowed)
        lowest, highest = (finite.min(), finite.max()) if allowed.any() else (0.0, 0.0)
        if 0 < np.count_nonzero(allowed) <= 3 * N_GRID:
            # No area is allowed, a line is.
            second, first = np.nonzero(allowed)
            ax.plot(grid[first], grid[second], "o", markersize=3, color="C1")
        elif highest > lowest:
            ax.pcolormesh(grid, grid, finite, cmap="Oranges", vmin=lowest, vmax=2 * highest - lowest, rasterized=True)
            marks = lowest + (highest - lowest) * np.linspace(0, 1, 9)[1:-1]
            ax.contour(grid, grid, finite, levels=marks, colors="C1", linewidths=1.3)
        for draw in (ax.axhline, ax.axvline):
            draw(0, color="0.4", linewidth=0.8)

    def _shade(self, ax, allowed):
        """Grey where weights are forbidden."""
        if allowed.all():
            return
        half = 0.5 * (self.coef[1] - self.coef[0])
        edges = np.flatnonzero(np.diff(np.r_[True, allowed, True]))
        for first, last in edges.reshape(-1, 2):
            ax.axvspan(self.coef[first] - half, self.coef[last - 1] + half, linewidth=0, color=FORBIDDEN["color"])
        ax.fill(np.nan, np.nan, **FORBIDDEN)
        legend(ax)


class _Plane:
    """A bound penalty where all but two coefficients are zero."""

    def __init__(self, penalty, n_features, names, features):
        self.penalty = penalty.bind(n_features, names)
        self.joint = self.penalty.joint_outputs
        self.shape = (n_features, 2) if self.joint else (n_features,)
        size = np.prod(self.shape)
        self.first, self.second = (check_integer("features", k, low=0) for k in features)
        if max(self.first, self.second) >= size:
            raise ValueError(f"features must be two positions below {size}; got {features!r}.")
        self.names = tuple(self._name(k, names) for k in (self.first, self.second))

    def _name(self, entry, names):
        if not self.joint:
            return f"x{entry}" if names is None else str(names[entry])
        feature, output = divmod(entry, 2)
        return f"{f'x{feature}' if names is None else names[feature]}, output {output}"

    def _at(self, first, second):
        coef = np.zeros(self.shape)
        coef.flat[self.second] = second
        coef.flat[self.first] = first
        return coef

    def value(self, first, second, alpha):
        return float(self.penalty.value(self._at(first, second), alpha))

    def values(self, grid, alpha):
        """Of all pairs, the first weight along the columns."""
        origin = self.value(0.0, 0.0, alpha)
        if self.penalty.separable and np.isfinite(origin):
            first = np.array([self.value(a, 0.0, alpha) for a in grid])
            second = np.array([self.value(0.0, b, alpha) for b in grid])
            return first + (second - origin)[:, None]
        return np.array([[self.value(a, b, alpha) for a in grid] for b in grid])

    def prox(self, first, step, alpha):
        return np.asarray(self.penalty.prox(self._at(first, 0.0), step, alpha)).flat[self.first]


def _broken_line(ax, x, y, **style):
    """A line with gaps where the function jumps or is infinite, and dots for values that stand alone."""
    y = np.where(np.isfinite(y), y, np.nan)
    rises = np.abs(np.diff(y))
    around = np.minimum(np.r_[rises[0], rises[:-1]], np.r_[rises[1:], rises[-1]])
    jumps = np.flatnonzero(rises > 5.0 * around + 0.02 * (np.nanmax(y) - np.nanmin(y))) + 1
    xs, ys = np.insert(x, jumps, x[jumps]), np.insert(y, jumps, np.nan)
    ax.plot(xs, ys, linewidth=2.2, **style)
    missing = np.isnan(np.r_[np.nan, ys, np.nan])
    alone = ~missing[1:-1] & missing[:-2] & missing[2:]
    ax.plot(xs[alone], ys[alone], "o", markersize=6, color=style["color"])
