#!/usr/bin/env bash
# libsndfile 1.2.2 (in soundfile 0.14.0): a Sound Designer II recording that is written to memory, to an io.BytesIO,
# leaves an empty file named "._" in the working directory: the resource fork of a file without a name. While it lies
# there, no MP3 can be opened from memory in that directory: the error is "bad resource fork", "bad data length" or
# another. The same bytes in a file open.
# Seen: "after SD2 in memory: ['._']", "MP3 from memory: Error opening ...: bad data length.", "MP3 from a file: 1000".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet soundfile==0.14.0 numpy==2.2.6
mkdir "$folder/work"
cd "$folder/work"
cat > ../check.py <<'PYTHON'
import io
import os

import numpy as np
import soundfile

print("libsndfile", soundfile.__libsndfile_version__)
samples = np.zeros((1000, 1), np.float32)


def in_memory(name, subtype):
    data = io.BytesIO()
    with soundfile.SoundFile(data, "w", 44100, 1, subtype, format=name) as file:
        file.write(samples)
    data.seek(0)
    return data


mp3 = in_memory("MP3", "MPEG_LAYER_III")
assert len(soundfile.SoundFile(mp3)) == 1000, "libsndfile opens MP3 from memory otherwise now"
assert not os.listdir()
in_memory("SD2", "PCM_16")
print("after SD2 in memory:", os.listdir())
assert os.listdir() == ["._"] and os.path.getsize("._") == 0, "libsndfile writes SD2 to memory otherwise now"

mp3.seek(0)
try:
    soundfile.SoundFile(mp3)
    raise SystemExit("libsndfile opens MP3 from memory beside the file now")
except soundfile.LibsndfileError as error:
    print("MP3 from memory:", error)
with open("song.mp3", "wb") as file:
    file.write(mp3.getvalue())
print("MP3 from a file:", len(soundfile.SoundFile("song.mp3")))
assert len(soundfile.SoundFile("song.mp3")) == 1000
PYTHON
../env/bin/python ../check.py
