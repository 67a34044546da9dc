"""Style transfer between pedalboard's own effects: python board.py [OUT.wav [SECONDS]]."""

import sys
from pathlib import Path

from pedalboard import Compressor, Gain, Mix, Pedalboard, Reverb
from pedalboard.io import AudioFile

from audiostyle_fx import StyleTransfer, save_audio

AUDIO = Path(__file__).parent / "audio"


def main(out: str = "board.wav", seconds: str = "10") -> None:
    """Run a board on the first ``seconds`` of the example song."""
    board = Pedalboard(
        [
            Compressor(threshold_db=-18, ratio=3),
            Mix(
                [StyleTransfer(style=AUDIO / "anthem.ogg", strength=0.5), Gain(gain_db=-12)]  # some of the song itself
            ),
            Reverb(room_size=0.3, wet_level=0.2),
        ]
    )
    print(board)
    with AudioFile(str(AUDIO / "mountain_king.ogg")) as file:
        audio = file.read(int(float(seconds) * file.samplerate))  # the whole recording: the effect has to see all of it
        sample_rate = file.samplerate
    save_audio(out, board(audio, sample_rate), sample_rate, "PCM_24")  # pedalboard's own writer clips loud samples
    print(f"{out}: {audio.shape[1] / sample_rate:.1f} s of audio")


if __name__ == "__main__":
    main(*sys.argv[1:])
