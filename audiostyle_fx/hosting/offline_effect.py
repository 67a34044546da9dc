"""The base class of effects that are written in Python and need the whole recording."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from .hosted_effect import HostedEffect, short_repr
from .native import Audio
from .plugin_notes import NOTE_ATTRIBUTE
from .runner import process_hosted


class OfflineEffect(HostedEffect):
    """Base class of effects that are written in Python and see the whole recording at once.

    A subclass implements `render`, and `parameters` if it has attributes of its own. Its instances can be called and
    put into a `Pedalboard`, a `Chain` or a `Mix`, like any plugin of pedalboard. The native half of an effect is a
    `Chain`, whose list methods raise TypeError here: code that walks through boards and tests
    ``isinstance(plugin, PluginContainer)`` has to check for `OfflineEffect` first.

    Examples
    --------
    >>> class Reverse(OfflineEffect):
    ...     def render(self, audio, sample_rate):
    ...         return audio[:, ::-1]
    >>> board = pedalboard.Pedalboard([Reverse(), pedalboard.Reverb(), Reverse()])
    """

    def process(
        self, input_array: npt.NDArray[Any], sample_rate: float, buffer_size: int = 8192, reset: bool = True
    ) -> Audio:
        """Run a recording through this effect, with the arguments and results of `pedalboard.Plugin.process`.

        Parameters
        ----------
        input_array : float32 or float64 array, shape (samples,), (channels, samples) or (samples, channels)
        sample_rate : float
            In Hz.
        buffer_size : int
            Samples that native code processes at a time, at least 1. It has no effect on this plugin.
        reset : bool
            False if the array is a chunk of a recording; only an effect with `streaming` accepts chunks.

        Returns
        -------
        float32 array
            The shape of `input_array`; for chunks, any number of samples.

        Raises
        ------
        TypeError, RuntimeError
            As native code for arguments that it refuses. Also RuntimeError if `reset` is false without `streaming`,
            or if `render` or `feed` returns another shape or type, NaN or infinity.
        ValueError
            If `buffer_size` is below 1.
        """
        return process_hosted(self, input_array, sample_rate, buffer_size, reset)

    __call__ = process  # type: ignore[assignment]  # pedalboard's stub gives the first argument another name

    def __repr__(self) -> str:
        """Show the package, the class, the parameters and the address, as pedalboard's plugins do."""
        parameters = "".join(f" {name}={short_repr(value)}" for name, value in self.parameters.items())
        return f"<{type(self).__module__.partition('.')[0]}.{type(self).__name__}{parameters} at 0x{id(self):x}>"

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        """Build copies and pickles from `parameters`, at every protocol."""
        if type(self).parameters is OfflineEffect.parameters and vars(self).keys() - {NOTE_ATTRIBUTE}:
            raise TypeError(
                f"{type(self).__name__} has attributes that a copy would lack: its class needs `parameters` that "
                "returns them"
            )
        return _from_parameters, (type(self), dict(self.parameters))

    def __bool__(self) -> bool:
        """Return True, as for any object without a length."""
        return True

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"{type(self).__name__} is an effect, not a container of plugins")

    append = insert = remove = _refuse
    __len__ = __iter__ = __contains__ = __getitem__ = __setitem__ = __delitem__ = _refuse


def _from_parameters(effect_type: type[OfflineEffect], parameters: dict[str, Any]) -> OfflineEffect:
    return effect_type(**parameters)
