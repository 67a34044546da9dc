"""The time that is left, told by what has been done."""

import pytest

from audiostyle_fx.progress import Clock

SECONDS = {"first": 1.0, "second": 0.5, "third": 4.0}  # an iteration
ITERATIONS = {"first": 60, "second": 20, "third": 50}
TOTAL = sum(SECONDS[stage] * n for stage, n in ITERATIONS.items())


@pytest.fixture
def clock():
    """A clock that goes as the iterations take their time."""
    time = 0.0

    def run(costs, sections=1):
        nonlocal time
        clock = Clock({stage: sections * n for stage, n in ITERATIONS.items()}, costs, lambda: time)
        for _ in range(sections):
            for stage, n in ITERATIONS.items():
                for _ in range(n):
                    time += SECONDS[stage]
                    clock.tick(stage, 1)
                    yield clock.elapsed, clock.left

    return run


def test_costs_that_are_right_tell_the_time_from_the_start(clock):
    for elapsed, left in clock(SECONDS):
        assert elapsed + left == pytest.approx(TOTAL)


def test_costs_that_are_wrong_are_replaced_by_what_was_seen(clock):
    totals = [elapsed + left for elapsed, left in clock(dict.fromkeys(SECONDS, 1.0), sections=3)]
    assert totals[0] == pytest.approx(3 * sum(ITERATIONS.values()))
    assert totals[80:] == pytest.approx([3 * TOTAL] * len(totals[80:]))
    assert totals[-1] == 3 * TOTAL


def test_nothing_is_left_of_what_was_done_twice(clock):
    for _ in clock(SECONDS):
        pass
    again = Clock({"first": 2}, SECONDS)
    for _ in range(3):
        again.tick("first", 1)
    assert again.left == 0


def test_what_sets_a_stage_up_does_not_come_again():
    times = iter([0.0, 7.0, 8.0, 9.0])
    clock = Clock({"first": 4}, SECONDS, lambda: next(times))
    clock.tick("first", 0)
    assert not clock.begun and clock.elapsed == 7
    clock.tick("first", 1)
    clock.tick("first", 1)
    assert clock.begun and (clock.elapsed, clock.left) == (9, 2)
