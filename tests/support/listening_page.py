"""Reading of listening pages: the data, the sound and the media folder; and values for their entries."""

import base64
import io
import json
import re

import numpy as np
import soundfile

RATE = 8000

MARKUP = "a/<b>bold</b> & \"quoted\" 'Übung'</script><script>window.broken = 1</script>.wav"
"""A name that breaks a page which takes it for HTML."""

STAGES = {
    "spectrogram": {
        "seconds": 1.5,
        "iterations": [0, 1, 2],
        "style_loss": [900.0, 90.0, 9.0],
        "content_loss": [0.0, 2.0, 3.0],
    },
    "phase": {
        "seconds": 0.5,
        "iterations": [0, 4],
        "style_loss": np.array([20.0, 15.0]),
        "content_loss": np.array([4.0, 3.5]),
        "inconsistency": np.array([0.3, 0.2, 0.15, 0.1]),
    },
    "waveform": {"seconds": 2, "iterations": [0, 1], "style_loss": [15.0, 12.5], "content_loss": [3.5, 3.25]},
}


def page_data(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text())[1])


def page_sound(page, index):
    """The samples of a recording of the page, (channels, samples), and its rate."""
    data = page_data(page)
    sound = data["recordings"][index]["sound"]
    audio, rate = soundfile.read(
        io.BytesIO(base64.b64decode(sound)) if data["inline"] else page.parent / sound, always_2d=True
    )
    return audio.T, rate


def media_names(page):
    """The files in the page's media folder, or None if there is no such folder."""
    folder = page.with_name(f"{page.stem}_media")
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else None
