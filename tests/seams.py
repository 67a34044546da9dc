"""How audible the joins of a recording are: its level and its spectral flux there, compared with everywhere else."""

import numpy as np

WINDOW_SECONDS, STEP_SECONDS = 0.05, 0.01


def positions(n_samples, rate):
    """The samples on which to look, a step apart."""
    margin = round(2 * WINDOW_SECONDS * rate)
    return np.arange(margin, n_samples - margin, round(STEP_SECONDS * rate))


def level(audio, at, rate):
    """Level in dB of the 50 ms around each position."""
    half = round(WINDOW_SECONDS * rate / 2)
    energy = np.concatenate([[0], np.cumsum(np.square(np.atleast_2d(audio), dtype=np.float64).mean(axis=0))])
    return 10 * np.log10((energy[at + half] - energy[at - half]) / (2 * half) + 1e-12)


def flux(audio, at, rate, seconds=0.025):
    """Change of the spectrum at each position, in dB: between the windows that end and begin around it."""
    size = round(seconds * rate) // 2 * 2
    window, mono = np.hanning(size + 1)[:-1], np.atleast_2d(audio).mean(axis=0)
    before, after = (
        np.abs(np.fft.rfft(window * mono[(at + shift)[:, None] + np.arange(-(size // 2), size // 2)]))
        for shift in (-(size // 4), size // 4)
    )
    change = np.abs(after - before).sum(axis=1) / ((after + before).sum(axis=1) / 2 + 1e-9)
    return 20 * np.log10(change + 1e-3)


def click(audio, at, rate, seconds=0.002):
    """Level in dB of what a prediction from the neighbouring samples leaves, around each position."""
    mono = np.atleast_2d(audio).mean(axis=0, dtype=np.float64)
    rough = np.zeros(len(mono))
    rough[2:-2] = np.convolve(mono, [1, -4, 6, -4, 1], "valid") ** 2
    half = max(1, round(seconds * rate / 2))
    return 10 * np.log10(np.max(rough[at[:, None] + np.arange(-half, half + 1)], axis=1) + 1e-16)


def seams(result, content, joins, rate):
    """For level and flux: the mean over the joins less that over all positions, and each join's percentile."""
    everywhere, report = positions(np.shape(content)[-1], rate), {}
    for measure in (level, flux, click):
        values, there = (
            measure(result, at, rate) - (measure(content, at, rate)) for at in (everywhere, np.asarray(joins))
        )
        report[measure.__name__] = there.mean() - values.mean(), np.array([100 * (values < v).mean() for v in there])
    return report
