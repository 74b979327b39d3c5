"""Sessions one after the other in one process: its memory, threads and open files stay as they are."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "soak.py"
SESSIONS = 10
"""docs/performance.md has the figures of 300, which take some minutes."""


def test_memory_threads_and_open_files_stay_as_they_are():
    done = subprocess.run([sys.executable, SCRIPT, str(SESSIONS), "--json"], capture_output=True, text=True, check=True)
    figures = json.loads(done.stdout)
    begin, end = figures["second tenth"], figures["last tenth"]
    assert figures["sessions"] == SESSIONS
    # A session's own data take some 40 MB while it is imported; kept, they would add up to more than a gigabyte.
    assert end["memory_mb"] < begin["memory_mb"] + 60
    assert end["threads"] <= begin["threads"]
    assert end["open_files"] <= begin["open_files"] + 4
