#!/usr/bin/env bash
# libsndfile 1.2.2 (in soundfile 0.14.0): Wave64 files name the size of their sound, and further chunks may follow it.
# libsndfile does not stop at that size. It reads on to the end of the file, so that a list of markers, as editors write
# them, is heard as a burst of noise at the end. Of WAV files it stops where the sound ends.
# Seen: "wav: 8000 of 8000 samples" and "w64: 8524 of 8000 samples, the rest up to 0.996 of full scale".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet soundfile==0.14.0 numpy==2.2.6
cd "$folder"
cat > check.py <<'PYTHON'
import struct
from pathlib import Path

import numpy as np
import soundfile

print("soundfile", soundfile.__version__, "libsndfile", soundfile.__libsndfile_version__)
quiet = np.full(8000, 0.1)
contents = bytes(range(256)) * 4
tail = bytes.fromhex("f3acd3118cd100c04f8edb8a")  # of the identifiers of Wave64's chunks

soundfile.write("quiet.wav", quiet, 8000, "PCM_16")
data = Path("quiet.wav").read_bytes()
data += b"list" + struct.pack("<I", len(contents)) + contents
Path("quiet.wav").write_bytes(data[:4] + struct.pack("<I", len(data) - 8) + data[8:])

soundfile.write("quiet.w64", quiet, 8000, "PCM_16")
data = Path("quiet.w64").read_bytes()
data += bytes(-len(data) % 8) + b"list" + tail + struct.pack("<Q", 24 + len(contents)) + contents
Path("quiet.w64").write_bytes(data[:16] + struct.pack("<Q", len(data)) + data[24:])

wav, w64 = (soundfile.read(f"quiet.{ending}")[0] for ending in ("wav", "w64"))
print(f"wav: {len(wav)} of 8000 samples")
print(f"w64: {len(w64)} of 8000 samples, the rest up to {abs(w64[8000:]).max():.3f} of full scale")
assert len(wav) == 8000, "libsndfile reads chunks of WAV files as sound now"
assert len(w64) == 8524 and abs(w64[8000:]).max() > 0.9, "libsndfile ends Wave64 files otherwise now"
PYTHON
env/bin/python check.py
