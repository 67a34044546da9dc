"""Names of files as soundfile accepts them."""

from __future__ import annotations

import os


def soundfile_name(path: str | os.PathLike[str]) -> str | bytes:
    """Return the name of a file as soundfile accepts it: as bytes if it is not valid text."""
    name = os.fspath(path)
    try:
        name.encode()
        return name
    except UnicodeEncodeError:
        return os.fsencode(name)
