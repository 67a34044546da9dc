"""The transfer of a batch of sections through the three stages."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from ..._engine.arrays.array_module import Array
from ..._engine.cuda.memory import host_array, to_device, to_pinned_host
from ..._engine.cuda.streams import computing_on
from ..._engine.spectra.level_following import LevelFollower
from ...progress import StageReport
from ..parameters.parameter_list import Parameters
from ..results import Stage
from ..setup.starts import another_take, noise_spectrum, small_noise
from ..setup.transfer_setup import TransferSetup
from ..styles.matched_styles import StyleTarget
from ..styles.style_spectra import BatchStyles
from .equalized_content import EqualizedContent
from .stage_log import StageLog
from .stages import find_phases, optimize_spectrogram, optimize_waveform
from .strength import steered_objectives


@dataclass(frozen=True, eq=False)
class SectionInput:
    """The input of a section's transfer.

    Attributes
    ----------
    content : float32 array (channels, samples)
        At the level of transfers; no channel is silent.
    mask : float32 array (channels, samples), optional
        Factor of each sample of the result: zero where the result has to be silent or is already finished. None if all
        factors are 1.
    fixed : float array (channels, samples), optional
        The finished samples of the result, which are added to the masked ones. They count in the losses of the audio,
        and the phases continue them.
    noise_number : int
        Number of the noise to start from, in the sequence that the seed gives.
    band_gains : float32 array (levels, bands), optional
        Gains of the equaliser, see `transport_gains`; None without the equaliser.
    depth : float
        Factor of these gains in dB, 0 to 1.
    full_scale : float
        Full scale at the level of transfers; infinite where the content exceeds it.
    """

    content: np.ndarray
    mask: np.ndarray | None = None
    fixed: np.ndarray | None = None
    noise_number: int = 0
    band_gains: np.ndarray | None = None
    depth: float = 1.0
    full_scale: float = math.inf


@dataclass(frozen=True, eq=False)
class SectionBatch:
    """Sections of equal shape that are styled together; the arrays are those of `SectionInput`, stacked."""

    contents: np.ndarray
    masks: np.ndarray | None
    fixed: np.ndarray | None
    noise_numbers: tuple[int, ...]
    band_gains: np.ndarray | None = None
    depths: tuple[float, ...] = ()
    full_scales: tuple[float, ...] = ()

    @classmethod
    def of(cls, contents: np.ndarray, inputs: Sequence[SectionInput]) -> SectionBatch:
        """Return the batch of sections that all have finished samples, or all have none; likewise with gains.

        Parameters
        ----------
        contents : float32 array (batch, channels, samples)
            The contents of the inputs, which are views of it.
        inputs : sequence of SectionInput
        """
        fixed = [section.fixed for section in inputs if section.fixed is not None]
        gains = [section.band_gains for section in inputs if section.band_gains is not None]
        masks = None
        if any(section.mask is not None for section in inputs):
            masks = np.ones(contents.shape, np.float32)
            for mask, section in zip(masks, inputs, strict=True):
                if section.mask is not None:
                    mask[:] = section.mask
        return cls(
            contents,
            masks,
            np.stack(fixed) if fixed else None,
            tuple(section.noise_number for section in inputs),
            np.stack(gains) if gains else None,
            tuple(section.depth for section in inputs),
            tuple(section.full_scale for section in inputs),
        )

    @classmethod
    def combined(cls, batches: Sequence[SectionBatch], device: str) -> SectionBatch:
        """Return batches of sections of equal shape as one.

        All or none of them have finished samples, and gains. The contents are for copies to ``device``, see
        `host_array`.
        """
        size = sum(len(batch.contents) for batch in batches)
        contents = host_array((size, *batches[0].contents.shape[1:]), device)
        np.concatenate([batch.contents for batch in batches], out=contents)
        masks = None
        if any(batch.masks is not None for batch in batches):
            masks = np.concatenate(
                [np.ones(batch.contents.shape, np.float32) if batch.masks is None else batch.masks for batch in batches]
            )
        fixed = [batch.fixed for batch in batches if batch.fixed is not None]
        gains = [batch.band_gains for batch in batches if batch.band_gains is not None]
        return cls(
            contents,
            masks,
            np.concatenate(fixed) if fixed else None,
            tuple(itertools.chain.from_iterable(batch.noise_numbers for batch in batches)),
            np.concatenate(gains) if gains else None,
            tuple(itertools.chain.from_iterable(batch.depths for batch in batches)),
            tuple(itertools.chain.from_iterable(batch.full_scales for batch in batches)),
        )


@dataclass(frozen=True, eq=False)
class StyledBatch:
    """The result of a batch.

    Attributes
    ----------
    samples : float32 array (batch, channels, samples)
        In pinned memory if a GPU computed it.
    stages : list of dict of str to Stage
        The stages of each section.
    """

    samples: np.ndarray
    stages: list[dict[str, Stage]]

    def split(self, sizes: Sequence[int]) -> list[StyledBatch]:
        """Return the results of the batches of these sizes that were combined."""
        ends = [0, *itertools.accumulate(sizes)]
        return [StyledBatch(self.samples[a:b], self.stages[a:b]) for a, b in itertools.pairwise(ends)]


def three_stages(
    batch: SectionBatch,
    targets: Sequence[StyleTarget],
    setup: TransferSetup,
    device: str = "cpu",
    report: StageReport | None = None,
) -> StyledBatch:
    """Style a batch of sections.

    Parameters
    ----------
    batch : SectionBatch
    targets : sequence of StyleTarget
        The styles of all sections, or those of each; with as many channels as the contents.
    setup : TransferSetup
    device : str
        The device that computes, a name from `device_names`.
    report : callable, optional
        Called while the stages run, see `StageLog`.

    Raises
    ------
    MemoryError
        If the batch does not fit into the memory of the device.
    """
    parameters, stft, n_samples = setup.parameters, setup.stft, batch.contents.shape[-1]
    log = StageLog([{} for _ in batch.contents], report)
    with computing_on(device, parameters.precision) as xp:
        content, mask, fixed = _on_device(batch, setup.patch_samples, device, xp)
        follower = LevelFollower.of(content, setup.sample_rate) if parameters.dynamics else None
        equalized = EqualizedContent.of(content, batch.band_gains, batch.depths, follower, setup)
        styles = BatchStyles.of(targets, setup, content.shape[-1], xp)
        x, phases = _starts(stft.forward(equalized.held), styles, setup, batch.noise_numbers, xp)
        objectives, balance = steered_objectives(content, equalized, styles, setup)
        x = optimize_spectrogram(x, objectives[0], parameters, log)
        y = find_phases(x, phases, content.shape[-1], objectives[0], setup, log, mask, fixed)
        ceilings = _ceilings(batch, content, y, parameters, xp)
        y = optimize_waveform(y, mask, fixed, objectives, balance, setup, log, follower, ceilings)
        samples = to_pinned_host(y[..., :n_samples])
    return StyledBatch(samples, log.stages)


def _ceilings(batch: SectionBatch, content: Array, y: Array, parameters: Parameters, xp: ModuleType) -> Array | None:
    """Return the magnitudes of y, (batch,), that become full scale at the contents' level; None to limit no peaks."""
    if not (parameters.normalize and parameters.match_level and np.isfinite(batch.full_scales).any()):
        return None
    if parameters.dynamics:  # the result has the content's level already
        return xp.asarray(batch.full_scales)
    energies = [xp.square(audio).sum(axis=(1, 2), dtype=np.float64) for audio in (y, content)]
    return xp.asarray(batch.full_scales) * xp.sqrt(energies[0] / xp.maximum(energies[1], 1e-30))


def _on_device(
    batch: SectionBatch, least_samples: int, device: str, xp: ModuleType
) -> tuple[Array, Array, Array | None]:
    """Return contents, masks and finished samples as float32 arrays, padded with silence where they are short."""
    padding = ((0, 0), (0, 0), (0, max(0, least_samples - batch.contents.shape[-1])))

    def padded(audio: Array) -> Array:
        return xp.pad(audio, padding) if padding[-1][1] else audio

    def copied(audio: np.ndarray) -> Array:
        return padded(to_device(audio.astype(np.float32, copy=False), device))

    masks = padded(xp.ones(batch.contents.shape, np.float32)) if batch.masks is None else copied(batch.masks)
    return copied(batch.contents), masks, None if batch.fixed is None else copied(batch.fixed)


def _starts(
    spectrum: Array,
    styles: BatchStyles,
    setup: TransferSetup,
    noise_numbers: Sequence[int],
    xp: ModuleType,
) -> tuple[Array, Array]:
    """Return the log-magnitudes, (batch, frames, channels * bins), and the phases, a spectrum, to start from.

    Parameters
    ----------
    spectrum : complex array (batch, frames, channels, bins)
        The spectrum of the contents.
    styles : BatchStyles
        The same for all items, with powers, for a start from noise.
    setup : TransferSetup
    noise_numbers : sequence of int
        One for each item of the batch.
    xp : module
    """
    parameters = setup.parameters
    noise_seed, _ = np.random.SeedSequence(parameters.seed).spawn(2)
    seeds, shape = [noise_seed, *noise_seed.spawn(max(noise_numbers))], spectrum.shape[1:]
    if {parameters.init, parameters.phase_init} != {"content"}:
        powers, shares = styles.spectra[0].powers, styles.targets[0].shares
        parts = _by_number(lambda i: noise_spectrum(shape, powers, shares, seeds[i])[0], noise_numbers, xp)
        noise = xp.ascontiguousarray(xp.broadcast_to(parts, spectrum.shape))
    else:
        if parameters.strength is not None:  # with an alpha, the start is the content itself
            spectrum = spectrum * _by_number(lambda i: xp.asarray(another_take(shape, seeds[i])), noise_numbers, xp)
        noise = spectrum
    x = setup.stft.log_magnitude(noise if parameters.init == "noise" else spectrum)
    if parameters.original and parameters.init == "noise":
        small = _by_number(lambda i: xp.asarray(small_noise(x.shape[1:], seeds[i])), noise_numbers, xp)
        x = xp.ascontiguousarray(xp.broadcast_to(small, x.shape))
    return x, noise if parameters.phase_init == "random" else spectrum


def _by_number(make: Callable[[int], Array], numbers: Sequence[int], xp: ModuleType) -> Array:
    """Return the arrays that a function makes from numbers, one for each item of a batch: (batch or 1, ...).

    Recordings of one section all have the number 0. So each number is drawn and copied to the device only once: 64
    clips of ten seconds took 1.2 s and 227 MB.
    """
    made = {number: make(number) for number in dict.fromkeys(numbers)}
    return xp.stack([made[number] for number in (numbers if len(made) > 1 else numbers[:1])])
