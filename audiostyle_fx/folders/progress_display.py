"""Progress of a folder on standard error: a bar on a terminal, a line for each file elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

from tqdm import tqdm

from ..progress import BAR_FORMAT, Progress, ProgressEvent, check_progress
from .find import passed_over_text, printable

STAGE_SHARES = {"spectrogram": (0.0, 0.35), "phase": (0.35, 0.44), "waveform": (0.44, 1.0)}
"""The beginning and end of each stage, as shares of a section's time; measured with the defaults."""


def folder_progress(progress: Progress) -> Callable[[ProgressEvent], None]:
    """Return the function that receives a folder's events: the user's, a display, or one that ignores them."""
    check_progress(progress)
    if callable(progress):
        return progress
    return display(quiet=False) if progress else lambda event: None


def display(*, quiet: bool) -> Callable[[ProgressEvent], None]:
    """Return a display of events on standard error; with ``quiet``, only errors are shown."""
    return FileLines(sys.stderr, quiet=quiet) if quiet or not sys.stderr.isatty() else FileBar(sys.stderr)


class FileCounts:
    """Counts finished files and bytes from a folder's events.

    Parameters
    ----------
    now : callable
        Returns the time in seconds.

    Attributes
    ----------
    files, skipped : int
        Number of files of the run, and of files that an earlier run finished.
    bytes, bytes_done : int
        Total size of the input files to process, and of the processed ones.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now, self._began, self._seconds_made = now, now(), 0.0
        self.files = self.skipped = self.bytes = self.bytes_done = 0
        self._counted: set[str] = set()

    def count(self, event: ProgressEvent) -> None:
        """Count an event."""
        if event.kind == "start":
            self._began = self._now()
            self.files, self.skipped, self.bytes = event.files, event.skipped, event.bytes
        elif event.kind == "again":
            self.skipped -= event.files
            self.bytes += event.bytes
        elif event.kind == "made":
            self._count_file(event, event.bytes)
            self._seconds_made += event.duration
        elif event.kind == "file":  # a file that an earlier run processed adds no bytes to this run
            self._count_file(event, event.bytes if has_failed(event) else 0)

    def _count_file(self, event: ProgressEvent, n_bytes: int) -> None:
        if event.file is not None and event.file not in self._counted:  # a file has both a "made" and a "file" event
            self._counted.add(event.file)
            self.bytes_done += n_bytes

    @property
    def n_done(self) -> int:
        """Number of processed files, including those of earlier runs."""
        return self.skipped + len(self._counted)

    @property
    def seconds_left(self) -> float:
        """Estimated time left in seconds; it assumes the same time per byte as for the finished files."""
        if not self.bytes_done:
            return 0.0
        return (self._now() - self._began) * (self.bytes - self.bytes_done) / self.bytes_done

    @property
    def pace(self) -> str:
        """Seconds of audio per second of time, in words; empty until a file is processed."""
        elapsed = self._now() - self._began
        return f"{self._seconds_made / elapsed:.2f} x real time" if self._seconds_made and elapsed else ""


class FileLines:
    """Prints a line for each file, and a last line with the totals.

    Parameters
    ----------
    file : text file
    quiet : bool
        Print errors only.
    now : callable
        Returns the time in seconds.
    """

    def __init__(self, file: TextIO, *, quiet: bool = False, now: Callable[[], float] = time.perf_counter) -> None:
        self.quiet, self._file, self._counts = quiet, file, FileCounts(now)

    def __call__(self, event: ProgressEvent) -> None:
        """Show an event."""
        self._counts.count(event)
        if text := failure_line(event) or ("" if self.quiet else self._line(event)):
            print(text, file=self._file, flush=True)

    def _line(self, event: ProgressEvent) -> str:
        counts = self._counts
        if event.kind == "start":
            before = f"{_n_files(event.skipped)} of {event.files} finished before" if event.skipped else ""
            return "\n".join(filter(None, (passed_over_line(event), before)))
        if event.kind == "made":
            left = f", {tqdm.format_interval(counts.seconds_left)} left" if counts.n_done < counts.files else ""
            position = f"{counts.n_done}/{counts.files} {printable(event.file)}"
            return f"{position}: {event.duration:.1f} s of sound in {event.seconds:.1f} s{left}"
        return summary(event, counts.pace) if event.kind == "end" else ""


class FileBar:
    """Shows a bar with the time left, and a line above it for each file that fails."""

    def __init__(self, file: TextIO, *, now: Callable[[], float] = time.perf_counter) -> None:
        self.bar = tqdm(total=1, bar_format=BAR_FORMAT, smoothing=0, miniters=0, dynamic_ncols=True, file=file)
        self._file, self._counts = file, FileCounts(now)

    def __call__(self, event: ProgressEvent) -> None:
        """Show an event."""
        self._counts.count(event)
        if event.kind == "end":
            self.bar.close()
            self.bar.write(summary(event, self._counts.pace), file=self._file)
            return
        if text := failure_line(event) or passed_over_line(event):
            self.bar.write(text, file=self._file)
        if event.kind == "stage" and event.stage is not None:
            begin, end = STAGE_SHARES[event.stage]
            within_section = begin + (end - begin) * event.iteration / event.iterations
            self._show(f"{printable(event.file)} {event.stage}", (event.section + within_section) / event.sections)
        else:
            self._show("")

    def _show(self, name: str, share_of_file: float = 0.0) -> None:
        """Show the number of finished files, the current file, and the share of all bytes."""
        counts = self._counts
        self.bar.set_description(f"{counts.n_done}/{counts.files} {name}".rstrip(), refresh=False)
        self.bar.set_postfix_str(counts.pace, refresh=False)
        mean_bytes = (counts.bytes - counts.bytes_done) / max(1, counts.files - counts.n_done)
        self.bar.total = max(1, counts.bytes)
        # Files differ from the mean, so the bar waits rather than moves backwards.
        self.bar.update(max(0, counts.bytes_done + share_of_file * mean_bytes - self.bar.n))


def summary(event: ProgressEvent, pace: str) -> str:
    """Return the last line of a run: the numbers of files, the time and the pace."""
    counts = [f"{_n_files(event.done)} done"]
    counts += [f"{n} {name}" for name, n in (("skipped", event.skipped), ("failed", event.failed)) if n]
    return f"{', '.join(counts)} in {tqdm.format_interval(event.seconds)}" + (f", {pace}" if pace else "")


def passed_over_line(event: ProgressEvent) -> str:
    """Return a line about files of a folder that are not recordings; empty if there are none."""
    return passed_over_text(event.passed_over) if event.passed_over else ""


def has_failed(event: ProgressEvent) -> bool:
    """Return whether an event says that a file has failed."""
    return event.kind == "file" and event.record is not None and event.record.get("status") == "failed"


def failure_line(event: ProgressEvent) -> str:
    """Return a line that names the file and its error; empty for other events."""
    if not has_failed(event) or event.record is None:
        return ""
    return f"audiostyle: {printable(event.file)}: {event.record['error']}"


def _n_files(n: int) -> str:
    return f"{n} file" + "s" * (n != 1)
