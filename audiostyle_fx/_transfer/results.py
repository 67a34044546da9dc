"""Results of transfers."""

from __future__ import annotations

import base64
import contextlib
import html
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile

from .._recordings.files import read_audio
from .._recordings.saving import save_audio

if TYPE_CHECKING:
    from matplotlib.figure import Figure


MAX_SHOWN_SECONDS = 120.0
"""Notebooks show the sound and the picture of recordings up to this length: they become part of the notebook's file."""


@dataclass(frozen=True, eq=False)
class Stage:
    """Losses and time of one stage.

    Attributes
    ----------
    seconds : float
        Computing time, for all items of a batch together and summed over the sections of a recording.
    iterations : int array (n,)
        Numbers of the iterations whose losses are recorded: 0 to the last; in the phase stage only the last.
    style_loss, content_loss : float64 array (n,)
        The two parts of the loss at these iterations; in the phase and waveform stages those of the audio. The target
        of the style loss includes the ``content_share``. With a strength, the content loss is the distance from the
        song, without a weight; its ratio to the content loss at strength 1 says how far the result has gone.
    inconsistency : float64 array, optional
        Relative distance of the audio's magnitudes from the target magnitudes after each iteration; None except in the
        phase stage. It may rise in the last iterations, where L-BFGS brings the log-magnitudes nearer instead.
    """

    seconds: float
    iterations: np.ndarray
    style_loss: np.ndarray
    content_loss: np.ndarray
    inconsistency: np.ndarray | None = None


def merged(sections: Mapping[int, dict[str, Stage]]) -> dict[str, Stage]:
    """Return the stages of a recording from those of its sections: summed time, mean losses."""
    parts = [sections[k] for k in sorted(sections)]
    if len(parts) < 2:
        return dict(*parts)
    return {name: _mean_stage([part[name] for part in parts]) for name in parts[0]}


def _mean_stage(stages: list[Stage]) -> Stage:
    def mean(histories: list[Any]) -> Any:
        return None if histories[0] is None else np.mean(histories, axis=0)

    return Stage(
        sum(stage.seconds for stage in stages),
        stages[0].iterations,
        mean([stage.style_loss for stage in stages]),
        mean([stage.content_loss for stage in stages]),
        mean([stage.inconsistency for stage in stages]),
    )


class Result:
    """A finished transfer.

    Attributes
    ----------
    sample_rate : float
        Sample rate of the audio in Hz.
    duration : float
        Length of the recording in seconds.
    stages : dict of str to Stage
        The stages that ran, among "spectrogram", "phase" and "waveform"; empty for digital silence.
    sections : int
        Number of sections in which the recording was styled.
    seconds : float
        Computing time in seconds.
    parameters : dict
        All parameters of the transfer by name, with the windows in samples as they were used.
    key : tuple of float
        Semitones by which each style was moved; 0 if it was not.
    path : str or None
        The file to which the result was written; None for a result in memory.
    gain_db : float
        Gain in dB, at most 0, by which the file was turned down because its format clips at full scale.
    limited_db : float
        Reduction of the file's highest peak by the limiter in dB, at least 0, because its format clips.
    limits_peaks : bool
        Whether `save` limits peaks where a format clips, so that a loud song stays loud. True if the content was within
        full scale; otherwise the whole recording is turned down.
    """

    def __init__(
        self,
        *,
        sample_rate: float,
        duration: float,
        stages: dict[str, Stage],
        seconds: float,
        parameters: dict[str, Any],
        sections: int = 1,
        key: tuple[float, ...] = (),
        audio: np.ndarray | None = None,
        path: str | None = None,
        gain_db: float = 0.0,
        limited_db: float = 0.0,
        limits_peaks: bool = False,
    ) -> None:
        self.sample_rate, self.duration, self.seconds = sample_rate, duration, seconds
        self.stages, self.parameters, self.key = stages, parameters, key
        self.sections = sections
        self.gain_db, self.limited_db, self.limits_peaks = gain_db, limited_db, limits_peaks
        self.path = None if path is None else os.path.abspath(path)  # valid in another working directory too
        self._audio = audio

    @property
    def audio(self) -> np.ndarray:
        """The styled recording, float32, in the content's shape; a result in a file is read from there each time."""
        if self._audio is None:
            assert self.path is not None, "a result is in memory or in a file"
            return read_audio(self.path, "result")[0]
        return self._audio

    @property
    def style_loss(self) -> float | None:
        """The style loss at the end of the last stage; None for digital silence."""
        return self._last_loss("style_loss")

    @property
    def content_loss(self) -> float | None:
        """The content loss at the end of the last stage; None for digital silence."""
        return self._last_loss("content_loss")

    def _last_loss(self, name: str) -> float | None:
        losses = [getattr(stage, name) for stage in self.stages.values()]
        return float(losses[-1][-1]) if losses and len(losses[-1]) else None

    def save(
        self,
        path: str | os.PathLike[str],
        subtype: str | None = None,
        *,
        rate: float | None = None,
        quality: float | None = None,
        like: str | os.PathLike[str] | None = None,
    ) -> float:
        """Write the audio to a file; its ending names the format.

        If the format clips and the content itself exceeded full scale, the whole recording is turned down and no peaks
        are limited.

        Parameters
        ----------
        path, subtype, rate, quality, like
            See `save_audio`.

        Returns
        -------
        float
            Gain in dB by which the audio was turned down: 0 or negative.

        Raises
        ------
        TypeError, ValueError, FileNotFoundError, OSError
            As `save_audio`.

        Warns
        -----
        UserWarning
            If the audio was limited or turned down, or the format can't hold all tags and other data of ``like``.
        """
        level = save_audio(
            path,
            self.audio,
            self.sample_rate,
            subtype,
            rate=rate,
            quality=quality,
            like=like,
            limit=self.limits_peaks,
        )
        return level.gain_db

    def plot(self) -> Figure:
        """Return a figure of the audio's spectrogram and the losses by iteration.

        Raises
        ------
        ImportError
            If matplotlib is not installed; the extra ``plot`` installs it.
        """
        from ..figures.plots import plot

        audio = self.audio
        return plot(self.stages, audio if audio.size else None, self.sample_rate)

    def __repr__(self) -> str:
        """Show duration, rate, channels, losses and computing time."""
        return f"<Result: {', '.join(self._facts())}>"

    def _facts(self) -> list[str]:
        facts = [f"{self.duration:.2f} s at {self.sample_rate:g} Hz"]
        if self._audio is not None:
            channels = len(np.atleast_2d(self._audio))
            facts.append({1: "mono", 2: "stereo"}.get(channels, f"{channels} channels"))
        if self.path is not None:
            facts.append(f"in {self.path!r}")
        if self.style_loss is not None:
            facts.append(f"style loss {self.style_loss:.4g}, content loss {self.content_loss:.4g}")
        if self.limited_db:
            facts.append(f"peaks limited by up to {self.limited_db:.1f} dB")
        if any(self.key):
            facts.append(f"style moved by {', '.join(f'{move:+.4g}' for move in self.key)} semitones")
        if self.gain_db:
            facts.append(f"turned down by {-self.gain_db:.1f} dB")
        return [*facts, f"computed in {self.seconds:.1f} s"]

    def _repr_html_(self) -> str:
        """Show a player, the facts, and with matplotlib the figure; for long recordings only the facts."""
        parts = [f"<p>{html.escape(', '.join(self._facts()))}</p>"]
        if not 0 < self.duration <= MAX_SHOWN_SECONDS:
            return parts[0]
        # A file may be gone, FLAC can't hold every rate and number of channels, and matplotlib may be missing.
        with contextlib.suppress(ImportError, OSError, ValueError, soundfile.SoundFileError):
            player = f'<audio controls src="data:audio/flac;base64,{_flac(self.audio, self.sample_rate)}"></audio>'
            parts.insert(0, player)
            image = io.BytesIO()
            self.plot().savefig(image, format="png", dpi=72)
            parts.append(f'<img src="data:image/png;base64,{base64.b64encode(image.getvalue()).decode()}">')
        return "".join(parts)


def _flac(audio: np.ndarray, sample_rate: float) -> str:
    """Return the audio as 16-bit FLAC in base64, turned down if it exceeds full scale."""
    file = io.BytesIO()
    samples = np.atleast_2d(audio)
    soundfile.write(file, (samples / max(1.0, np.abs(samples).max())).T, int(sample_rate), "PCM_16", format="FLAC")
    return base64.b64encode(file.getvalue()).decode()
