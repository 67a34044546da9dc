"""Freed memory is kept for the next array."""

import subprocess
import sys

import pytest

FAULTS = """
import resource
import numpy as np
from audiostyle_fx._engine.arrays.allocation import keep_freed_memory
{call}
for _ in range(3):
    np.ones(1 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    np.ones(1 << 20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="about glibc")
def test_freed_blocks_are_not_mapped_again():
    def faults(call):
        done = subprocess.run([sys.executable, "-c", FAULTS.format(call=call)], capture_output=True, text=True)
        return int(done.stdout)

    assert faults("keep_freed_memory()") < 1000 < 50 * (8 << 20) // 65536
