"""The transfer of a recording that comes in chunks, section by section, before its end is known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ...errors import TransferError
from ...progress import Progress, reporting
from ..parameters.parameter_list import Parameters
from ..setup.costs import iteration_costs
from ..setup.mix_shares import FAILED, float32, level_shares, scaled
from ..setup.sections import Section
from ..styles.matched_styles import match_styles
from ..styles.style_keys import has_key, style_semitones
from ..styles.style_levels import style_levels
from .band_matching import ContentLevels
from .preparation import PreparedTransfer
from .recording_plans import RecordingPlan, active_channels, constant_gain, content_mask, section_content
from .recording_transfer import style_section
from .rolling_samples import RollingSamples
from .stream_sections import StreamLevel, StreamSpans, stream_section

MARGIN_SECONDS = 0.02
"""Seconds before a window that are kept for its mask: the fade of silence there may reach into the window."""


class Stream:
    """Takes a recording in chunks and gives the styled one, `latency` samples later.

    Each section is pinned to the one before it, whose finished samples count in its losses. The samples after a section
    are styled along with it as context, and again as part of the next section.

    Parameters
    ----------
    transfer : PreparedTransfer
    channels : int
    content_level_db : float, optional
        RMS in dBFS of the whole recording without its pauses; by default that of the samples received so far.
    progress : Progress
        Every section runs all stages.

    Attributes
    ----------
    latency : int
        Samples.
    """

    def __init__(
        self,
        transfer: PreparedTransfer,
        channels: int,
        content_level_db: float | None = None,
        progress: Progress = None,
    ) -> None:
        self._transfer, self._setup, self._progress = transfer, transfer.setup, progress
        self._spans = StreamSpans.of(self._setup)
        self.latency = self._spans.latency
        self._dry, self._wet = RollingSamples(channels), RollingSamples(channels)
        mask = content_mask(self._dry, self._setup.sample_rate)
        self._recording = RecordingPlan(self._dry, self._wet, (), (), constant_gain(1.0), mask)
        self._level = StreamLevel(self._setup, channels, content_level_db)
        self._mix = StreamMix(self._setup.parameters)
        self._finished = np.zeros((channels, 0), np.float32)  # finished samples that are not due yet
        self._n_finished = self._n_returned = 0
        self._broken = False
        self._semitones: tuple[float, ...] = ()
        self._in_key = False
        self._levels = ContentLevels(self._setup)

    @property
    def source(self) -> tuple[int, float]:
        """Channels and rate in Hz of the recording."""
        return self._dry.shape[0], self._setup.sample_rate

    @property
    def stored(self) -> tuple[slice, slice]:
        """The samples of the recording, and of its result, that are in memory."""
        return self._dry.stored, self._wet.stored

    def feed(self, block: np.ndarray) -> np.ndarray:
        """Take samples (channels, any number); return those that are due: all taken so far, less the latency.

        Raises
        ------
        TransferError
            If a section's result is silent or not finite.
        RuntimeError
            After any error: the samples of that chunk are lost.
        """
        if self._broken:
            raise RuntimeError("an earlier chunk of this recording failed, so that it has a gap; call reset()")
        self._broken = True
        while block.shape[1]:  # one section at a time, so that the result does not depend on where chunks end
            block = self._append_needed(block)
            if self._dry.shape[1] >= self._spans.needed(len(self._recording.sections)):
                self._finished = np.concatenate([self._finished, self._style_next()], axis=1)
        due = max(0, self._dry.shape[1] - self.latency) - self._n_returned
        self._n_returned += due
        result, self._finished = self._finished[:, :due], self._finished[:, due:]
        self._broken = False
        return result

    def _append_needed(self, block: np.ndarray) -> np.ndarray:
        """Append as many samples as the next section needs; return the rest."""
        missing = self._spans.needed(len(self._recording.sections)) - self._dry.shape[1]
        self._dry.append(block[:, :missing])
        self._wet.append(np.zeros_like(block[:, :missing]))
        return block[:, missing:]

    def _style_next(self) -> np.ndarray:
        """Style the next section; return the finished samples: all but those blended with the section after it."""
        k = len(self._recording.sections)
        section = stream_section(k, self._dry, self._spans)
        self._recording = _extended(self._recording, section)
        self._update_gain()
        if self._recording.active[k].any():
            self._style(k)
            # A section far below the level of earlier ones, such as the tail of a filter, may come out silent.
            if not self._mix.has_sound and not self._wet[:, section.result].any():
                raise TransferError(FAILED)
        finished = slice(self._n_finished, section.stop - section.fade // 2)
        shares = self._mix.shares(self._dry[:, section.core], self._unscaled(section.core), section.fade, finished)
        mixed = shares[0] * self._dry[:, finished] + shares[1] * self._unscaled(finished)
        self._n_finished = finished.stop
        self._forget(section)
        self._recording.log.stages.pop(k, None)
        return float32(mixed)

    def _style(self, k: int) -> None:
        """Run the stages of section ``k``."""
        setup, active = self._setup, self._recording.active[k]
        if not self._in_key:
            # The styles stay in the key of the first section that has a key, so that instruments do not change.
            stored = self._dry[:, self._dry.stored]
            self._semitones = style_semitones(self._transfer.styles, stored, setup)
            self._in_key = has_key(stored, setup)
        if setup.parameters.equalize:
            self._match_bands(k)
        target = match_styles(self._transfer.styles, active, setup, self._semitones)
        costs = iteration_costs(setup.windows)
        with reporting(self._progress, setup.parameters.iterations, costs, 1) as report:
            style_section(self._recording, k, target, self._transfer, report)

    def _match_bands(self, k: int) -> None:
        """Compute the equaliser's gains from the sections received so far; its depth is that of the first."""
        styles, setup, before = self._transfer.styles, self._setup, self._recording.bands
        self._levels.add(*section_content(self._recording, k))
        unmoved = match_styles(styles, self._recording.active[k], setup, (0.0,) * len(styles.samples))
        depth = None if before is None else before.depth
        bands = self._levels.matching(style_levels(unmoved, setup), depth)
        self._recording = replace(self._recording, bands=bands)

    def _update_gain(self) -> None:
        """Compute the gain curve from the samples received so far, and apply it to the stored samples of the result."""
        if not self._setup.parameters.normalize:
            return
        old, new, stored = self._recording.gain, self._level.gain(self._dry), self._wet.stored
        self._recording = replace(self._recording, gain=new)
        self._wet[:, stored] = scaled(self._wet[:, stored], new(stored) / old(stored))

    def _unscaled(self, samples: slice) -> np.ndarray:
        """Return samples of the result at the content's level."""
        return self._wet[:, samples].astype(np.float64) / self._recording.gain(samples)

    def _forget(self, section: Section) -> None:
        """Drop the samples that no section after this one needs."""
        margin = math.ceil(MARGIN_SECONDS * self._setup.sample_rate)
        first = section.stop - self._spans.context - section.fade // 2 - margin
        self._dry.forget(first)
        self._wet.forget(first)


class StreamMix:
    """The mix of dry and wet, computed from the samples received so far.

    Parameters
    ----------
    parameters : Parameters
    """

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._sums = np.zeros(3)  # of dry squared, wet squared and their product
        self._last: np.ndarray | None = None

    @property
    def has_sound(self) -> bool:
        """Whether any finished section of the result has sound."""
        return bool(self._sums[1])

    def shares(self, dry: np.ndarray, wet: np.ndarray, fade: int, finished: slice) -> tuple[np.ndarray, np.ndarray]:
        """Return the factors of dry and wet for each finished sample, after adding a section's own samples.

        Over the fade they move from those of the section before to those of this one.
        """
        self._sums += [np.square(dry, dtype=np.float64).sum(), np.square(wet).sum(), (dry * wet).sum()]
        shares = self._so_far()
        before = shares if self._last is None else self._last
        ramp = np.clip((np.arange(finished.stop - finished.start) + 0.5) / max(fade, 1), 0, 1)
        dry_share, wet_share = before[:, None] + (shares - before)[:, None] * ramp
        self._last = shares
        return dry_share, wet_share

    def _so_far(self) -> np.ndarray:
        """Return the factors of dry and wet, computed from the samples received so far."""
        parameters, product = self._parameters, self._sums[2]
        dry_rms, wet_rms = np.sqrt(self._sums[:2])
        if not dry_rms or not wet_rms:
            return np.array([1 - parameters.mix, parameters.mix])
        return np.array(level_shares(parameters, dry_rms, wet_rms, lambda: product / (dry_rms * wet_rms)))


def _extended(recording: RecordingPlan, section: Section) -> RecordingPlan:
    """Return the plan with one more section, which is silent if only its context sounds."""
    sounds = recording.dry[:, section.result].any()
    active = active_channels(recording.dry, section) if sounds else np.zeros(recording.dry.shape[0], bool)
    return replace(recording, sections=(*recording.sections, section), active=(*recording.active, active))
