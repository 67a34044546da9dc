"""Metadata of a part of a recording, at another rate."""

import pytest

from audiostyle_fx._recordings.metadata import Broadcast, CuePoint, Loop, Metadata


def part(metadata, first=100, n_samples=200, new_rate=8000):
    return metadata.in_part(first, n_samples, 8000, new_rate)


@pytest.mark.parametrize(("position", "expected"), [(99, None), (100, 0), (150, 50), (300, 200), (301, None)], ids=str)
def test_cue_points_are_shifted_or_dropped(position, expected):
    points = () if expected is None else (CuePoint(expected, "a"),)
    assert part(Metadata(cue_points=(CuePoint(position, "a"),))).cue_points == points


@pytest.mark.parametrize(
    ("region", "expected"),
    [((50, 20), None), ((50, 100), (0, 50)), ((120, 30), (20, 30)), ((250, 100), (150, 50)), ((300, 5), None)],
    ids=str,
)
def test_regions_are_cut_at_the_ends_of_the_part(region, expected):
    found = part(Metadata(cue_points=(CuePoint(region[0], length=region[1]),))).cue_points
    assert found == (() if expected is None else (CuePoint(expected[0], length=expected[1]),))


@pytest.mark.parametrize(("loop", "expected"), [((99, 200), None), ((100, 300), (0, 200)), ((200, 301), None)], ids=str)
def test_loops_are_kept_where_they_are_whole(loop, expected):
    assert part(Metadata(loops=(Loop(*loop),))).loops == (() if expected is None else (Loop(*expected),))


def test_positions_are_scaled_to_the_rate():
    found = part(
        Metadata({"title": "a"}, (), (Loop(110, 200, "alternating", 2),), 60.0, (CuePoint(101, "b"),)), new_rate=44100
    )
    assert found == Metadata({"title": "a"}, (), (Loop(55, 551, "alternating", 2),), 60.0, (CuePoint(6, "b"),))


def test_loops_keep_a_sample_at_a_lower_rate():
    assert part(Metadata(loops=(Loop(120, 121),)), new_rate=1000).loops == (Loop(2, 3),)


def test_time_reference_is_shifted_and_scaled():
    assert part(Metadata(broadcast=Broadcast(900, "d")), new_rate=16000).broadcast == Broadcast(2000, "d")


def test_time_reference_stays_in_64_bits():
    assert part(Metadata(broadcast=Broadcast(2**64 - 1)), new_rate=16000).broadcast.time_reference == 2**64 - 1
