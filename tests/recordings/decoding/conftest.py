"""The recording that these tests share, and files of it that FFmpeg writes."""

import fractions

import av
import numpy as np
import pytest
from scipy.signal import correlate

RATE = 48000


@pytest.fixture(scope="session")
def bursts():
    """Just over a second of bursts of noise at 48 kHz, float32: their places are found by correlation."""
    noise = np.random.default_rng(0).standard_normal(RATE + 4807)
    smooth = np.convolve(noise, np.hanning(33), "same")
    return (0.1 * smooth / smooth.std() * (np.arange(len(noise)) % 12000 < 3000)).astype(np.float32)


@pytest.fixture(scope="session")
def lag():
    """A function that returns by how many samples a recording comes late, found by correlation with another one."""

    def measure(samples, of):
        return int(np.argmax(correlate(samples, of, method="fft"))) - len(of) + 1

    return measure


@pytest.fixture(scope="session")
def encode():
    """A function that writes one channel with FFmpeg."""

    def write(path, codec, samples, *, has_times=True):
        """Write samples at 48 kHz; without ``has_times`` as programs do that give the encoder no time stamps."""
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=RATE)
            stream.layout, stream.bit_rate = "mono", 192_000
            whole = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
            whole.sample_rate, whole.pts, whole.time_base = RATE, 0, fractions.Fraction(1, RATE)
            resampler = av.AudioResampler(format=stream.format, layout="mono", rate=RATE)
            fifo = av.AudioFifo()
            for part in (*resampler.resample(whole), *resampler.resample(None)):
                fifo.write(part)
            position, size = 0, stream.codec_context.frame_size or 1024
            while fifo.samples:
                frame = fifo.read(min(size, fifo.samples))
                frame.pts, frame.time_base = position if has_times else None, fractions.Fraction(1, RATE)
                position += frame.samples
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write
