#!/usr/bin/env bash
# libsndfile 1.2.2 (in soundfile 0.14.0) writes the length of an MP3 file into its first frame, and reads it whole to the
# sample. At constant bit rates so low that a frame has no room for that entry (up to 48 kbit/s at 44.1 kHz), it is left
# out without a word. Such a file comes back later and longer, by up to 1,980 samples, though both ends are libsndfile's.
# Seen: "64 kbit/s: 0 samples more, 0 late" and "32 kbit/s: 1980 samples more, 1105 late".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet soundfile==0.14.0 numpy==2.2.6
cd "$folder"
cat > check.py <<'PYTHON'
import io

import numpy as np
import soundfile

print("soundfile", soundfile.__version__, "libsndfile", soundfile.__libsndfile_version__)
RATE = 44100
noise = np.convolve(np.random.default_rng(0).standard_normal(RATE), np.hanning(65) / 20, "same") / 10


def come_back(level):
    file = io.BytesIO()
    with soundfile.SoundFile(
        file, "w", RATE, 1, "MPEG_LAYER_III", format="MP3", bitrate_mode="CONSTANT", compression_level=level
    ) as out:
        out.write(noise)
    file.seek(0)
    samples = soundfile.read(file)[0]
    size = 1 << 17
    product = np.fft.irfft(np.fft.rfft(samples, size) * np.conj(np.fft.rfft(noise, size)))
    return len(samples) - RATE, int(product.argmax())


results = {}
for name, level in (("64 kbit/s", 0.9), ("32 kbit/s", 0.99)):
    results[name] = come_back(level)
    print(f"{name}: {results[name][0]} samples more, {results[name][1]} late")
assert results["64 kbit/s"] == (0, 0), "libsndfile places MP3 of 64 kbit/s otherwise now"
assert results["32 kbit/s"] == (1980, 1105), "libsndfile places MP3 of 32 kbit/s otherwise now"
PYTHON
env/bin/python check.py
