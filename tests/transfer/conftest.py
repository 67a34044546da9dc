"""Fixtures of transfers."""

import pytest

from audiostyle_fx import stylize
from audiostyle_fx._transfer.whole_recordings import prepared_sections


@pytest.fixture
def stage_inputs(monkeypatch):
    """The inputs of the three stages, batch by batch: (contents, samples of the first style)."""
    inputs, original = [], prepared_sections.three_stages

    def three_stages(batch, targets, *args):
        inputs.append((batch.contents.copy(), targets[0].samples[0].copy()))
        return original(batch, targets, *args)

    monkeypatch.setattr(prepared_sections, "three_stages", three_stages)
    return inputs


@pytest.fixture
def styled(style, rate, quick):
    """A function that returns the audio of a transfer with the quick parameters and others."""
    return lambda content, given=style, **parameters: stylize(content, given, rate, **{**quick, **parameters}).audio
