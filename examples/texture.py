"""New sound of a recording's kind, out of noise: python texture.py [OUT.wav [SECONDS]]."""

import sys
from pathlib import Path

from audiostyle_fx import texture

AUDIO = Path(__file__).parent / "audio"


def main(out: str = "brass_texture.wav", seconds: str = "10") -> None:
    """Make ``seconds`` of brass that nobody played."""
    result = texture(AUDIO / "anthem.ogg", sample_rate=44100, duration=float(seconds), seed=1, progress=True)
    result.save(out, "FLOAT")
    audio = result.stages["waveform"]
    print(f"style loss {audio.style_loss[0]:.0f} -> {audio.style_loss[-1]:.0f}")
    print(f"{out}: {result.duration:.1f} s of audio in {result.seconds:.1f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
