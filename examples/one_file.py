"""One recording in the style of another: python one_file.py [OUT.wav [SECONDS]]."""

import sys
from pathlib import Path

import soundfile

from audiostyle_fx import stylize

AUDIO = Path(__file__).parent / "audio"


def main(out: str = "mountain_king_as_anthem.wav", seconds: str = "10") -> None:
    """Style the first ``seconds`` of the example song."""
    content, sample_rate = soundfile.read(AUDIO / "mountain_king.ogg", dtype="float32")
    content = content[: int(float(seconds) * sample_rate)].T  # (channels, samples)
    result = stylize(content, AUDIO / "anthem.ogg", sample_rate, progress=True)
    result.save(out, "FLOAT")

    audio = result.stages["waveform"]
    print(
        f"style loss {audio.style_loss[0]:.0f} -> {audio.style_loss[-1]:.0f}, content loss {audio.content_loss[-1]:.0f}"
    )
    print(f"{out}: {result.duration:.1f} s of audio in {result.seconds:.1f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
