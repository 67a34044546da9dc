"""Spectrograms of content, style and result side by side: python figure.py [OUT.png [SECONDS]]; needs matplotlib."""

import sys
from pathlib import Path

import soundfile
from matplotlib.figure import Figure

from audiostyle_fx import stylize
from audiostyle_fx.figures import spectrogram

AUDIO = Path(__file__).parent / "audio"


def main(out: str = "spectrograms.png", seconds: str = "10") -> None:
    """Draw the first ``seconds`` of the example pair and of its transfer."""
    (content, sample_rate), (style, _) = (
        soundfile.read(AUDIO / name, dtype="float32") for name in ("mountain_king.ogg", "anthem.ogg")
    )
    content, style = (audio[: int(float(seconds) * sample_rate)].T for audio in (content, style))
    result = stylize(content, style, sample_rate, progress=True).audio

    figure = Figure(figsize=(12, 4), layout="constrained")
    axes = figure.subplots(1, 3, sharey=True)
    for axis, title, audio in zip(axes, ("content", "style", "result"), (content, style, result), strict=True):
        image = spectrogram(axis, audio, sample_rate, max_db=-10)
        axis.set_title(title)
        axis.label_outer()
    figure.colorbar(image, ax=axes, label="dBFS")
    figure.savefig(out, dpi=80)


if __name__ == "__main__":
    main(*sys.argv[1:])
