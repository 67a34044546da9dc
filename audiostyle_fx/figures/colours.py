"""A scale of colours for levels, and PNG pictures in it."""

from __future__ import annotations

import struct
import zlib

import numpy as np


def colours(count: int) -> np.ndarray:
    """Return a scale from near black through violet and orange to pale yellow, float64 (count, 3), sRGB from 0 to 1.

    Lightness rises evenly in the colour space OKLab, so equal steps of level look equally large.

    References
    ----------
    B. Ottosson, "A perceptual color space for image processing", 2020: OKLab and its matrices.
    """
    t = np.linspace(0, 1, count)
    hue = np.deg2rad(285 + 180 * t)
    chroma = 0.165 * np.sin(np.pi * t**0.85) ** 0.8 + 0.03
    lab = np.stack([0.13 + 0.84 * t, chroma * np.cos(hue), chroma * np.sin(hue)], axis=1)
    to_lms = [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.2914855480]]
    to_rgb = [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
    linear = np.clip((lab @ np.transpose(to_lms)) ** 3 @ np.transpose(to_rgb), 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def png(pixels: np.ndarray, palette: np.ndarray) -> bytes:
    """Encode a picture as PNG.

    Parameters
    ----------
    pixels : uint8 array (height, width)
        Indices into the palette, the top row first.
    palette : float array (colours, 3)
        sRGB from 0 to 1.

    Returns
    -------
    bytes
        The file.
    """
    # These lines replace Pillow, a dependency of 5 to 7 MB that nothing else would use.
    height, width = pixels.shape
    rows = np.zeros((height, width + 1), np.uint8)  # each row begins with its filter: 0, none
    rows[:, 1:] = pixels
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    entries = np.round(255 * palette).astype(np.uint8).tobytes()
    contents = ((b"IHDR", header), (b"PLTE", entries), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    chunks = (struct.pack(">I", len(data)) + kind + data + _checksum(kind + data) for kind, data in contents)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _checksum(data: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(data))
