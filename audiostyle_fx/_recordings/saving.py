"""Saving of an array to a sound file."""

from __future__ import annotations

import os

import numpy as np

from .._validation import flag, optional
from .._validation import sample_rate as check_rate
from .arrays import check_audio
from .encoding import Kept
from .files import SoundFileReader
from .writing import WrittenLevel, check_writable, write_audio, writing_errors


def save_audio(
    path: str | os.PathLike[str],
    audio: np.ndarray,
    sample_rate: float,
    subtype: str | None = None,
    *,
    rate: float | None = None,
    quality: float | None = None,
    like: str | os.PathLike[str] | None = None,
    limit: bool = True,
) -> WrittenLevel:
    """Write a recording, such as the output of a board, to a file without clipping it.

    If the format clips at full scale and the audio exceeds full scale, peaks are limited, as far as this loses at most
    1 dB of RMS. If the recording is still too loud, it is turned down to a true peak of -1 dBTP. A warning gives both
    changes. Formats with floating-point samples, such as the subtype "FLOAT", don't change the audio.

    Parameters
    ----------
    path : path
        Its ending names the format. An existing file is replaced only when the new one is finished.
    audio : float32 or float64 array (channels, samples) or (samples,)
        Full scale is 1.
    sample_rate : float
        Sample rate of the audio in Hz; a whole number if ``rate`` is not given.
    subtype : str, optional
        libsndfile's name of the sample format, such as "PCM_24"; by default that of ``like``, or the format's own.
    rate : float, optional
        The sample rate to write, in Hz; by default that of the audio.
    quality : float, optional
        Bit rate of MP3, Vorbis and Opus, 8 to 512 kbit/s; by default that of ``like``, or the encoder's usual one.
    like : path, optional
        The recording from which the audio was made. The file takes over its sample format, bit rate, tags, pictures,
        cue points, loops, time stamps and places of channels, as far as the format has them.
    limit : bool
        Whether peaks are limited; otherwise the whole recording is turned down.

    Returns
    -------
    WrittenLevel
        ``gain_db``, at most 0: the gain of the whole recording in dB; ``limited_db``, at least 0: the reduction of its
        highest peak by the limiter in dB.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        If an argument is not allowed, or the format can't hold the audio. An existing file is not changed.
    OSError
        If the file can't be written.

    Warns
    -----
    UserWarning
        When the file is finished: if the audio was limited or turned down, or if the format can't hold all tags and
        other data of ``like``.
    """
    samples, sample_rate = check_audio("audio", audio), check_rate("sample_rate", sample_rate)
    rate = optional(check_rate)("rate", rate)
    kept, own = Kept(), None
    if like is not None:
        with SoundFileReader(like, "like", warn=False) as reader:
            kept, own = reader.kept(0, samples.shape[1], rate or sample_rate), reader.subtype
    check_writable(path, rate or sample_rate, len(samples), samples.shape[1], own, subtype, quality)
    kept = kept.at(quality)
    with writing_errors(path):
        return write_audio(path, samples, sample_rate, subtype or own, kept, limit=flag("limit", limit), rate=rate)
