"""The README and the linked pages describe parameters and commands as the package implements them."""

import inspect
import re
import shlex
from pathlib import Path

import pytest
from support import page_tables

from audiostyle_fx import PRESETS, StyleTransfer, stylize
from audiostyle_fx.cli.options import parse_options
from audiostyle_fx.cli.request import parse_requests

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "examples").glob("*.md")), ROOT / "tests" / "benchmarks" / "README.md"]

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@pytest.mark.parametrize("name", page_tables.TABLES)
def test_tables_are_those_of_the_package(name):
    assert page_tables.stated(name) == page_tables.TABLES[name][1](), "run tests/support/page_tables.py"


@pytest.mark.parametrize("function", [stylize, StyleTransfer])
def test_the_table_names_what_can_be_given(function):
    given = set(inspect.signature(function).parameters) - {"content", "sample_rate"} | set(page_tables.OF_THE_EFFECT)
    text = page_tables.stated("parameters")
    assert given == set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))


def test_the_readme_is_short_and_its_presets_exist():
    lines = README.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 200
    rows = [line.split("`")[1] for line in lines if re.match(r"\| `\w+` \| \w", line)]
    assert {name for name in rows if name in PRESETS} >= {"default", "voice", "drums", "original"}
    assert set(rows) <= {*PRESETS, *inspect.signature(StyleTransfer).parameters}


@pages
def test_lines_fit_a_page(page):
    for line in page.read_text(encoding="utf-8").splitlines():
        assert len(line) <= 120 or line.startswith(("|", "$$")) or "](" in line, line


@pages
def test_commands_are_understood(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("stems", "songs"):
        Path(folder).mkdir()
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    for line in re.findall(r"^audiostyle (.*)$", "\n".join(blocks), re.MULTILINE):
        words = shlex.split(line, comments=True)
        if words[0] in ("help", "effects") or words[0].startswith("--"):
            continue
        parse_requests(parse_options(words))


def test_the_first_command_names_files_that_exist():
    words = re.search(r"^audiostyle (examples/\S+ \S+ style \S+)$", README.read_text(), re.MULTILINE)[1].split()
    [request] = parse_requests(parse_options(words))
    [style] = request.chain
    assert (ROOT / request.source).exists()
    assert style.effect.name == "style" and all((ROOT / path).exists() for path in style.values["style"])


@pages
def test_python_compiles(page):
    for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        compile(block, page.name, "exec")


@pages
def test_linked_files_exist(page):
    for link in re.findall(r"\]\((?!http)([^)#?]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), link
