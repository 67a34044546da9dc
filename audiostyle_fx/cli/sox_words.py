"""Hints for people who know SoX: what its effects are called here."""

from __future__ import annotations

_COUNTERPARTS = {
    "bass": "low_shelf_filter",
    "compand": "compressor",
    "echo": "delay",
    "echos": "delay",
    "equalizer": "peak_filter",
    "fir": "convolution",
    "flanger": "chorus",
    "highpass": "highpass_filter",
    "lowpass": "lowpass_filter",
    "mcompand": "compressor",
    "norm": "gain, in dB",
    "overdrive": "distortion",
    "pitch": "pitch_shift, in semitones",
    "treble": "high_shelf_filter",
    "trim": "--start and --duration",
    "vol": "gain, in dB",
}
_MISSING = {
    "channels": "the result has IN's channels",
    "dither": "the result has IN's sample format",
    "fade": "no effect fades in or out",
    "loudness": "gain takes a level in dB",
    "pad": "no effect adds silence",
    "rate": "the result has IN's sample rate",
    "remix": "the result has IN's channels",
    "reverse": "no effect turns time round",
    "silence": "--start and --duration take a part of IN",
    "speed": "pitch_shift keeps the length",
    "tempo": "no effect changes the length",
}


def sox_hint(word: str) -> str:
    """Return a sentence, after a space, on what SoX's effect is here; empty where SoX has no such effect."""
    if word in _COUNTERPARTS:
        return f" SoX's {word!r} is {_COUNTERPARTS[word]} here."
    return f" SoX's {word!r} has no counterpart here: {_MISSING[word]}." if word in _MISSING else ""
