"""Decoding by PyAV (FFmpeg) of formats that libsndfile does not read, and of the sound of videos."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from typing import Any

import av
import numpy as np

from ..layouts import Layout
from .inspection import Inspection

LOSSLESS = ("alac", "flac", "wavpack", "tta", "ape", "tak", "shorten", "mlp", "truehd", "als", "dsd", "pcm", "adpcm")
"""Prefixes of codecs whose sound always begins at its first sample."""

MAX_PADDING = 4096
"""The most samples that an encoder adds at the end, so that the sound exceeds the length in the header."""

TICK_SECONDS = 1 / 600
"""The coarsest unit of lengths in the headers of usual files."""


_OPEN_OPTIONS: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}
"""Options for tags that are not UTF-8, so that they raise no error; PyAV has no such option from version 19 on."""

MAX_PLANES = 6
"""The most channels that are read as planes, because PyAV 18.1 crashes on many planes. More are interleaved first."""

_NAMES = ("FL", "FR", "FC", "LFE", "BL", "BR", "FLC", "FRC", "BC", "SL", "SR")
PLACES = {name: 1 << bit for bit, name in enumerate(_NAMES)}
"""Loudspeakers as bits of a WAV file's mask, by FFmpeg's names; both have the same order."""


class AvDecoder:
    """The first soundtrack of a file as FFmpeg decodes it; see `Decoder`.

    Raises
    ------
    ValueError
        If FFmpeg can't read the file, or the file contains no sound.
    OSError
        If the file can't be opened.
    """

    n_held: int | None = None
    name = "PyAV"

    def __init__(self, path: str | os.PathLike[str], inspection: Inspection) -> None:
        try:
            self._container = av.open(os.fspath(path), **_OPEN_OPTIONS)
        except (av.FFmpegError, UnicodeError) as error:
            raise ValueError(getattr(error, "strerror", None) or str(error)) from error
        try:
            self._describe(inspection)
        except BaseException:
            self._container.close()
            raise

    def _describe(self, inspection: Inspection) -> None:
        if not self._container.streams.audio:
            raise ValueError("it holds no sound")
        self._stream = self._container.streams.audio[0]
        context = self._stream.codec_context
        if context is None:
            raise ValueError("FFmpeg has no decoder for its sound")
        self.sample_rate, self.channels = context.sample_rate, context.layout.nb_channels
        if not (self.sample_rate and self.channels):
            raise ValueError("its sound has no rate or no channels")
        self.container, self.codec = self._container.format.name, context.name
        self.layout = _layout([channel.name for channel in context.layout.channels])
        self._is_lossless = self.codec.startswith(LOSSLESS)
        if (self.container, self.codec) == ("caf", "alac"):
            # Without this option, FFmpeg would cut the padding of the last packet a second time.
            context.options = {"flags2": "+skip_manual"}
        self.subtype = self._sample_format(context.format.packed.name) if self._is_lossless else None
        self.kbits = None if self._is_lossless or not context.bit_rate else context.bit_rate / 1000
        self.notes = list(inspection.notes)
        if len(self._container.streams.audio) > 1:
            self.notes.append(f"holds {len(self._container.streams.audio)} soundtracks; the first was read")
        self._packed = None
        if context.format.is_planar and self.channels > MAX_PLANES:
            self._packed = av.AudioResampler(context.format.packed, context.layout, self.sample_rate)
        self._packets = self._container.demux(self._stream)
        self._n_read, self._n_errors = 0, 0
        first = self._next_packet()
        has_edit = first is not None and first.has_sidedata("skip_samples")
        self.is_placed = (
            self._is_lossless or has_edit or self.codec in ("opus", "libopus", "vorbis") or bool(context.delay)
        ) and not self.codec.startswith("wma")
        self._end = self._named_length()
        self.n_samples = inspection.promised(self._end)
        self._frames = self._decoded(first)
        self._block = np.zeros((self.channels, 0), np.float32)

    def _sample_format(self, name: str) -> str | None:
        """Return libsndfile's name for the sample format that holds FFmpeg's."""
        if name == "s32":  # FFmpeg has no 24-bit samples; 32-bit ones nearly always are 24-bit ones
            return "PCM_32" if self.codec.startswith("pcm_s32") else "PCM_24"
        return {"u8": "PCM_U8", "s16": "PCM_16", "flt": "FLOAT", "dbl": "DOUBLE"}.get(name)

    def _named_length(self) -> int | None:
        """Return the length in the header without the padding that encoders add at both ends; None if it is missing."""
        stream, rate = self._stream, self.sample_rate
        duration = float((stream.duration or 0) * (stream.time_base or 0))
        if self.container.startswith("mov") and duration:
            return math.ceil(duration * rate)
        if self.container.startswith("matroska") and self._container.duration:
            start = (self._container.start_time or 0) / av.time_base
            seconds = self._container.duration / av.time_base - start
            return max(0, math.ceil(seconds * rate) - (stream.codec_context.delay or 0))
        if self._is_lossless and duration:
            return round(duration * rate)
        return None

    def _next_packet(self) -> Any:
        """Return the next packet, or None at the end or if damage hides all further packets."""
        try:
            return next(self._packets, None)
        except av.FFmpegError:
            self._n_errors += 1
            return None

    def _decoded(self, packet: Any) -> Iterator[np.ndarray]:
        """Yield the sound from a packet on, float32 (channels, samples); damaged packets are skipped and counted."""
        while packet is not None:
            try:
                frames = packet.decode()
            except av.FFmpegError:
                self._n_errors += 1
                frames = []
            yield from map(self._samples, frames)
            packet = self._next_packet()

    def _samples(self, frame: Any) -> np.ndarray:
        """Return the samples of a frame, float32 (channels, samples)."""
        if frame.layout.nb_channels != self.channels or frame.sample_rate != self.sample_rate:
            raise ValueError("its sample rate or channels change within the file")
        if self._packed is not None:
            (frame,) = self._packed.resample(frame)
        samples = frame.to_ndarray()
        if not frame.format.is_planar:
            samples = samples.reshape(-1, self.channels).T
        if samples.dtype.kind == "u":
            return np.asarray((samples.astype(np.float32) - 128) / 128)
        if samples.dtype.kind == "i":
            return np.asarray(samples / 2.0 ** (8 * samples.dtype.itemsize - 1), np.float32)
        return np.asarray(samples, np.float32)

    def read(self, n_samples: int) -> np.ndarray:
        """Return the next samples, float32 (channels, at most ``n_samples``); an empty array only at the end."""
        blocks, n_left = [self._block], n_samples - self._block.shape[1]
        while n_left > -MAX_PADDING - TICK_SECONDS * self.sample_rate:
            block = next(self._frames, None)
            if block is None:
                blocks = [self._without_padding(np.concatenate(blocks, axis=1))]
                break
            blocks.append(block)
            n_left -= block.shape[1]
        joined = np.concatenate(blocks, axis=1)
        block, self._block = joined[:, :n_samples], joined[:, n_samples:]
        self._n_read += block.shape[1]
        return np.ascontiguousarray(block)

    def _without_padding(self, rest: np.ndarray) -> np.ndarray:
        """Return the last samples without those that the encoder added, if the length is known."""
        if self._n_errors:
            packets = "1 of its packets" if self._n_errors == 1 else f"{self._n_errors} of its packets"
            self.notes.append(f"is damaged: {packets} could not be decoded")
            self._n_errors = 0
        if self._end is None or self._is_lossless:
            return rest
        end = self._end + math.ceil(TICK_SECONDS * self.sample_rate)
        excess = self._n_read + rest.shape[1] - end
        return rest[:, : rest.shape[1] - excess] if 0 < excess <= MAX_PADDING else rest

    def skip(self, n_samples: int) -> int:
        """Return 0: seeking is not exact in all formats."""
        return 0

    def close(self) -> None:
        """Close the file."""
        self._container.close()


def _layout(places: Sequence[str]) -> Layout | None:
    """Return the layout for FFmpeg's names of channels; None if a WAV file can't name them."""
    bits = [PLACES.get(place, 0) for place in places]
    return Layout(sum(bits)) if all(bits) and len({*bits}) == len(bits) else None
