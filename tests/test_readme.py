"""What the README says of parameters and commands is what the package does."""

import inspect
import re
import shlex
from pathlib import Path

import pytest
from support import readme_tables

from audiostyle_fx import StyleTransfer, stylize
from audiostyle_fx.cli.options import parse_options
from audiostyle_fx.cli.request import parse_requests

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", readme_tables.TABLES)
def test_tables_are_those_of_the_package(name):
    assert readme_tables.stated(name, README) == readme_tables.TABLES[name](), "run tests/support/readme_tables.py"


@pytest.mark.parametrize("function", [stylize, StyleTransfer])
def test_the_table_names_what_can_be_given(function):
    given = set(inspect.signature(function).parameters) - {"content", "sample_rate"} | set(readme_tables.OF_THE_EFFECT)
    assert given == set(re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE))


def test_the_commands_in_the_readme_are_understood(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("stems").mkdir()
    lines = re.findall(r"^audiostyle (.*)$", README, re.MULTILINE)
    assert len(lines) >= 3
    for line in lines:
        parse_requests(parse_options(shlex.split(line)))
    words = re.search(r"audiostyle (examples/\S+ \S+ style \S+)$", README, re.MULTILINE)[1].split()
    [request] = parse_requests(parse_options(words))
    [style] = request.chain
    assert (ROOT / request.source).exists()
    assert style.effect.name == "style" and all((ROOT / path).exists() for path in style.values["style"])


def test_the_python_in_the_readme_compiles():
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) >= 2
    for block in blocks:
        compile(block, "README.md", "exec")


def test_pictures_and_linked_files_exist():
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    for link in links:
        assert (ROOT / link).exists(), link
