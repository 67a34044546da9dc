"""The recording that these tests share."""

import numpy as np
import pytest


@pytest.fixture
def tone():
    """Half a second of 440 Hz at 8 kHz in two channels, with peaks of 0.5 and 0.25."""
    t = np.arange(4000) / 8000
    return np.stack([0.5 * np.sin(880 * np.pi * t), 0.25 * np.cos(880 * np.pi * t)]).astype(np.float32)
