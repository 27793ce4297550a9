"""Memory of a worker that was told to hand it back at once, as Dask tells its own."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource
import numpy as np
from capacity.fleet.memory import kept_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        np.ones(500_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

before = faults()
with kept_memory():
    faults()
    during = faults()
print(before, during, faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's malloc alone is told so")
def test_memory_is_kept_while_a_task_runs_and_no_longer():
    """Every array of a task would come anew from the system, or a worker keep what it was told to hand back."""
    told = {**os.environ, "MALLOC_TRIM_THRESHOLD_": "65536"}
    run = subprocess.run([sys.executable, "-c", FAULTS], env=told, capture_output=True, text=True, check=True)
    before, during, after = map(int, run.stdout.split())
    assert during < before / 10
    assert after > before / 2
