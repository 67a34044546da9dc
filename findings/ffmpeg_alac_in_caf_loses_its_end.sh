#!/usr/bin/env bash
# FFmpeg 8.1.2 (in PyAV 18.1.0): Apple Lossless in a CAF file comes back without its end. The last packet of such a file
# is short, its frame says how many samples it has, and the packet table says how many are missing from a full packet.
# FFmpeg takes the missing ones off the short frame once more. A last packet that is less than half full is spared.
# The same sound in M4A is whole, and so is CAF with the flag skip_manual, which leaves taking off to the caller.
# Seen: "16288 samples: m4a 16288, caf 16192, caf with skip_manual 16288" and "12293 samples: m4a 12293, caf 12293, ...".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet av==18.1.0 numpy==2.2.6
cd "$folder"
cat > check.py <<'PYTHON'
from fractions import Fraction

import av
import numpy as np

PACKET = 4096
print("PyAV", av.__version__, "FFmpeg", av.ffmpeg_version_info)


def write(name, samples):
    with av.open(name, "w") as container:
        stream = container.add_stream("alac", rate=48000)
        stream.layout = "mono"
        for start in range(0, len(samples), PACKET):
            part = samples[None, start : start + PACKET]
            frame = av.AudioFrame.from_ndarray(part, format="s32p", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def count(name, **options):
    with av.open(name) as container:
        stream = container.streams.audio[0]
        stream.codec_context.options = options
        return sum(frame.samples for frame in container.decode(stream))


for last, lost in ((4000, 96), (5, 0)):
    n = 3 * PACKET + last
    samples = np.random.default_rng(0).integers(-(2**28), 2**28, n, dtype=np.int32)
    for name in ("a.m4a", "a.caf"):
        write(name, samples)
    whole, short, manual = count("a.m4a"), count("a.caf"), count("a.caf", flags2="+skip_manual")
    print(f"{n} samples: m4a {whole}, caf {short}, caf with skip_manual {manual}")
    assert whole == manual == n, "FFmpeg reads ALAC in M4A, or with skip_manual, otherwise now"
    assert short == n - lost, "FFmpeg reads ALAC in CAF otherwise now"
PYTHON
env/bin/python check.py
