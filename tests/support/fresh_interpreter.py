"""Run Python code in an interpreter in which nothing is imported yet."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import audiostyle_fx


def run_python(code, *, expected="ok"):
    """Run a script in which warnings are errors, and compare the end of what it prints."""
    root = str(Path(audiostyle_fx.__file__).parents[1])
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert result.stdout.strip().endswith(expected), result.stdout + result.stderr
    assert result.returncode == 0, result.stderr
