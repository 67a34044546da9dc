"""What a command shows of its progress with many files: a bar, plain lines, or an object a line for scripts."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from tqdm import tqdm

from ..progress import BAR

Event = Mapping[str, Any]


SHARES = {"spectrogram": (0.0, 0.4), "phase": (0.4, 0.47), "waveform": (0.47, 1.0)}
"""About from where to where of a section's work a stage takes it; measured with the defaults."""


def watcher(*, quiet: bool = False, as_json: bool = False) -> Callable[[Event], None]:
    """What shows the events of `style_folder`, best for where standard error goes; errors are shown always."""
    if as_json:
        return show_json
    return Lines(sys.stderr, quiet=quiet) if quiet or not sys.stderr.isatty() else Bar(sys.stderr)


def show_json(event: Event) -> None:
    """Print an event on standard output, without the stages of its transfers but for the losses at their ends."""
    event = dict(event)
    if event["event"] == "stage" and event["iteration"] not in (0, event["total"]):
        return
    losses = {}
    for transfer in event.pop("transfers", []):
        last = list(transfer["stages"].values())[-1:]
        losses = {kind: stage[kind][-1] for stage in last for kind in ("style", "content")}
    print(json.dumps({**event, **({"losses": losses} if losses else {})}), flush=True)


class Lines:
    """A line for each file, and one at the end.

    Parameters
    ----------
    file : text file
    quiet : bool
        Whether only errors are shown.
    now : callable
        The time in seconds.
    """

    def __init__(self, file: TextIO, *, quiet: bool = False, now: Callable[[], float] = time.perf_counter) -> None:
        self.file, self.quiet, self._now = file, quiet, now
        self.files = self.skipped = 0
        self._counted: set[str] = set()
        self._bytes = self._bytes_read = self._seconds_made = 0.0

    def __call__(self, event: Event) -> None:
        """Show an event."""
        getattr(self, f"_on_{event['event']}")(event)

    def _on_start(self, event: Event) -> None:
        self._began = self._now()
        self.files, self.skipped, self._bytes = event["files"], event["skipped"], event["bytes"]
        if self.skipped and not self.quiet:
            self._say(f"{_files(self.skipped)} of {self.files} finished before")

    def _on_again(self, event: Event) -> None:
        self.skipped -= event["files"]
        self._bytes += event["bytes"]

    def _on_stage(self, event: Event) -> None:
        pass

    def _on_made(self, event: Event) -> None:
        self._count(event, event["bytes"])
        self._seconds_made += event["duration"]
        if not self.quiet:
            self._on_success(event)

    def _on_success(self, event: Event) -> None:
        where = f"{self.skipped + len(self._counted)}/{self.files} {_printable(event['file'])}"
        left = f", {clock(self.left())} left" if len(self._counted) + self.skipped < self.files else ""
        self._say(f"{where}: {event['duration']:.1f} s in {event['seconds']:.1f} s{left}")

    def _on_file(self, event: Event) -> None:
        failed = event["status"] == "failed"
        self._count(event, event["bytes"] if failed else 0)  # what an earlier run made is only finished here
        if failed:
            self._say(f"audiostyle: {_printable(event['file'])}: {event['error']}")

    def _count(self, event: Event, read: int) -> None:
        if event["file"] not in self._counted:  # told of when it is made, and when it is finished
            self._counted.add(event["file"])
            self._bytes_read += read

    def _on_end(self, event: Event) -> None:
        counts = [f"{_files(event['done'])} done"]
        counts += [f"{event[what]} {what}" for what in ("skipped", "failed") if event[what]]
        if not self.quiet:
            self._say(f"{', '.join(counts)} in {clock(event['seconds'])}{self._pace()}")

    def left(self, begun: float = 0.0) -> float:
        """Seconds, with so many bytes of the file in work behind it."""
        done = self._bytes_read + begun
        return (self._now() - self._began) * (self._bytes - done) / done if done else 0.0

    def _pace(self) -> str:
        elapsed = self._now() - self._began
        return f", {self._seconds_made / elapsed:.2f} x real time" if self._seconds_made and elapsed else ""

    def _say(self, text: str) -> None:
        print(text, file=self.file, flush=True)


class Bar(Lines):
    """A bar with the time left, and above it what fails."""

    def _on_start(self, event: Event) -> None:
        self._bar = tqdm(total=1.0, bar_format=BAR, smoothing=0, miniters=0, dynamic_ncols=True, file=self.file)
        super()._on_start(event)
        self._show("")

    def _on_stage(self, event: Event) -> None:
        first, last = SHARES[event["stage"]]
        finished, sections = event["sections"]
        within = first + (last - first) * event["iteration"] / event["total"]
        self._show(f"{_printable(event['file'])} {event['stage']}", (finished + within) / sections)

    def _on_file(self, event: Event) -> None:
        super()._on_file(event)
        self._show("")

    def _on_success(self, event: Event) -> None:
        self._show("")

    def _on_end(self, event: Event) -> None:
        self._bar.close()
        super()._on_end(event)

    def _show(self, what: str, share: float = 0.0) -> None:
        """Show the files that are finished, what is going on, and how long that takes."""
        count = self.skipped + len(self._counted)
        self._bar.set_description(f"{count}/{self.files} {what}".rstrip(), refresh=False)
        self._bar.set_postfix_str(self._pace().lstrip(", "), refresh=False)
        mean = (self._bytes - self._bytes_read) / max(1, self.files - count)
        elapsed, left = self._now() - self._began, self.left(share * mean)
        if self._bytes_read or share:
            self._bar.total = elapsed + left
            self._bar.update(elapsed - self._bar.n)

    def _say(self, text: str) -> None:
        self._bar.write(text, file=self.file)


def clock(seconds: float) -> str:
    """Minutes and seconds, as in 1:05, and hours where there are any."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _printable(name: str) -> str:
    """A name on one line, whatever is in it."""
    return name if name.isprintable() else repr(name)


def _files(n: int) -> str:
    return f"{n} file" + "s" * (n != 1)
