"""Checks of a chain: its values, before any file is opened, and the files that its effects read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._recordings.files import read_audio
from .._transfer.parameters.parameter_list import ORIGINAL_RATE
from .._transfer.parameters.presets import choose, choose_texture
from .._transfer.styles.style_inputs import check_weights
from .._transfer.styles.style_recordings import Styles
from .._transfer.whole_recordings.preparation import PreparedTransfer
from .step import Step
from .style_effect import is_style, transfer_options


def check_chain(chain: Sequence[Step], *, without_input: bool) -> None:
    """Raise unless the effects accept their values, as far as this can be checked without opening a file.

    Parameters
    ----------
    chain : sequence of Step
    without_input : bool
        Whether the chain begins with a texture, which ``style`` makes.

    Raises
    ------
    TypeError, ValueError
        If a value is not allowed; the message names the parameter, its value and what is allowed.
    """
    if without_input and not (chain and is_style(chain[0])):
        raise ValueError("a chain without an input must begin with style, which makes a texture")
    for step in chain:
        if is_style(step):
            check_weights(step.values.get("style_weights"), len(step.values["style"]))
            if without_input and step is chain[0]:
                _check_texture(step.values)
            elif "duration" in step.values:
                raise ValueError(
                    f"duration={step.values['duration']:g} only applies to a texture, which is made without an input"
                )
            else:
                choose(transfer_options(step.values))
        elif not step.effect.takes_file:
            step.make()  # its class checks the values


def _check_texture(values: dict[str, Any]) -> None:
    """Raise unless the values are allowed for a texture."""
    choose_texture(transfer_options(values))
    if not values.get("duration", 0) > 0:
        raise ValueError("a texture needs its length in seconds: style RECORDING duration=SECONDS, above 0")


def check_files(chain: Sequence[Step], sample_rate: float, *, lengths: bool = True) -> None:
    """Raise if an effect cannot use a recording that it reads.

    The styles read here stay in the cache for the run, see `Styles`.

    Parameters
    ----------
    chain : sequence of Step
    sample_rate : float
        The input's rate in Hz.
    lengths : bool
        Also raise if a style is too short at that rate.
    """
    for step in chain:
        if is_style(step):
            parameters = choose(transfer_options(step.values))
            style = (step.values["style"], None, step.values.get("style_weights"))
            if lengths:
                PreparedTransfer.of(*style, sample_rate, parameters)
            else:
                Styles.of(*style, ORIGINAL_RATE if parameters.original else sample_rate)
            continue
        for name, parameter in step.effect.parameters.items():
            if parameter.is_file:  # pedalboard may take a text file for an impulse response, without an error
                argument = f"{step.effect.name} {name}"
                if not read_audio(step.values[name], argument)[0].size:
                    raise ValueError(f"{argument}={step.values[name]!r} is empty; it must be a recording with sound")
