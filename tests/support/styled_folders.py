"""Contents of the folders that tests style."""

import json
from pathlib import Path

import soundfile

from audiostyle_fx.folders.records.manifest import NAME

LENGTH = 2000
"""Samples of each recording."""


def statuses(folder="out"):
    files = json.loads(Path(folder, NAME).read_text())["files"]
    return {name: record["status"] for name, record in files.items()}


def read(path):
    return soundfile.read(path, dtype="float32")[0]


def made_of(events):
    return [event.file for event in events if event.kind == "made"]
