"""The time axis of an array, as native code decides it."""

from __future__ import annotations

from typing import Any

import numpy as np
from pedalboard import Gain, Plugin

from .native import process_plugin
from .plugin_notes import note_of


def time_comes_first(plugin: Plugin, input_array: Any, sample_rate: Any, buffer_size: Any, reset: Any) -> bool:
    """Let native code check the arguments of `process`, and return whether time is the first of two axes.

    Native code decides by the sizes of the array and by earlier arrays of the same plugin. Its decision is observed
    rather than imitated: a lowpass filter, instead of the plugin, gets a click in an array of the same kind, and smears
    the click along time. The array is shortened in a way that changes neither the order of its sizes nor whether they
    are equal.
    """
    try:
        process_plugin(Gain(), np.zeros(0, np.float32), sample_rate, buffer_size, reset)
        if not isinstance(input_array, np.ndarray):
            raise TypeError("input_array must be an array")
        longest = min(input_array.shape, default=0) + 1024
        click = np.zeros([min(size, longest) for size in input_array.shape], input_array.dtype)
        if click.dtype.kind == "f":
            click.flat[:1] = 1
        smeared = process_plugin(note_of(plugin).layout_probe, click, 44100.0)
    except TypeError:  # repeated with the caller's own plugin and array, so that the message names them
        process_plugin(plugin, input_array, sample_rate, buffer_size, reset)
        raise
    if int(buffer_size) < 1:
        raise ValueError(f"buffer_size={buffer_size} must be at least 1")
    if smeared.ndim == 1 or smeared.size == 0:
        return False
    rows, columns = smeared.shape
    return bool((rows > 1 and smeared[1, 0]) or (columns > 1 and not smeared[0, 1]))
