"""Progress as JSON on standard output."""

import json

from audiostyle_fx import ProgressEvent
from audiostyle_fx.cli.json_lines import print_json

TRANSFERS = [
    {
        "stages": {
            "phase": {"style_loss": [3.0], "content_loss": [4.0]},
            "waveform": {"style_loss": [9, 1.5], "content_loss": [8, 2.5]},
        },
        "key": [-3.0],
    }
]


def stage(iteration):
    return ProgressEvent(kind="stage", file="a.wav", stage="phase", iteration=iteration, iterations=50)


def test_json_is_an_object_a_line_with_the_last_losses(capsys):
    record = {"status": "done", "transfers": TRANSFERS}
    events = [
        ProgressEvent(kind="start", files=2),
        *map(stage, (0, 7, 50)),
        ProgressEvent(kind="file", file="a\n\udcff.wav", bytes=9, record=record),
        ProgressEvent(kind="file", file="no.wav", record={"status": "done"}),
        ProgressEvent(kind="end", done=2),
    ]
    for event in events:
        print_json(event)
    shown, errors = capsys.readouterr()
    objects = [json.loads(line) for line in shown.splitlines()]
    assert errors == "" and shown.isascii()
    assert [found["kind"] for found in objects] == ["start", "stage", "stage", "file", "file", "end"]
    losses = {"style": 1.5, "content": 2.5}
    shown_record = {"bytes": 9, "status": "done", "losses": losses, "key": [-3.0]}
    assert objects[3] == {"kind": "file", "file": "a\n\udcff.wav", **shown_record}
    assert objects[4] == {"kind": "file", "file": "no.wav", "bytes": 0, "status": "done"}
    assert record["transfers"] is TRANSFERS, "the record is as it was"
