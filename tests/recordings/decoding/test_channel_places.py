"""Channels keep their places: the mask of a WAV file, and the orders of WAV, Vorbis and Opus, both ways."""

import fractions
import struct

import av
import numpy as np
import pytest
import soundfile

from audiostyle_fx import style_file
from audiostyle_fx._recordings.decoding import av_decoder
from audiostyle_fx._recordings.files import SoundFileReader, read_audio
from audiostyle_fx._recordings.layouts import AMBISONIC_TAIL, PCM_TAIL, USUAL_MASKS
from audiostyle_fx._recordings.saving import save_audio

QUAD, SIDES_5_1, REAR_5_1 = 0x33, 0x60F, 0x3F
LAYOUTS = {3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1"}
"""FFmpeg's names of the places that FLAC has for so many channels."""


@pytest.fixture
def tones():
    """A function that returns half a second of 40 Hz, at a level of its own in each channel, at 48 kHz, float32."""

    def of_channels(channels):
        t = np.arange(24000) / 48000
        return np.stack([0.01 * 1.6**k * np.sin(80 * np.pi * t) for k in range(channels)]).astype(np.float32)

    return of_channels


def levels(samples):
    """The original number of each channel, found by its level."""
    amplitudes = np.sqrt(2 * (samples[:, 4800:19200].astype(float) ** 2).mean(axis=1))
    return (1 + np.round(np.log(amplitudes / 0.01) / np.log(1.6))).astype(int).tolist()


def write_wav(path, samples, mask, tail=PCM_TAIL):
    """Write an extensible WAV file, 16 bits at 48 kHz."""
    channels = len(samples)
    data = (samples.T * 2**15).astype("<i2").tobytes()
    head = struct.pack("<HHIIHHHHI", 0xFFFE, channels, 48000, 96000 * channels, 2 * channels, 16, 22, 16, mask)
    body = b"WAVEfmt " + struct.pack("<I", 40) + head + struct.pack("<H", 1) + tail
    body += b"data" + struct.pack("<I", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)


def mask_of(path):
    """The mask and the end of the format's identifier of a WAV file; None of a plain one."""
    data = path.read_bytes()
    start = data.index(b"fmt ") + 8
    if struct.unpack_from("<H", data, start)[0] != 0xFFFE:
        return None
    return struct.unpack_from("<I", data, start + 20)[0], data[start + 26 : start + 40]


@pytest.mark.parametrize(
    ("channels", "mask", "tail"),
    [
        (4, QUAD, PCM_TAIL),
        (6, SIDES_5_1, PCM_TAIL),
        (6, REAR_5_1, PCM_TAIL),
        (2, 0x30, PCM_TAIL),
        (4, 0, AMBISONIC_TAIL),
        (3, 0, PCM_TAIL),
    ],
)
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_the_mask_of_a_wav_file_is_kept(tmp_path, tones, channels, mask, tail, subtype):
    write_wav(tmp_path / "in.wav", tones(channels), mask, tail)
    samples, rate = read_audio(tmp_path / "in.wav", "input")
    assert levels(samples) == list(range(1, channels + 1))
    save_audio(tmp_path / "out.wav", samples, rate, subtype, like=tmp_path / "in.wav")
    kept = mask_of(tmp_path / "out.wav")
    if mask or tail == AMBISONIC_TAIL:
        assert kept == (mask, tail)
    else:
        assert kept is None or kept[0] == 0
    again, _ = read_audio(tmp_path / "out.wav", "input")
    np.testing.assert_allclose(again, samples, atol=2**-14)
    assert soundfile.info(tmp_path / "out.wav").subtype == subtype


@pytest.mark.parametrize("channels", [1, 2])
def test_plain_files_stay_plain(tmp_path, tones, channels):
    soundfile.write(tmp_path / "in.wav", tones(channels).T, 48000)
    save_audio(tmp_path / "out.wav", tones(channels), 48000, like=tmp_path / "in.wav")
    assert mask_of(tmp_path / "out.wav") is None


def test_a_transfer_keeps_the_mask(tmp_path, tones, quick):
    write_wav(tmp_path / "in.wav", tones(4), QUAD)
    style_file(tmp_path / "in.wav", tmp_path / "out.wav", tmp_path / "in.wav", **quick)
    assert mask_of(tmp_path / "out.wav") == (QUAD, PCM_TAIL)


@pytest.mark.parametrize("channels", LAYOUTS)
@pytest.mark.parametrize("ending", ["ogg", "opus"])
def test_channels_of_ogg_are_where_ffmpeg_hears_them(tmp_path, tones, ending, channels):
    path, samples = tmp_path / f"sound.{ending}", tones(channels)
    save_audio(path, samples, 48000)
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
        places = [channel.name for channel in container.streams.audio[0].layout.channels]
    heard = np.concatenate(frames, axis=1)[:, :24000]
    assert levels(heard) == list(range(1, channels + 1))  # FFmpeg has the order of WAV
    assert channels != 6 or places == ["FL", "FR", "FC", "LFE", "BL", "BR"]
    again, _ = read_audio(path, "input")
    assert levels(again) == list(range(1, channels + 1))


@pytest.mark.parametrize("channels", [3, 5, 6, 7])
@pytest.mark.parametrize("codec", ["libopus"])
def test_channels_of_ffmpegs_ogg_come_in_the_order_of_wav(tmp_path, tones, codec, channels):
    path, samples = tmp_path / "sound.ogg", tones(channels)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=48000)
        stream.layout, stream.options = LAYOUTS[channels], {"mapping_family": "1"}
        stream.bit_rate = 96_000 * channels
        resampler = av.AudioResampler(format=stream.format, layout=LAYOUTS[channels], rate=48000)
        for start in range(0, 24000, 960):
            part = np.ascontiguousarray(samples[:, start : start + 960])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=LAYOUTS[channels])
            frame.sample_rate = 48000
            for piece in resampler.resample(frame):
                container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    again, _ = read_audio(path, "input")
    assert levels(again) == list(range(1, channels + 1))


def write_6_channels(path, codec, samples, mask_name="5.1"):
    """Write six channels with FFmpeg."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=48000)
        stream.layout = mask_name
        resampler = av.AudioResampler(format=stream.format, layout=mask_name, rate=48000)
        for start in range(0, samples.shape[1] - 1023, 1024):
            part = np.ascontiguousarray(samples[:, start : start + 1024])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=mask_name)
            frame.sample_rate, frame.pts, frame.time_base = 48000, start, fractions.Fraction(1, 48000)
            for piece in resampler.resample(frame):
                container.mux(stream.encode(piece))
        container.mux(stream.encode(None))


@pytest.mark.parametrize("most", [av_decoder.MAX_PLANES, 1])
@pytest.mark.parametrize("codec", ["pcm_s16le", "aac", "libopus"])
def test_channels_are_the_same_plane_by_plane_and_interleaved(tmp_path, tones, monkeypatch, codec, most):
    write_6_channels(tmp_path / "sound.mka", codec, tones(6))
    monkeypatch.setattr(av_decoder, "MAX_PLANES", most)
    again, _ = read_audio(tmp_path / "sound.mka", "input")
    assert levels(again) == [1, 2, 3, 4, 5, 6] and again.shape[1] >= 23 * 1024


def test_places_of_ffmpegs_channels_become_a_mask(tmp_path, tones):
    write_6_channels(tmp_path / "sound.mov", "pcm_s16le", tones(6), "5.1(side)")
    samples, rate = read_audio(tmp_path / "sound.mov", "input")
    save_audio(tmp_path / "out.wav", samples, rate, like=tmp_path / "sound.mov")
    assert mask_of(tmp_path / "out.wav") == (SIDES_5_1, PCM_TAIL)


@pytest.mark.parametrize("channels", LAYOUTS)
def test_flac_has_the_order_of_wav(tmp_path, tones, channels):
    save_audio(tmp_path / "sound.flac", tones(channels), 48000)
    with SoundFileReader(tmp_path / "sound.flac", "input") as reader:
        assert reader.layout.mask == USUAL_MASKS[channels]
        assert levels(np.concatenate(list(reader.blocks()), axis=1)) == list(range(1, channels + 1))
