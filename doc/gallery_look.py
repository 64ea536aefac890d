"""What every gallery example starts from, and the order in which they are shown."""

import warnings
from pathlib import Path

import matplotlib.pyplot as plt

STYLE = Path(__file__).with_name("skreg.mplstyle")

# From the question of a student to the choices of an expert. An example that is not here stops the build.
# fmt: off
ORDER = [
    "bias_variance", "weight_shrinkage", "geometry", "objective_and_score",
    "grid_search", "search_pictures", "decision_boundary", "digits", "paths",
    "penalties", "lasso_bias", "combinations", "constraints", "ordered_columns", "group_lasso", "many_targets",
    "own_penalty", "own_loss",
    "explain", "stability", "certificate", "solvers",
    "sample_weights", "sparse_text", "other_libraries", "speed",
]
# fmt: on


class AsTaught:
    """The key by which sphinx-gallery sorts the examples."""

    def __init__(self, folder):
        """Called by sphinx-gallery with the folder of the examples."""

    def __call__(self, filename):
        """The place of an example."""
        return ORDER.index(Path(filename).stem.removeprefix("plot_"))


def reset(gallery_conf, name):
    """Undo what the previous example did (sphinx-gallery calls this before each)."""
    plt.rcdefaults()
    plt.style.use(STYLE)
    # A warning would print a path of this machine into the page.
    warnings.filterwarnings("error", module="__main__")
    warnings.filterwarnings("error", module="skreg")
