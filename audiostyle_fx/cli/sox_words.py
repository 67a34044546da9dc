"""Hints for people who know SoX: the names of its effects and options here."""

from __future__ import annotations

_COUNTERPARTS = {
    "bandpass": "highpass_filter and lowpass_filter",
    "bass": "low_shelf_filter",
    "compand": "compressor",
    "contrast": "compressor",
    "downsample": "the option --rate, such as --rate 22050",
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
    "rate": "the option --rate, such as --rate 48000",
    "sinc": "highpass_filter and lowpass_filter",
    "synth": "-n and style, which make a texture",
    "treble": "high_shelf_filter",
    "trim": "--start and --duration",
    "upsample": "the option --rate, such as --rate 48000",
    "vol": "gain, in dB",
}
_MISSING = {
    "bandreject": "peak_filter with a negative gain is similar",
    "bend": "pitch_shift moves the whole recording",
    "channels": "the result has IN's channels",
    "dcshift": "highpass_filter removes an offset",
    "dither": "results are not dithered",
    "fade": "no effect fades in or out",
    "loudness": "gain takes a level in dB",
    "noisered": "no effect removes noise",
    "pad": "no effect adds silence",
    "remix": "the result has IN's channels",
    "repeat": "no effect changes the length",
    "reverse": "no effect reverses time",
    "silence": "--start and --duration take a part of IN",
    "spectrogram": "--report writes a page with spectrograms",
    "speed": "pitch_shift keeps the length",
    "stat": "--verbose says what was read and written",
    "stats": "--verbose says what was read and written",
    "stretch": "no effect changes the length",
    "swap": "the result has IN's channels",
    "tempo": "no effect changes the length",
    "tremolo": "no effect changes the level periodically",
    "vad": "--start and --duration take a part of IN",
}
_OPTIONS = {
    "-c": "the result has IN's channels",
    "-G": "peaks of transfers are limited where they would clip",
    "-S": "progress is shown without --quiet",
    "-t": "the ending of OUT names its format",
    "-V": "--verbose says what was read, done and written",
    "--norm": "gain takes a level in dB",
}


_SHORT_OPTIONS = {"-b": "--bits 16", "-C": "--quality 192", "-e": "--bits float", "-r": "--rate 48000"}
"""The long options, with a value, that replace SoX's short ones."""


def sox_hint(word: str) -> str:
    """Return a space and a sentence about the counterpart of SoX's effect; empty if SoX has no such effect."""
    if word in _COUNTERPARTS:
        return f" SoX's {word!r} is {_COUNTERPARTS[word]} here."
    return f" SoX's {word!r} has no counterpart here: {_MISSING[word]}." if word in _MISSING else ""


def sox_option_hint(word: str) -> str:
    """Return a space and a sentence about the counterpart of SoX's option; empty if SoX has no such option."""
    option = word if word.startswith("--") else word[:2]
    option = option.partition("=")[0]
    if option in _SHORT_OPTIONS:
        return f" SoX's {option} is written {_SHORT_OPTIONS[option]} here."
    return f" SoX's {option} has no counterpart here: {_OPTIONS[option]}." if option in _OPTIONS else ""
