"""Work of the host on many items, before and after that of a GPU, on all cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache
from typing import TypeVar

from ..arrays.cpu_count import cores

Item = TypeVar("Item")
Result = TypeVar("Result")
Other = TypeVar("Other")


def on_all_cores(
    function: Callable[[Item], Result], items: Iterable[Item], *, first_alone: bool = False
) -> list[Result]:
    """Return what a function returns for each item; the items are shared among threads.

    Parameters
    ----------
    function : callable
        May run on several threads at once, and must not call this function itself, because it would wait for its own
        thread.
    items : iterable
    first_alone : bool
        Whether the other items wait for the first, which fills a cache that all of them need.

    Raises
    ------
    Exception
        That of the first item that raises one. Items that have not begun are skipped; those that have are awaited.
    """
    items = list(items)
    if min(len(items), cores()) < 2:
        return [function(item) for item in items]
    alone = [function(item) for item in items[:first_alone]]
    calls = [_pool(os.getpid()).submit(function, item) for item in items[first_alone:]]
    try:
        return alone + [call.result() for call in calls]
    finally:
        for call in calls:
            call.cancel()
        wait(calls)


def at_once(here: Callable[[], Result], elsewhere: Callable[[], Other]) -> tuple[Result, Other]:
    """Return the results of two functions, of which the second runs on another thread if there are several cores.

    The longer one should be the first: a thread that has just begun has to be given its memory by the system. As with
    `on_all_cores`, neither may use these threads itself.

    Raises
    ------
    Exception
        That of the first function, or else that of the second; both are awaited.
    """
    if cores() < 2:
        return here(), elsewhere()
    other = _pool(os.getpid()).submit(elsewhere)
    try:
        result = here()
    finally:
        wait([other])
    return result, other.result()


@lru_cache(maxsize=1)
def _pool(process_id: int) -> ThreadPoolExecutor:
    """Return the threads of this process; a forked process must not wait for those of its parent.

    They are not those of `arrays.threads.share`, which the functions may call.
    """
    return ThreadPoolExecutor(cores(), "audiostyle_fx host")
