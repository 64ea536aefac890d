"""How the site is built. Nothing here needs the network, nor do the pages that come out."""

import os
import sys
from importlib.metadata import files
from pathlib import Path
from shutil import copyfile

HERE = Path(__file__).parent
GENERATED = HERE / "_generated"
sys.path.insert(0, str(HERE))

import api_reference  # noqa: E402
import inventories  # noqa: E402
import student  # noqa: E402

import skreg  # noqa: E402

project = "skreg"
author = copyright = "the skreg developers"
version = release = skreg.__version__
html_baseurl = "https://skreg.readthedocs.io/en/stable/"

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "sliders",
    "penalty_pictures",
]
exclude_patterns = ["_build", "_generated", "_static", "_templates", "auto_examples/*.ipynb"]
templates_path = ["_templates"]
default_role = "py:obj"  # `alpha` is a link where there is something to link to
toc_object_entries_show_parents = "hide"

# -- what others provide, brought in from installed packages ----------------------------------------------------------

GENERATED.mkdir(exist_ok=True)
inventories.write(GENERATED / "sklearn.inv")
intersphinx_mapping = {"sklearn": ("https://scikit-learn.org/stable/", "_generated/sklearn.inv")}

# One self-contained file shows the mathematics; Sphinx's default would load it from elsewhere.
mathjax_path = "mathjax/tex-svg.js"


def copy_mathjax(app):
    """Put MathJax beside the pages."""
    source = next(file for file in files("sphinx-mathjax-offline") if file.name == "tex-svg.js")
    target = Path(app.outdir, "_static", mathjax_path)
    target.parent.mkdir(parents=True, exist_ok=True)
    copyfile(source.locate(), target)


# -- the pages for students: sliders.py brings the numbers, this the figures --------------------------------------------

FIGURES = GENERATED / "figures"
FIGURES.mkdir(exist_ok=True)
student.save_figures(FIGURES, HERE / "skreg.mplstyle")

# -- API pages: written from the table in api_reference.py ------------------------------------------------------------

api_reference.write(HERE / "api")
autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say it in words
numpydoc_show_class_members = False  # the class template lists them
# What every docstring on these pages must have. Not asked for: a summary on one line (SS06) that begins with an infinitive
# (SS05), an extended summary (ES01), a See Also and an example on every method (SA01, EX01), capitals and full stops around
# formulas (PR08, PR09, RT04, RT05).
numpydoc_validation_checks = {"all", "SS05", "SS06", "ES01", "SA01", "EX01", "PR08", "PR09", "RT04", "RT05"}
numpydoc_validation_exclude = {
    r"\.(score|set_params)$",  # scikit-learn's own words
    r"\.(?!Penal|Loss\.)[A-Z]\w*\.\w+$",  # methods of a contract: documented where the contract is
    r"\.(Objective|Optimality|PenaltyExplanation|Problem|RegularizationPath|Strength)$",  # nobody makes them by hand: their attributes are documented
}

# -- gallery ----------------------------------------------------------------------------------------------------------

# A page must not show a local path, which a warning would print: examples end at the first one (see gallery_look.py).
os.environ["PYTHONWARNINGS"] = "ignore"  # worker processes; the main process raises
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": "/plot_",
    "ignore_pattern": r"^(?!plot_)",
    "within_subsection_order": "gallery_look.AsTaught",
    "doc_module": ("skreg",),
    "backreferences_dir": "api/backreferences",
    "reset_modules": ("gallery_look.reset",),
    "parallel": os.cpu_count() or 1,
    "ignore_repr_types": r"matplotlib|.*Display",
    "image_scrapers": ("matplotlib",),
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,  # its page would load scripts from elsewhere
    "min_reported_time": 1e9,
}

# -- looks ------------------------------------------------------------------------------------------------------------

html_theme = "pydata_sphinx_theme"
html_title = "skreg"
html_static_path = ["_static"]
html_css_files = ["skreg.css", "sliders.css"]
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "skreg"},
    "github_url": "https://github.com/skreg/skreg",
    "navbar_align": "left",
    "header_links_before_dropdown": 5,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "secondary_sidebar_items": {"**": ["page-toc", "sg_download_links"], "index": []},
    "footer_start": ["copyright"],
    "footer_end": [],
}
# Only the API pages have neighbours worth a column; the others use the width.
html_sidebars = {
    page: []
    for page in (
        "index",
        "understand/*",
        "getting_started",
        "changes",
        "cite",
        "search",
        "auto_examples/*",
        "performance",
    )
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def setup(app):
    """Connect what is defined above."""
    app.connect("builder-inited", copy_mathjax)
