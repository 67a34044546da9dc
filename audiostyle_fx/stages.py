"""The three stages of a transfer: a free spectrogram, its phases, and the audio itself."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from .backend import Array, get_array_module, one_thread_each, to_host
from .infinite_width import InfiniteWidth
from .optimize import LBFGS, Adam, minimize
from .parameters import Parameters
from .phase import griffin_lim, with_magnitude
from .progress import Report
from .random_conv import RandomConv
from .scaling import loss_terms
from .spectral import STFT
from .waveform import Objective, WaveformObjective

SPECTROGRAM_ADAM = {"learning_rate": 0.25, "nonnegative": True}
WAVEFORM_ADAM = {"learning_rate": 2.5e-3}


def adam_beta(n_iter: int) -> float:
    """Both of Adam's decays for a run of ``n_iter`` iterations: its means reach over a fifteenth of the run.

    Measured: at 60 iterations 0.75 comes to what the usual 0.9 needs 100 for; at 200 iterations 0.9 is best.
    """
    return min(max(1 - 15 / n_iter, 2 / 3), 0.9)


@dataclass(frozen=True, eq=False)
class Stage:
    """What one stage did.

    Attributes
    ----------
    seconds : float
        Time it took.
    iterations : int array (n,)
        Iterations after which the losses were taken: from 0 to the last, but in the phase stage the first and the last.
    style, content : float64 array (n,)
        The two parts of the loss there; in the phase and waveform stages those of the audio.
    inconsistency : float64 array, optional
        In the phase stage, after each iteration: how far the audio's magnitudes are from those sought, relative.
    """

    seconds: float
    iterations: np.ndarray
    style: np.ndarray
    content: np.ndarray
    inconsistency: np.ndarray | None = None


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
    report : callable
        Gets stage, iteration, total and losses by name.
    """

    def __init__(self, objective: Objective, stft: STFT, parameters: Parameters, report: Report) -> None:
        self.objective, self.stft, self.parameters, self.report = objective, stft, parameters, report
        self.stages: dict[str, Stage] = {}

    def spectrogram(self, x: Array) -> Array:
        """Gradient steps on a free spectrogram; log-magnitudes (batch, frames, channels * bins), not negative."""
        x = self._optimize("spectrogram", self.objective, x, SPECTROGRAM_ADAM, self.parameters.spectrogram_iters)
        return get_array_module(x).maximum(x, 0)

    def phase(self, x: Array, phases: Array, n_samples: int) -> Array:
        """Samples (batch, channels, n_samples) whose log-magnitudes are near x, from the phases of a spectrum."""
        n_iter, start = self.parameters.phase_iters, time.perf_counter()
        magnitude = self.stft.magnitude(x).reshape(phases.shape)
        if not n_iter:
            return self.stft.inverse(with_magnitude(phases, magnitude), n_samples)
        xp = get_array_module(x)
        size, inconsistency, judged = max(float(xp.linalg.norm(magnitude)), 1e-30), [], {}
        for i, (samples, spectrum) in enumerate(griffin_lim(self.stft, magnitude, phases, n_samples, n_iter), 1):
            y = samples
            inconsistency.append(float(xp.linalg.norm(xp.abs(spectrum) - magnitude) / size))
            self.report("phase", i, n_iter, {"inconsistency": inconsistency[-1]})
            if i in (1, n_iter):  # an evaluation costs as much as two iterations, so only the ends are judged
                judged[i] = self.objective.value_and_grad(self.stft.log_magnitude(spectrum))[0]
        self._record("phase", start, judged, xp.stack([*judged.values()]), np.array(inconsistency))
        return y

    def waveform(self, y: Array, mask: Array) -> Array:
        """Gradient steps on the samples; ``mask`` is a factor of each, zero where they have to stay zero."""
        y = y * mask
        waveform = WaveformObjective(self.objective, self.stft, y, mask)
        u = waveform.coordinates(y)
        u = self._optimize("waveform", waveform, u, WAVEFORM_ADAM, self.parameters.waveform_iters)
        return waveform.samples(u)

    def _optimize(self, name: str, objective: Objective, x: Array, adam: dict[str, Any], n_iter: int) -> Array:
        if not n_iter:
            return x
        start = time.perf_counter()
        beta = adam_beta(n_iter)
        optimizer = (
            Adam(n_iter=n_iter, beta1=beta, beta2=beta, **adam) if self.parameters.optimizer == "adam" else LBFGS()
        )

        def report(iteration: int, losses: Array) -> None:
            style, content = to_host(losses).sum(axis=1)
            self.report(name, iteration, n_iter, {"style": float(style), "content": float(content)})

        x, history = minimize(objective.value_and_grad, x, optimizer, n_iter, report)
        self._record(name, start, range(n_iter + 1), history)
        return x

    def _record(
        self, name: str, start: float, iterations: Any, history: Array, inconsistency: np.ndarray | None = None
    ) -> None:
        style, content = to_host(history).sum(axis=2).T
        self.stages[name] = Stage(
            time.perf_counter() - start, np.array(list(iterations)), style, content, inconsistency
        )


def three_stages(
    content: np.ndarray,
    style: np.ndarray,
    mask: np.ndarray,
    sample_rate: float,
    parameters: Parameters,
    stft: STFT,
    report: Report,
) -> tuple[np.ndarray, dict[str, Stage]]:
    """The styled samples and what the stages did.

    Parameters
    ----------
    content, style : float array (channels, samples)
        With as many channels, of which none is silent, at the levels that are to be matched.
    mask : float array, of the content's shape
        Factor of each sample of the result, zero where it has to be silent.
    sample_rate : float
        In Hz, of all of them.

    Returns
    -------
    samples : float64 array, of the content's shape
    stages : dict of str to Stage

    Raises
    ------
    RuntimeError
        If the result is silent or not finite.
    """
    n_samples = content.shape[-1]
    padding = max(0, patch_samples(parameters, stft) - n_samples)
    content, mask = (np.pad(a, ((0, 0), (0, padding)))[None].astype(np.float32) for a in (content, mask))
    noise_seed, filter_seed = np.random.SeedSequence(parameters.seed).spawn(2)
    with one_thread_each:
        spectrum, style_spectrum = stft.forward(content), stft.forward(style[None].astype(np.float32))
        target, style_x = stft.log_magnitude(spectrum), stft.log_magnitude(style_spectrum)
        objective = _objective(target, style_x, len(style), sample_rate, parameters, filter_seed)
        starts = {"content": spectrum}
        if {parameters.init, parameters.phase_init} != {"content"}:
            starts["noise"] = starts["random"] = _noise(spectrum.shape, style_spectrum, noise_seed)

        run = Run(objective, stft, parameters, report)
        x = run.spectrogram(stft.log_magnitude(starts[parameters.init]))
        y = run.phase(x, starts[parameters.phase_init], content.shape[-1])
        y = run.waveform(y, mask)

    samples = to_host(y)[0, :, :n_samples].astype(np.float64)
    if not np.isfinite(samples).all() or not samples.any():
        raise RuntimeError("the transfer failed: its result is silent or not finite")
    return samples, run.stages


def patch_samples(parameters: Parameters, stft: STFT) -> int:
    """Samples that the widest patch of frames spans, the least that a transfer needs."""
    return (max(parameters.kernel_widths) - 1) * stft.hop_length + stft.n_fft


def _objective(
    content: Array, style: Array, channels: int, sample_rate: float, parameters: Parameters, seed: Any
) -> Objective:
    terms = loss_terms(
        parameters.kernel_widths,
        alpha=parameters.alpha,
        n_frames=content.shape[1],
        bins=content.shape[2] // channels,
        sample_rate=sample_rate,
        active_channels=channels,
    )
    if math.isinf(parameters.n_filters):
        return InfiniteWidth(content, style, terms)
    return RandomConv(content, style, terms, n_filters=int(parameters.n_filters), seed=seed)


def _noise(shape: tuple[int, ...], style_spectrum: Array, seed: np.random.SeedSequence) -> Array:
    """Gaussian noise with the style's long-term spectrum, as a spectrum (batch, frames, channels, bins)."""
    xp = get_array_module(style_spectrum)
    parts = np.random.default_rng(seed).standard_normal((2, *shape), np.float32)
    level = xp.sqrt((xp.abs(style_spectrum) ** 2).mean(axis=1, keepdims=True) / 2)
    return xp.asarray(parts[0] + 1j * parts[1]) * level
