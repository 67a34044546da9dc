"""Samples on disk read and write as an array does."""

import os

import numpy as np
import pytest

from audiostyle_fx._recordings import disk_samples
from audiostyle_fx._recordings.disk_samples import SampleFile

pytestmark = pytest.mark.usefixtures("place")


@pytest.fixture(params=["in memory", "on disk", "both"])
def place(request, monkeypatch):
    """Where the samples are: in the last case in memory at first, until some are appended."""
    most = {"in memory": 1 << 30, "on disk": -1, "both": 3000}[request.param]
    monkeypatch.setattr(disk_samples, "IN_MEMORY", most)


def test_samples_on_disk_are_those_of_an_array(tmp_path):
    rng, array = np.random.default_rng(0), np.zeros((3, 200), np.float32)
    with SampleFile(tmp_path, 3, 200) as samples:
        assert samples.shape == (3, 200)
        for start, stop in np.sort(rng.integers(0, 201, (40, 2))).tolist():
            block = rng.standard_normal((3, stop - start)).astype(np.float32)
            samples[:, start:stop] = array[:, start:stop] = block
            first, last = sorted(rng.integers(0, 201, 2).tolist())
            np.testing.assert_array_equal(samples[:, first:last], array[:, first:last])
            np.testing.assert_array_equal(samples[1:, -last:], array[1:, -last:])
        np.testing.assert_array_equal(samples[:, :], array)


def test_samples_are_appended(tmp_path, tone):
    with SampleFile(tmp_path, 2) as samples:
        for start in range(0, 4000, 700):
            samples.append(tone[:, start : start + 700])
        assert samples.shape == tone.shape
        np.testing.assert_array_equal(samples[:, :], tone)


def test_what_is_read_may_be_changed(tmp_path, tone):
    with SampleFile(tmp_path, 2) as samples:
        samples.append(tone)
        for key in ((slice(None), slice(None)), (slice(1), slice(0, 10))):
            samples[key][:] = 7
        np.testing.assert_array_equal(samples[:, :], tone)


def test_the_file_has_no_name(tmp_path, tone):
    with SampleFile(tmp_path, 2) as samples:
        samples.append(tone)
        assert os.listdir(tmp_path) == []


def test_samples_of_another_shape_are_refused(tmp_path):
    with SampleFile(tmp_path, 2, 100) as samples:
        with pytest.raises(ValueError, match=r"\(2, 11\) samples can't be written"):
            samples[:, :10] = np.zeros((2, 11), np.float32)
        with pytest.raises(ValueError, match=r"can't be written"):
            samples[:1, :10] = np.zeros((1, 10), np.float32)
