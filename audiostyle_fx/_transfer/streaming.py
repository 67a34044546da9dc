"""A recording that comes in chunks and whose end is not known: styled section by section as it comes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .._recordings.dynamics import Dynamics, block_energies, block_samples
from ..progress import Progress, reporting
from .costs import iteration_costs
from .mixing import float32, level_shares, scaled
from .recording_transfer import Gain, Recipe, Work, style_parts
from .rolling_samples import RollingSamples
from .sections import CONTEXTS, Section
from .stages import FAILED

MARGIN_SECONDS = 0.02
"""Samples before a window that are kept for its mask: silence there may have a fade that reaches into it."""


@dataclass(frozen=True)
class _Section(Section):
    """A section behind which nothing is finished, and whose window may end where its sound does."""

    @property
    def kept(self) -> slice:
        """The samples to keep of what was styled over the window."""
        start, stop = self.start - self.fade // 2, self.stop + self.fade // 2
        return slice(max(self.window.start, start), max(self.window.start, min(self.window.stop, stop)))

    @property
    def pinned(self) -> list[tuple[int, int]]:
        """Its border to finished samples."""
        return [(self.start, 1)] if self.second else []


class _StreamWork(Work):
    """A recording of which more and more is known, in sections that are pinned to the one before alone."""

    def __init__(self, recipe: Recipe, channels: int, content_level: float | None) -> None:
        self.dry: RollingSamples
        self.wet: RollingSamples
        super().__init__(RollingSamples(channels), RollingSamples(channels), recipe)
        length, self.context, fade = recipe.spans()
        self.length, self.fade = max(math.ceil(length), CONTEXTS * self.context), fade // 2 * 2
        self.rms = None if content_level is None else 10 ** (content_level / 20)
        self.energies = np.zeros((0, channels))  # of whole blocks

    def _plan(self) -> list[Section]:
        return []

    def _sounding(self) -> np.ndarray:
        return np.zeros(self.dry.shape[0], bool)

    def _gain(self) -> Gain:
        return lambda window: 1.0

    def take(self, block: np.ndarray) -> np.ndarray:
        """Hear more of the recording, no more than the next section needs; the rest of the samples."""
        more = (len(self.sections) + 1) * self.length + self.context + self.fade // 2 - self.dry.shape[1]
        self.dry.append(block[:, :more])
        self.wet.append(np.zeros_like(block[:, :more]))
        return block[:, more:]

    def ready(self) -> int | None:
        """Begin the next section, if all that it needs is there; its number."""
        k = len(self.sections)
        start, stop = k * self.length, (k + 1) * self.length
        window = slice(max(0, start - self.context - self.fade // 2), stop + self.context + self.fade // 2)
        if self.dry.shape[1] < window.stop:
            return None
        # Silence on either side is no part of what has to be like the style.
        sound = np.flatnonzero(self.dry[:, window].any(axis=0))
        if len(sound):
            window = slice(window.start + int(sound[0]), window.start + int(sound[-1]) + 1)
        self.sections.append(_Section(start, stop, window, window.stop, self.fade, k > 0))
        self._level()
        return k

    def active(self, k: int) -> np.ndarray:
        """Which channels are not silent in a section's window; none where it is silent but for the context."""
        section = self.sections[k]
        sounds = self.dry[:, section.kept].any()
        return super().active(k) if sounds else np.zeros(self.dry.shape[0], bool)

    def forget(self, k: int) -> None:
        """Let go of what no later section needs."""
        margin = math.ceil(MARGIN_SECONDS * self.recipe.sample_rate)
        before = self.sections[k].stop - self.context - self.fade // 2 - margin
        self.dry.forget(before)
        self.wet.forget(before)
        self.stages.pop(k, None)

    def _level(self) -> None:
        """Set the curve by all that has come so far, and bring what is held of the result to it."""
        if not self.parameters.normalize:
            return
        block, before = block_samples(self.recipe.sample_rate), self.gain
        energies = block_energies(self.dry, block, len(self.energies) * block)
        energies = np.concatenate([self.energies, energies])
        self.energies = energies[: self.dry.shape[1] // block]
        sounding = energies.any(axis=0)
        means = energies.sum(axis=1) / max(np.count_nonzero(sounding), 1)
        self.gain = Dynamics(means, self.dry.shape[1], block, self.rms).curve
        held = self.wet.stored
        self.wet[:, held] = scaled(self.wet[:, held], self.gain(held) / before(held))


class Stream:
    """Takes a recording in chunks and gives the styled one, `latency` samples later.

    Each section is pinned to the one before it, whose finished samples count in its losses. What comes after a section
    is styled along with it as context, and once more as the next one.

    Parameters
    ----------
    recipe : Recipe
    channels : int
    content_level : float, optional
        RMS of the whole recording in dBFS, pauses not counted; by default that of what has come so far.
    progress : Progress
        Begins anew with every section.

    Attributes
    ----------
    latency : int
        Samples.
    """

    def __init__(
        self, recipe: Recipe, channels: int, content_level: float | None = None, progress: Progress = None
    ) -> None:
        self._work, self._progress = _StreamWork(recipe, channels, content_level), progress
        self.latency = self._work.length + self._work.context + self._work.fade
        self._made = np.zeros((channels, 0), np.float32)  # finished, but not yet due
        self._n_made = self._n_given = 0
        self._sums = np.zeros(3)  # of dry squared, wet squared and their product
        self._shares: np.ndarray | None = None
        self._broken = False

    @property
    def source(self) -> tuple[int, float]:
        """Channels and rate in Hz of the recording."""
        return self._work.dry.shape[0], self._work.recipe.sample_rate

    def feed(self, block: np.ndarray) -> np.ndarray:
        """Take samples (channels, any number); give what is due: in all, as many as were taken less the latency.

        Raises
        ------
        RuntimeError
            If the transfer fails, and ever after: what was taken then is lost.
        """
        if self._broken:
            raise RuntimeError("a chunk before this one failed, so that the recording has a gap; call reset()")
        self._broken = True
        while block.shape[1]:  # a section at a time, or the result would depend on where chunks end
            block = self._work.take(block)
            if (k := self._work.ready()) is not None:
                self._made = np.concatenate([self._made, self._style(k)], axis=1)
        due = max(0, self._work.dry.shape[1] - self.latency) - self._n_given
        self._n_given += due
        given, self._made = self._made[:, :due], self._made[:, due:]
        self._broken = False
        return given

    def _style(self, k: int) -> np.ndarray:
        """What is finished once a section is styled: all but the samples that are blended with the next."""
        work, section = self._work, self._work.sections[k]
        active = work.active(k)
        if active.any():
            costs = iteration_costs(work.parameters, work.recipe.stft)
            with reporting(self._progress, work.parameters.iterations, costs, 1) as report:
                style_parts([(work, k)], active, work.recipe.matched(active), work.recipe, report)
            # Far below what came before, as the tail of a filter is, a section may come to nothing.
            if not self._sums[1] and not work.wet[:, section.kept].any():
                raise RuntimeError(FAILED)
        shares = self._mix(section)
        before = shares if self._shares is None else self._shares
        at = slice(self._n_made, section.stop - section.fade // 2)
        ramp = np.clip((np.arange(at.stop - at.start) + 0.5) / max(section.fade, 1), 0, 1)
        dry_share, wet_share = before[:, None] + (shares - before)[:, None] * ramp
        made = dry_share * work.dry[:, at] + wet_share * self._wet(at)
        self._shares, self._n_made = shares, at.stop
        work.forget(k)
        return float32(made)

    def _wet(self, at: slice) -> np.ndarray:
        return self._work.wet[:, at].astype(np.float64) / self._work.gain(at)

    def _mix(self, section: Section) -> np.ndarray:
        """Factors of dry and wet, by all that has come so far."""
        parameters, dry, wet = self._work.parameters, self._work.dry[:, section.own], self._wet(section.own)
        self._sums += [np.square(dry, dtype=np.float64).sum(), np.square(wet).sum(), (dry * wet).sum()]
        dry_rms, wet_rms = np.sqrt(self._sums[:2])
        if not dry_rms or not wet_rms:
            return np.array([1 - parameters.mix, parameters.mix])
        product = self._sums[2]
        return np.array(level_shares(parameters, dry_rms, wet_rms, lambda: product / (dry_rms * wet_rms)))
