"""What README.md says is true: its code runs, its commands and files exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_code_of_the_readme_runs(capsys):
    namespace = {"__name__": "readme"}
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        exec(block, namespace)
    assert "converged=True" in capsys.readouterr().out


def test_the_commands_of_the_readme_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"`make ([\w-]+)`", README)) <= targets


def test_the_files_that_the_readme_points_to_exist():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if not link.startswith("http")]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_checker_of_built_pages_finds_what_loads_from_elsewhere(tmp_path):
    from runpy import run_path

    check = run_path(str(ROOT / "doc" / "check_offline.py"))["main"]
    page = tmp_path / "page.html"
    page.write_text('<a href="https://x.org">x</a><script src="local.js"></script>', encoding="utf-8")
    assert check(tmp_path) == []
    page.write_text('<script src="https://x.org/a.js"></script><link rel="stylesheet" href="//y.org/a.css">')
    assert len(check(tmp_path)) == 2
