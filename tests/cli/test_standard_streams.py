"""Standard streams that are closed, or whose output is no longer read."""

import os
import shutil
import subprocess

import pytest
from support.commands import ENVIRONMENT, PROGRAM, names

pytestmark = [
    pytest.mark.usefixtures("folder"),
    pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed"),
]


def shell(line):
    """Run a line of bash in which $A stands for the command; return its exit codes, output and messages."""
    line = f"{line}; echo codes ${{PIPESTATUS[@]}} >&3"
    read_end, write_end = os.pipe()
    line = line.replace(">&3", f">&{write_end}").replace("$A", " ".join(PROGRAM))
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, timeout=60, env=ENVIRONMENT, pass_fds=[write_end]
    )
    os.close(write_end)
    with os.fdopen(read_end) as codes:
        return [int(code) for code in codes.read().split()[1:]], done.stdout, done.stderr


SLOW_WORDS = [pytest.param(words, marks=pytest.mark.slow) for words in ("effects", "help style", "--help")]


@pytest.mark.parametrize("words", ["help style reverb gain", "--completion bash", *SLOW_WORDS])
def test_a_reader_that_goes_early(words):
    codes, _, errors = shell(f"$A {words} | true")
    assert codes[0] in (0, 141) and errors == ""


def test_a_reader_takes_the_first_lines():
    codes, shown, errors = shell("$A help style | head -2")
    assert codes[0] in (0, 141) and errors == "" and len(shown.splitlines()) == 2


@pytest.mark.slow
def test_a_reader_of_sound_that_goes_early():
    codes, _, errors = shell("$A -q song.wav - gain -3 | true")
    assert codes[0] == 141 and errors == ""


@pytest.mark.slow
def test_a_reader_of_json_that_goes_early(folder):
    codes, _, errors = shell("$A --json song.wav out.wav gain -3 | true")
    assert codes[0] == 141 and errors == "" and "out.wav" in names(folder)


@pytest.mark.slow
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(closed, folder):
    codes, shown, errors = shell(f"$A song.wav out.wav gain -3 {closed}")
    assert codes == [0] and shown == "" and "Traceback" not in errors and "out.wav" in names(folder)
    codes, shown, errors = shell(f"$A effects {closed}")
    assert codes == [0] and errors == "" and bool(shown) == (">&-" not in closed.replace("2>&-", ""))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("$A - out.wav gain -3 <&-", "IN is -, but standard input is closed"),
        ("$A song.wav - gain -3 >&-", "OUT is -, but standard output is closed"),
    ],
)
def test_sound_through_closed_streams(line, why):
    codes, _, errors = shell(line)
    assert codes == [2] and errors.strip() == f"audiostyle: {why}"
