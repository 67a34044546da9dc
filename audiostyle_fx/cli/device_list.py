"""The list of devices that ``--devices`` prints."""

from __future__ import annotations

import os
import warnings

from .._engine.arrays.cpu_count import cores
from .._engine.cuda.devices import describe_gpus


def list_devices() -> str:
    """Return a line for the CPU, and one for each usable GPU or for the reason why there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the reason is in the list
        gpus, problem = describe_gpus()
    return "\n".join([f"cpu: {cores()} threads on {os.cpu_count()} cores", *(gpus or [f"no GPU: {problem}"])])
