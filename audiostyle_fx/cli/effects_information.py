"""Texts about effects, presets, formats and devices; the modules of these have to be loaded for them."""

from __future__ import annotations

import argparse
import textwrap

from .._effects_chain.catalog import effects
from .._recordings.formats import endings
from .._transfer.parameters.presets import PRESETS, Preset
from .completion import SHELLS, completion_script
from .device_list import list_devices
from .effect_help import COLUMNS, effect_description, list_effects, two_columns
from .grammar import not_an_effect
from .options import BITS, Parser


def effects_information(options: argparse.Namespace) -> str:
    """Return the text that the options ask for; see `information`."""
    first, *others = options.words or [""]
    if options.devices:
        return list_devices()
    if options.completion:
        formats = sorted(ending[1:] for ending in endings(written=True))
        choices = {"--completion": SHELLS, "--format": formats, "--bits": list(BITS), "--dask": ["local"]}
        return completion_script(options.completion, effects(), Parser().takes_value, choices)
    if first == "effects":
        return list_effects(effects().values())
    return "\n\n".join(map(_help_on, others))


def _help_on(name: str) -> str:
    if name == "presets":
        return _list_presets()
    if name == "formats":
        names = " ".join(sorted(ending[1:] for ending in endings(written=True)))
        return f"--format FORMAT\n\n{textwrap.fill(names, COLUMNS)}"
    if name not in effects():
        raise ValueError(not_an_effect(name, [*effects(), "presets", "formats"]))
    if name == "style":
        return f"{effect_description(effects()[name])}\n\n{textwrap.fill(_defaults_of_textures(), COLUMNS)}"
    return effect_description(effects()[name])


def _list_presets() -> str:
    """Return each preset with its purpose, and the parameters that differ from the defaults."""
    rows = [(f"preset={name}", " ".join([preset.sentence, *_words(preset)])) for name, preset in PRESETS.items()]
    return f"style RECORDING preset=NAME [name=value ...]\n\n{two_columns(rows)}"


def _defaults_of_textures() -> str:
    return " ".join(["Defaults of a texture, preset=texture:", *_words(PRESETS["texture"])])


def _words(preset: Preset) -> list[str]:
    """Return the changes of a preset as words of the command line."""
    return [f"{name}={effects()['style'].parameters[name].show(value)}" for name, value in preset.changes.items()]
