"""A new penalty touches one file of the package: it is public, checked and tunable by name without another line."""

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import skreg

FILE = """

@register("wonderful")
class Wonderful(Penalty):
    '''The absolute value, and a share of its square.'''

    separable = convex = True

    def __init__(self, share=0.5):
        self.share = share

    def value(self, coef, alpha):
        return float(np.sum(alpha * (np.abs(coef) + 0.5 * self.share * np.square(coef))))

    def prox(self, coef, step, alpha):
        shrunk = np.sign(coef) * np.maximum(np.abs(coef) - step * alpha, 0.0)
        return shrunk / (1.0 + step * alpha * self.share)
"""

SCRIPT = """
import skreg, skreg.penalties
from skreg import *
from helpers import penalty_classes, regression_data
from skreg.testing import check_penalty

assert skreg.__file__.startswith({folder!r}), skreg.__file__
assert skreg.Wonderful is skreg.penalties.Wonderful is Wonderful
assert "Wonderful" in skreg.__all__ and "Wonderful" in skreg.penalties.__all__
assert "wonderful" in skreg.penalties.penalty_names()
# What the tests of the contract, and those of scikit-learn's checks, run over.
assert Wonderful in penalty_classes()
check_penalty("wonderful")
X, y = regression_data()
model = PenalizedRegression("wonderful", alpha=0.1).set_params(penalty__share=0.2).fit(X, y)
print(model.solver_, model.optimality_.converged)
"""


def test_one_file(tmp_path):
    shutil.copytree(
        Path(skreg.__file__).parent, tmp_path / "skreg", ignore=shutil.ignore_patterns("__pycache__", "*.c")
    )
    file = tmp_path / "skreg" / "penalties" / "convex.py"
    text = file.read_text()
    assert "__all__ = [" in text
    file.write_text(text.replace("__all__ = [", '__all__ = ["Wonderful", ', 1) + FILE)
    script = textwrap.dedent(SCRIPT).format(folder=str(tmp_path))
    place = {"PYTHONPATH": os.pathsep.join(map(str, [tmp_path, Path(__file__).parent]))}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=tmp_path,
        env=os.environ | place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["coordinate_descent", "True"]
