"""The bounded cache: the values used last are kept, and errors are not."""

import pytest

from audiostyle_fx._bounded_cache import BoundedCache


class Inverse:
    """Makes inverses of numbers, and notes for which it was called."""

    def __init__(self):
        self.calls = []

    def of(self, value):
        def make():
            self.calls.append(value)
            return 1 / value

        return make


def test_the_values_used_last_are_kept():
    cache, inverse = BoundedCache(2), Inverse()
    for value in (1, 2, 1, 3, 1, 2):
        assert cache.get(value, inverse.of(value)) == 1 / value
    assert inverse.calls == [1, 2, 3, 2]
    assert len(cache) == 2


@pytest.mark.parametrize("max_size", [0, 2])
def test_a_value_that_could_not_be_made_is_tried_again(max_size):
    cache, inverse = BoundedCache(max_size), Inverse()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            cache.get(0, inverse.of(0))
    assert inverse.calls == [0, 0] and len(cache) == 0


def test_a_cache_of_size_zero_keeps_nothing():
    cache, inverse = BoundedCache(0), Inverse()
    for _ in range(2):
        assert cache.get(4, inverse.of(4)) == 0.25
    assert inverse.calls == [4, 4] and len(cache) == 0


def test_none_is_a_value():
    cache, calls = BoundedCache(1), []
    for _ in range(2):
        assert cache.get("key", lambda: calls.append(1)) is None
    assert calls == [1]


def test_a_cleared_cache_makes_its_values_again():
    cache, inverse = BoundedCache(2), Inverse()
    cache.get(1, inverse.of(1))
    cache.clear()
    assert len(cache) == 0
    cache.get(1, inverse.of(1))
    assert inverse.calls == [1, 1]


def test_of_two_values_made_at_once_both_callers_get_the_first():
    cache = BoundedCache(2)
    assert cache.get("key", lambda: cache.get("key", lambda: "first") and "second") == "first"
