"""The user guide names what there is: every penalty with its pictures, every solver, every parameter of the tables."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import skreg
from skreg import inspection, penalties
from skreg.losses import loss_names
from skreg.penalties import Penalty, penalty_names
from skreg.solvers import FASTEST_FIRST

GUIDE = Path(__file__).parents[1] / "doc" / "user_guide"
CONTRACTS = {"Penalty", "NoPenalty"}
# What stands in the tables for data and numbers of the reader.
THEIRS = {"X", "a", "c", "cvfit", "g", "grid", "groups", "l", "model", "n_folds", "n_samples", "path", "r", "rs", "sqrt", "u", "v"}  # fmt: skip


def text(page):
    return (GUIDE / f"{page}.rst").read_text(encoding="utf-8")


def test_every_penalty_has_its_pictures_and_a_link():
    page = text("penalties")
    classes = {
        name
        for name in penalties.__all__
        if isinstance(cls := getattr(penalties, name), type) and issubclass(cls, Penalty)
    }
    drawn = re.findall(r"^\.\. penalty-pictures:: (\w+)$", page, re.MULTILINE)
    assert sorted(drawn) == sorted(classes - CONTRACTS)
    assert [name for name in drawn if f":class:`~skreg.{name}`" not in page] == []


def test_every_name_of_a_penalty_is_a_heading():
    headings = re.findall(r'^``"(\w+)"``\n~+$', text("penalties"), re.MULTILINE)
    assert sorted(headings) == penalty_names()


def test_every_solver_and_every_loss_is_in_its_table():
    assert re.findall(r"^``(\w+)``  ", text("solvers"), re.MULTILINE) == [solver.name for solver in FASTEST_FIRST]
    losses = {type(skreg.losses.get_loss(name)).__name__ for name in loss_names()}
    assert losses <= set(re.findall(r"^   \* - :class:`~skreg\.(\w+)`", text("losses"), re.MULTILINE))


def ours():
    """Every code in the right column of the tables of other libraries."""
    cells = re.findall(r"^   \* - .*\n     - (.*)$", text("other_libraries"), re.MULTILINE)
    assert len(cells) > 45
    return [code for cell in cells[3:] for code in re.findall(r"``(.+?)``", cell)]


def known_names():
    """Public names, their parameters, methods and documented attributes."""
    names = set()
    for module in (skreg, inspection):
        for name in module.__all__:
            item = getattr(module, name)
            names.add(name)
            if callable(item):
                names |= set(inspect.signature(item).parameters)
            if isinstance(item, type):
                names |= set(dir(item))
                documented = re.findall(r"^([\w, ]+) : ", inspect.getdoc(item), re.MULTILINE)
                names |= {part for line in documented for part in line.split(", ")}
                fit = getattr(item, "fit", None)
                names |= set(inspect.signature(fit).parameters) if fit else set()
    return names


@pytest.mark.parametrize("code", sorted(set(ours())))
def test_names_in_the_tables_of_other_libraries_exist(code):
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.keyword):
            found.add(node.arg)
    assert found, "a cell without a name"
    assert found - known_names() - THEIRS - {"std_test_score"} == set()


@pytest.mark.parametrize(
    "code", [code for code in sorted(set(ours())) if re.match(r"[A-Z]", code) and "from_estimator" not in code]
)
def test_constructors_in_the_tables_take_these_parameters(code):
    given = dict.fromkeys(("a", "c", "r", "g", "eps", "q", "n_samples"), 0.5) | dict.fromkeys(("l", "u"), 1.0)
    given |= {"rs": [0.5], "grid": [1.0], "v": [1.0], "groups": [0], "lambdas": [1.0], "X": None, "y": None}
    given |= {"loss": "squared", "solver": "auto", "penalty": "l1"}
    assert eval(code, vars(skreg) | given) is not None
