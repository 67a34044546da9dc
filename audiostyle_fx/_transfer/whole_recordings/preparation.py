"""The preparation of transfers: parameters and styles at the rate of the recordings, checked before any work."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ..parameters.parameter_list import Parameters
from ..setup.transfer_setup import TransferSetup
from ..styles.style_inputs import style_name
from ..styles.style_recordings import Styles, StylesAtRate


@dataclass(frozen=True, eq=False)
class PreparedTransfer:
    """The setup and the styles of a transfer: everything it needs except the recording.

    Attributes
    ----------
    setup : TransferSetup
    styles : StylesAtRate
        Each long enough for a patch.
    """

    setup: TransferSetup
    styles: StylesAtRate

    @classmethod
    def of(
        cls, style: Any, style_sample_rate: Any, style_weights: Any, content_rate: float, parameters: Parameters
    ) -> PreparedTransfer:
        """Return the transfer that the arguments of `stylize` ask for; the style may also be `Styles`.

        Raises
        ------
        TypeError, ValueError, FileNotFoundError
            If a style can't be used, or is too short for a patch.
        """
        setup = TransferSetup.of(parameters, content_rate)
        styles = Styles.of(style, style_sample_rate, style_weights, setup.sample_rate)
        at_rate = styles.at_rate(content_rate, setup.sample_rate)
        for i, samples in enumerate(at_rate.samples):
            _check_length(samples.shape[-1], style_name(i, len(at_rate.samples)), setup)
        return cls(setup, at_rate)


def _check_length(n_samples: int, name: str, setup: TransferSetup) -> None:
    """Raise ValueError if a style is shorter than the widest patch."""
    if n_samples < setup.patch_samples:
        # Rounded up to tenths of a millisecond, so that the duration in the message is long enough.
        needed, length = (math.ceil(1e4 * n / setup.sample_rate) / 1e4 for n in (setup.patch_samples, n_samples))
        raise ValueError(
            f"{name} is {length:.4f} s long; kernel_width={setup.parameters.kernel_width} with windows of up to "
            f"{1000 * setup.stft.n_fft / setup.sample_rate:.0f} ms needs at least {needed:.4f} s"
        )
