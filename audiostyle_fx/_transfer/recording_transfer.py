"""A recording on its way: taken apart into sections, put together again, brought to its level and mixed."""

from __future__ import annotations

import functools
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from .._cache import BoundedCache
from .._engine.arrays.array_module import OVERFLOW
from .._engine.cuda.batching import in_batches
from .._engine.spectra.stft import STFT
from .._recordings.channels import match_channels
from .._recordings.disk_samples import Samples
from .._recordings.dynamics import Dynamics
from .._recordings.levels import rms
from .._recordings.resampling import resample
from .._recordings.silence import silence_mask
from ..progress import Progress, Report, reporting
from .costs import item_bytes, iteration_costs, patch_samples
from .excerpts import EXCERPT_PATCHES, EXCERPT_SECONDS, excerpts
from .mixing import float32, level_shares, scaled
from .parameters import ORIGINAL_RATE, Parameters
from .results import Stage
from .sections import Section, overlap, plan
from .stages import FAILED, three_stages
from .style_recordings import Matched, Styles, style_name

Gain: TypeAlias = Callable[[slice], float | np.ndarray]
"""How far the work is above the content's level in a window: the factor of each sample, or one for all."""


@dataclass(frozen=True, eq=False)
class Recipe:
    """What a transfer is to do: with which styles, how, and at what rate.

    Attributes
    ----------
    styles : list of float32 array (channels, samples)
        At the recording's rate, each long enough for a patch.
    shares : list of float
        Of each in the target.
    sample_rate : float
        Of the work, in Hz.
    content_rate : float
        Of the recording in Hz; another than that of the work with the original algorithm alone.
    parameters : Parameters
        With windows in samples.
    stft : STFT
        Of the longest window.
    held : BoundedCache
        Of the styles at this rate, whatever the recording: keeps those that were matched.
    """

    styles: list[np.ndarray]
    shares: list[float]
    sample_rate: float
    content_rate: float
    parameters: Parameters
    stft: STFT
    held: BoundedCache

    @classmethod
    def of(
        cls, style: Any, style_sample_rate: Any, style_weights: Any, content_rate: float, parameters: Parameters
    ) -> Recipe:
        """That of `stylize`'s arguments, or of `Styles`, resampled, and checked to be long enough for a patch."""
        sample_rate = ORIGINAL_RATE if parameters.original else content_rate
        parameters = parameters.in_samples(sample_rate)
        stft = parameters.stft(sample_rate)
        styles = Styles.of(style, style_sample_rate, style_weights, sample_rate)
        audio, held = styles.at(content_rate, sample_rate)
        needed = patch_samples(parameters, stft)
        for i, samples in enumerate(audio):
            if samples.shape[-1] < needed:
                least, given = (math.ceil(1e4 * n / sample_rate) / 1e4 for n in (needed, samples.shape[-1]))
                raise ValueError(
                    f"{style_name(i, len(audio))} is {given:.4f} s long; "
                    f"kernel_width={parameters.kernel_width} needs at least {least:.4f} s"
                )
        return cls(audio, styles.shares, sample_rate, content_rate, parameters, stft, held)

    def spans(self) -> tuple[float, int, int]:
        """Samples of a section, about, of context on either side, and of the fades between neighbours."""
        context, fade = overlap(patch_samples(self.parameters, self.stft), self.stft.n_fft, self.sample_rate)
        return self.parameters.section_seconds * self.sample_rate, context, fade

    def matched(self, active: np.ndarray) -> Matched:
        """The styles for the channels of a content that sound, by a flag each; of long ones excerpts."""
        what, patch = self.parameters, (patch_samples(self.parameters, self.stft), self.stft.hop_length)
        key = (active.tobytes(), *patch, what.style_seconds, what.normalize, what.original, what.seed)
        return self.held.get(key, lambda: self._matched(active))

    def _matched(self, active: np.ndarray) -> Matched:
        needed, rate = patch_samples(self.parameters, self.stft), self.sample_rate
        most = self.parameters.style_seconds * rate
        seeds = np.random.SeedSequence(self.parameters.seed).spawn(2 + len(self.styles))[2:]  # two serve the stages
        matched = Matched([], [], BoundedCache(1 + len(self.parameters.other_stfts)))
        for i, (style, share, seed) in enumerate(zip(self.styles, self.shares, seeds, strict=True)):
            name = style_name(i, len(self.styles))
            one = match_channels(style, active, name)
            gain, pieces = self.gain(one), [one]
            if one.shape[1] > most and not self.parameters.original:  # which takes the beginning
                length = max(round(EXCERPT_SECONDS * rate), EXCERPT_PATCHES * needed)
                pieces = [one[:, at] for at in excerpts(one.shape[1], length, round(most), seed)]
                pieces = [piece for piece in pieces if piece.shape[1] >= needed]
                if not any(piece.any() for piece in pieces):
                    seconds = self.parameters.style_seconds
                    raise ValueError(f"style_seconds={seconds:g} takes but silence of {name}; it must be longer")
            patches = [piece.shape[1] - needed + self.stft.hop_length for piece in pieces]
            with np.errstate(**OVERFLOW):
                matched.styles.extend(scaled(piece, gain).astype(np.float32) for piece in pieces)
            matched.shares.extend(share * n / sum(patches) for n in patches)
        return matched

    def gain(self, audio: Samples, channels: np.ndarray | slice = slice(None)) -> float:
        """The factor that brings channels, those that count, to the level at which transfers are made."""
        return Dynamics.of(audio, self.sample_rate, channels).gain if self.parameters.normalize else 1.0


class Work:
    """A recording on its way: its sections, what is finished of it and what that took.

    Parameters
    ----------
    dry : Samples
        The content.
    wet : Samples
        Of its shape, all zero: takes what is made, at the level of the transfer until all is finished.
    recipe : Recipe
    """

    def __init__(self, dry: Samples, wet: Samples, recipe: Recipe) -> None:
        self.dry, self.wet, self.recipe, self.parameters = dry, wet, recipe, recipe.parameters
        self.sections = self._plan()
        self.stages: dict[int, dict[str, Stage]] = {}
        self.seconds = 0.0
        self.sounding = self._sounding()
        self.gain = self._gain()

    @classmethod
    def of(cls, dry: Samples, wet: Samples, recipe: Recipe) -> Work:
        """The work that a recipe asks for."""
        return (OriginalWork if recipe.parameters.original else cls)(dry, wet, recipe)

    def active(self, k: int) -> np.ndarray:
        """Which channels are not silent in a section's window."""
        return np.asarray(self.dry[:, self.sections[k].window].any(axis=-1))

    def before(self, k: int, active: np.ndarray) -> tuple[np.ndarray, ...]:
        """The content of a section's window, the mask of its result and, for a second one, what is finished there."""
        section = self.sections[k]
        content = scaled(self.dry[:, section.window][active], self.gain(section.window))
        mask = self._mask(section.window)[active]
        if not section.second:
            return content, mask
        free = section.free()
        return content, mask * free, self.wet[:, section.window][active] * (1 - free)

    def after(self, k: int, active: np.ndarray, wet: np.ndarray, stages: dict[str, Stage]) -> None:
        """Keep what was made of a section."""
        section = self.sections[k]
        kept, offset = section.kept, section.window.start
        block = self.wet[:, kept]
        block[active] = wet[:, kept.start - offset : kept.stop - offset]
        self.wet[:, kept] = block
        self.stages[k] = stages

    def finish(self) -> None:
        """Bring the result to its level and into its mix, in place of the samples kept."""
        if not self.sounding.any():
            return
        dry_share, wet_share = self._shares()
        for section in self.sections:
            block = self.wet[:, section.own]
            dry, wet = self.dry[:, section.own][self.sounding], self._unscaled(section)
            block[self.sounding] = float32(dry_share * dry + wet_share * wet)
            self.wet[:, section.own] = block

    def _shares(self) -> tuple[float, float]:
        """Factors of dry and wet, at which the RMS moves evenly, in dB, from the one's to the other's with the mix."""
        dry_rms, wet_rms = self._rms(), _rms(self._unscaled(section) for section in self.sections)
        if not wet_rms:
            raise RuntimeError(FAILED)

        def correlation() -> float:
            products = [
                float(np.sum((self.dry[:, section.own][self.sounding] / dry_rms) * (self._unscaled(section) / wet_rms)))
                for section in self.sections
            ]
            return sum(products) / (int(self.sounding.sum()) * self.dry.shape[1])

        return level_shares(self.parameters, dry_rms, wet_rms, correlation)

    def _unscaled(self, section: Section) -> np.ndarray:
        """A section of the result at the content's level."""
        return self.wet[:, section.own][self.sounding].astype(np.float64) / self.gain(section.own)

    def _plan(self) -> list[Section]:
        return plan(self.dry.shape[1], *self.recipe.spans())

    def _sounding(self) -> np.ndarray:
        """Which channels are not silent all the time."""
        return np.any([self.active(k) for k in range(len(self.sections))], axis=0)

    def _gain(self) -> Gain:
        if self.parameters.normalize:
            return Dynamics.of(self.dry, self.recipe.sample_rate, self.sounding).curve
        return lambda window: 1.0

    def _mask(self, window: slice) -> np.ndarray:
        return silence_mask(self.dry, self.recipe.sample_rate, window)

    def _rms(self) -> float:
        return _rms(self.dry[:, section.own][self.sounding] for section in self.sections)


class TextureWork(Work):
    """A recording that has no content: of it, only the shape counts with alpha = 0."""

    def __init__(self, wet: Samples, recipe: Recipe) -> None:
        self.style = recipe.styles[0]
        super().__init__(np.broadcast_to(np.float32(0), wet.shape), wet, recipe)

    def active(self, k: int) -> np.ndarray:
        """Which channels of the style are not silent."""
        return self.sounding

    def _sounding(self) -> np.ndarray:
        return np.asarray(self.style.any(axis=-1))

    def _gain(self) -> Gain:
        gain = self.recipe.gain(self.style, self.sounding)
        return lambda window: gain

    def _mask(self, window: slice) -> np.ndarray:
        return np.ones((len(self.style), window.stop - window.start), np.float32)

    def _rms(self) -> float:
        return rms(self.style[self.sounding])


class OriginalWork(Work):
    """A recording styled by its mix to mono at the original's rate, in memory."""

    def __init__(self, dry: Samples, wet: Samples, recipe: Recipe) -> None:
        self.whole, self.whole_wet = dry, wet
        mono, self.scale = dry[:, :], 1.0
        if mono.any():
            if recipe.parameters.normalize:  # by a power of two, which is exact, as a mix of the quietest may be none
                self.scale = 2.0 ** -float(np.frexp(np.abs(mono).max())[1])
            mono = scaled(mono, self.scale).astype(np.float32)
            mono = match_channels(mono, np.ones(1, bool), "content")
            mono = resample(mono, recipe.content_rate, recipe.sample_rate)
        super().__init__(mono, np.zeros_like(mono), recipe)

    def finish(self) -> None:
        """Bring the result to the recording's rate, into all channels that sound, to its level and into its mix."""
        if self.sounding.any():
            rate, n_samples = self.recipe.content_rate, self.whole.shape[1]
            mono = self.wet[:, :].astype(np.float64) / self.gain(slice(0, self.wet.shape[1]))
            mono = resample(mono, self.recipe.sample_rate, rate)[:, :n_samples]
            mask = silence_mask(self.whole, rate)
            self.whole_wet[:, :] = mask * np.pad(mono, ((0, 0), (0, n_samples - mono.shape[1])))
            self.dry, self.wet, self.gain = self.whole, self.whole_wet, lambda window: self.scale
            self.sections, self.sounding = plan(n_samples, n_samples, 0, 0), np.asarray(self.whole[:, :].any(axis=1))
        super().finish()


def style_all(works: Sequence[Work], recipe: Recipe, progress: Progress) -> None:
    """Style the sections of recordings of one length: every second one, then those between them."""
    # Together go sections whose channels are silent alike, so that their styles are one.
    groups: dict[tuple[bool, bytes], list[tuple[Work, int]]] = {}
    for work in works:
        for k, section in enumerate(work.sections):
            active = work.active(k)
            if active.any():
                groups.setdefault((section.second, active.tobytes()), []).append((work, k))
    matched = {key: recipe.matched(np.frombuffer(key, bool)) for _, key in groups}
    costs = iteration_costs(recipe.parameters, recipe.stft)
    with reporting(progress, recipe.parameters.iterations, costs, sum(map(len, groups.values()))) as report:
        for second, key in sorted(groups):
            style_parts(groups[second, key], np.frombuffer(key, bool), matched[key], recipe, report)


def style_parts(
    parts: list[tuple[Work, int]],
    active: np.ndarray,
    styles: Matched,
    recipe: Recipe,
    report: Callable[[int], Report | None],
) -> None:
    """Style sections, of works by number, whose channels are silent alike; as many together as is best."""
    window, (channels, _) = parts[0][0].sections[parts[0][1]].window, styles.styles[0].shape
    style_samples = sum(style.shape[1] for style in styles.styles)
    size = item_bytes(recipe.parameters, recipe.stft, channels, window.stop - window.start, style_samples)
    run = functools.partial(_style_batch, recipe, active, styles, report)
    in_batches(run, parts, recipe.parameters.device, size)


def _style_batch(
    recipe: Recipe,
    active: np.ndarray,
    styles: Matched,
    report: Callable[[int], Report | None],
    batch: list[tuple[Work, int]],
    place: str,
) -> None:
    """Style sections whose channels are silent alike, together."""
    start = time.perf_counter()
    before = [work.before(k, active) for work, k in batch]
    contents, masks, *fixed = (np.stack(arrays) for arrays in zip(*before, strict=True))
    samples, stages = three_stages(
        contents,
        styles.styles,
        styles.shares,
        masks,
        recipe.sample_rate,
        recipe.parameters,
        recipe.stft,
        place,
        report(len(batch)),
        fixed[0] if fixed else None,
        [k for _, k in batch],
        styles.held,
    )
    together = Counter(work for work, _ in batch)  # the sections of a recording share its time
    for (work, k), wet, stage in zip(batch, samples, stages, strict=True):
        own = {name: replace(one, seconds=one.seconds / together[work]) for name, one in stage.items()}
        work.after(k, active, wet, own)
    for work in together:
        work.seconds += time.perf_counter() - start


def _rms(pieces: Iterable[np.ndarray]) -> float:
    """Root mean square over all pieces; their squares take more memory than a long recording."""
    energy, size = 0.0, 0
    for piece in pieces:
        energy, size = energy + float(np.square(piece, dtype=np.float64).sum()), size + piece.size
    return math.sqrt(energy / size)
