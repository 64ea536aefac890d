"""The directive ``.. penalty-pictures:: L1``: price, prox and level lines of a penalty, drawn by skreg when the site is built."""

import numpy as np
from docutils import nodes
from docutils.parsers.rst import Directive, directives
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imsave

import skreg
from skreg.inspection import PenaltyDisplay

FOLDER = "_generated/penalties"
PANELS = {
    "value": "The price of one weight",
    "prox": "The prox of one weight",
    "levels": "Pairs of weights that cost the same",
}
# Of a panel, in inches.
WIDTH, HEIGHT = 2.8, 2.5

# What has to be told before a penalty is one of two weights.
EXAMPLES = {
    "TrendFilter": (skreg.TrendFilter(order=1), {"n_features": 3}),
    "GeneralizedRidge": (skreg.GeneralizedRidge(np.array([[1.0, -0.8], [-0.8, 1.0]])), {}),
    "GroupLasso": (skreg.GroupLasso([0, 0]), {}),
    "SparseGroupLasso": (skreg.SparseGroupLasso([0, 0]), {}),
    "GroupMCP": (skreg.GroupMCP([0, 0], weights=None), {}),
    "GroupSCAD": (skreg.GroupSCAD([0, 0], weights=None), {}),
    "Grouped": (skreg.Grouped(skreg.LogSum(), [0, 0], weights=None), {}),
    "Box": (skreg.Box(-1, 3), {}),
    "Simplex": (skreg.Simplex(3), {"n_features": 3}),
    "L1Ball": (skreg.L1Ball(3), {}),
    "L2Ball": (skreg.L2Ball(3), {}),
    "Scaled": (2.0 * skreg.L1(), {}),
    "WithSquare": (skreg.MCP() + 0.2 * skreg.L2(), {}),
    "Bounded": (skreg.Bounded(skreg.L1(), -1, 3), {}),
    "ByColumn": (skreg.ByColumn({0: skreg.L1(), 1: skreg.L2()}), {"n_features": 2}),
}


def example(name):
    """The penalty that the picture of a class shows, and what its display has to be told."""
    return EXAMPLES[name] if name in EXAMPLES else (getattr(skreg, name)(), {})


def save(name, folder):
    """Draw the panels of a penalty, each into a file of its own, so that a narrow page can stack them."""
    penalty, options = example(name)
    figure = Figure(figsize=(len(PANELS) * WIDTH, HEIGHT), dpi=150, layout="none")
    places = [(k * WIDTH + 0.8, 0.52, WIDTH - 0.96, HEIGHT - 0.62) for k in range(len(PANELS))]
    inches = np.array([len(PANELS) * WIDTH, HEIGHT] * 2)
    axes = [figure.add_axes(place / inches) for place in np.array(places)]
    PenaltyDisplay.from_penalty(penalty, axes=axes, **options)
    for ax in axes:
        ax.set_title("")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    parts = np.split(np.asarray(canvas.buffer_rgba()), len(PANELS), axis=1)
    for panel, pixels in zip(PANELS, parts, strict=True):
        imsave(folder / f"{name}-{panel}.png", np.ascontiguousarray(pixels), metadata={"Software": None})


class PenaltyPictures(Directive):
    """Three pictures side by side, which wrap where there is no room; ``:named:`` writes above which penalty it is."""

    required_arguments = 1
    option_spec = {"named": directives.flag}

    def run(self):
        """Draw what is not there yet, and show it."""
        env, name = self.state.document.settings.env, self.arguments[0]
        folder = env.srcdir / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / f"{name}-levels.png").exists():
            with rc_context(fname=env.srcdir / "skreg.mplstyle"):
                save(name, folder)
        text = repr(example(name)[0])
        row = nodes.container(classes=["panels"])
        for panel, says in PANELS.items():
            row += nodes.image(uri=f"/{FOLDER}/{name}-{panel}.png", alt=f"{says}: {text}")
        if "named" not in self.options:
            return [row]
        return [nodes.paragraph("", "", nodes.literal(text, text), classes=["panels-name"]), row]


def setup(app):
    """Called by Sphinx."""
    app.add_directive("penalty-pictures", PenaltyPictures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
