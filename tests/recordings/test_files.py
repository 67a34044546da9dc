"""Reading: blocks of a part, damaged files, and errors that name the parameter and the file."""

import math

import numpy as np
import pytest
import soundfile

from audiostyle_fx._recordings import files
from audiostyle_fx._recordings.files import SoundFileReader, read_audio, read_format
from audiostyle_fx._recordings.names import soundfile_name


def test_reading_names_the_parameter_and_the_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"input='.*nowhere\.wav'.*no such file"):
        read_audio(tmp_path / "nowhere.wav", "input")
    (tmp_path / "text.wav").write_text("a text")
    with pytest.raises(ValueError, match=r"input='.*text\.wav'.*read"):
        read_audio(tmp_path / "text.wav", "input")
    with pytest.raises(ValueError, match=r"input=.*read"):
        read_audio(tmp_path, "input")


def test_a_file_says_what_it_holds(tmp_path, tone):
    soundfile.write(tmp_path / "tone.wav", tone.T, 8000, "PCM_24")
    with SoundFileReader(tmp_path / "tone.wav", "input") as reader:
        assert (reader.sample_rate, reader.channels, reader.subtype, reader.notes) == (8000, 2, "PCM_24", [])
    assert read_format(tmp_path / "tone.wav")[0] == "PCM_24"


@pytest.mark.parametrize(
    ("start", "duration", "samples"),
    [
        (0, math.inf, slice(0, 4000)),
        (0.1, math.inf, slice(800, 4000)),
        (0.1, 0.2, slice(800, 2400)),
        (0.4, 9, slice(3200, 4000)),
        (0.1, 1e-9, slice(800, 801)),
    ],
)
def test_a_part_is_read_in_blocks(tmp_path, tone, monkeypatch, start, duration, samples):
    monkeypatch.setattr(files, "READ_SAMPLES", 300)
    soundfile.write(tmp_path / "tone.wav", tone.T, 8000, "FLOAT")
    with SoundFileReader(tmp_path / "tone.wav", "input") as reader:
        blocks = list(reader.blocks(start, duration))
    assert all(0 < block.shape[1] <= 300 for block in blocks)
    np.testing.assert_array_equal(np.concatenate(blocks, axis=1), tone[:, samples])


def test_a_part_after_the_end_is_refused(tmp_path, tone):
    soundfile.write(tmp_path / "tone.wav", tone.T, 8000)
    match = r"start=0.5 must be within input='.*tone\.wav', which is 0.5 s long"
    with SoundFileReader(tmp_path / "tone.wav", "input") as reader, pytest.raises(ValueError, match=match):
        list(reader.blocks(0.5))


def test_a_name_that_is_not_valid_text_is_passed_as_bytes(tmp_path):
    assert soundfile_name(tmp_path / "tone.wav") == str(tmp_path / "tone.wav")
    assert soundfile_name("t\udce4ne.wav") == b"t\xe4ne.wav"
