"""Progress of a transfer: to a tqdm bar, to the caller's function, or to nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

from tqdm import tqdm

Report: TypeAlias = Callable[[str, int, int, Mapping[str, float]], None]
"""A function of stage, iteration (0 to total), total and the losses there, by name."""

Progress: TypeAlias = bool | Report | None
"""True for a bar, or a function that is told."""


def check_progress(progress: Progress) -> Progress:
    """The value, or TypeError where it is neither True, False, None nor callable."""
    if progress is None or isinstance(progress, bool) or callable(progress):
        return progress
    raise TypeError(f"progress={progress!r} must be True, False, None or a function")


@contextmanager
def reporting(progress: Progress, total: int) -> Iterator[Callable[[int], Report | None]]:
    """What `progress` asks for, as a function that makes the report of a batch, or None, from its number of items.

    ``total`` is the number of iterations that all items and stages take together.
    """
    check_progress(progress)
    if callable(progress):
        yield lambda items: progress
    elif progress:
        with tqdm(total=total, unit="it", dynamic_ncols=True) as bar:

            def report(items: int) -> Report:
                last = 0

                def show(stage: str, iteration: int, total: int, losses: Mapping[str, float]) -> None:
                    nonlocal last
                    bar.set_description(stage, refresh=False)
                    bar.set_postfix({name: f"{value:.4g}" for name, value in losses.items()}, refresh=False)
                    bar.update(items * (iteration - last))
                    last = iteration % total  # the next stage begins anew

                return show

            yield report
            bar.refresh()
    else:
        yield lambda items: None
