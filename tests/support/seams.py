"""How audible the joins of a recording are: its level and its spectral flux there, compared with everywhere else."""

import numpy as np

WINDOW_SECONDS, STEP_SECONDS = 0.05, 0.01
MEAN_DB, PERCENTILES = 1.0, (1, 99)


def level(audio, at, rate):
    """Level in dB of the 50 ms around each position."""
    half = round(WINDOW_SECONDS * rate / 2)
    energy = np.concatenate([[0], np.cumsum(np.square(audio, dtype=np.float64).mean(axis=0))])
    return 10 * np.log10((energy[at + half] - energy[at - half]) / (2 * half) + 1e-12)


def flux(audio, at, rate):
    """Change of the spectrum at each position in dB, between windows of 25 ms on either side that half overlap."""
    size = round(WINDOW_SECONDS * rate / 2) // 4 * 4
    window, mono = np.hanning(size + 1)[:-1], audio.mean(axis=0)
    before, after = (
        np.abs(np.fft.rfft(window * mono[(at + shift)[:, None] + np.arange(-(size // 2), size // 2)]))
        for shift in (-(size // 4), size // 4)
    )
    change = np.abs(after - before).sum(axis=1) / ((after + before).sum(axis=1) / 2 + 1e-9)
    return 20 * np.log10(change + 1e-3)


def seams(result, content, joins, rate):
    """For the level less the content's, and for the flux: mean over joins less that over all positions; percentiles."""
    result, content = np.atleast_2d(result), np.atleast_2d(content)
    margin, joins = round(2 * WINDOW_SECONDS * rate), np.asarray(joins)
    everywhere = np.arange(margin, content.shape[-1] - margin, round(STEP_SECONDS * rate))
    measures = {
        "level": lambda at: level(result, at, rate) - level(content, at, rate),
        "flux": lambda at: flux(result, at, rate),  # where nothing changes, the content's is next to nothing
    }
    report = {}
    for name, measure in measures.items():
        values, there = measure(everywhere), measure(joins)
        report[name] = float(there.mean() - values.mean()), np.array([100 * np.mean(values < v) for v in there])
    return report


def inaudible(report):
    """Whether no measure tells the joins from other places."""
    low, high = PERCENTILES
    return all(abs(mean) <= MEAN_DB and ((low <= p) & (p <= high)).all() for mean, p in report.values())
