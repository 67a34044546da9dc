"""The number of CPUs that the process may use.

The package loky also has such a function, but nothing else here would need that dependency.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath


@lru_cache(maxsize=1)
def cores() -> int:
    """Return the number of CPUs of the process: the smallest of affinity, container quota and ``OMP_NUM_THREADS``."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    available = min(available, quota())
    limit = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    return min(available, int(limit)) if limit.isdecimal() and int(limit) else available


def quota(root: Path = Path("/")) -> int:
    """Return the CPUs that control groups, such as a container's, grant the process: rounded up, at least 1.

    Parameters
    ----------
    root : Path
        Root of the file system.

    Returns
    -------
    int
        `sys.maxsize` where there is no limit.
    """
    limits = [limit for folder in _cgroup_folders(root) if (limit := _limit(folder))]
    return max(1, math.ceil(min(limits))) if limits else sys.maxsize


def _cgroup_folders(root: Path) -> Iterator[Path]:
    """Yield the folders whose limits apply: each group of the process and its parents, in versions 1 and 2."""
    mounts = root / "sys" / "fs" / "cgroup"
    groups = [("", "/"), ("cpu", "/")]  # inside a container its own group is mounted as the root
    try:
        lines = (root / "proc" / "self" / "cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers or "cpu" in controllers.split(","):
            groups.append((controllers, path))
    for controllers, path in groups:
        for mount in {controllers, "cpu"} if controllers else {""}:
            inside = PurePosixPath(path.lstrip("/"))
            yield from (mounts / mount / parent for parent in (inside, *inside.parents))


def _limit(folder: Path) -> float | None:
    """Return the CPUs that a control group's own files allow, or None without a limit."""
    try:
        if (folder / "cpu.max").exists():  # version 2
            allowed, period = (folder / "cpu.max").read_text(encoding="utf-8").split()
        else:
            allowed, period = (
                (folder / f"cpu.cfs_{name}_us").read_text(encoding="utf-8") for name in ("quota", "period")
            )
        limit = int(allowed) / int(period)
    except (OSError, ValueError, ZeroDivisionError):  # no such file, or "max"
        return None
    return limit if limit > 0 else None  # version 1 writes -1 for no limit
