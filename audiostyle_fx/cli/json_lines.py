"""Progress as JSON on standard output, one object per line, for scripts."""

from __future__ import annotations

import json
from typing import Any

from ..progress import ProgressEvent


def print_json(event: ProgressEvent) -> None:
    """Print an event; for a stage only its beginning and end, for a record's transfers only the final losses."""
    if event.kind != "stage" or event.iteration in (0, event.iterations):
        print_record(event.as_dict())


def print_record(record: dict[str, Any]) -> None:
    """Print a record; replace its transfers by the final losses and the key of the last one."""
    record, losses, key = dict(record), {}, []
    for transfer in record.pop("transfers", []):
        key = transfer.get("key", [])
        for stage in list(transfer["stages"].values())[-1:]:
            losses = {"style": stage["style_loss"][-1], "content": stage["content_loss"][-1]}
    print(json.dumps({**record, **({"losses": losses} if losses else {}), **({"key": key} if key else {})}), flush=True)
