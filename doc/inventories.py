"""List scikit-learn's public names from the installed package, so that links to its pages need no download."""

import zlib

from sklearn.utils import discovery

METHODS = ("fit", "fit_transform", "predict", "predict_proba", "score", "transform")
# Sections of the user guide that inherited docstrings point to.
SECTIONS = {"accuracy_score": "Accuracy score", "r2_score": "R² score"}


def write(path):
    """Write the inventory that `sphinx.ext.intersphinx` reads to ``path``.

    The page of an object is named after the module that users import it from, that is its own without the private
    parts: ``sklearn.linear_model._ridge`` holds what is shown as ``sklearn.linear_model.Ridge``.
    """
    classes = [cls for _, cls in discovery.all_estimators() + discovery.all_displays()]
    functions = [function for _, function in discovery.all_functions()]
    lines = []
    for kind, item in [("class", cls) for cls in classes] + [("function", function) for function in functions]:
        module = ".".join(part for part in item.__module__.split(".") if not part.startswith("_"))
        name = f"{module}.{item.__name__}"
        page = f"modules/generated/{name}.html"
        lines.append(f"{name} py:{kind} 1 {page}#$ -")
        if kind == "class":
            lines += [f"{name}.{method} py:method 1 {page}#$ -" for method in METHODS if hasattr(item, method)]
    for label, title in SECTIONS.items():
        lines.append(f"{label} std:label -1 modules/model_evaluation.html#{label.replace('_', '-')} {title}")
    header = "# Sphinx inventory version 2\n# Project: scikit-learn\n# Version: stable\n"
    header += "# The remainder of this file is compressed using zlib.\n"
    path.write_bytes(header.encode() + zlib.compress("\n".join([*sorted(lines), ""]).encode()))
