"""Offline effects whose results are known exactly, a recording for them, and a snapshot of pedalboard."""

import numpy as np
import pedalboard
import pedalboard.io
import pedalboard_native
from pedalboard import Chain, Gain, Mix, Pedalboard, Reverb

from audiostyle_fx.hosting import OfflineEffect

RATE = 44100.0
STEREO = (np.random.default_rng(0).standard_normal((2, 12000)) * 0.1).astype(np.float32)
TWICE = "same plugin instance is being used multiple times"


class Reverse(OfflineEffect):
    """Plays a recording backwards, which is only right for the whole recording."""

    def __init__(self, strength=1.0, impulse=None):
        super().__init__()
        self.strength = strength
        self.impulse = impulse
        self.calls = []

    @property
    def parameters(self):
        return {"strength": self.strength, "impulse": self.impulse}

    def render(self, audio, sample_rate):
        self.calls.append((audio.shape, audio.dtype, sample_rate))
        return audio[:, ::-1] * np.float32(self.strength)


class Identity(OfflineEffect):
    """Changes nothing."""

    def render(self, audio, sample_rate):
        return audio


class Calling(OfflineEffect):
    """Renders with a function given by the test."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def render(self, audio, sample_rate):
        return self.function(audio)


class Delayed(OfflineEffect):
    """Takes chunks, and returns each sample when a number of further samples has come."""

    streaming = True

    def __init__(self, delay):
        super().__init__()
        self.delay = delay
        self.pending = None

    def render(self, audio, sample_rate):
        return audio

    def feed(self, audio, sample_rate):
        audio = audio if self.pending is None else np.concatenate([self.pending, audio], axis=1)
        ready = max(0, audio.shape[1] - self.delay)
        self.pending = audio[:, ready:]
        return audio[:, :ready]

    def reset(self):
        super().reset()
        self.pending = None


def reverse(audio):
    return np.ascontiguousarray(audio[..., ::-1])


def containers_with_an_effect():
    return [
        Reverse(),
        Pedalboard([Reverse()]),
        Pedalboard([Gain(), Reverse(), Reverb()]),
        Chain([Chain([Reverse()])]),
        Mix([Gain(), Chain([Reverse()])]),
    ]


def pedalboard_attributes():
    """Every attribute of pedalboard's modules and classes, by its owner and name."""
    owners = {
        id(owner): owner
        for module in (pedalboard, pedalboard_native, pedalboard_native.utils, pedalboard.io)
        for owner in (module, *(value for value in vars(module).values() if isinstance(value, type)))
    }
    return {(owner, name): value for owner in owners.values() for name, value in vars(owner).items()}
