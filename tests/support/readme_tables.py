"""The README's tables of parameters and presets, made from the package: `python tests/support/readme_tables.py`."""

import math
import re
from pathlib import Path

from audiostyle_fx import PRESETS
from audiostyle_fx._transfer.parameters.documentation import SHARED
from audiostyle_fx._transfer.parameters.parameter_list import Parameters

README = Path(__file__).parents[2] / "README.md"

OF_THE_EFFECT = {
    "streaming": ("`False`", "", "`StyleTransfer` only: process a recording in chunks too."),
    "content_level_db": (
        "`None`",
        "-120 to 60",
        "`StyleTransfer` only, with `streaming`: the RMS of the whole recording in dBFS; by default the RMS of the "
        "samples received so far.",
    ),
}


def code(value):
    return "`math.inf`" if value == math.inf else f"`{value!r}`"


def parameter_table():
    rows = [("parameter", "default", "allowed", "what it does"), ("---",) * 4]
    rows += [(f"`{name}`", "required" if name == "style" else "`None`", "", SHARED[name][1]) for name in SHARED]
    for known in Parameters.described():
        unit = f" ({known.unit})" * bool(known.unit)
        rows.append((f"`{known.name}`", code(known.default), known.allowed + unit, known.sentence))
    rows += [(f"`{name}`", *cells) for name, cells in OF_THE_EFFECT.items()]
    return table(rows)


def preset_table():
    rows = [("preset", "differs from the defaults by", "what it is for"), ("---",) * 3]
    for name, preset in PRESETS.items():
        changes = ", ".join(f"`{key}={value!r}`" for key, value in preset.changes.items())
        rows.append((f'`"{name}"`', changes, preset.sentence))
    return table(rows)


def table(rows):
    return "".join("| " + " | ".join(cell or " " for cell in row) + " |\n" for row in rows)


TABLES = {"parameters": parameter_table, "presets": preset_table}


def pattern(name):
    """Where a table stands in the README: between its name and the next end, as comments."""
    return re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end -->)", re.DOTALL)


def stated(name, text):
    """The table that stands in the README."""
    return pattern(name).search(text)[0]


if __name__ == "__main__":
    readme = README.read_text(encoding="utf-8")
    for name, make in TABLES.items():
        readme = pattern(name).sub(lambda _, text=make(): text, readme, count=1)  # noqa: B008
    README.write_text(readme, encoding="utf-8")
