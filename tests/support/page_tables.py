"""The tables of parameters and presets in the documentation: `python tests/support/page_tables.py` makes them."""

import math
import re
from pathlib import Path

from audiostyle_fx import PRESETS
from audiostyle_fx._transfer.parameters.documentation import SHARED
from audiostyle_fx._transfer.parameters.parameter_list import EFFORTS, Parameters

PAGES = Path(__file__).parents[2] / "examples"

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


def iteration_table():
    rows = [("preset", "spectrogram", "phases", "waveform", "optimizer"), ("---", *("---:",) * 3, "---")]
    groups = {}
    for name, preset in PRESETS.items():
        optimizer = "Adam" if preset.parameters.takes_adam else "L-BFGS"
        groups.setdefault((*map(str, preset.parameters.iterations.values()), optimizer), []).append(name)
    return table(rows + [(", ".join(names), *cells) for cells, names in groups.items()])


def effort_table():
    rows = [("effort", "spectrogram", "phases", "waveform"), ("---", *("---:",) * 3)]
    return table(rows + [(f'`"{name}"`', *(f"{f:g}" for f in factors.values())) for name, factors in EFFORTS.items()])


def table(rows):
    return "".join("| " + " | ".join(cell or " " for cell in row) + " |\n" for row in rows)


TABLES = {
    "parameters": ("parameters.md", parameter_table),
    "presets": ("parameters.md", preset_table),
    "iterations": ("algorithm.md", iteration_table),
    "efforts": ("algorithm.md", effort_table),
}
"""Page and maker of each table."""


def pattern(name):
    """The pattern of a table in its page: between a comment with its name and the next end comment."""
    return re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end -->)", re.DOTALL)


def stated(name):
    """The table in its page."""
    return pattern(name).search((PAGES / TABLES[name][0]).read_text(encoding="utf-8"))[0]


if __name__ == "__main__":
    for name, (page, make) in TABLES.items():
        text = (PAGES / page).read_text(encoding="utf-8")
        (PAGES / page).write_text(pattern(name).sub(lambda _, made=make(): made, text, count=1), encoding="utf-8")  # noqa: B008
