"""The scale of colours, and PNG pictures in it."""

import io

import numpy as np
import pytest

from audiostyle_fx.figures.colours import colours, png


def test_lightness_rises_evenly():
    rgb = colours(65)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    lightness = np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)  # CIE 1976
    steps = np.diff(lightness)[6:]  # CIE's own lightness is another one near black
    assert rgb.min() >= 0 and rgb.max() <= 1
    assert lightness[0] < 6 and lightness[-1] > 93
    assert steps.min() > 0.5 * steps.mean() and steps.max() < 2 * steps.mean()


def test_png_is_read_back():
    image = pytest.importorskip("matplotlib.image")
    pixels = np.random.default_rng(0).integers(0, 65, (7, 13)).astype(np.uint8)
    read = image.imread(io.BytesIO(png(pixels, colours(65))))
    np.testing.assert_allclose(read[..., :3], colours(65)[pixels], atol=1 / 255)
