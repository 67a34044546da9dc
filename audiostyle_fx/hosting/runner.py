"""Run offline effects, and containers with effects: native plugins in native code, each effect in Python.

Splitting a board changes the result of two kinds of native plugins, if the plugins named here are on different sides of
the split; otherwise it is exact. `PitchShift`, `Resample`, `GSMFullRateCompressor` and `MP3Compressor` after a plugin
with a tail, such as a filter or a delay, return a different end of the recording, because in one native run the silence
that flushes them also passes through the plugin before them. `Convolution` after one of these four or after
`BrickwallLimiter` rounds differently, by 2e-8, because it receives other blocks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from pedalboard import Chain, Gain, Mix, Plugin, PluginContainer

from .chunk_buffers import WaitingBuffer, check_chunks, discard_waiting, feed_native_plugins, mix_chunks
from .contents import all_plugins, checked_entries, has_effect
from .effect_locks import exclusive
from .hosted_effect import HostedEffect, short_repr
from .layout import time_comes_first
from .native import Audio, process_list, process_plugin


class _BoardRun(NamedTuple):
    """Settings of a board's run.

    Attributes
    ----------
    sample_rate : float
        In Hz.
    buffer_size : int
        Samples that native code processes at a time.
    in_chunks : bool
        Whether the audio is a chunk of a recording rather than all of it.
    plugin_by_plugin : bool
        Whether native plugins run one after the other, as in `pedalboard.process`; a board runs all of them block by
        block.
    """

    sample_rate: float
    buffer_size: int
    in_chunks: bool
    plugin_by_plugin: bool


def process_hosted(
    plugin: PluginContainer,
    input_array: npt.NDArray[Any],
    sample_rate: float,
    buffer_size: int = 8192,
    reset: bool = True,
    *,
    plugin_by_plugin: bool = False,
    layout_of: Plugin | None = None,
) -> Audio:
    """Run an offline effect, or a container with one, with the arguments and results of `Plugin.process`.

    Parameters
    ----------
    plugin : PluginContainer
    input_array, sample_rate, buffer_size, reset
        See `OfflineEffect.process`.
    plugin_by_plugin : bool
        Whether native plugins run one after the other on the whole recording rather than block by block.
    layout_of : Plugin, optional
        The plugin whose earlier recordings decide which axis is time, by default `plugin`.
    """
    time_first = time_comes_first(layout_of or plugin, input_array, sample_rate, buffer_size, reset)
    plugins = list(all_plugins([plugin]))
    if len({id(part) for part in plugins}) < len(plugins):  # native code raises, because an instance occurs twice
        return process_plugin(plugin, input_array, sample_rate, buffer_size, reset)
    effects = [part for part in plugins if isinstance(part, HostedEffect)]
    if reset:
        with exclusive(effects):
            discard_waiting(plugins)
    else:
        check_chunks(plugins)
    audio = np.array(np.atleast_2d(input_array.T if time_first else input_array), dtype=np.float32, order="C")
    if audio.size:
        run = _BoardRun(float(sample_rate), int(buffer_size), not reset, plugin_by_plugin)
        with exclusive(effects if run.in_chunks else ()):
            audio = _run_plugins([plugin], audio, run)
    return np.ascontiguousarray(audio[0] if input_array.ndim == 1 else audio.T if time_first else audio)


def _run_plugins(
    plugins: Iterable[Plugin | None], audio: Audio, run: _BoardRun, buffer: WaitingBuffer | None = None
) -> Audio:
    """Run plugins one after the other on audio of shape (channels, samples), which may be overwritten.

    Samples of a chunk wait in `buffer` if none of the plugins contains an effect.
    """
    stretch: list[Plugin] = []  # of native plugins
    for plugin in plugins:
        if plugin is None:
            continue
        if not has_effect(plugin):
            stretch.append(plugin)
            continue
        audio = _run_native_plugins(stretch, audio, run, buffer or WaitingBuffer(plugin, "before"))
        stretch = []
        if isinstance(plugin, HostedEffect):
            audio = _run_effect(plugin, audio, run)
        elif isinstance(plugin, Mix):
            audio = _run_mix(plugin, audio, run)
        elif isinstance(plugin, PluginContainer):
            audio = _run_plugins(checked_entries(plugin), audio, run)
        buffer = WaitingBuffer(plugin, "behind")
    return _run_native_plugins(stretch, audio, run, buffer)


def _run_mix(mix: Mix, audio: Audio, run: _BoardRun) -> Audio:
    """Run every branch of a mix on a copy of the audio, and add up the results in native code's order."""
    run = run._replace(plugin_by_plugin=False)
    branches = [
        _run_plugins([plugin], audio.copy(), run, WaitingBuffer(mix, f"in {index}"))
        for index, plugin in enumerate(checked_entries(mix))
    ]
    return mix_chunks(mix, branches) if run.in_chunks else sum(branches, np.zeros_like(audio))


def _run_native_plugins(plugins: list[Plugin], audio: Audio, run: _BoardRun, buffer: WaitingBuffer | None) -> Audio:
    """Run native plugins as a board without other entries."""
    if not plugins:
        return audio
    if run.in_chunks:
        assert buffer is not None, "a board without an effect is not run here"
        return feed_native_plugins(plugins, audio, run.sample_rate, buffer)
    channels, samples = audio.shape
    if samples <= channels:  # silence is appended, because native code would mistake samples for channels
        audio = np.pad(audio, ((0, 0), (0, channels + 1 - samples)))
    # A new plugin comes first, because native code uses the first plugin's earlier arrays to find the time axis.
    headed = [Gain(gain_db=0.0), *plugins] if run.plugin_by_plugin else [Chain(plugins)]
    return process_list(audio, run.sample_rate, headed, run.buffer_size, True)[:, :samples]


def _run_effect(effect: HostedEffect, audio: Audio, run: _BoardRun) -> Audio:
    """Call `render`, or `feed` with a chunk, and return a checked copy that shares no memory with the effect."""
    method: Any = effect.feed if run.in_chunks else effect.render
    name = f"{type(effect).__name__}.{method.__name__}"
    channels, samples = audio.shape
    result: Any = method(audio, run.sample_rate)
    if run.in_chunks:
        has_shape = isinstance(result, np.ndarray) and result.shape[:-1] == (channels,)
        shape = f"({channels}, any number of samples)"
    else:
        has_shape = isinstance(result, np.ndarray) and result.shape == audio.shape
        shape = f"({channels}, {samples})"
    if not has_shape or result.dtype.kind != "f":
        raise RuntimeError(f"{name} must return a floating-point array of shape {shape}, not {short_repr(result)}")
    with np.errstate(over="ignore"):  # values beyond float32 become infinite, which is reported below
        output = np.array(result, dtype=np.float32, order="C")
    if not np.isfinite(output).all():
        raise RuntimeError(f"{name} returned audio with NaN or infinity; check the input of the board for them, too")
    return output
