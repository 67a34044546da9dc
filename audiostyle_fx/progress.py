"""Progress of a transfer: to a tqdm bar, to the caller's function, or to nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

from tqdm import tqdm

Progress: TypeAlias = bool | Callable[[str, int, int, Mapping[str, float]], None] | None
"""True for a bar, or a function of stage, iteration (0 to total), total and the losses there, by name."""


@contextmanager
def reporting(progress: Progress, total: int) -> Iterator[Callable[[str, int, int, Mapping[str, float]], None]]:
    """What `progress` asks for, as a function; ``total`` iterations are expected over all stages.

    Raises
    ------
    TypeError
        If ``progress`` is neither True, False, None nor callable.
    """
    if callable(progress):
        yield progress
    elif progress is None or progress is False:
        yield lambda stage, iteration, total, losses: None
    elif progress is True:
        with tqdm(total=total, unit="it", dynamic_ncols=True) as bar:

            def show(stage: str, iteration: int, total: int, losses: Mapping[str, float]) -> None:
                bar.set_description(stage, refresh=False)
                bar.set_postfix({name: f"{value:.4g}" for name, value in losses.items()}, refresh=False)
                bar.update(1 if iteration else 0)

            yield show
            bar.refresh()
    else:
        raise TypeError(f"progress={progress!r} must be True, False, None or a function")
