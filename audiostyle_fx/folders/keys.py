"""Keys of results: equal keys mean that a result need not be processed again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from .._effects_chain.step import Step
from .._effects_chain.style_effect import is_style, transfer_options
from .find import Selection
from .records.manifest_json import FORMAT, plain
from .settings import FileSettings


@dataclass(frozen=True)
class ResultKeys:
    """Keys of a run's results.

    Attributes
    ----------
    identity : str
        Digest of everything that affects all results: effects, selection, contents of styles, version.
    keys : mapping of str to str
        Digest for each file, by name: of the identity, the parameters that its settings change, and the size, time of
        change, ending and name of the recording.
    sizes : mapping of str to int
        Bytes of each recording; 0 for a missing one, which its task reports.
    """

    identity: str
    keys: Mapping[str, str]
    sizes: Mapping[str, int]

    @classmethod
    def of(cls, settings: FileSettings, selection: Selection, recordings: Mapping[str, str]) -> ResultKeys:
        """Return the keys of recordings, a mapping of names to paths."""
        identity = _digest(json.dumps(_identity(settings.chain, selection)))
        keys, sizes = {}, {}
        for name, path in recordings.items():
            try:
                status = os.stat(path)
                size, changed = status.st_size, status.st_mtime_ns
            except OSError:
                size, changed = 0, 0
            sizes[name] = size
            own = _own_parameters(settings, name, path)
            keys[name] = _digest(f"{identity}{own} {size} {changed} {os.path.splitext(path)[1]} {name}")
        return cls(identity, keys, sizes)

    def size(self, names: Iterable[str]) -> int:
        """Return the total bytes of some recordings."""
        return sum(self.sizes[name] for name in names)


def _identity(chain: Sequence[Step], selection: Selection) -> list[Any]:
    """Return everything that affects all results, as JSON values; files by their contents, not by their paths."""
    effects = []
    for step in chain:
        values = {name: value for name, value in step.values.items() if not step.effect.parameters[name].is_file}
        effects.append([step.effect.name, plain(values), [_content_digest(path) for path in step.files]])
    versions = [version("audiostyle-fx"), FORMAT]
    written = [selection.subtype, selection.rate, selection.quality]
    return [*versions, effects, selection.start, str(selection.duration), written]


def _own_parameters(settings: FileSettings, name: str, path: str) -> str:
    """Return the parameters that a file's settings change, as JSON text; empty if there are none."""
    chain = settings.chain_of(name, path)
    if all(step.values == of_call.values for step, of_call in zip(chain, settings.chain, strict=True)):
        return ""
    values = [plain(transfer_options(step.values)) for step in chain if is_style(step)]
    return " " + json.dumps(values, sort_keys=True)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _content_digest(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
