"""Let pedalboard's own containers hold effects written in Python that need the whole recording.

pedalboard runs a board in native code, 8192 samples at a time. It takes a Python subclass of a native plugin into a
board, but never calls what that subclass overrides. This module closes the gap:

- `OfflineEffect` is a native plugin whose **native half can't be run**: a `Chain` that holds one muted `Gain` twice.
  Native code refuses to process a plugin instance that it meets twice, so whatever gets past this module (a function
  captured before `install`, `Plugin.process(board, ...)`) raises RuntimeError; it never passes audio unprocessed.
  A live stream doesn't look for duplicates, so an effect is refused wherever a stream plays, or is going to.
- `install` puts a `process`, a `__call__` and a `reset` on `PluginContainer`, where natively they are inherited from
  `Plugin`. A board without offline effects goes straight on to native code. A board with one is run here: each
  stretch of native plugins natively, each offline effect on the whole recording, in order, down into `Chain` and `Mix`.
- All that is changed in pedalboard stands in one table, `_PATCHES`, and `uninstall` takes all of it back.

Splitting a board is exact, but for two kinds of native plugins on both sides of the split. Behind one with a tail, a
filter or a delay, `PitchShift`, `Resample`, `GSMFullRateCompressor` and `MP3Compressor` give another end of the
recording: within one native run, the silence that flushes them also passes through the one before. And `Convolution`
behind one of these four or a `BrickwallLimiter` rounds differently, by 2e-8, as it meets other blocks.
"""

from __future__ import annotations

import functools
import math
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pedalboard
import pedalboard.io
from pedalboard import (
    Chain,
    Gain,
    GSMFullRateCompressor,
    LowpassFilter,
    Mix,
    PitchShift,
    Plugin,
    PluginContainer,
)

__all__ = ["OfflineEffect", "install", "uninstall"]


Audio = npt.NDArray[np.float32]


if "uninstall" in globals():  # the module is loaded again: what follows is to see pedalboard as it is by itself
    globals()["uninstall"]()


# As they are before `install`, which replaces or shadows them.
_native_process: Callable[..., Audio] = Plugin.process


_native_list_process: Callable[..., Audio] = pedalboard.process


_native_item: Callable[[PluginContainer, int], Plugin | None] = PluginContainer.__getitem__


_native_length: Callable[[PluginContainer], int] = PluginContainer.__len__


class OfflineEffect(Chain):
    """Base class of effects that are written in Python and see the whole recording at once.

    A subclass implements `render`, and `parameters` if it has any state. Its instances are called, and put into a
    `Pedalboard`, a `Chain` or a `Mix`, like any plugin of pedalboard's. The list methods inherited from `Chain`, which
    is their native half, raise TypeError: code that walks through boards by ``isinstance(plugin, PluginContainer)``
    has to ask for `OfflineEffect` first.

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
    def streaming(self) -> bool:
        """Whether it takes a recording in chunks, by ``reset=False``; a subclass that does implements `feed` too."""
        return False

    def feed(self, audio: Audio, sample_rate: float) -> npt.NDArray[np.floating[Any]]:
        """Take the next chunk of a recording and return what is finished of the result.

        Parameters
        ----------
        audio : float32 array, shape (channels, samples)
            What follows the last chunk since `reset`, of any length; it belongs to this call.
        sample_rate : float
            In Hz.

        Returns
        -------
        floating-point array, shape (channels, any number of samples)
            What follows the last returned; it is copied.
        """
        raise NotImplementedError(f"{type(self).__name__} does not implement feed(audio, sample_rate)")

    @property
    def parameters(self) -> dict[str, Any]:
        """Keyword arguments that build this effect again: what repr shows, and what copy and pickle carry over.

        A subclass with attributes of its own has to name them here; copy and pickle raise TypeError otherwise.
        """
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
        reset : bool, False announces a chunk of a recording, which is refused unless `streaming` is true

        Returns
        -------
        float32 array, shaped like `input_array`

        Raises
        ------
        TypeError, RuntimeError
            As native code raises them for arguments that it does not take. RuntimeError also if `reset` is false
            without `streaming`, or if `render` or `feed` returns another shape or type, NaN or infinity.
        ValueError
            If `buffer_size` is 0, at which native code hangs.
        """
        return _process(self, input_array, sample_rate, buffer_size, reset)

    __call__ = process  # type: ignore[assignment]  # pedalboard's stub misnames the first argument of __call__

    def reset(self) -> None:
        """Forget earlier recordings: which axis was time, and what was fed. Parameters stay as they are."""
        _note(self).probe.reset()
        _stop_waiting(self)

    def __repr__(self) -> str:
        """Name the package, the class, the parameters and the address, as pedalboard's plugins do."""
        parameters = "".join(f" {name}={_short(value)}" for name, value in self.parameters.items())
        return f"<{type(self).__module__.partition('.')[0]}.{type(self).__name__}{parameters} at 0x{id(self):x}>"

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        """Serve copy, deepcopy and pickle; a native plugin can't be pickled, and at protocol 0 aborts the process."""
        if type(self).parameters is OfflineEffect.parameters and vars(self).keys() - {_NOTE}:
            raise TypeError(f"{type(self).__name__} has attributes that a copy would lack: it needs `parameters`")
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
    if isinstance(value, tuple):
        return f"({', '.join(map(_short, value))}{',' * (len(value) == 1)})"
    return f"<array {value.shape} {value.dtype}>" if isinstance(value, np.ndarray) else repr(value)


class _Note:
    """What is remembered of a plugin for as long as its Python object lives."""

    def __init__(self) -> None:
        # The effects and containers in it. Native code holds native halves alone; this keeps the Python halves alive.
        self.kept: list[PluginContainer] = []
        self.gone: weakref.ref[Plugin] | None = None
        self.waiting: dict[str, list[Audio]] = {}  # between chunks: see _feed_natively and _mix_chunks

    @functools.cached_property
    def probe(self) -> Plugin:
        """Stands in for the plugin where native code is asked about arguments: see _time_comes_first."""
        return LowpassFilter(cutoff_frequency_hz=50)


_NOTE = "_audiostyle_fx_note"  # the attribute that holds it, where a plugin has attributes: any class made in Python


_notes: dict[int, _Note] = {}  # the others', `Chain` and `Mix` themselves, by identity


_lock = threading.RLock()  # for the notes and for installing; never held while audio is processed


def _known(plugin: object) -> _Note | None:
    """The note of a plugin, if there is one."""
    attributes = getattr(plugin, "__dict__", None)
    return _notes.get(id(plugin)) if attributes is None else attributes.get(_NOTE)


def _note(plugin: Plugin) -> _Note:
    """The note of a plugin, made where there was none."""
    with _lock:
        note = _known(plugin)
        if note is None:
            note = _Note()
            if hasattr(plugin, "__dict__"):  # part of the plugin, so that a cycle through it can be collected
                plugin.__dict__[_NOTE] = note
            else:
                key, notes = id(plugin), _notes
                note.gone = weakref.ref(plugin, lambda _: notes.pop(key, None))
                notes[key] = note
        return note


def _keep(container: PluginContainer) -> None:
    """Hold on to the Python halves that are in a container, and let go of those that no longer are."""
    with _lock:  # otherwise a slow thread could put back what it read before a fast one appended
        kept = [plugin for plugin in _entries(container) if isinstance(plugin, PluginContainer)]
        if kept or _known(container):
            note = _note(container)
            kept, note.kept = note.kept, kept
    del kept  # not before the lock is released: what is collected here may run code of its own


def _entries(container: PluginContainer) -> list[Plugin | None]:
    """What native code has in a container; item by item, which takes a third of the time of its iterator."""
    return [_native_item(container, i) for i in range(_native_length(container))]


def _keeps_effect(plugin: object) -> bool:
    """Tell in a microsecond whether a plugin is an offline effect or is known to hold one, at any depth."""
    if isinstance(plugin, OfflineEffect):
        return True
    note = _known(plugin)
    return note is not None and any(_keeps_effect(part) for part in note.kept)


def _holds_effect(plugin: object) -> bool:
    """Tell by looking inside whether a plugin is an offline effect or holds one, at any depth."""
    if isinstance(plugin, OfflineEffect):
        return True
    return isinstance(plugin, PluginContainer) and any(_holds_effect(entry) for entry in _inside(plugin))


def _inside(container: PluginContainer) -> list[Plugin | None]:
    """List what is in a container; RuntimeError if it is what an offline effect without its Python half looks like."""
    inside = _entries(container)
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


_Place: TypeAlias = tuple[Plugin, str]
"""Where samples wait for the next chunk: a plugin that lives as long as its board, or list, and a name."""


_NOT_IN_BLOCKS = (PitchShift, GSMFullRateCompressor)
"""Native plugins that pedalboard by itself gets silence, or next to it, from in blocks of `BLOCK` samples."""


BLOCK = 512
"""Samples that native plugins are given at a time next to an effect that takes chunks."""


class _Job(NamedTuple):
    sample_rate: float
    buffer_size: int
    whole: bool  # rather than a chunk
    as_list: bool  # as pedalboard.process does: one plugin after the other. A board runs all of them block by block.


def _process(
    plugin: PluginContainer,
    input_array: npt.NDArray[Any],
    sample_rate: float,
    buffer_size: int = 8192,
    reset: bool = True,
    *,
    as_list: bool = False,
    layout_of: Plugin | None = None,
) -> Audio:
    """Run an offline effect, or a container that holds one, with the arguments and results of `Plugin.process`.

    ``layout_of`` is the plugin whose earlier recordings tell which axis is time, where it is another.
    """
    time_first = _time_comes_first(layout_of or plugin, input_array, sample_rate, buffer_size, reset)
    everything = list(_walk([plugin]))
    if len({id(part) for part in everything}) < len(everything):  # an instance stands twice, at which this raises:
        return _native_process(plugin, input_array, sample_rate, buffer_size, reset)
    effects = [part for part in everything if isinstance(part, OfflineEffect)]
    if reset:
        for part in everything:
            _stop_waiting(part)
    elif whole := [effect for effect in effects if not effect.streaming]:
        remedy = " Or set streaming=True." * any("streaming" in effect.parameters for effect in whole)
        raise RuntimeError(
            f"{', '.join(sorted({type(effect).__name__ for effect in whole}))} needs the whole recording at once, and "
            "reset=False announces a chunk of it. Read the whole file into one array and process it in one call, with "
            f"reset=True (the default).{remedy}"
        )
    elif deaf := [type(part).__name__ for part in everything if isinstance(part, _NOT_IN_BLOCKS)]:
        raise RuntimeError(
            f"{deaf[0]} gives silence in short blocks, as a recording in chunks comes to it next to an offline effect. "
            "Process the whole recording in one call, with reset=True (the default)."
        )
    audio = np.array(np.atleast_2d(input_array.T if time_first else input_array), dtype=np.float32, order="C")
    if audio.size:
        audio = _run([plugin], audio, _Job(float(sample_rate), int(buffer_size), bool(reset), as_list))
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


def _run(plugins: Iterable[Plugin | None], audio: Audio, job: _Job, place: _Place | None = None) -> Audio:
    """Run plugins one after the other on audio of shape (channels, samples), which may be overwritten.

    ``place`` is where samples wait, with a chunk, if no plugin here holds an effect.
    """
    stretch: list[Plugin] = []
    for plugin in plugins:
        if plugin is None:
            continue
        if not _holds_effect(plugin):
            stretch.append(plugin)
            continue
        audio, stretch = _run_natively(stretch, audio, job, place or (plugin, "before")), []
        if isinstance(plugin, OfflineEffect):
            audio = _render(plugin, audio, job)
        elif isinstance(plugin, Mix):
            each = job._replace(as_list=False)
            branches = [_run([b], audio.copy(), each, (plugin, f"in {i}")) for i, b in enumerate(_inside(plugin))]
            # Added up in native code's order.
            audio = sum(branches, np.zeros_like(audio)) if job.whole else _mix_chunks(plugin, branches)
        elif isinstance(plugin, PluginContainer):
            audio = _run(_inside(plugin), audio, job)
        place = (plugin, "behind")
    return _run_natively(stretch, audio, job, place)


def _run_natively(stretch: list[Plugin], audio: Audio, job: _Job, place: _Place | None) -> Audio:
    """Run native plugins on the whole recording, as a board that holds nothing else."""
    if not stretch:
        return audio
    if not job.whole:
        assert place is not None, "a board without an effect is not run here"
        return _feed_natively(stretch, audio, job, place)
    channels, samples = audio.shape
    if samples <= channels:  # followed by silence, or native code would take samples for channels
        audio = np.pad(audio, ((0, 0), (0, channels + 1 - samples)))
    # Headed by a new plugin, because native code goes by what the first one was given before.
    plugins = [Gain(gain_db=0.0), *stretch] if job.as_list else [Chain(stretch)]
    return _native_list_process(audio, job.sample_rate, plugins, job.buffer_size, True)[:, :samples]


def _feed_natively(stretch: list[Plugin], audio: Audio, job: _Job, place: _Place) -> Audio:
    """Run native plugins on what has come so far of a recording, in blocks of one size.

    Native code forgets what it was doing whenever it is given another number of samples than before, if fewer than
    ``buffer_size``; what an effect gives out varies; and of few samples it takes some for channels. So the rest of a
    block waits for the next chunk, whatever the caller's ``buffer_size``.
    """
    waiting = _note(place[0]).waiting
    [earlier] = waiting.get(place[1], [audio[:, :0]])
    if len(earlier) != len(audio):
        raise RuntimeError(f"the recording so far has {len(earlier)} channels; call reset() before another")
    audio = np.concatenate([earlier, audio], axis=1)
    whole = audio.shape[1] // BLOCK * BLOCK
    waiting[place[1]] = [audio[:, whole:].copy()]
    if not whole:
        return audio[:, :0]
    return _native_list_process(audio[:, :whole], job.sample_rate, [Chain(stretch)], BLOCK, False)


def _mix_chunks(mix: Mix, branches: list[Audio]) -> Audio:
    """Add up what all branches have given; the rest of those that are ahead waits."""
    waiting = _note(mix).waiting
    if "out" in waiting:
        branches = [np.concatenate(parts, axis=1) for parts in zip(waiting["out"], branches, strict=True)]
    ready = min(branch.shape[1] for branch in branches)
    waiting["out"] = [branch[:, ready:].copy() for branch in branches]
    return sum((branch[:, :ready] for branch in branches), np.zeros((len(branches[0]), ready), np.float32))


def _stop_waiting(plugin: Plugin) -> None:
    """Drop what is left of a recording in chunks."""
    note = _known(plugin)
    if note is not None:
        note.waiting.clear()


def _render(effect: OfflineEffect, audio: Audio, job: _Job) -> Audio:
    """Call `render` or `feed` and check what it returns; the copy keeps the result and the effect's own array apart."""
    method: Any = effect.render if job.whole else effect.feed
    name = f"{type(effect).__name__}.{method.__name__}"
    shape = audio.shape if job.whole else (audio.shape[0], "any number")
    result: Any = method(audio, job.sample_rate)
    shaped = isinstance(result, np.ndarray) and (result.shape == shape if job.whole else result.shape[:-1] == shape[:1])
    if not shaped or result.dtype.kind != "f":
        raise RuntimeError(f"{name} must return a floating-point array of shape {shape}, not {_short(result)}")
    with np.errstate(over="ignore"):  # what float32 can't hold becomes infinite, and is reported as that
        output = np.array(result, dtype=np.float32, order="C")
    if not np.isfinite(output).all():
        raise RuntimeError(f"{name} returned audio with NaN or infinity in it; was the input free of them?")
    return output


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
    def host(
        input_array: Any, sample_rate: Any, plugins: Iterable[Any], buffer_size: Any = 8192, reset: Any = True
    ) -> Audio:
        chain = Chain(list(plugins))
        first = next((plugin for plugin in _entries(chain) if plugin is not None), None)
        layout_of = first if _keeps_effect(first) else None  # natively, it is the first plugin that remembers
        return _process(chain, input_array, sample_rate, buffer_size, reset, as_list=True, layout_of=layout_of)

    @functools.wraps(native)
    def process(*args: Any, **kwargs: Any) -> Audio:
        plugins = args[2] if len(args) > 2 else kwargs.get("plugins")
        if isinstance(plugins, PluginContainer):
            hosted = _keeps_effect(plugins) and not isinstance(plugins, OfflineEffect)
        else:
            hosted = isinstance(plugins, Sequence) and any(_keeps_effect(plugin) for plugin in plugins)
        return (host if hosted else native)(*args, **kwargs)

    return process


def _resetting(native: Callable[[PluginContainer], None]) -> Callable[[PluginContainer], None]:
    @functools.wraps(native)
    def reset(self: PluginContainer) -> None:
        native(self)
        if _known(self) is None:
            return
        for part in _walk([self]):
            _stop_waiting(part)
            if isinstance(part, OfflineEffect):
                part.reset()
            elif _known(part):
                _note(part).probe.reset()

    return reset


def _putting(native: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(native)
    def method(self: PluginContainer, /, *args: Any, **kwargs: Any) -> Any:
        if _streams and any(map(_brings_effect, (*args, *kwargs.values()))):
            _refuse_where_it_plays(self)
        result = native(self, *args, **kwargs)
        if _known(self) or not all(map(_native_alone, (*args, *kwargs.values()))):
            _keep(self)
        return result

    return method


def _native_alone(argument: object) -> bool:
    """Tell whether an argument of a list method brings nothing that has a Python half to keep."""
    if isinstance(argument, (list, tuple)):
        return not any(isinstance(entry, PluginContainer) for entry in argument)
    return argument is None or (isinstance(argument, (int, Plugin)) and not isinstance(argument, PluginContainer))


def _taking(native: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(native)
    def method(self: PluginContainer, /, *args: Any, **kwargs: Any) -> Any:
        result = native(self, *args, **kwargs)
        if _known(self):
            _keep(self)
        return result

    return method


def _getting(native: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(native)
    def method(self: PluginContainer, /, *args: Any) -> Any:
        result = native(self, *args)
        if isinstance(result, PluginContainer) or not isinstance(result, Plugin):  # nothing to keep of a native plugin
            _keep(self)
        return result

    return method


_streams: weakref.WeakSet[Any] = weakref.WeakSet()  # the live ones


def _refusing(native: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(native)
    def method(self: Any, /, *args: Any, **kwargs: Any) -> None:
        if any(map(_brings_effect, (*args, *kwargs.values()))):
            raise TypeError(_NOT_LIVE)
        native(self, *args, **kwargs)
        _streams.add(self)

    return method


def _brings_effect(argument: object) -> bool:
    entries = argument if isinstance(argument, (list, tuple)) else [argument]
    return any(_holds_effect(entry) for entry in entries)


def _refuse_where_it_plays(container: PluginContainer) -> None:
    """Raise TypeError if a live stream has the container among its plugins, at any depth."""
    if any(part is container for stream in list(_streams) for part in _walk([stream.plugins])):
        raise TypeError(_NOT_LIVE)


def _refusing_setter(native: Any) -> property:
    return property(native.fget, _refusing(native.fset), native.fdel, native.__doc__)


_NOT_LIVE = "An offline effect needs the whole recording: it can't be part of a live AudioStream."


_RUN = "natively inherited from Plugin, and would run the native half of an effect, which raises"


_PUT = "puts plugins in, whose Python halves must live on"


_TAKE = "takes plugins out, whose Python halves must be let go"


_GET = "may hand out a container, in a board built before `install`, that is about to be given an effect"


_LIVE = "would run the native half of an effect"


# Everything that is changed in pedalboard: where, the name, what makes the new from the old, and why.
_PATCHES: list[tuple[Any, str, Callable[[Any], Any], str]] = [
    (PluginContainer, "process", _hosting, _RUN),
    (PluginContainer, "__call__", _hosting, _RUN),
    (PluginContainer, "reset", _resetting, "natively inherited from Plugin, and resets native halves alone"),
    (pedalboard, "process", _hosting_list, "runs a list of plugins without a container"),
    (Chain, "__init__", _putting, _PUT),
    (Mix, "__init__", _putting, _PUT),
    (PluginContainer, "append", _putting, _PUT),
    (PluginContainer, "insert", _putting, _PUT),
    (PluginContainer, "__setitem__", _putting, _PUT),
    (PluginContainer, "__delitem__", _taking, _TAKE),
    (PluginContainer, "remove", _taking, _TAKE),
    (PluginContainer, "__getitem__", _getting, _GET),
    (PluginContainer, "__iter__", _getting, _GET),
]


_stream = getattr(pedalboard.io, "AudioStream", None)


if hasattr(_stream, "plugins"):  # pedalboard can be built without audio devices
    _PATCHES += [(_stream, "__init__", _refusing, _LIVE), (_stream, "plugins", _refusing_setter, _LIVE)]


_ABSENT = object()


_undo: list[tuple[Any, str, Any, Any]] = []  # what stood in each place, and what stands there; empty unless installed


def install() -> None:
    """Let pedalboard's containers host offline effects. Installing again does nothing."""
    with _lock:
        if _undo:
            return
        try:
            for owner, name, replace, _ in _PATCHES:
                native = vars(owner).get(name, _ABSENT)
                ours = replace(getattr(owner, name))
                setattr(owner, name, ours)
                _undo.append((owner, name, native, ours))
        except BaseException:
            uninstall()  # all or nothing
            raise


def uninstall() -> None:
    """Take back everything that `install` changed, but what somebody else has changed since.

    A board that holds an offline effect then raises RuntimeError.
    """
    with _lock:
        while _undo:
            owner, name, native, ours = _undo.pop()
            if vars(owner).get(name) is not ours:
                continue
            if native is _ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, native)
