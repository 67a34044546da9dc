"""Progress as JSON on standard output, an object a line, for scripts."""

from __future__ import annotations

import json
from typing import Any

from ..progress import ProgressEvent


def print_json(event: ProgressEvent) -> None:
    """Print an event; of stages only their beginnings and ends, of transfers only the losses at their ends."""
    if event.kind != "stage" or event.iteration in (0, event.iterations):
        print_record(event.as_dict())


def print_record(record: dict[str, Any]) -> None:
    """Print a record, without the stages of its transfers but for the losses at their ends."""
    record, losses = dict(record), {}
    for transfer in record.pop("transfers", []):
        for stage in list(transfer["stages"].values())[-1:]:
            losses = {"style": stage["style_loss"][-1], "content": stage["content_loss"][-1]}
    print(json.dumps({**record, **({"losses": losses} if losses else {})}), flush=True)
