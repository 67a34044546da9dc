"""The three stages of a transfer: a free spectrogram, its phases, and the audio itself."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .._cache import BoundedCache
from .._engine.arrays.array_module import Array, get_array_module, to_host
from .._engine.cuda.streams import computing_on, look
from .._engine.kernels.patches import sum_of_products
from .._engine.objectives.infinite_width import InfiniteWidth
from .._engine.objectives.loss_weights import loss_terms
from .._engine.objectives.random_conv import RandomConv, draw_filters
from .._engine.objectives.waveform import Objective, WaveformObjective
from .._engine.optimizers.adam import Adam
from .._engine.optimizers.lbfgs import LBFGS
from .._engine.optimizers.minimize import minimize
from .._engine.spectra.griffin_lim import MOMENTUM, griffin_lim, with_magnitude
from .._engine.spectra.stft import STFT
from ..progress import Report
from .costs import patch_samples
from .parameters import Parameters
from .results import Stage
from .starts import _noise, _powers, _small_noise

SPECTROGRAM_ADAM = {"learning_rate": 0.25, "nonnegative": True}


WAVEFORM_ADAM = {"learning_rate": 2.5e-3}


RENEWAL = 0.2
"""Share of the iterations after which L-BFGS, on its way from noise, takes the levels anew. Measured on three textures:
220 iterations then come as near to two styles' statistics as 260 and 300 do without, and to the third's as 220 do; a
second renewal adds nothing."""


FAILED = "the transfer failed: its result is silent or not finite"


def adam_beta(n_iter: int) -> float:
    """Both of Adam's decays for a run of ``n_iter`` iterations: its means reach over a fifteenth of the run.

    Measured: at 60 iterations 0.75 comes to what the usual 0.9 needs 100 for; at 200 iterations 0.9 is best.
    """
    return min(max(1 - 15 / n_iter, 2 / 3), 0.9)


class Run:
    """The stages of one transfer, each recorded and reported as it runs.

    Parameters
    ----------
    objective : InfiniteWidth or RandomConv
        Judges log-magnitude spectrograms.
    stft : STFT
        Their transform.
    parameters : Parameters
        Optimiser and iterations.
    others : sequence of (objective, STFT)
        At shorter windows, for the waveform stage alone.
    report : callable, optional
        Gets stage, iteration, total and losses by name, the mean over the batch.

    Attributes
    ----------
    stages : list of dict of str to Stage
        For each item of the batch.
    """

    def __init__(
        self,
        objective: Objective,
        stft: STFT,
        parameters: Parameters,
        batch: int,
        report: Report | None,
        others: Sequence[tuple[Objective, STFT]] = (),
    ) -> None:
        self.objective, self.stft, self.parameters, self.report = objective, stft, parameters, report
        self.others = others
        self.stages: list[dict[str, Stage]] = [{} for _ in range(batch)]

    def spectrogram(self, x: Array) -> Array:
        """Gradient steps on a free spectrogram; log-magnitudes (batch, frames, channels * bins), not negative."""
        x = self._optimize("spectrogram", self.objective, x, SPECTROGRAM_ADAM, self.parameters.spectrogram_iters)
        return get_array_module(x).maximum(x, 0)

    def phase(self, x: Array, phases: Array, n_samples: int, pin: Callable[[Array], Array] | None = None) -> Array:
        """Samples (batch, channels, n_samples) whose log-magnitudes are near x, from the phases of a spectrum."""
        n_iter, start = self.parameters.phase_iters, time.perf_counter()
        magnitude = self.stft.magnitude(x).reshape(phases.shape)
        if not n_iter:
            return self.stft.inverse(with_magnitude(phases, magnitude), n_samples)
        xp = get_array_module(x)
        inconsistency = xp.empty((n_iter, len(x)))
        size, judged = xp.maximum(_norm(magnitude), 1e-30), {}
        momentum = 0.0 if self.parameters.original else MOMENTUM
        steps = griffin_lim(self.stft, magnitude, phases, n_samples, n_iter, momentum, pin)
        for i, (samples, spectrum) in enumerate(steps, 1):
            y = samples
            inconsistency[i - 1] = _norm(xp.abs(spectrum) - magnitude) / size
            self._tell("phase", i, n_iter, ["inconsistency"], inconsistency[i - 1 : i])
            if i in (1, n_iter):  # an evaluation costs as much as two iterations, so only the ends are judged
                judged[i] = self.objective.value_and_grad(self.stft.log_magnitude(spectrum))[0]
        self._record("phase", start, judged, xp.stack([*judged.values()]), to_host(inconsistency))
        return y

    def waveform(self, y: Array, mask: Array, fixed: Array = None) -> Array:
        """Gradient steps on the samples; ``mask`` is a factor of each, and ``fixed`` is added."""
        y = y * mask if fixed is None else y * mask + fixed
        waveform = WaveformObjective(self.objective, self.stft, y, mask, fixed, self.others)
        u, p = waveform.coordinates(y), self.parameters
        from_noise = p.init == "noise" and not p.spectrogram_iters
        renew = waveform.renew if from_noise else None
        u = self._optimize("waveform", waveform, u, WAVEFORM_ADAM, p.waveform_iters, renew)
        return waveform.samples(u)

    def _optimize(
        self,
        name: str,
        objective: Objective,
        x: Array,
        adam: dict[str, Any],
        n_iter: int,
        renew: Callable[[Array], Array] | None = None,
    ) -> Array:
        if not n_iter:
            return x
        start = time.perf_counter()
        optimizer: Adam | LBFGS
        if self.parameters.optimizer == "adam":
            beta = adam_beta(n_iter)
            optimizer = Adam(n_iter=n_iter, beta1=beta, beta2=beta, **adam)
        else:
            optimizer = LBFGS(renewal=(round(RENEWAL * n_iter), renew) if renew else None)

        def report(iteration: int, losses: Array) -> None:
            self._tell(name, iteration, n_iter, ["style", "content"], losses)

        x, history = minimize(objective.value_and_grad, x, optimizer, n_iter, report)
        self._record(name, start, range(n_iter + 1), history)
        return x

    def _tell(self, stage: str, iteration: int, total: int, names: list[str], losses: Array) -> None:
        """Report losses, (names, batch), where it is time to look at them and there is somebody to hear."""
        if look(iteration, total, losses) and self.report:
            means = to_host(losses).mean(axis=1).tolist()
            self.report(stage, iteration, total, dict(zip(names, means, strict=True)))

    def _record(
        self, name: str, start: float, iterations: Iterable[int], history: Array, inconsistency: Any = None
    ) -> None:
        """Keep losses, (n, 2, batch), and inconsistency, (n, batch), for each item."""
        history, at = to_host(history), np.array([*iterations])
        seconds = time.perf_counter() - start
        for item, stages in enumerate(self.stages):
            own = None if inconsistency is None else inconsistency[:, item].copy()
            style, content = history[:, :, item].T.copy()
            stages[name] = Stage(seconds, at, style, content, own)


def _norm(a: Array) -> Array:
    """Euclidean norm per item, float64 (batch,)."""
    rows = a.reshape(*a.shape[:2], -1)
    return get_array_module(a).sqrt(sum_of_products(rows, rows))


def three_stages(
    contents: np.ndarray,
    styles: Sequence[np.ndarray],
    shares: Sequence[float],
    masks: np.ndarray,
    sample_rate: float,
    parameters: Parameters,
    stft: STFT,
    place: str,
    report: Report | None,
    fixed: np.ndarray | None = None,
    noises: Sequence[int] = (0,),
    held: BoundedCache | None = None,
) -> tuple[np.ndarray, list[dict[str, Stage]]]:
    """The styled samples of a batch and what the stages did.

    Parameters
    ----------
    contents : float array (batch, channels, samples)
    styles : sequence of float array (channels, samples)
        With as many channels, of which none is silent, all at the levels that are to be matched.
    shares : sequence of float
        Of each style in the target; they sum to one.
    masks : float array, of the contents' shape
        Factor of each sample of the result, zero where it has to be silent or is finished.
    sample_rate : float
        In Hz, of all of them.
    place : str
        Where to compute, one of `cards.places`.
    report : callable, optional
        Is told of the progress.
    fixed : float array, of the contents' shape, optional
        What is finished of the result, to be added to the masked samples. The losses of the audio count it, and the
        phases continue it.
    noises : sequence of int
        For each item, or for all, which of a seed's noises to start from, where that is asked for.
    held : BoundedCache, optional
        Of these styles and this seed: keeps their statistics on the CPU. On a card they are made anew: arrays there
        belong to a stream and to a pool of memory, and room is left for nothing but the batch.

    Returns
    -------
    samples : float32 array, of the contents' shape
    stages : list of dict of str to Stage, for each item

    Raises
    ------
    RuntimeError
        If a result is not finite.
    MemoryError
        If the batch does not fit.
    """
    n_samples = contents.shape[-1]
    padding = max(0, patch_samples(parameters, stft) - n_samples)
    noise_seed, filter_seed = np.random.SeedSequence(parameters.seed).spawn(2)
    noise_seeds = [noise_seed, *noise_seed.spawn(max(noises))]
    with computing_on(place, parameters.precision) as xp:
        content, mask = (xp.asarray(_padded(a, padding)) for a in (contents, masks))
        known = None if fixed is None else xp.asarray(_padded(fixed, padding))
        spectrum = stft.forward(content)
        length = content.shape[-1] if parameters.original else None
        style_samples = [xp.asarray(style[None, :, :length].astype(np.float32, copy=False)) for style in styles]
        held = held if held is not None and xp is np else BoundedCache(1 + len(parameters.other_stfts))

        def seen(one: STFT, seed: np.random.SeedSequence) -> _Seen:
            def make() -> _Seen:
                return _Seen([one.log_magnitude(one.forward(samples)) for samples in style_samples], parameters)

            return held.get((one, length, seed.spawn_key), make)

        what = (shares, contents.shape[1], sample_rate, parameters)
        reference = seen(stft, filter_seed)
        objective = _objective(stft.log_magnitude(spectrum), reference, *what, filter_seed)
        others: list[tuple[Objective, STFT]] = []
        for other, seed in zip(parameters.other_stfts, filter_seed.spawn(len(parameters.other_stfts)), strict=True):
            x = other.log_magnitude(other.forward(content))
            others.append((_objective(x, seen(other, seed), *what, seed, reference), other))
        starts = {"content": spectrum}
        if {parameters.init, parameters.phase_init} != {"content"}:
            shape = spectrum.shape[1:]
            powers = reference.held.get("powers", lambda: _powers(style_samples, stft))
            noise = xp.concatenate([_noise(shape, powers, shares, noise_seeds[i]) for i in noises])
            starts["noise"] = starts["random"] = xp.ascontiguousarray(xp.broadcast_to(noise, spectrum.shape))

        run = Run(objective, stft, parameters, len(contents), report, others)
        x = stft.log_magnitude(starts[parameters.init])
        if parameters.original and parameters.init == "noise":
            small = np.stack([_small_noise(x.shape[1:], noise_seeds[i]) for i in noises])
            x = xp.broadcast_to(xp.asarray(small), x.shape)
        x = run.spectrogram(x)
        pin = None if known is None else lambda y: y * mask + known
        y = run.phase(x, starts[parameters.phase_init], content.shape[-1], pin)
        y = to_host(run.waveform(y, mask, known))[..., :n_samples]

    if not np.isfinite(y).all():
        raise RuntimeError(FAILED)
    return y, run.stages


def _padded(audio: np.ndarray, padding: int) -> np.ndarray:
    """The audio in single precision, with silence behind it."""
    audio = audio.astype(np.float32, copy=False)
    return np.pad(audio, ((0, 0), (0, 0), (0, padding))) if padding else audio


class _Seen:
    """Styles through a window.

    Attributes
    ----------
    xs : list of array (1, frames, bins)
        Log-magnitudes of each; bins stack the channels.
    energies : list of float
        Mean squared norm of the frames of each.
    held : BoundedCache
        What objectives keep of them.
    """

    def __init__(self, xs: Sequence[Array], parameters: Parameters) -> None:
        self.xs = xs
        self.held = BoundedCache(2 + 2 * len(parameters.kernel_widths))  # of an objective up to two for each width

    @property
    def energies(self) -> list[float]:
        def make() -> list[float]:
            return [float(to_host(sum_of_products(x, x))[0]) / x.shape[1] for x in self.xs]

        return self.held.get("energies", make)


def _objective(
    content: Array,
    styles: _Seen,
    shares: Sequence[float],
    channels: int,
    sample_rate: float,
    parameters: Parameters,
    seed: Any,
    reference: _Seen | None = None,
) -> Objective:
    """What judges spectrograms; ``reference`` are the styles at the window whose balance of losses is kept."""
    terms = loss_terms(
        parameters.kernel_widths,
        alpha=parameters.alpha,
        n_frames=content.shape[1],
        bins=(reference or styles).xs[0].shape[2] // channels,
        sample_rate=sample_rate,
        active_channels=channels,
    )
    if parameters.original:
        patches, *style_patches = (x.shape[1] - max(parameters.kernel_widths) + 1 for x in (content, *styles.xs))
        shares = [share * n / patches for share, n in zip(shares, style_patches, strict=True)]
        terms = [term.as_published(content.shape[1]) for term in terms]
    if reference is not None:  # neither tones nor noise keep their energy where the window changes
        level = _frame_energy(reference, shares) / _frame_energy(styles, shares)
        terms = [term._replace(gain=term.gain * level) for term in terms]
    key = (tuple(term.of_style() for term in terms), *shares)
    if math.isinf(parameters.n_filters):
        statistics = styles.held.get(key, lambda: InfiniteWidth.style_statistics(styles.xs, terms, shares))
        return InfiniteWidth(content, statistics, terms)
    filters = draw_filters(terms, content.shape[2], int(parameters.n_filters), seed, like=content)
    features = styles.held.get(
        (*key, parameters.n_filters), lambda: RandomConv.style_statistics(styles.xs, terms, shares, filters)
    )
    return RandomConv(content, features, terms, filters)


def _frame_energy(styles: _Seen, shares: Sequence[float]) -> float:
    """Mean squared norm of the frames of styles."""
    return sum(share * energy for share, energy in zip(shares, styles.energies, strict=True))
