"""The part of an offline effect that running a board needs: native half, parameters, and methods of subclasses."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pedalboard import Chain

from .effect_locks import exclusive_method
from .native import Audio, refused_plugins
from .plugin_notes import note_of


class HostedEffect(Chain):
    """Base of `OfflineEffect`; the subclass adds calls, copies and `repr`.

    Its native half is a `Chain` that native code refuses to run, see `native.refused_plugins`.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Make the methods of subclasses that keep or forget chunks run in one thread at a time."""
        super().__init_subclass__(**kwargs)
        for name in ("feed", "reset"):
            if name in vars(cls):
                setattr(cls, name, exclusive_method(vars(cls)[name]))

    def __init__(self) -> None:
        super().__init__(refused_plugins())

    def render(self, audio: Audio, sample_rate: float) -> npt.NDArray[np.floating[Any]]:
        """Return the processed recording. Subclasses implement this method.

        Parameters
        ----------
        audio : float32 array, shape (channels, samples)
            The whole recording, at least one sample long. This method may overwrite the array.
        sample_rate : float
            In Hz.

        Returns
        -------
        floating-point array, shape (channels, samples)
            The same shape as `audio`, without NaN and infinity. The caller copies the array.
        """
        raise NotImplementedError(f"{type(self).__name__} does not implement render(audio, sample_rate)")

    @property
    def streaming(self) -> bool:
        """Whether the effect accepts a recording in chunks, with ``reset=False``.

        False here. A subclass that returns True implements `feed` as well.
        """
        return False

    def feed(self, audio: Audio, sample_rate: float) -> npt.NDArray[np.floating[Any]]:
        """Process the next chunk of a recording and return the samples of the result that are finished.

        Only one thread at a time is in this method, or in `reset`.

        Parameters
        ----------
        audio : float32 array, shape (channels, samples)
            Any number of samples that follow the previous chunk. This method may overwrite the array.
        sample_rate : float
            In Hz.

        Returns
        -------
        floating-point array, shape (channels, any number of samples)
            The samples that follow the last returned ones, without NaN and infinity. The caller copies the array.
        """
        raise NotImplementedError(f"{type(self).__name__} does not implement feed(audio, sample_rate)")

    @property
    def parameters(self) -> dict[str, Any]:
        """Keyword arguments that build an equal effect; `repr` shows them, and copy and pickle use them.

        A subclass with attributes of its own returns them here; otherwise copy and pickle raise TypeError.
        """
        return {}

    @exclusive_method
    def reset(self) -> None:
        """Forget the chunks and the time axis of earlier recordings. Parameters stay as they are.

        This method waits while another thread processes a chunk.
        """
        note_of(self).reset()


def short_repr(value: object) -> str:
    """Return `repr` of a value, but only shape and dtype of an array, also inside tuples."""
    if isinstance(value, tuple):
        return f"({', '.join(map(short_repr, value))}{',' * (len(value) == 1)})"
    return f"<array {value.shape} {value.dtype}>" if isinstance(value, np.ndarray) else repr(value)
