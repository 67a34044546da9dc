#!/usr/bin/env bash
# libsndfile 1.2.2 (in soundfile 0.14.0): samples of 8 bits and an odd length get a padding byte in AIFF and VOC files,
# and libsndfile counts it as a sample, in what it writes into the header too. The recording comes back one sample
# longer. In mu-law the byte 0 means the lowest amplitude: the added sample is a click at full scale. WAV is exact.
# Seen: "AIFF ULAW: 9002 of 9001 samples, the last at -0.980", "VOC ULAW" alike, "WAV ULAW: 9001 of 9001 samples, ...".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet soundfile==0.14.0 numpy==2.2.6
cd "$folder"
cat > check.py <<'PYTHON'
import numpy as np
import soundfile

print("soundfile", soundfile.__version__, "libsndfile", soundfile.__libsndfile_version__)
quiet = np.zeros(9001)
lengths, last = {}, {}
for file_format, subtype in (("WAV", "ULAW"), ("AIFF", "ULAW"), ("VOC", "ULAW"), ("AIFF", "PCM_S8")):
    soundfile.write("quiet", quiet, 16000, subtype, format=file_format)
    samples = soundfile.read("quiet")[0]
    name = f"{file_format} {subtype}"
    lengths[name], last[name] = len(samples), samples[-1]
    print(f"{name}: {len(samples)} of 9001 samples, the last at {samples[-1]:.3f}")
assert lengths == {"WAV ULAW": 9001, "AIFF ULAW": 9002, "VOC ULAW": 9002, "AIFF PCM_S8": 9002}, "lengths differ now"
assert abs(last["AIFF ULAW"]) > 0.9 and abs(last["VOC ULAW"]) > 0.9 and abs(last["WAV ULAW"]) < 0.01
PYTHON
env/bin/python check.py
