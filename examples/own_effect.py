"""Write an effect that needs the whole recording, and use it in a Pedalboard."""

import numpy as np
import numpy.typing as npt
from pedalboard import Gain, Pedalboard, Reverb

from audiostyle_fx import OfflineEffect


class Normalize(OfflineEffect):
    """Scale a recording so that its loudest sample has the absolute value `peak`."""

    def __init__(self, peak: float = 0.9) -> None:
        super().__init__()
        self.peak = peak

    @property
    def parameters(self) -> dict[str, float]:
        """Keyword arguments that build an equal effect: `repr` shows them, copies and pickles use them."""
        return {"peak": self.peak}

    def render(self, audio: npt.NDArray[np.float32], sample_rate: float) -> npt.NDArray[np.float32]:
        """Return the whole recording, shape (channels, samples), at its new level."""
        return audio * np.float32(self.peak / max(np.abs(audio).max(), 1e-9))


if __name__ == "__main__":
    sample_rate = 44100
    seconds = np.arange(2 * sample_rate) / sample_rate
    plucked = 0.05 * np.sin(2 * np.pi * 220 * seconds) * np.exp(-3 * (seconds % 0.5))
    audio = np.stack([plucked, 0.5 * plucked]).astype(np.float32)

    board = Pedalboard([Gain(gain_db=-6), Reverb(room_size=0.6), Normalize(peak=0.5)])
    output = board(audio, sample_rate)
    print(board)
    print(f"loudest sample before: {np.abs(audio).max():.3f}, after: {np.abs(output).max():.3f}")
