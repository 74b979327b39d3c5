"""Imports of telemetry that are killed at any moment: no half file, no line without a file, no file without a line."""

import os
import random
import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from f1_assets.connection import connect
from f1_assets.datasets import all_datasets
from f1_assets.fetch.transport import Transport
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.importing.sweep import sweep_lake
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import load_settings
from f1_assets.warehouse import Status
from f1_assets_tests.e2e.daemon import ends_within

pytestmark = pytest.mark.long

KILLS = 10
KEY = SessionKey(2025, 1, "FP1")
SOURCE = {"source": "simulator", "simulator": "races=1,tests=0,laps=5,drivers=6,samples_every=2"}
TELEMETRY = ("car_telemetry", "position_telemetry")

IMPORTER = """
import sys
from f1_assets.connection import connect
from f1_assets.importing import process_session_gap
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import load_settings
from f1_assets.fetch.transport import Transport

settings = load_settings(home=sys.argv[1], source=sys.argv[2], simulator=sys.argv[3])
warehouse, transport = connect(settings), Transport(settings)
gap = SessionGap(SessionKey(2025, 1, "FP1"), tuple(sys.argv[4:]))
print("ready", flush=True)
sys.stdin.readline()
print("go", flush=True)
while True:
    process_session_gap(gap, warehouse=warehouse, transport=transport)
"""


def _importer(home):
    """Start an importer that waits for its cue, so that the next one is ready when this one is killed."""
    command = [sys.executable, "-c", IMPORTER, str(home), SOURCE["source"], SOURCE["simulator"], *TELEMETRY]
    return subprocess.Popen(
        command, cwd=home, env={**os.environ}, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


@pytest.mark.timeout(1800)
def test_imports_that_are_killed_leave_nothing_half(tmp_path):
    settings = load_settings(home=tmp_path / "home", **SOURCE)
    warehouse, transport, choose = connect(settings), Transport(settings), random.Random(1)
    refresh_calendar(2025, warehouse=warehouse, transport=transport)
    process_session_gap(SessionGap(KEY, TELEMETRY), warehouse=warehouse, transport=transport)
    expected = {name: warehouse.rows(all_datasets()[name], KEY) for name in TELEMETRY}
    waiting = _importer(tmp_path / "home")
    for _ in range(KILLS):
        importer, waiting = waiting, _importer(tmp_path / "home")
        assert importer.stdout.readline() == "ready\n"
        importer.stdin.write("go\n")
        importer.stdin.flush()
        assert importer.stdout.readline() == "go\n"
        # A moment of an import, which takes about a second: what is killed in it is left to chance.
        assert not ends_within(importer, choose.uniform(0.01, 1.2))
        importer.send_signal(signal.SIGKILL)
        importer.wait()
        lines = {line.dataset: line for line in warehouse.extractions(KEY)}
        for name in TELEMETRY:
            assert lines[name].status is Status.PRESENT
            assert warehouse.rows(all_datasets()[name], KEY).equals(expected[name])
    waiting.kill()
    waiting.wait()
    sweep_lake(warehouse, timedelta())
    assert sorted(warehouse.lake.paths()) == sorted(line.file for line in warehouse.extractions(KEY))
    transport.close()
