"""Sound files of all kinds, without metadata, and ways to read what is in them."""

import io

import numpy as np
import pytest
import soundfile

from audiostyle_fx._recordings.metadata import write_metadata

RATE = 8000
TONE = 0.5 * np.sin(np.arange(801) / 5)  # an odd number of samples

FILES = {
    "wav": ("WAV", "PCM_16"),
    "odd_wav": ("WAV", "PCM_U8"),
    "float_wav": ("WAV", "FLOAT"),
    "wavex": ("WAVEX", "PCM_24"),
    "rf64": ("RF64", "PCM_16"),
    "odd_rf64": ("RF64", "PCM_U8"),
    "aiff": ("AIFF", "PCM_16"),
    "odd_aiff": ("AIFF", "PCM_S8"),
    "aifc": ("AIFF", "FLOAT"),
    "flac": ("FLAC", "PCM_16"),
    "vorbis": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", None),
    "caf": ("CAF", "PCM_16"),
    "odd_caf": ("CAF", "PCM_S8"),
    "alac": ("CAF", "ALAC_16"),
}
"""libsndfile's format and sample format."""


class SoundFile:
    """A finished sound file of one kind."""

    def __init__(self, path, kind):
        self.path, self.format = path, FILES[kind][0]
        soundfile.write(path, TONE, RATE, FILES[kind][1], format=self.format)
        self.samples = soundfile.read(path)[0]

    def write(self, metadata):
        """Add metadata, check that the audio stays the same, and return what was lost."""
        lost = write_metadata(self.path, self.format, metadata)
        np.testing.assert_array_equal(soundfile.read(self.path)[0], self.samples)
        return lost

    def tags(self):
        """The tags that libsndfile finds."""
        with soundfile.SoundFile(self.path) as file:
            return file.copy_metadata()


@pytest.fixture
def sound_file(tmp_path):
    return lambda kind: SoundFile(tmp_path / f"{kind}.{FILES[kind][0].lower()}", kind)


@pytest.fixture
def wav_with(tmp_path):
    """A WAV file with chunks after its audio, whose bytes are given as they lie in the file."""

    def write(data, file_format="WAV"):
        buffer = io.BytesIO()
        soundfile.write(buffer, TONE, RATE, format=file_format)
        path = tmp_path / "made.wav"
        path.write_bytes(buffer.getvalue() + data)
        return path

    return write
