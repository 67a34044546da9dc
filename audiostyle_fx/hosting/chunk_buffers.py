"""Recordings in chunks: native plugins before and after an effect, and mixes, wait for samples of the next chunk."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from pedalboard import Chain, GSMFullRateCompressor, Mix, PitchShift, Plugin

from .hosted_effect import HostedEffect
from .native import Audio, process_list
from .plugin_notes import known_note, note_of

NATIVE_BLOCK = 512
"""Samples per block of native plugins in a board with an effect that takes chunks."""


_SILENT_IN_BLOCKS = (PitchShift, GSMFullRateCompressor)
"""Native plugins that return almost silence in blocks of `NATIVE_BLOCK` samples, even without this package."""


class WaitingBuffer(NamedTuple):
    """The place where samples wait for the next chunk: the note of a plugin of the board, and a name."""

    plugin: Plugin
    name: str


def check_chunks(plugins: Iterable[Plugin]) -> None:
    """Check that every plugin of a board processes a recording in chunks.

    Raises
    ------
    RuntimeError
        If an effect needs the whole recording at once, or a native plugin would return silence.
    """
    plugins = list(plugins)
    whole = [plugin for plugin in plugins if isinstance(plugin, HostedEffect) and not plugin.streaming]
    if whole:
        remedy = " Or set streaming=True." * any("streaming" in effect.parameters for effect in whole)
        raise RuntimeError(
            f"{', '.join(sorted({type(effect).__name__ for effect in whole}))} needs the whole recording at once, but "
            "reset=False passes a chunk of it. Read the whole file into one array and process it in one call, with "
            f"reset=True (the default).{remedy}"
        )
    for plugin in plugins:
        if isinstance(plugin, _SILENT_IN_BLOCKS):
            raise RuntimeError(
                f"{type(plugin).__name__} returns silence in short blocks, and next to an offline effect it receives a "
                f"recording in chunks in blocks of {NATIVE_BLOCK} samples. Process the whole recording in one call, "
                "with reset=True (the default)."
            )


def feed_native_plugins(plugins: list[Plugin], audio: Audio, sample_rate: float, buffer: WaitingBuffer) -> Audio:
    """Run native plugins on the next chunk of a recording, in blocks of one size.

    Native code loses its state when a block is shorter than ``buffer_size`` and not as long as the block before, and
    it mistakes an array of few samples for one of many channels. An effect returns any number of samples. So the part
    of a chunk that does not fill a block waits for the next chunk, whatever the caller's ``buffer_size``.
    """
    waiting = note_of(buffer.plugin).waiting
    [earlier] = waiting.get(buffer.name, [audio[:, :0]])
    if len(earlier) != len(audio):
        raise RuntimeError(
            f"The recording so far has {len(earlier)} channels; call reset() before a recording with {len(audio)}."
        )
    audio = np.concatenate([earlier, audio], axis=1)
    ready = audio.shape[1] // NATIVE_BLOCK * NATIVE_BLOCK
    waiting[buffer.name] = [audio[:, ready:].copy()]
    if not ready:
        return audio[:, :0]
    return process_list(audio[:, :ready], sample_rate, [Chain(plugins)], NATIVE_BLOCK, False)


def mix_chunks(mix: Mix, branches: list[Audio]) -> Audio:
    """Add up the samples that all branches of a mix have returned; further samples of a branch wait."""
    waiting = note_of(mix).waiting
    if "out" in waiting:
        branches = [np.concatenate(parts, axis=1) for parts in zip(waiting["out"], branches, strict=True)]
    ready = min(branch.shape[1] for branch in branches)
    waiting["out"] = [branch[:, ready:].copy() for branch in branches]
    return sum((branch[:, :ready] for branch in branches), np.zeros((len(branches[0]), ready), np.float32))


def discard_waiting(plugins: Iterable[Plugin]) -> None:
    """Discard the samples that wait for the next chunk of a recording."""
    for plugin in plugins:
        note = known_note(plugin)
        if note is not None:
            note.waiting.clear()
