"""Writing of a listening page."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .entries import Entry, entry_data
from .json_data import script_json
from .media import PageMedia, media_folder

INLINE_BYTES = 16 * 2**20
"""Sound and pictures of up to this size in all are part of the page; larger ones are written to its media folder."""

_STYLESHEET = '<link rel="stylesheet" href="page.css">'
_SCRIPT = '<script src="page.js"></script>'
_TITLE = b"<title>Listening page</title>"
_DATA = '<script type="application/json" id="data">null</script>'


def check_page(page: str | os.PathLike[str]) -> None:
    """Raise ValueError, or OSError, unless `write_report` can write there."""
    page = _checked_path(page)
    with tempfile.TemporaryFile(dir=page.parent):
        pass


def is_listening_page(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins like a page written by `write_report`."""
    with open(path, "rb") as file:
        head = file.read(1000)
    return head.startswith(b"<!doctype html>") and _TITLE in head


def write_report(page: str | os.PathLike[str], entries: Sequence[Entry], title: str = "Listening page") -> None:
    """Write an HTML page to listen to the content, style and result of each entry and to compare them.

    The page needs no network. Sound is 16-bit FLAC with one or two channels, at 8 to 48 kHz. If a content or a result
    exceeds full scale, both are turned down by the same amount. Sound and pictures of up to `INLINE_BYTES` in all are
    part of the page. Otherwise they are files in a folder next to it, ``page_media`` for ``page.html``, where each
    recording is stored once. An earlier page and its media are replaced only when the new page is complete. Long
    recordings are read in blocks, so that memory is bounded.

    Parameters
    ----------
    page : path
        The file to write.
    entries : sequence of Entry
        A recording that can't be read is left out, and its entry shows the reason.
    title : str

    Raises
    ------
    ValueError
        Before any work, if ``page`` is not a file in a folder that exists.
    OSError, soundfile.SoundFileError
        If the page or its media can't be written.
    """
    page = _checked_path(page)
    media = PageMedia(media_folder(page))
    partial = page.with_name(f".{media.token}.html")
    try:
        descriptions = [entry_data(entry, media) for entry in entries]
        scale = media.write_pictures()
        inline = media.n_bytes <= INLINE_BYTES
        recordings = media.recordings(inline)
        data = {
            "title": title,
            "inline": inline,
            "scale": scale,
            "recordings": recordings,
            "entries": descriptions,
        }
        partial.write_text(_assemble(data), encoding="utf-8")
        os.replace(partial, page)
    except BaseException:
        partial.unlink(missing_ok=True)
        media.discard()
        raise
    media.delete_unused(inline)  # the earlier page was complete until now, as its media have other names


def _checked_path(page: str | os.PathLike[str]) -> Path:
    """Check that a page and its media folder can be in this place; return its path."""
    page = Path(page)
    if page.is_dir() or not page.parent.is_dir():
        raise ValueError(f"page={str(page)!r} must name a file in a folder that exists")
    folder = media_folder(page)
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"page={str(page)!r} needs {folder.name!r} as its media folder, but this is a file")
    return page


def _assemble(data: dict[str, Any]) -> str:
    """Put the style sheet, the script and the data into the page, in place of the elements that refer to them."""
    folder = Path(__file__).parent
    html, css, script = ((folder / f"page.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    html = html.replace(_STYLESHEET, f"<style>\n{css}</style>").replace(_SCRIPT, f"<script>\n{script}</script>")
    return html.replace(_DATA, _DATA.replace("null", script_json(data)))
