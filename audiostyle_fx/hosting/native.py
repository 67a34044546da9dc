"""pedalboard's native code before `install` changes it, and the check on which the safety of this folder depends."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pedalboard
from pedalboard import Chain, Gain, Plugin, PluginContainer

from ..errors import HostingError

Audio: TypeAlias = npt.NDArray[np.float32]
"""Shape (channels, samples) inside this folder."""


# When the module is loaded again, pedalboard may already be changed, so the function of the first load is kept.
process_plugin: Callable[..., Audio] = globals().get("process_plugin", Plugin.process)


process_list: Callable[..., Audio] = globals().get("process_list", pedalboard.process)


_native_getitem: Callable[..., Plugin | None] = globals().get("_native_getitem", PluginContainer.__getitem__)


_native_len: Callable[[PluginContainer], int] = globals().get("_native_len", PluginContainer.__len__)


def native_entries(container: PluginContainer) -> list[Plugin | None]:
    """List the native entries of a container by index, because its iterator takes three times as long."""
    return [_native_getitem(container, index) for index in range(_native_len(container))]


def refused_plugins() -> list[Plugin]:
    """Return the plugins of an effect's native half: one muted `Gain` twice, which native code refuses to run."""
    muted = Gain(gain_db=-math.inf)
    return [muted, muted]


def are_refused_plugins(entries: list[Plugin | None]) -> bool:
    """Return whether the entries of a container are those of an effect's native half."""
    if len(entries) != 2 or entries[0] is not entries[1]:
        return False
    return isinstance(entries[0], Gain) and entries[0].gain_db == -math.inf


def check_refusal() -> None:
    """Check that native code refuses to run the native half of an effect, alone and inside a list of plugins.

    Raises
    ------
    HostingError
        If native code does not raise RuntimeError.
    """
    sample, sample_rate = np.zeros(1, np.float32), 44100.0
    refused = Chain(refused_plugins())
    allowed = Chain([Gain(gain_db=-math.inf), Gain(gain_db=-math.inf)])
    runs: list[Callable[[Chain], Audio]] = [
        lambda chain: process_plugin(chain, sample, sample_rate),
        lambda chain: process_list(sample, sample_rate, [Chain([chain])]),
    ]
    for run in runs:
        run(allowed)  # otherwise the RuntimeError below could have another reason
        try:
            run(refused)
        except RuntimeError:
            continue
        raise HostingError(
            f"pedalboard {pedalboard.__version__} runs a container that holds the same plugin twice; audiostyle_fx "
            "relies on an error in this case, so that an effect written in Python never passes audio unprocessed. "
            f"Install an older pedalboard: pip install 'pedalboard<{pedalboard.__version__}'"
        )
