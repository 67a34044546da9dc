"""Progress of a transfer: to a tqdm bar, to the caller's function, or to nobody."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

from tqdm import tqdm

Report: TypeAlias = Callable[[str, int, int, Mapping[str, float]], None]
"""A function of stage, iteration (0 to total), total and the losses there, by name."""


Progress: TypeAlias = bool | Callable[[str, int, int, Mapping[str, float], tuple[int, int]], None] | None
"""True for a bar, or a function that is told all that and the sections: how many are finished, and of how many."""


BAR = "{desc}{percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"


def check_progress(progress: Progress) -> Progress:
    """The value, or TypeError where it is neither True, False, None nor callable."""
    if progress is None or isinstance(progress, bool) or callable(progress):
        return progress
    raise TypeError(f"progress={progress!r} must be True, False, None or a function")


@contextmanager
def reporting(
    progress: Progress, iterations: Mapping[str, int], costs: Mapping[str, float], sections: int
) -> Iterator[Callable[[int], Report | None]]:
    """What `progress` asks for, as a function that makes the report of a batch, or None, from its number of sections.

    Parameters
    ----------
    progress : Progress
    iterations : mapping of str to int
        Of each stage, for every section.
    costs : mapping of str to float
        About what an iteration of each takes, relative to each other.
    sections : int
        Of all recordings together.
    """
    check_progress(progress)
    begun = 0

    def finished(items: int) -> int:
        nonlocal begun
        begun += items
        return min(begun, sections) - items  # what ran out of memory begins anew

    if callable(progress):

        def told(items: int) -> Report:
            before = finished(items)

            def tell(stage: str, iteration: int, n: int, losses: Mapping[str, float]) -> None:
                progress(stage, iteration, n, losses, (before, sections))

            return tell

        yield told
    elif progress:
        total = {stage: n * sections for stage, n in iterations.items() if n}
        with tqdm(total=1.0, bar_format=BAR, smoothing=0, miniters=0, dynamic_ncols=True) as bar:
            clock = Clock(total, costs)

            def shown(items: int) -> Report:
                before, last = finished(items), 0

                def show(stage: str, iteration: int, n: int, losses: Mapping[str, float]) -> None:
                    nonlocal last
                    clock.tick(stage, items * (iteration - last))
                    last = iteration % n  # the next stage begins anew
                    where = f"{before + 1}/{sections} " if sections > 1 else ""
                    bar.set_description(where + stage, refresh=False)
                    bar.set_postfix({name: f"{value:.4g}" for name, value in losses.items()}, refresh=False)
                    if clock.begun:
                        bar.total = clock.elapsed + clock.left
                        bar.update(clock.elapsed - bar.n)

                return show

            yield shown
            bar.refresh()
    else:
        yield lambda items: None


class Clock:
    """How long is left: an iteration of a stage goes on taking what it has taken.

    Parameters
    ----------
    iterations : mapping of str to int
        Of each stage, in all.
    costs : mapping of str to float
        About what one takes, relative to the other stages, until it is known.
    now : callable
        The time in seconds.
    """

    def __init__(
        self, iterations: Mapping[str, int], costs: Mapping[str, float], now: Callable[[], float] = time.perf_counter
    ) -> None:
        self._to_do, self._costs, self._now = dict(iterations), costs, now
        self._done, self._spent = dict.fromkeys(iterations, 0), dict.fromkeys(iterations, 0.0)
        self._last = now()
        self.elapsed = 0.0

    def tick(self, stage: str, iterations: int) -> None:
        """So many iterations of a stage have been done since the last tick; with none, it was set up."""
        last, self._last = self._last, self._now()
        self.elapsed += self._last - last
        if iterations:
            self._spent[stage] += self._last - last
        self._done[stage] += iterations
        self._to_do[stage] = max(0, self._to_do[stage] - iterations)

    @property
    def begun(self) -> bool:
        """Whether there is anything to tell the time by."""
        return any(self._done.values())

    @property
    def left(self) -> float:
        """Seconds."""
        known = {stage: self._spent[stage] / n for stage, n in self._done.items() if n}
        scale = sum(known.values()) / sum(self._costs[stage] for stage in known) if known else 0.0
        return sum(n * known.get(stage, scale * self._costs[stage]) for stage, n in self._to_do.items())
