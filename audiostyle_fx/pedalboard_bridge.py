"""Let pedalboard's own containers hold effects written in Python that need the whole recording.

pedalboard runs a board in native code, 8192 samples at a time. It takes a Python subclass of a native plugin into a
board, but never calls what that subclass overrides. This module closes the gap:

- `OfflineEffect` is a native plugin whose **native half can't be run**: a `Chain` that holds one muted `Gain` twice.
  Native code refuses to process a plugin instance that it meets twice, so whatever gets past this module (a function
  captured before `install`, `Plugin.process(board, ...)`) raises RuntimeError; it never passes audio unprocessed.
  A live stream doesn't look for duplicates: there the muted gain makes it silence.
- `install` puts a `process`, a `__call__` and a `reset` on `PluginContainer`, where natively they are inherited from
  `Plugin`. A board without offline effects goes straight on to native code. A board with one is run here: each
  stretch of native plugins natively, each offline effect on the whole recording, in order, down into `Chain` and `Mix`.
- All that is changed in pedalboard stands in one table, `_PATCHES`, and `uninstall` takes all of it back.

Splitting a board is exact, but for native plugins with a tail, a filter or a delay that a native `PitchShift`,
`Resample`, `GSMFullRateCompressor` or `MP3Compressor` follows behind the split: within one native run, the silence
that flushes the latter also passes through the former. The difference is at the end of the recording.
"""

from __future__ import annotations

import functools
import math
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pedalboard
import pedalboard.io
from pedalboard import Chain, Gain, LowpassFilter, Mix, Plugin, PluginContainer

__all__ = ["OfflineEffect", "install", "uninstall"]

Audio = npt.NDArray[np.float32]

# As they are before `install`, which replaces or shadows them.
_native_process: Callable[..., Audio] = Plugin.process
_native_list_process: Callable[..., Audio] = pedalboard.process
_native_iter: Callable[[PluginContainer], Iterator[Plugin | None]] = PluginContainer.__iter__


class OfflineEffect(Chain):
    """Base class of effects that are written in Python and see the whole recording at once.

    A subclass implements `render`, and `parameters` if it has any. Its instances are called, and put into a
    `Pedalboard`, a `Chain` or a `Mix`, like any plugin of pedalboard's. The list methods inherited from `Chain`, which
    is their native half, raise TypeError.

    Examples
    --------
    >>> class Reverse(OfflineEffect):
    ...     def render(self, audio, sample_rate):
    ...         return audio[:, ::-1]
    >>> board = pedalboard.Pedalboard([Reverse(), pedalboard.Reverb(), Reverse()])
    """

    def __init__(self) -> None:
        muted = Gain(gain_db=-math.inf)
        super().__init__([muted, muted])

    def render(self, audio: Audio, sample_rate: float) -> npt.NDArray[np.floating[Any]]:
        """Return the processed recording; subclasses implement this.

        Parameters
        ----------
        audio : float32 array, shape (channels, samples)
            The whole recording, at least one sample of it. It belongs to this call, which may overwrite it.
        sample_rate : float
            In Hz.

        Returns
        -------
        floating-point array, shape (channels, samples)
            Of the same shape as `audio`, without NaN and infinity. It is copied.
        """
        raise NotImplementedError(f"{type(self).__name__} does not implement render(audio, sample_rate)")

    @property
    def parameters(self) -> dict[str, Any]:
        """Keyword arguments that build this effect again: what repr shows, and what copy and pickle carry over."""
        return {}

    def process(
        self, input_array: npt.NDArray[Any], sample_rate: float, buffer_size: int = 8192, reset: bool = True
    ) -> Audio:
        """Run a whole recording through this effect; takes and returns what `pedalboard.Plugin.process` does.

        Parameters
        ----------
        input_array : float32 or float64 array, (samples,), (channels, samples) or (samples, channels)
        sample_rate : float, in Hz
        buffer_size : int, samples that native code processes at a time; without meaning for this effect
        reset : bool, False announces a chunk of a recording, which is refused

        Returns
        -------
        float32 array, shaped like `input_array`

        Raises
        ------
        TypeError, RuntimeError
            As native code raises them for arguments that it does not take. RuntimeError also if `reset` is false,
            or if `render` returns another shape or type, NaN or infinity.
        ValueError
            If `buffer_size` is 0, at which native code hangs.
        """
        return _process(self, input_array, sample_rate, buffer_size, reset)

    __call__ = process  # type: ignore[assignment]  # pedalboard's stub misnames the first argument of __call__

    def reset(self) -> None:
        """Forget which axis of earlier recordings was time. Parameters stay as they are."""
        _note(self).probe.reset()

    def __repr__(self) -> str:
        """Name the package, the class, the parameters and the address, as pedalboard's plugins do."""
        parameters = "".join(f" {name}={_short(value)}" for name, value in self.parameters.items())
        return f"<{type(self).__module__.partition('.')[0]}.{type(self).__name__}{parameters} at 0x{id(self):x}>"

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        """Serve copy, deepcopy and pickle; a native plugin can't be pickled, and at protocol 0 aborts the process."""
        return _rebuild, (type(self), dict(self.parameters))

    def __bool__(self) -> bool:
        """Be true, as any object without a length is."""
        return True

    def _no_container(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"{type(self).__name__} is an effect, not a container of plugins")

    append = insert = remove = _no_container
    __len__ = __iter__ = __contains__ = __getitem__ = __setitem__ = __delitem__ = _no_container


def _rebuild(effect_type: type[OfflineEffect], parameters: dict[str, Any]) -> OfflineEffect:
    return effect_type(**parameters)


def _short(value: object) -> str:
    return f"<array {value.shape} {value.dtype}>" if isinstance(value, np.ndarray) else repr(value)


# ---------------------------------------------------------------------------------- what is remembered of a plugin


class _Note:
    """What is remembered of a plugin for as long as its Python object lives."""

    def __init__(self, plugin: Plugin) -> None:
        # The effects and containers in it. Native code holds native halves alone; this keeps the Python halves alive.
        self.kept: list[PluginContainer] = []
        # Stands in for the plugin where native code is asked about arguments: see _time_comes_first.
        self.probe = LowpassFilter(cutoff_frequency_hz=50)
        key, notes = id(plugin), _notes
        self.gone = weakref.ref(plugin, lambda _: notes.pop(key, None))


_notes: dict[int, _Note] = {}  # by identity: a user's subclass of Pedalboard may be unhashable, or equal to another
_lock = threading.RLock()  # for the notes and for installing; never held while audio is processed


def _note(plugin: Plugin) -> _Note:
    return _notes.get(id(plugin)) or _notes.setdefault(id(plugin), _Note(plugin))


def _keep(container: PluginContainer) -> None:
    """Hold on to the Python halves that are in a container, and let go of those that no longer are."""
    with _lock:  # otherwise a slow thread could put back what it read before a fast one appended
        kept = [plugin for plugin in _native_iter(container) if isinstance(plugin, PluginContainer)]
        if kept or id(container) in _notes:
            note = _note(container)
            kept, note.kept = note.kept, kept
    del kept  # not before the lock is released: what is collected here may run code of its own


def _keeps_effect(plugin: object) -> bool:
    """Tell in a microsecond whether a plugin is an offline effect or is known to hold one, at any depth."""
    note = _notes.get(id(plugin))
    return isinstance(plugin, OfflineEffect) or (note is not None and any(_keeps_effect(part) for part in note.kept))


def _holds_effect(plugin: object) -> bool:
    """Tell by looking inside whether a plugin is an offline effect or holds one, at any depth."""
    if isinstance(plugin, OfflineEffect):
        return True
    return isinstance(plugin, PluginContainer) and any(_holds_effect(entry) for entry in _inside(plugin))


def _inside(container: PluginContainer) -> list[Plugin | None]:
    """List what is in a container; RuntimeError if it is what an offline effect without its Python half looks like."""
    inside = list(_native_iter(container))
    if len(inside) == 2 and inside[0] is inside[1] and isinstance(inside[0], Gain) and inside[0].gain_db == -math.inf:
        raise RuntimeError(
            "An offline effect in this board has lost its Python half: it was put in while audiostyle_fx was not "
            "installed, or by a method captured before. Put the effect in again."
        )
    return inside


def _walk(plugins: Iterable[Plugin | None]) -> Iterator[Plugin]:
    """Yield plugins and all that is in them, at any depth."""
    for plugin in plugins:
        if plugin is not None:
            yield plugin
        if isinstance(plugin, PluginContainer) and not isinstance(plugin, OfflineEffect):
            yield from _walk(_inside(plugin))


# ------------------------------------------------------------------------------- running a board with an effect in it


class _Job(NamedTuple):
    sample_rate: float
    buffer_size: int
    as_list: bool  # as pedalboard.process does: one plugin after the other. A board runs all of them block by block.


def _process(
    plugin: PluginContainer,
    input_array: npt.NDArray[Any],
    sample_rate: float,
    buffer_size: int = 8192,
    reset: bool = True,
    *,
    as_list: bool = False,
) -> Audio:
    """Run an offline effect, or a container that holds one, with the arguments and results of `Plugin.process`."""
    time_first = _time_comes_first(plugin, input_array, sample_rate, buffer_size, reset)
    everything = list(_walk([plugin]))
    if len({id(part) for part in everything}) < len(everything):  # an instance stands twice, at which this raises:
        return _native_process(plugin, input_array, sample_rate, buffer_size, reset)
    if not reset:
        names = ", ".join(sorted({type(part).__name__ for part in everything if isinstance(part, OfflineEffect)}))
        raise RuntimeError(
            f"{names} needs the whole recording at once, and reset=False announces a chunk of it. "
            "Read the whole file into one array and process it in one call, with reset=True (the default)."
        )
    audio = np.array(np.atleast_2d(input_array.T if time_first else input_array), dtype=np.float32, order="C")
    if audio.size:
        audio = _run([plugin], audio, _Job(float(sample_rate), int(buffer_size), as_list))
    return np.ascontiguousarray(audio[0] if input_array.ndim == 1 else audio.T if time_first else audio)


def _time_comes_first(plugin: Plugin, input_array: Any, sample_rate: Any, buffer_size: Any, reset: Any) -> bool:
    """Have native code check the arguments, and tell whether time is the first of two axes.

    Native code goes by the sizes and by what the same plugin was given before. It is asked rather than imitated: a
    lowpass filter that stands in for `plugin` is given a click in an array of the same kind, and smears it along time.
    The array is cut short in a way that changes neither the order of its sizes nor their equality.
    """
    try:
        _native_process(Gain(), np.zeros(0, np.float32), sample_rate, buffer_size, reset)
        if not isinstance(input_array, np.ndarray):
            raise TypeError("input_array must be an array")
        longest = min(input_array.shape, default=0) + 1024
        click = np.zeros([min(size, longest) for size in input_array.shape], input_array.dtype)
        if click.dtype.kind == "f":
            click.flat[:1] = 1
        smeared = _native_process(_note(plugin).probe, click, 44100.0)
    except TypeError:  # have it said of the caller's own arguments
        _native_process(plugin, input_array, sample_rate, buffer_size, reset)
        raise
    if int(buffer_size) == 0:
        raise ValueError("buffer_size must be at least 1")
    if smeared.ndim == 1 or smeared.size == 0:
        return False
    rows, columns = smeared.shape
    return bool((rows > 1 and smeared[1, 0]) or (columns > 1 and not smeared[0, 1]))


def _run(plugins: Iterable[Plugin | None], audio: Audio, job: _Job) -> Audio:
    """Run plugins one after the other on audio of shape (channels, samples), which may be overwritten."""
    stretch: list[Plugin] = []
    for plugin in plugins:
        if plugin is None:
            continue
        if not _holds_effect(plugin):
            stretch.append(plugin)
            continue
        audio, stretch = _run_natively(stretch, audio, job), []
        if isinstance(plugin, OfflineEffect):
            audio = _render(plugin, audio, job.sample_rate)
        elif isinstance(plugin, Mix):
            mixed = np.zeros_like(audio)
            for branch in _inside(plugin):  # added up in native code's order
                mixed += _run([branch], audio.copy(), job._replace(as_list=False))
            audio = mixed
        elif isinstance(plugin, PluginContainer):
            audio = _run(_inside(plugin), audio, job)
    return _run_natively(stretch, audio, job)


def _run_natively(stretch: list[Plugin], audio: Audio, job: _Job) -> Audio:
    """Run native plugins on the whole recording, as a board that holds nothing else."""
    if not stretch:
        return audio
    channels, samples = audio.shape
    if samples <= channels:  # followed by silence, or native code would take samples for channels
        audio = np.pad(audio, ((0, 0), (0, channels + 1 - samples)))
    # Headed by a new plugin, because native code goes by what the first one was given before.
    plugins = [Gain(gain_db=0.0), *stretch] if job.as_list else [Chain(stretch)]
    return _native_list_process(audio, job.sample_rate, plugins, job.buffer_size, True)[:, :samples]


def _render(effect: OfflineEffect, audio: Audio, sample_rate: float) -> Audio:
    """Call `render` and check what it returns; the copy keeps the caller's result and the effect's own array apart."""
    shape, name = audio.shape, type(effect).__name__
    result: Any = effect.render(audio, sample_rate)
    if not isinstance(result, np.ndarray) or result.dtype.kind != "f" or result.shape != shape:
        raise RuntimeError(f"{name}.render must return a floating-point array of shape {shape}, not {_short(result)}")
    with np.errstate(over="ignore"):  # what float32 can't hold becomes infinite, and is reported as that
        output = np.array(result, dtype=np.float32, order="C")
    if not np.isfinite(output).all():
        raise RuntimeError(f"{name}.render returned audio with NaN or infinity in it")
    return output


# ------------------------------------------------------------------------------- what stands in for pedalboard's own


def _hosting(native: Callable[..., Audio]) -> Callable[..., Audio]:
    @functools.wraps(native)
    def process(self: PluginContainer, /, *args: Any, **kwargs: Any) -> Audio:
        if not _keeps_effect(self):
            try:
                return native(self, *args, **kwargs)
            except RuntimeError:  # is what native code makes of an effect that came in unseen
                if not _holds_effect(self):
                    raise
        return _process(self, *args, **kwargs)

    return process


def _hosting_list(native: Callable[..., Audio]) -> Callable[..., Audio]:
    @functools.wraps(native)
    def process(input_array: Any, sample_rate: Any, plugins: Any, buffer_size: Any = 8192, reset: Any = True) -> Audio:
        listed = isinstance(plugins, (Sequence, PluginContainer)) and not isinstance(plugins, OfflineEffect)
        if listed and any(_keeps_effect(plugin) for plugin in plugins):
            return _process(Chain(list(plugins)), input_array, sample_rate, buffer_size, reset, as_list=True)
        return native(input_array, sample_rate, plugins, buffer_size, reset)

    return process


def _resetting(native: Callable[[PluginContainer], None]) -> Callable[[PluginContainer], None]:
    @functools.wraps(native)
    def reset(self: PluginContainer) -> None:
        native(self)
        for part in _walk([self]):
            if isinstance(part, OfflineEffect):
                part.reset()
            elif id(part) in _notes:
                _note(part).probe.reset()

    return reset


def _keeping(native: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(native)
    def method(self: PluginContainer, /, *args: Any, **kwargs: Any) -> Any:
        result = native(self, *args, **kwargs)
        if isinstance(result, PluginContainer) or not isinstance(result, Plugin):  # nothing to keep of a native plugin
            _keep(self)
        return result

    return method


def _refusing(native: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(native)
    def method(self: Any, /, *args: Any, **kwargs: Any) -> None:
        if any(_holds_effect(argument) for argument in (*args, *kwargs.values())):
            raise TypeError("An offline effect needs the whole recording: it can't be part of a live AudioStream.")
        native(self, *args, **kwargs)

    return method


def _refusing_setter(native: Any) -> property:
    return property(native.fget, _refusing(native.fset), native.fdel, native.__doc__)


_RUN = "natively inherited from Plugin, and would run the native half of an effect, which raises"
_PUT = "puts plugins in, whose Python halves must live on"
_TAKE = "takes plugins out, whose Python halves must be let go"
_GET = "may hand out a container, in a board built before `install`, that is about to be given an effect"
_LIVE = "would run the native half of an effect, which is silent"

# Everything that is changed in pedalboard: where, the name, what makes the new from the old, and why.
_PATCHES: list[tuple[Any, str, Callable[[Any], Any], str]] = [
    (PluginContainer, "process", _hosting, _RUN),
    (PluginContainer, "__call__", _hosting, _RUN),
    (PluginContainer, "reset", _resetting, "natively inherited from Plugin, and resets native halves alone"),
    (pedalboard, "process", _hosting_list, "runs a list of plugins without a container"),
    (Chain, "__init__", _keeping, _PUT),
    (Mix, "__init__", _keeping, _PUT),
    (PluginContainer, "append", _keeping, _PUT),
    (PluginContainer, "insert", _keeping, _PUT),
    (PluginContainer, "__setitem__", _keeping, _PUT),
    (PluginContainer, "__delitem__", _keeping, _TAKE),
    (PluginContainer, "remove", _keeping, _TAKE),
    (PluginContainer, "__getitem__", _keeping, _GET),
    (PluginContainer, "__iter__", _keeping, _GET),
]
_stream = getattr(pedalboard.io, "AudioStream", None)
if hasattr(_stream, "plugins"):  # pedalboard can be built without audio devices
    _PATCHES += [(_stream, "__init__", _refusing, _LIVE), (_stream, "plugins", _refusing_setter, _LIVE)]

_ABSENT = object()
_undo: list[tuple[Any, str, Any]] = []  # what stood in each place; empty unless installed


def install() -> None:
    """Let pedalboard's containers host offline effects. Installing again does nothing."""
    with _lock:
        if _undo:
            return
        try:
            for owner, name, replace, _ in _PATCHES:
                native = vars(owner).get(name, _ABSENT)
                setattr(owner, name, replace(getattr(owner, name)))
                _undo.append((owner, name, native))
        except BaseException:
            uninstall()  # all or nothing
            raise


def uninstall() -> None:
    """Take back everything that `install` changed. A board that holds an offline effect then raises RuntimeError."""
    with _lock:
        while _undo:
            owner, name, native = _undo.pop()
            if native is _ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, native)
