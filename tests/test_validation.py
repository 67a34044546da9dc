"""Each check accepts the allowed values, in Python's own types; errors give name, value and what is allowed."""

import math

import numpy as np
import pytest

from audiostyle_fx import _validation as validation

NAN, INF = math.nan, math.inf

# check, accepted values, {refused value: error and what the message says is allowed}
CHECKS = {
    "number": (
        validation.number(0),
        [0, 0.5, np.float32(0.5), 10**9],
        [
            (-1e-9, ValueError, "at least 0"),
            (NAN, ValueError, "finite"),
            (INF, ValueError, "finite"),
            (np.float32("nan"), ValueError, "finite"),
            (10**400, ValueError, "finite"),
            *((value, TypeError, "number") for value in ("x", "0.1", None, True, 1j, [0.1], np.array([0.1]))),
        ],
    ),
    "number in a range": (
        validation.number(0, 1),
        [0, 1, 0.5],
        [(-0.01, ValueError, "from 0 to 1"), (1.01, ValueError, "from 0 to 1"), (NAN, ValueError, "from 0 to 1")],
    ),
    "integer": (
        validation.integer(1),
        [1, np.int64(64), 2**80],
        [
            (0, ValueError, "at least 1"),
            (-5, ValueError, "at least 1"),
            *((value, TypeError, "integer") for value in (1.0, True, None, "1", [1])),
        ],
    ),
    "multiple": (
        validation.integer(16, multiple_of=4),
        [16, 20],
        [(value, ValueError, "multiple of 4") for value in (0, 12, 258, 257)],
    ),
    "integers": (
        validation.integers(1),
        [1, np.int32(5), (3, 5)],
        [
            (0, ValueError, "at least 1"),
            ((), ValueError, "non-empty"),
            ([], ValueError, "non-empty"),
            ((3, 0), ValueError, "at least 1"),
            *((value, TypeError, "integer") for value in ((3, 5.0), 11.0, False, "11", b"\x03", None, {3, 5})),
        ],
    ),
    "n_filters": (
        validation.n_filters,
        [1, np.int64(64), INF, np.float64("inf")],
        [
            (0, ValueError, "at least 1"),
            *((value, TypeError, "integer") for value in (-INF, NAN, 64.5, True, "inf", None, np.array([64, 64]))),
        ],
    ),
    "seconds_or_all": (
        validation.seconds_or_all(1),
        [1, 60.5, INF],
        [
            (0.5, ValueError, "at least 1, or math.inf"),
            (NAN, ValueError, "at least 1, or math.inf"),
            *((value, TypeError, "number") for value in ("60", None, True)),
        ],
    ),
    "duration": (
        validation.duration,
        [1e-3, 5, INF],
        [(0, ValueError, "above 0"), (-1, ValueError, "above 0, or math.inf"), ("1", TypeError, "number")],
    ),
    "one_of": (
        validation.one_of("adam", "lbfgs"),
        ["adam", "lbfgs"],
        [(value, ValueError, "'adam' or 'lbfgs'") for value in ("sgd", "Adam", "", None, ["adam"], 0)],
    ),
    "flag": (
        validation.flag,
        [True, False, np.False_],
        [(value, TypeError, "True or False") for value in ("yes", None, 2, 0.5, np.array([1, 2]))],
    ),
    "optional": (
        validation.optional(validation.integer(1)),
        [None, 3],
        [(0, ValueError, "at least 1"), ("x", TypeError, "integer")],
    ),
    "sample_rate": (
        validation.sample_rate,
        [1000, 44100, 22050.5, 1_000_000],
        [
            (44.1, ValueError, "Did you pass kHz?"),
            (999.9, ValueError, "1,000 to 1,000,000 Hz"),
            (1e9, ValueError, "1,000 to 1,000,000 Hz"),
            (INF, ValueError, "finite"),
            ("44100", TypeError, "number"),
            (None, TypeError, "number"),
        ],
    ),
}


@pytest.mark.parametrize("name", CHECKS)
def test_allowed_values_become_pythons_own(name):
    check, accepted, _ = CHECKS[name]
    for value in accepted:
        checked = check("p", value)
        assert checked == value
        assert type(checked).__module__ == "builtins"


@pytest.mark.parametrize("name", CHECKS)
def test_other_values_are_refused(name):
    check, _, refused = CHECKS[name]
    for value, kind, allowed in refused:
        with pytest.raises(kind) as error:
            check("p", value)
        message = str(error.value)
        assert message.startswith("p=") and allowed in message, message
        element = next((v for v in value if v in (0, 5.0)), value) if isinstance(value, tuple) else value
        assert repr(element) in message, message


def test_sequences_become_tuples():
    assert validation.integers(1)("p", [3, 5]) == (3, 5)
    assert validation.integers(1)("p", np.array([3, 5])) == (3, 5)
