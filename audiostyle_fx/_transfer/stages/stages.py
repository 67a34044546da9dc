"""The three stages of a transfer: a free spectrogram, its phases, and the audio itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from ..._engine.arrays.array_module import Array, get_array_module
from ..._engine.kernels.patches import sum_of_products
from ..._engine.kernels.spectra import magnitude_distance, with_magnitude
from ..._engine.objectives.balance import Balance
from ..._engine.objectives.fused_waveform import waveform_objective
from ..._engine.objectives.peaks import PeakCost, near_ceilings
from ..._engine.objectives.reduced import Reduced
from ..._engine.objectives.spectrogram_match import SpectrogramMatch
from ..._engine.objectives.waveform import Objective
from ..._engine.optimizers.adam import Adam
from ..._engine.optimizers.lbfgs import LBFGS, QUICK_PAIRS
from ..._engine.optimizers.minimize import minimize
from ..._engine.spectra.griffin_lim import MOMENTUM, griffin_lim
from ..._engine.spectra.level_following import LevelFollower
from ..parameters.parameter_list import Parameters
from ..setup.transfer_setup import TransferSetup
from .stage_log import StageHistory, StageLog

SPECTROGRAM_ADAM = {"learning_rate": 0.25, "nonnegative": True}

WAVEFORM_ADAM = {"learning_rate": 2.5e-3}

MATCHING = 0.15
"""Share of the phase iterations that are steps of L-BFGS on the samples. They bring the log-magnitudes nearer to the
target than Griffin-Lim does. Measured at 18 iterations on four pairs: two to five such steps lower the audio's loss by
0.7 %, and seven lower it no further. With a strength, where Adam follows, they gain nothing."""

QUICK_LBFGS: dict[str, Any] = {"memory": QUICK_PAIRS, "first": 0.35}
"""Settings of L-BFGS for runs of few iterations: a large first step, and no more memory than they can fill."""

RENEWAL = 0.4
"""Share of the iterations after which L-BFGS measures the levels again (start from noise only). Measured on three
textures, by statistics other than the loss's: 150 iterations reach a distance of 0.74 with this share, and 0.78 with a
share of 0.2. A second renewal adds nothing."""


def adam_beta(n_iter: int) -> float:
    """Return both decay rates of Adam for a run of ``n_iter`` iterations: its means span a fifteenth of the run.

    Measured: 60 iterations with 0.75 reach as far as 100 with the usual 0.9; at 200 iterations 0.9 is best.
    """
    return min(max(1 - 15 / n_iter, 2 / 3), 0.9)


def optimize_spectrogram(x: Array, objective: Objective, parameters: Parameters, log: StageLog) -> Array:
    """Take gradient steps on log-magnitudes, (batch, frames, channels * bins); the result is not negative."""
    xp, n_iter = get_array_module(x), parameters.iterations["spectrogram"]
    if not n_iter:
        return x
    reduced = Reduced.of(objective, x)
    if parameters.takes_adam:
        x = _minimize("spectrogram", reduced.of_frames, x, SPECTROGRAM_ADAM, parameters, log)
        return xp.maximum(reduced.projected(x), 0)
    z = _minimize("spectrogram", reduced.objective, reduced.start, SPECTROGRAM_ADAM, parameters, log)
    return xp.maximum(reduced.frames(z), 0)


def find_phases(
    x: Array,
    phases: Array,
    n_samples: int,
    objective: Objective,
    setup: TransferSetup,
    log: StageLog,
    mask: Array,
    fixed: Array | None = None,
) -> Array:
    """Find audio whose log-magnitudes are near the given ones.

    Griffin-Lim comes first. If L-BFGS is the optimizer, the last iterations are its steps on the samples.

    Parameters
    ----------
    x : array (batch, frames, channels * bins)
        Log-magnitudes.
    phases : complex array (batch, frames, channels, bins)
        Spectrum with the phases to start from.
    n_samples : int
        Length of the result.
    objective : Objective
        Gives the losses that are recorded.
    setup : TransferSetup
    log : StageLog
    mask : array (batch, channels, n_samples)
        Factor of each sample; used only if some samples are finished.
    fixed : array (batch, channels, n_samples), optional
        Finished samples, which are added to the result.

    Returns
    -------
    array (batch, channels, n_samples)
    """
    stft, n_iter, start = setup.stft, setup.parameters.iterations["phase"], time.perf_counter()
    magnitude = stft.magnitude(x).reshape(phases.shape)
    if not n_iter:
        return stft.inverse(with_magnitude(phases, magnitude), n_samples)
    xp, n_matched = get_array_module(x), _matching_steps(setup.parameters)
    inconsistency, size = xp.empty((n_iter, len(x))), xp.maximum(_norm(magnitude), 1e-30)

    def report(iteration: int, value: Array) -> None:
        inconsistency[iteration - 1] = value
        log.progress("phase", iteration, n_iter, inconsistency[iteration - 1 : iteration], ["inconsistency"])

    momentum = 0.0 if setup.parameters.original else MOMENTUM
    pin = None if fixed is None else lambda y: y * mask + fixed
    steps = griffin_lim(stft, magnitude, phases, n_samples, n_iter - n_matched, momentum, pin)
    for i, (samples, rebuilt, distance) in enumerate(steps, 1):
        y, spectrum = samples, rebuilt
        report(i, distance / size)
    if n_matched:
        y = _matched(y, x, n_matched, setup, mask, fixed, lambda i, value: report(n_iter - n_matched + i, value))
        spectrum = stft.forward(y)
        report(n_iter, magnitude_distance(spectrum, magnitude) / size)
    losses = objective.value_and_grad(stft.log_magnitude(spectrum))[0]
    log.record(StageHistory("phase", [n_iter], losses[None], inconsistency, start=start))
    return y


def _matching_steps(parameters: Parameters) -> int:
    """Return how many of the last phase iterations are steps of L-BFGS."""
    return 0 if parameters.takes_adam or parameters.original else round(MATCHING * parameters.iterations["phase"])


def _matched(
    y: Array,
    x: Array,
    n_iter: int,
    setup: TransferSetup,
    mask: Array,
    fixed: Array | None,
    report: Callable[[int, Array], None],
) -> Array:
    """Return samples whose log-magnitudes are nearer to x, by steps of L-BFGS from y; report all but the last."""
    match = SpectrogramMatch(x)
    waveform = waveform_objective(match, setup.stft, y, 1.0 if fixed is None else mask, fixed)

    def report_step(iteration: int, losses: Array) -> None:
        if 0 < iteration < n_iter:  # the start and the returned point are reported elsewhere
            report(iteration, match.inconsistency)

    u = waveform.coordinates(y)
    return waveform.samples(minimize(waveform.value_and_grad, u, LBFGS(**QUICK_LBFGS), n_iter, report_step)[0])


def optimize_waveform(
    y: Array,
    mask: Array,
    fixed: Array | None,
    objectives: Sequence[Objective],
    balance: Balance | None,
    setup: TransferSetup,
    log: StageLog,
    follower: LevelFollower | None = None,
    ceilings: Array | None = None,
) -> Array:
    """Take gradient steps on samples.

    Parameters
    ----------
    y : array (batch, channels, samples)
    mask : array of y's shape
        Factor of each sample: zero where the result has to be silent or is already finished.
    fixed : array of y's shape, or None
        Finished samples, which are added to the result.
    objectives : sequence of Objective
        One for each window of the setup.
    balance : Balance or None
        That of the objectives.
    setup : TransferSetup
    log : StageLog
    follower : LevelFollower, optional
        Gives the result the level of the content, even if no step is taken.
    ceilings : array (batch,), optional
        The magnitude that becomes full scale; peaks are kept below it where this costs little.

    Returns
    -------
    array of y's shape
    """
    y, parameters = y * mask if fixed is None else y * mask + fixed, setup.parameters
    (objective, stft), *others = zip(objectives, setup.stfts, strict=True)
    weight = sum(window.style_weight for window in setup.windows)
    waveform = waveform_objective(objective, stft, y, mask, fixed, others, weight, follower)
    u = waveform.coordinates(y)
    from_noise = parameters.init == "noise" and not parameters.spectrogram_iters
    renew = (lambda u, losses: waveform.renew(u)) if from_noise else None
    if ceilings is not None and not from_noise and parameters.waveform_iters:
        near, xp = near_ceilings(y, ceilings), get_array_module(y)
        if near.any():  # the others get no cost, and are searched as if they were alone
            with nullcontext() if balance is None else balance.unsteered():
                losses = waveform.value_and_grad(u)[0]
            if parameters.strength is not None:
                losses = losses[:1]  # the content loss has no weight
            waveform.peak_cost = PeakCost(y, xp.where(near, ceilings, np.inf), losses)
    return waveform.samples(_minimize("waveform", waveform, u, WAVEFORM_ADAM, parameters, log, renew))


def _minimize(
    stage: str,
    objective: Objective,
    x: Array,
    adam: dict[str, Any],
    parameters: Parameters,
    log: StageLog,
    renew: Callable[[Array, Array], Array] | None = None,
) -> Array:
    """Minimize the sum of an objective's losses from x, and record the stage; return the minimum found."""
    n_iter = parameters.iterations[stage]
    if not n_iter:
        return x
    start, optimizer = time.perf_counter(), _optimizer(parameters, n_iter, adam, renew)

    def report(iteration: int, losses: Array) -> None:
        log.progress(stage, iteration, n_iter, losses, ["style", "content"])

    x, history = minimize(objective.value_and_grad, x, optimizer, n_iter, report)
    log.record(StageHistory(stage, range(n_iter + 1), history, start=start))
    return x


def _optimizer(
    parameters: Parameters,
    n_iter: int,
    adam: dict[str, Any],
    renew: Callable[[Array, Array], Array] | None,
) -> Adam | LBFGS:
    """Return the optimizer for a run of ``n_iter`` iterations."""
    if parameters.takes_adam:
        beta = adam_beta(n_iter)
        return Adam(n_iter=n_iter, beta1=beta, beta2=beta, **adam)
    options = QUICK_LBFGS if parameters.optimizer == "auto" else {}
    return LBFGS(renewals=[round(RENEWAL * n_iter)] if renew else [], renew=renew, **options)


def _norm(a: Array) -> Array:
    """Return the Euclidean norm of each item of a batch, float64 (batch,)."""
    rows = a.reshape(*a.shape[:2], -1)
    return get_array_module(a).sqrt(sum_of_products(rows, rows))
