"""The plan of a folder's run: which files an earlier run finished, and which tasks the others need.

This module resumes a stopped run: `Plan` compares the records of earlier runs with the files of this run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import replace
from os.path import isfile, lexists

from .find import Selection
from .keys import ResultKeys
from .one_file import Task, failure
from .records.file_state import FileState
from .records.manifest import OWN_FILES, Manifest
from .records.manifest_json import Record, plain
from .records.paths import ResultPaths, place, remove
from .settings import FileSettings
from .stems import Stems


class Plan:
    """Plan of a run: a queue of tasks, and the records that their answers become.

    Parameters
    ----------
    manifest : Manifest
        Manifest of the output folder, or a copy; records that are no longer valid are deleted from it.
    paths : ResultPaths
        Paths of results and of unfinished files.
    recordings : mapping of str to str
        Paths by name, see `find`.
    keys : ResultKeys
    settings : FileSettings
        Effects of each file, with paths that are valid in any process.
    selection : Selection
        The selection with the part of each recording.
    songs : mapping of str to str
        The song that each file is a stem of, by name; see `songs_of`.
    force : bool
        Whether all files of this run are processed again.

    Attributes
    ----------
    skipped : int
        Number of files that an earlier run finished.
    failed : dict of str to str
        Error of each file that failed.
    """

    def __init__(
        self,
        manifest: Manifest,
        paths: ResultPaths,
        recordings: Mapping[str, str],
        keys: ResultKeys,
        settings: FileSettings,
        selection: Selection,
        songs: Mapping[str, str],
        *,
        force: bool,
    ) -> None:
        self._manifest, self._recordings, self._keys, self._force = manifest, recordings, keys, force
        self._settings, self._selection = settings, selection
        self._paths = paths
        self._stems, self._sources = Stems(songs), set(recordings.values())
        self._staged_by_others: set[str] = set()
        self.failed: dict[str, str] = {}
        manifest.keep(self._holds)
        self.skipped = self._stems.n_done()
        self._unprocessed = deque(name for name in recordings if not self._stems.is_processed(name))
        self._urgent: deque[Task] = deque()

    def size_unprocessed(self) -> int:
        """Return the total bytes of the recordings that have to be read."""
        return self._keys.size(self._unprocessed)

    def staged_names(self) -> list[str]:
        """Return the names of processed files that wait for their level."""
        return self._stems.staged_names()

    def finish_complete_groups(self) -> list[str]:
        """For each group whose files are all processed, put its finishing tasks at the front of the queue.

        Returns
        -------
        list of str
            Files that were finished at a different level and are processed again.
        """
        return self._queue([task for group in self._stems.complete_groups() for task in self._finishing_tasks(group)])

    def next_task(self) -> Task | None:
        """Remove the next task from the queue and return it; None if the queue is empty."""
        if self._urgent:
            return self._urgent.popleft()
        return self._task(self._unprocessed.popleft()) if self._unprocessed else None

    def take(self, task: Task, answer: Record) -> tuple[Record, list[str]]:
        """Record an answer, and put the tasks that follow at the front of the queue.

        Returns
        -------
        record : dict
            The file's new record.
        again : list of str
            Files that were finished at a different level and are processed again.
        """
        name, is_second_task = task.name, task.full_scale is not None
        if answer["status"] == "done":
            try:
                place(task.finished, task.target)
            except OSError as error:
                answer = failure(task, str(error))
        before = self._manifest.record(name) if is_second_task else {}
        key = {"key": self._keys.keys[name], "identity": self._keys.identity}
        settings = plain(self._settings.of_file(name, task.source))
        own = {"settings": settings} if settings else {}
        record = {"source": task.source, **own, **before, **answer, **key, "song": self._stems.song(name)}
        if "transfers" in record:
            record["transfers"] = record.pop("transfers")  # the long entry comes last
        self._manifest.add(name, record)
        if record["status"] == "failed":
            self._stems.set_failed(name)
            self.failed[name] = record["error"]
        else:
            self._stems.set_processed(name, FileState.of(record))
        if record["status"] != "staged":
            remove(task.staged, task.finished)
        group = self._stems.group(name)
        if is_second_task or not self._stems.is_complete(group):
            return record, []
        return record, self._queue(self._finishing_tasks(group))

    def remove_leftovers(self) -> None:
        """Remove files of killed processes from the hidden folder; staged files, which wait for their level, stay."""
        staged = {self._paths.staged(self._keys.keys[name]) for name in self.staged_names()}
        self._paths.remove_leftovers(OWN_FILES, staged | self._staged_by_others)

    def _queue(self, tasks: Collection[Task]) -> list[str]:
        """Put tasks at the front of the queue; return the names of files that are processed again."""
        self._urgent.extendleft(reversed(list(tasks)))
        return [task.name for task in tasks if task.again]

    def _finishing_tasks(self, group: str) -> list[Task]:
        """Return tasks that finish a group, or that reprocess its files that were finished at a different level."""
        again = self._stems.names_at_other_levels(group)
        if again:
            for name in again:
                self._stems.set_unprocessed(name)
            self.skipped -= len(again)
            return [replace(self._task(name), again=True) for name in again]
        waiting = self._stems.waiting_names(group)
        if waiting:
            self._stems.warn(group)
        tasks = [replace(self._task(name), full_scale=self._stems.full_scale(group)) for name in waiting]
        if self._stems.is_alone(group):
            tasks = [replace(task, limits_peaks=self._manifest.record(task.name)["limits_peaks"]) for task in tasks]
        return tasks

    def _holds(self, name: str, state: FileState) -> bool:
        """Whether a record is still valid; records of files that are not in this run are kept if they can be used."""
        if name not in self._recordings:
            return self._other_holds(name, state)
        if self._force or state.status == "failed" or state.key != self._keys.keys[name]:
            return False
        exists = isfile(self._paths.target(name) if state.status == "done" else self._paths.staged(state.key))
        if exists:
            self._stems.set_processed(name, state)
        return exists

    def _other_holds(self, name: str, state: FileState) -> bool:
        """Whether to keep the record, and the staged result, of a file that is not in this run."""
        done = state.status == "done"
        if not done and not lexists(state.source):
            return False
        if state.status == "failed":
            return True
        path = self._paths.target(name) if done else self._paths.staged(state.key)
        exists = isfile(path)
        if exists and not done:
            self._staged_by_others.add(path)
        # Another result of a recording of this run, such as one in another format, is not another stem.
        if exists and state.identity == self._keys.identity and state.source not in self._sources:
            self._stems.add_other(name, state)
        return exists or done

    def _task(self, name: str) -> Task:
        key, source = self._keys.keys[name], self._recordings[name]
        chain = self._settings.chain_of(name, source)
        return Task(
            name=name,
            source=source,
            target=self._paths.target(name),
            staged=self._paths.staged(key),
            finished=self._paths.finished(key, name),
            effects=tuple((step.effect.name, step.values) for step in chain),
            start=self._selection.start,
            duration=self._selection.duration,
            subtype=self._selection.subtype,
            rate=self._selection.rate,
            quality=self._selection.quality,
            shares_level=self._stems.shares_level(name),
        )
