"""The pictures of a penalty show what its methods return."""

import matplotlib as mpl
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skreg import L0, L1, L21, MCP, Box, ByColumn, GroupLasso, Penalty, Simplex
from skreg.inspection import PenaltyDisplay


@pytest.fixture(autouse=True)
def no_window():
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def line(ax, label=None):
    """The line that is drawn in a panel, gaps left out."""
    found = next(each for each in ax.lines if label is None or each.get_label() == label)
    x, y = found.get_data()
    drawn = ~np.isnan(y)
    return x[drawn], y[drawn]


class Near(Penalty):
    """The distance from 2."""

    def value(self, coef, alpha):
        return float(np.sum(alpha * np.abs(coef - 2.0)))

    def prox(self, coef, step, alpha):
        away = coef - 2.0
        return 2.0 + np.sign(away) * np.maximum(np.abs(away) - step * alpha, 0.0)


@pytest.mark.parametrize("penalty", [MCP(gamma=2.5), Near()], ids=["MCP", "own"])
def test_three_panels_show_what_the_methods_return(penalty):
    display = PenaltyDisplay.from_penalty(penalty, alpha=0.5, step=0.8, reach=3)
    price, prox, plane = display.axes_
    x, y = line(price)
    assert x[0] == -3 and x[-1] == 3 and 0.0 in x
    other = penalty.value(np.zeros(1), 0.5)
    assert_allclose(y, [penalty.value(np.array([weight]), 0.5) + other for weight in x])
    x, y = line(prox, "prox")
    assert_allclose(y, penalty.prox(x, 0.8, 0.5))
    a, b = display.grid[[20, 90]]
    assert display.levels[90, 20] == pytest.approx(penalty.value(np.array([a, b]), 0.5))
    assert "x0" in plane.get_xlabel() and "x1" in plane.get_ylabel()
    assert display.figure_ is plane.figure and display.ax_ is price
    titles = [ax.get_title(loc) for ax in display.axes_ for loc in ("left", "center")]
    assert "price at alpha = 0.5" in titles and "prox at step = 0.8" in titles
    assert display.figure_.get_suptitle() == repr(penalty)


def test_no_line_is_drawn_where_a_function_jumps():
    display = PenaltyDisplay.from_penalty(L0(), show=("value", "prox"))
    x, y = (line.get_data() for line in display.axes_[1].lines if line.get_label() == "prox").__next__()
    at_jump = np.isnan(y)
    assert_allclose(np.abs(x[at_jump]), np.sqrt(2.0), atol=0.03)
    # The price of a zero stands alone: a dot.
    dots = [each for each in display.axes_[0].lines if each.get_marker() == "o"]
    assert dots[0].get_xydata().tolist() == [[0.0, 0.0]]


def test_what_is_forbidden_is_shaded():
    display = PenaltyDisplay.from_penalty(Box(-1, 3))
    price, _, plane = display.axes_
    edges = sorted(
        edge
        for patch in price.patches
        for edge in patch.get_extents().transformed(price.transData.inverted()).intervalx
    )
    assert_allclose([edges[1], edges[2]], [-1, 3], atol=0.05)
    x, _ = line(price)
    assert_allclose(x[[0, -1]], [-1, 3], atol=0.05)
    for ax in (price, plane):
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["not allowed"]
    # An area of no width is drawn as dots.
    plane = PenaltyDisplay.from_penalty(Simplex(2.0), show="levels").ax_
    dots = next(each for each in plane.lines if each.get_marker() == "o").get_xydata()
    assert len(dots) > 10
    assert_allclose(dots.sum(axis=1), 2.0)


def test_level_lines_of_groups_and_outputs_are_circles():
    for penalty in (GroupLasso([0, 0, 1], weights=None), L21()):
        display = PenaltyDisplay.from_penalty(penalty, show="levels")
        assert_allclose(display.levels, np.hypot(*np.meshgrid(display.grid, display.grid)))
    assert "output 1" in display.ax_.get_ylabel()


def test_names_of_columns():
    penalty = ByColumn({"age": None, "gene_.*": L1()})
    names = ["age", "gene_a", "gene_b"]
    display = PenaltyDisplay.from_penalty(penalty, feature_names=names, features=(2, 0))
    assert display.ax_.get_xlabel() == "weight of gene_b" and display.axes_[2].get_ylabel() == "weight of age"
    assert_allclose(display.value, np.abs(display.coef))
    assert_array_equal(display.levels[0], display.levels[-1])


def test_axes_may_be_given():
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2)
    display = PenaltyDisplay.from_penalty("l1", show=("value", "levels"), axes=axes)
    assert display.figure_ is figure and list(display.axes_) == list(axes)
    assert PenaltyDisplay.from_penalty("l1", show="prox", axes=axes[0]).ax_ is axes[0]


@pytest.mark.parametrize(
    "params, message",
    [
        ({"alpha": -1}, "alpha must be"),
        ({"step": 0}, "step must be"),
        ({"reach": 0}, "reach must be"),
        ({"show": "price"}, "show must be one or more of"),
        ({"show": ()}, "show must be one or more of"),
        ({"features": (0, 2)}, r"features must be two positions below 2; got \(0, 2\)"),
        ({"axes": [None]}, "axes must be one for each of the panels"),
    ],
)
def test_bad_arguments(params, message):
    with pytest.raises(ValueError, match=message):
        PenaltyDisplay.from_penalty("l1", **params)
