"""What the README says of parameters and commands is what the package does."""

import inspect
import re
from dataclasses import asdict
from pathlib import Path

import pytest

from audiostyle_fx import StyleTransfer, stylize
from audiostyle_fx._transfer.parameters import DEFAULTS, PRESETS, TEXTURE
from audiostyle_fx.cli.options import parse_options
from audiostyle_fx.cli.request import parse_request

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_every_parameter_is_in_the_table_with_its_default():
    rows = dict(re.findall(r"^\| `(\w+)` \| `?([^`|]+?)`? \|", README, re.MULTILINE))
    assert rows.pop("style") == "required"
    assert rows.pop("style_sample_rate") == rows.pop("style_weights") == rows.pop("progress") == "None"
    assert (rows.pop("streaming"), rows.pop("content_level_db")) == ("False", "None")
    assert rows == {name: repr(value) for name, value in asdict(DEFAULTS).items()}


def test_the_defaults_of_a_texture_are_stated():
    stated = dict(re.findall(r"`(\w+)=([^`]+)`", re.search(r"its own: (.*?)\.\n", README, re.DOTALL)[1]))
    own = {name: repr(value) for name, value in asdict(TEXTURE).items() if value != asdict(DEFAULTS)[name]}
    assert stated == {name: own[name] for name in own.keys() - {"alpha", "init", "phase_init"}}


def test_every_preset_is_stated():
    rows = re.findall(r"^\| `\"(\w+)\"` \| (.*?) \|", README, re.MULTILINE)
    assert [name for name, _ in rows] == list(PRESETS)
    for name, stated in rows:
        own = {key: repr(value) for key, value in asdict(PRESETS[name]).items() if value != asdict(DEFAULTS)[key]}
        assert dict(re.findall(r"`(\w+)=([^`]+)`", stated)) == own


@pytest.mark.parametrize("function", [stylize, StyleTransfer])
def test_the_table_names_what_can_be_given(function):
    given = set(inspect.signature(function).parameters) - {"content", "sample_rate"} | {"streaming", "content_level_db"}
    assert given == set(re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE))


def test_the_commands_in_the_readme_are_understood():
    lines = re.findall(r"^audiostyle (.*)$", README, re.MULTILINE)
    assert len(lines) >= 3
    for line in lines:
        parse_request(parse_options(line.split()))
    words = re.search(r"audiostyle (examples/\S+ \S+ style \S+)$", README, re.MULTILINE)[1].split()
    request = parse_request(parse_options(words))
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
