"""Saving an array to a sound file, in one call."""

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
    """Write a recording to a file, such as what a board returned, without clipping it.

    Where the format clips at full scale and the audio exceeds it, a warning says what was done: peaks are limited, as
    far as that loses at most 1 dB of RMS, and what is still too loud is turned down as a whole, to a true peak of
    -1 dBTP. A format of floating-point samples, such as the subtype "FLOAT", keeps all as it is.

    Parameters
    ----------
    path : path
        Its ending names the format. An existing file is replaced, by the finished one only.
    audio : float32 or float64 array (channels, samples) or (samples,)
        Full scale is 1.
    sample_rate : float
        Of the audio, in Hz; a whole number where it is also the one written.
    subtype : str, optional
        libsndfile's name of the sample format, such as "PCM_24"; by default that of ``like``, or the format's own.
    rate : float, optional
        The sample rate to write, in Hz; by default that of the audio.
    quality : float, optional
        The bit rate of MP3, Vorbis and Opus, 8 to 512 kbit/s; by default that of ``like``, or the encoder's usual one.
    like : path, optional
        A recording whose sample format, bit rate, tags, pictures, cue points, loops, time stamps and places of channels
        the file takes over, where its format has them: that which the audio was made from.
    limit : bool
        Whether peaks are limited; otherwise the whole recording is turned down.

    Returns
    -------
    WrittenLevel
        ``gain_db`` and ``limited_db``: by how much the recording was turned down, and its highest peak limited, in dB.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        If an argument is not allowed, or the format can't hold the audio. An earlier file stays as it was.
    OSError
        If the file can't be written.

    Warns
    -----
    UserWarning
        When the file is finished: if the audio was changed to fit, or the format can't hold all that ``like`` has.
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
