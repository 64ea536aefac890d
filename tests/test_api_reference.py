"""The table that the API pages are made from holds every public name, and no other."""

import importlib
import runpy
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "doc" / "api_reference.py"
MODULES = ["skreg", "skreg.inspection", "skreg.testing", "skreg.penalties", "skreg.losses"]


@pytest.fixture(scope="module")
def table():
    return runpy.run_path(str(PAGE))


def public(module):
    return {name for name in importlib.import_module(module).__all__ if not name.startswith("__")}


def test_every_public_name_has_a_page_and_only_one(table):
    names = table["names"]()
    assert len(names) == len(set(names))
    shown = {name.rpartition(".")[2] for name in names}
    assert shown == set().union(*map(public, MODULES))


@pytest.mark.parametrize("module", MODULES)
def test_names_are_shown_where_they_can_be_imported_from(table, module):
    shown = {name.rpartition(".")[2] for name in table["names"]() if name.rpartition(".")[0] == module}
    assert shown <= public(module)
    if module == "skreg":
        assert shown == public("skreg")


def test_the_page_lists_every_name(table, tmp_path):
    table["write"](tmp_path / "api")
    page = (tmp_path / "api" / "index.rst").read_text(encoding="utf-8")
    for name in table["names"]():
        assert f"   {name.rpartition('.')[2]}\n" in page
