"""Numbers with units."""

import pytest

from audiostyle_fx._effects_chain.units import FACTORS, without_unit


@pytest.mark.parametrize(
    ("text", "unit", "number"),
    [
        ("-3dB", "dB", -3),
        ("+3DB", "dB", 3),
        ("1.2kHz", "Hz", 1200),
        ("8k", "Hz", 8000),
        ("0.1s", "ms", 100),
        ("1500ms", "s", 1.5),
        ("1e3ms", "s", 1),
        ("50cents", "semitones", 0.5),
    ],
)
def test_numbers_become_those_of_the_parameter_s_unit(text, unit, number):
    assert float(without_unit(text, unit)) == number


@pytest.mark.parametrize("text", ["3", "-.5", "much", "3bar", "512smp", "32/16", "1e-3", "", "dB", "1e9999s"])
def test_other_texts_stay(text):
    assert [without_unit(text, unit) for unit in ["", *FACTORS]] == [text] * (1 + len(FACTORS))


@pytest.mark.parametrize(
    ("text", "unit", "why"),
    [("3Hz", "dB", "in dB; 'Hz'"), ("3kHz", "", "without a unit; 'kHz'"), ("3ms", "frames", "in frames; 'ms'")],
)
def test_units_of_another_kind_are_refused_by_name(text, unit, why):
    with pytest.raises(ValueError, match=f"must be a number {why} does not apply"):
        without_unit(text, unit)
