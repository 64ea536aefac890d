"""What every gallery example starts from: the site's look, and warnings that stop the build."""

import warnings
from pathlib import Path

import matplotlib.pyplot as plt

STYLE = Path(__file__).with_name("skreg.mplstyle")


def reset(gallery_conf, name):
    """Undo what the previous example did (sphinx-gallery calls this before each)."""
    plt.rcdefaults()
    plt.style.use(STYLE)
    # A warning would print a path of this machine into the page.
    warnings.filterwarnings("error", module="__main__")
    warnings.filterwarnings("error", module="skreg")
