"""What importing skreg costs, and what it reaches for."""

import ast
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import skreg

HOUSE = Path(skreg.__file__).parent
SOURCES = sorted(HOUSE.rglob("*.py")) + sorted(HOUSE.rglob("*.pyx"))


def run(code, **kwargs):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False, **kwargs
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_takes_nothing_heavy_along():
    heavy = ["matplotlib", "pandas", "numba", "polars", "seaborn", "hypothesis", "pytest", "IPython", "dask"]
    # What scikit-learn brings along by itself is not ours.
    theirs, all_of_it = run(
        "import sys, sklearn.linear_model; print(*sys.modules); import skreg; print(*sys.modules)"
    ).splitlines()
    ours = set(all_of_it.split()) - set(theirs.split())
    assert not ours & set(heavy)
    # Beyond scikit-learn, NumPy, SciPy and ourselves: standard library.
    packages = {name.split(".")[0] for name in ours if not name.startswith("_cython_")}
    assert packages - {"skreg"} <= sys.stdlib_module_names | {"sklearn", "scipy", "numpy", "joblib", "threadpoolctl"}


FITS = """
    import sys
    import numpy as np

    def watch(event, arguments):
        if event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork"):
            raise RuntimeError(f"{event}: {arguments}")

    from skreg import PenalizedLogisticRegression, PenalizedRegression
    sys.addaudithook(watch)
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 8))
    y = X[:, 0] + rng.standard_normal(60)
    for penalty in ("l1", "l2", "elasticnet", None):
        PenalizedRegression(penalty).fit(X, y).predict(X)
        PenalizedLogisticRegression(penalty).fit(X, y > 0).predict(X)
        PenalizedLogisticRegression(penalty).fit(X, np.digitize(y, [-0.5, 0.5])).predict(X)
    print(*sorted({name.split(".")[0] for name in sys.modules}))
"""


def test_the_first_fit_compiles_nothing(tmp_path):
    def snapshot():
        return {path: path.stat().st_mtime_ns for root in (HOUSE, tmp_path) for path in root.rglob("*")
                if path.is_file() and "__pycache__" not in path.parts}  # fmt: skip

    before = snapshot()
    modules = run(FITS, cwd=tmp_path, env={"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PATH": "/nowhere"}).split()
    assert not {"numba", "llvmlite", "pyximport", "cffi"} & set(modules)
    assert snapshot() == before


def imported_names(path):
    """Dotted names of all that a file imports, wherever in it."""
    if path.suffix == ".pyx":
        lines = path.read_text().splitlines()
        return [word for line in lines if line.split()[:1] in (["cimport"], ["import"], ["from"])
                for word in line.replace(",", " ").split()[1:2]]  # fmt: skip
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def attributes(path):
    """Dotted attribute accesses such as ``np.core._x``, with import aliases resolved to the package."""
    tree = ast.parse(path.read_text())
    roots = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            roots |= {alias.asname or alias.name.split(".")[0]: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            roots |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(tree):
        parts = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if parts and isinstance(node, ast.Name) and node.id in roots:
            yield ".".join([roots[node.id], *reversed(parts)])


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_only_what_is_public_is_used(path):
    """Private parts of scikit-learn broke others on its next release; `_compat.py` is the one exception."""
    if path.name == "_compat.py":
        return
    names = imported_names(path) + (list(attributes(path)) if path.suffix == ".py" else [])
    foreign = [name for name in names if name.split(".")[0] in ("sklearn", "scipy", "numpy")]
    assert not [name for name in foreign if re.search(r"\._(?!_\w+__$)", name)]
    # Public in name only: helpers between scikit-learn's releases.
    assert not [name for name in foreign if name.startswith(("sklearn.utils.fixes", "sklearn.externals", "numpy.core"))]


def test_nothing_but_the_declared_dependencies_is_imported_at_the_top():
    allowed = sys.stdlib_module_names | {"numpy", "scipy", "sklearn", "skreg"}
    for path in HOUSE.rglob("*.py"):
        if "inspection" in path.parts or "testing" in path.parts:
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                modules = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
                assert {module.split(".")[0] for module in modules} <= allowed, path


def test_all_public_names_exist():
    assert sorted(set(skreg.__all__)) == sorted(skreg.__all__)
    for name in skreg.__all__:
        assert getattr(skreg, name) is not None
