#!/usr/bin/env bash
# soxr 1.1.0 (Python-SoXR), NumPy 2.2.6: one-shot resampling returns round(n * out / in) samples, where polyphase
# resamplers such as SciPy's return the next whole number up. So one or two samples from 44.1 to 8 kHz become none,
# without an error or a warning, and 55 samples from 8 to 44.1 kHz become 303 where 303.1875 would round up to 304.
# Seen: [0, 0, 1, 303] samples from inputs of [1, 2, 3] at 44.1 kHz and of 55 at 8 kHz.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet soxr==1.1.0 numpy==2.2.6
cd "$folder"
env/bin/python - <<'PYTHON'
import warnings

import numpy as np
import soxr

warnings.simplefilter("error")
lengths = [len(soxr.resample(np.ones(n, np.float32), 44100, 8000)) for n in (1, 2, 3)]
lengths.append(len(soxr.resample(np.ones(55, np.float32), 8000, 44100)))
print("soxr", soxr.__version__, lengths)
assert lengths == [0, 0, 1, 303], "soxr behaves otherwise now"
PYTHON
