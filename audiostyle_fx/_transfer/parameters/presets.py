"""Named sets of parameters. tests/benchmarks/presets.py measures them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ..._validation import one_of
from .parameter_list import DEFAULTS, Parameters, check_names
from .windows import Window


@dataclass(frozen=True)
class Preset:
    """A named set of parameters.

    Attributes
    ----------
    name : str
    sentence : str
        The purpose of the preset.
    changes : mapping of str to object
        The parameters that differ from the defaults.
    """

    name: str
    sentence: str
    changes: Mapping[str, Any]

    def __post_init__(self) -> None:
        object.__setattr__(self, "changes", MappingProxyType(dict(self.changes)))

    @property
    def parameters(self) -> Parameters:
        """All parameters."""
        return DEFAULTS.changed(preset=self.name, **self.changes)


STYLE_ALONE: Mapping[str, Any] = MappingProxyType(
    {"key": "style", "equalize": False, "content_share": 0.0, "dynamics": False}
)
"""The changes that let the losses alone decide: no move of the key, no equaliser, and no hold on levels or notes."""

PLAIN: Mapping[str, Any] = MappingProxyType(
    {"alpha": 0.01, "spectrogram_iters": 70, "phase_iters": 18, "waveform_iters": 14, **STYLE_ALONE}
)
"""The changes for the losses alone, with the content's weight in the original algorithm."""

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        preset.name: preset
        for preset in (
            Preset("default", "The song, its melody, beat and dynamics, sounding as the style does.", {}),
            Preset(
                "voice",
                "Speech and singing: words stay.",
                {"strength": 0.3, "windows": (Window(ms=46), Window(ms=12, style_weight=0.0))},
            ),
            Preset(
                "drums",
                "Drums and percussion: strokes stay short, and pauses silent.",
                {"strength": 0.5, "windows": (Window(ms=46), Window(ms=6, style_weight=0.0))},
            ),
            Preset(
                "pads",
                "Sustained sounds: more of the style's texture, without its attacks.",
                {"strength": 0.7, "windows": (Window(ms=186),)},
            ),
            Preset("subtle", "The song, in the style's colours.", {"strength": 0.25}),
            Preset(
                "bold",
                "The style, in the song's order.",
                {**PLAIN, "alpha": 0.001, "spectrogram_iters": 100, "waveform_iters": 40},
            ),
            Preset(
                "plain",
                "The losses alone, as up to version 0.1: the song's rhythm with the style's sound and notes.",
                PLAIN,
            ),
            Preset(
                "rhythmic",
                "A style with a beat, which the result takes over.",
                # Patches of up to two seconds, in which a bar fits. Measured: they take over more of a beat's rhythm
                # than patches of one second, at about the same losses; a second window adds little to that and takes
                # three times as long.
                {**PLAIN, "kernel_width": (3, 11, 86), "windows": (Window(ms=92, hop_ms=23),)},
            ),
            Preset(
                "thorough",
                "The lowest losses: the song's rhythm with the style's sound and notes, by L-BFGS.",
                {**PLAIN, "optimizer": "lbfgs", "spectrogram_iters": 150, "waveform_iters": 150},
            ),
            Preset(
                "texture",
                "New sound of the style's kind out of noise, as long as the song, which it ignores.",
                # No spectrogram stage: a free spectrogram that starts from noise is far from that of any sound. The
                # short window keeps attacks, the long one pitches.
                {
                    "alpha": 0.0,
                    "key": "style",
                    "kernel_width": (4, 24),
                    "windows": (Window(ms=32, hop_ms=16), Window(ms=128, hop_ms=64)),
                    "spectrogram_iters": 0,
                    "phase_iters": 0,
                    "waveform_iters": 180,
                    "init": "noise",
                    "phase_init": "random",
                    **STYLE_ALONE,
                },
            ),
            Preset(
                "original",
                "The algorithm as Lebedev and Ulyanov published it in 2016: mono at 22,050 Hz, the style cropped to "
                "the content's length or that of its sections, 4,096 filters, plain Griffin-Lim.",
                {
                    "alpha": 0.01,
                    "n_filters": 4096,
                    "windows": (Window(n_fft=2048, hop_length=512),),
                    "optimizer": "lbfgs",
                    "spectrogram_iters": 300,
                    "phase_iters": 500,
                    "waveform_iters": 0,
                    "init": "noise",
                    "phase_init": "random",
                    "normalize": False,
                    **STYLE_ALONE,
                },
            ),
        )
    }
)
"""All presets by name."""


def choose(values: Mapping[str, Any], start: Parameters = DEFAULTS) -> Parameters:
    """Return the parameters of the preset in ``values``, or else ``start``, changed by the other values.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not allowed; the message names it, its value and what is allowed.
    """
    check_names(values)
    changes = dict(values)
    if "preset" in changes:
        start = PRESETS[one_of(*PRESETS)("preset", changes.pop("preset"))].parameters
    return start.changed(**changes)


WITHOUT_CONTENT = {"strength": None, "alpha": 0.0, "init": "noise", "phase_init": "random", "mix": 1.0, **STYLE_ALONE}
"""The parameters that a texture can't choose, because it has no content."""


def choose_texture(values: Mapping[str, Any]) -> Parameters:
    """Return the parameters of a texture, by default those of the preset "texture".

    Whatever the preset, a texture starts from noise and has no content.

    Raises
    ------
    TypeError, ValueError
        As `choose`; ValueError also for the preset "original", and for values that need a content.
    """
    parameters = choose(values, PRESETS["texture"].parameters)
    if parameters.original:
        raise ValueError("preset='original' needs a content, but a texture has none")
    for name, value in WITHOUT_CONTENT.items():
        if name in values and values[name] != value:
            raise ValueError(f"{name}={values[name]!r} must be {value!r} for a texture, which has no content")
    return parameters.changed(**WITHOUT_CONTENT)
