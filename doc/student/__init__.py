"""The four pages for students: what their sliders and figures show, computed by skreg when the site is built.

Each module has ``data()``, which a slider reads as JSON, and ``figure()``. ``tests/test_student_pages.py`` asserts from
the same functions what the pages claim.
"""

import json

import numpy as np
from matplotlib import rc_context

from student import just_right, one_weight, when_not, why_add

PAGES = {"why-add": why_add, "one-weight": one_weight, "just-right": just_right, "when-not": when_not}


def rounded(value, digits=5):
    """Numbers with as many digits as a picture can show, so that two builds write the same page."""
    if isinstance(value, dict):
        return {name: rounded(part, digits) for name, part in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [rounded(part, digits) for part in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.{digits}g}")
    return value


def as_json(page):
    """What the slider of a page reads."""
    return json.dumps(rounded(PAGES[page].data()), separators=(",", ":"), allow_nan=False)


def save_figures(folder, style):
    """Draw the figure of each page in the look of the gallery."""
    with rc_context(fname=style):
        for name, page in PAGES.items():
            page.figure().savefig(folder / f"{name}.png", metadata={"Software": None})
