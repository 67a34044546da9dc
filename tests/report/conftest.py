"""Recordings for listening pages."""

import numpy as np
import pytest
import soundfile
from support.listening_page import RATE


@pytest.fixture
def recording(tmp_path):
    """A function that writes noise to a file and returns its path."""

    def write(name, seconds=0.2, rate=RATE, channels=1, peak=0.5, seed=0):
        noise = np.random.default_rng(seed).uniform(-1, 1, (round(seconds * rate), channels))
        path = tmp_path / name
        soundfile.write(path, peak * noise / np.abs(noise).max(initial=1e-9), rate, "FLOAT")
        return path

    return write
