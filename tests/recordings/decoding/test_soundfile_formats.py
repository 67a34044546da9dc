"""Every format and sample format of libsndfile: recordings keep their length and samples when they are read back."""

import io
import warnings

import numpy as np
import pytest
import soundfile

from audiostyle_fx._recordings.files import SoundFileReader, read_audio, read_format
from audiostyle_fx._recordings.formats import NO_HEADER, endings, format_written
from audiostyle_fx._recordings.writing import write_audio

PAIRS = [
    (name, subtype)
    for name in sorted(soundfile.available_formats().keys() - NO_HEADER)
    for subtype in soundfile.available_subtypes(name)
]
RATES = {"OPUS": 48000, "GSM610": 8000, "MPEG_LAYER_III": 44100, "WVE": 8000, "XI": 44100}
"""Sample rates of what has no other, or few; in Hz."""

KNOWN_TO_CHANGE = {
    **{("AIFF", subtype): 1 for subtype in ("PCM_S8", "PCM_U8", "ULAW", "ALAW")},
    **{("VOC", subtype): 1 for subtype in ("ULAW", "ALAW")},
    ("AIFF", "IMA_ADPCM"): 64,
    **{("AU", subtype): 120 for subtype in ("G721_32", "G723_24", "G723_40")},
    ("PAF", "PCM_24"): 10,
    ("W64", "GSM610"): 320,
    ("W64", "IMA_ADPCM"): 505,
    ("W64", "MS_ADPCM"): 500,
    ("WAV", "IMA_ADPCM"): 505,
}
"""Samples by which libsndfile 1.2.2 writes files longer at most, with no trace in them of the true length."""

EXACT = {
    **dict.fromkeys(("PCM_S8", "PCM_U8"), 2**-7),
    **dict.fromkeys(("PCM_16", "ALAC_16"), 2**-15),
    **dict.fromkeys(("PCM_24", "PCM_32", "ALAC_24", "ALAC_32"), 2**-22),
    **dict.fromkeys(("FLOAT", "DOUBLE"), 0),
}
"""The most that sample formats without losses change."""

LENGTHS = (1, 640, 9_001)


@pytest.fixture(scope="module")
def chirp():
    """A tone that rises, one channel, float32: its place is found by correlation."""
    t = np.arange(9_001) / 9_000
    return (0.4 * np.sin(2 * np.pi * (20 + 300 * t) * t)).astype(np.float32)[None]


def rate_of(file_format, subtype):
    return RATES.get(file_format, RATES.get(subtype, 16000))


def is_alike(samples, reference, subtype):
    """Whether samples equal the written ones in place; for lossy formats, nearly."""
    if subtype in EXACT:
        return np.abs(samples - reference).max() <= EXACT[subtype]
    return np.corrcoef(samples[0], reference[0])[0, 1] > 0.98


def check_pass(path, samples, rate, subtype):
    """Write samples, read them again and compare; return what was read, and the sample format."""
    written = format_written(path, rate, len(samples), samples.shape[1], subtype)[1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_audio(path, samples, rate, subtype)
        again, again_rate = read_audio(path, "input")
    assert (again_rate, again.shape) == (rate, samples.shape)
    assert soundfile.info(path).subtype == written and read_format(path)[0] == written
    if samples.shape[1] > 1000:
        assert is_alike(again, samples, written)
    return again, written


@pytest.mark.slow
@pytest.mark.parametrize(("file_format", "subtype"), PAIRS)
@pytest.mark.parametrize("n_samples", LENGTHS)
def test_two_passes_keep_length_place_and_sample_format(tmp_path, chirp, file_format, subtype, n_samples):
    rate, path = rate_of(file_format, subtype), tmp_path / f"sound.{file_format.lower()}"
    if path.suffix not in endings(written=True):
        with pytest.raises(ValueError, match="the format must be one of"):
            write_audio(path, chirp, rate, subtype)
        return
    again, written = check_pass(path, chirp[:, :n_samples], rate, subtype)
    assert check_pass(path, again, rate, written)[1] == written


@pytest.mark.slow
@pytest.mark.parametrize(("file_format", "subtype"), PAIRS)
def test_what_soundfile_writes_is_read_whole(tmp_path, chirp, file_format, subtype):
    rate, path = rate_of(file_format, subtype), tmp_path / f"sound.{file_format.lower()}"
    try:
        with soundfile.SoundFile(path, "w", rate, 1, subtype, format=file_format) as file:
            file.write(chirp[0])
    except soundfile.SoundFileError:
        pytest.skip("libsndfile can't write one channel so")
    with warnings.catch_warnings(record=True) as caught, SoundFileReader(path, "input") as reader:
        warnings.simplefilter("always")
        samples = np.concatenate(list(reader.blocks()), axis=1)
    assert not caught
    assert 0 <= samples.shape[1] - chirp.shape[1] <= KNOWN_TO_CHANGE.get((file_format, subtype), 0)
    assert is_alike(samples[:, : chirp.shape[1]], chirp, subtype)


def test_bytes_in_memory_are_what_a_file_holds(tmp_path, chirp):
    write_audio(tmp_path / "sound.flac", chirp, 16000)
    with soundfile.SoundFile(io.BytesIO((tmp_path / "sound.flac").read_bytes())) as file:
        assert file.frames == chirp.shape[1]
