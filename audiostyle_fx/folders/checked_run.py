"""Preparation of a folder's run: arguments are checked and recordings are found, but nothing is written."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from .._effects_chain.checks import check_chain, check_files
from .._effects_chain.step import Step
from .._recordings.files import SoundFileReader
from .._transfer.parameters.parameter_list import ORIGINAL_RATE
from .find import Selection, find, recording_names
from .keys import ResultKeys
from .plan import Plan
from .records.manifest import HIDDEN, Manifest
from .records.paths import ResultPaths
from .settings import FileSettings, checked_settings
from .stems import songs_of


@dataclass(frozen=True)
class CheckedRun:
    """A run whose arguments are checked; nothing is written yet.

    Attributes
    ----------
    out : Path
        The output folder, which may not exist.
    recordings : dict of str to str
        Paths of the recordings by the names of their results.
    passed_over : sequence of str
        Names of the files that are not recordings.
    settings : FileSettings
        Effects of each file, with paths that are valid in any process.
    selection : Selection
    """

    out: Path
    recordings: Mapping[str, str]
    passed_over: Sequence[str]
    settings: FileSettings
    selection: Selection

    @classmethod
    def of(
        cls,
        in_folder: str | os.PathLike[str],
        out_folder: str | os.PathLike[str],
        chain: Sequence[Step],
        selection: Selection,
        settings: Mapping[str, Mapping[str, Any]] | None,
    ) -> CheckedRun:
        """Find the recordings and check the arguments; errors are those of `style_folder`."""
        check_chain(chain, without_input=False)
        settings = checked_settings(settings, chain)
        other_inputs = [path for step in chain for path in step.files]
        recordings, passed_over = find(in_folder, out_folder, selection, other_inputs)
        if settings:
            FileSettings(chain, settings).check(recordings, recording_names(in_folder, out_folder))
        check_files(chain, first_rate(recordings.values()), lengths=False)  # errors name paths as the user wrote them
        chain = [step.with_files(os.path.abspath) for step in chain]  # valid in other processes
        out = Path(os.path.realpath(out_folder))
        return cls(out, recordings, passed_over, FileSettings(chain, settings), selection)

    def existing(self) -> list[str]:
        """Return the names of results that exist, even as other files."""
        return [name for name in self.recordings if os.path.lexists(self.out / name)]

    @cached_property
    def keys(self) -> ResultKeys:
        """Keys of the results; the styles are read to compute them."""
        return ResultKeys.of(self.settings, self.selection, self.recordings)

    def plan(self, manifest: Manifest, *, force: bool) -> Plan:
        """Return the plan of the run, with the records of the output folder or a copy of them."""
        songs = songs_of(self.recordings, self.selection.levels)
        paths = ResultPaths(str(self.out), str(self.out / HIDDEN))
        return Plan(manifest, paths, self.recordings, self.keys, self.settings, self.selection, songs, force=force)


def check_folder(folder: Path) -> None:
    """Raise OSError if a folder for results can't be written to."""
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"output {str(folder)!r} must be a folder that can be written to")


def first_rate(paths: Iterable[str]) -> float:
    """Return the rate of the first readable recording, at which styles are needed first; without one, any rate."""
    for path in paths:
        with contextlib.suppress(ValueError, OSError), SoundFileReader(path, "input") as source:
            return source.sample_rate
    return ORIGINAL_RATE
