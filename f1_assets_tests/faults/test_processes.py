"""An import that is killed at any of its steps, and two at once: nothing half, nothing twice, no request in vain."""

import os
import signal
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from f1_assets.importing import import_season
from f1_assets.importing.sweep import sweep_lake
from f1_assets.planning import dataset_states
from f1_assets.warehouse import Status
from f1_assets_tests.faults.struck import SHAPE, SIMULATOR, Remembering, open_season, undisturbed_rows
from f1_assets_tests.fetch.server import services

pytestmark = pytest.mark.long

IMPORTER = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from f1_assets.importing import import_season
from f1_assets.fetch.archive import Archive
from f1_assets.quota.ledger import Ledger
from f1_assets_tests.faults.struck import open_season
from f1_assets_tests.fetch.server import Services

home, url, point = sys.argv[1:]

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

season = open_season(Path(home), Services(url))
if point == "archive":
    keep = Archive.keep
    Archive.keep = lambda self, url, *rest: die() if "TimingData" in url else keep(self, url, *rest)
if point == "ledger":
    Ledger.settle = die
if point == "warehouse":
    event.listen(season.warehouse.engine, "after_cursor_execute",
                 lambda c, cursor, statement, *rest: statement.startswith("INSERT INTO laps ") and die())
if point == "lake":
    season.warehouse.lake.filesystem.mv = die
if point == "nowhere":
    import_season(2025, warehouse=season.warehouse, transport=season.transport)
else:
    season.run()
"""


def start(home, served, point):
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", IMPORTER, str(home), served.url, point]
    return subprocess.Popen(
        command, cwd=root, env={**os.environ, "PYTHONPATH": root}, stderr=subprocess.PIPE, text=True
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return undisturbed_rows(tmp_path_factory.mktemp("undisturbed"))


@pytest.mark.parametrize("point", ["request", "archive", "ledger", "warehouse", "lake"])
def test_after_a_kill_the_next_import_completes_it(tmp_path, undisturbed, found, point):
    with services(SIMULATOR) as served:
        season = open_season(tmp_path, served)
        season.undisturbed = undisturbed
        served.asked.clear()
        importer = start(tmp_path, served, point)
        if point == "request":
            served.faults["TimingData"] = lambda answer: os.kill(importer.pid, signal.SIGKILL) or answer
        _, errors = importer.communicate(timeout=60)
        assert importer.returncode == -signal.SIGKILL, errors
        served.faults.clear()
        before = list(served.asked)
        season.clock.sleep(7200)  # the request that was on its way is waited for, a minute and a half
        lines = season.lines()
        assert {line.status for line in lines.values()} <= {Status.PRESENT}
        assert all(season.is_as_undisturbed(name) for name in lines)
        assert season.transport.verify_archive()[1] == []
        assert season.run().failed == ()
        assert len(set(served.asked) & set(before)) <= (1 if point in ("request", "archive", "ledger") else 0)
        assert season.is_as_undisturbed()
        sweep_lake(season.warehouse, timedelta())
        assert sorted(season.warehouse.lake.paths()) == sorted(
            line.file for line in season.lines().values() if line.file
        )
        assert season.run().requests == 0
        season.transport.close()
        season.warehouse.close()
    lost = "asks for the one answer again that was on its way"
    found(
        "SIGKILL",
        point,
        "what was stored before stays, whole; of the rest nothing",
        lost if point in ("request", "archive", "ledger") else "goes on; what the archive has is not asked for again",
    )


def test_two_imports_at_once_ask_for_everything_once(tmp_path, found):
    with services(Remembering(SHAPE.replace("races=2", "races=1"))) as served:
        season = open_season(tmp_path, served)
        served.asked.clear()
        importers = [start(tmp_path, served, "nowhere") for _ in range(2)]
        errors = [importer.communicate(timeout=120)[1] for importer in importers]
        assert [importer.returncode for importer in importers] == [0, 0], errors
        assert {url: count for url, count in Counter(served.asked).items() if count > 1} == {}
        states = dataset_states(season.warehouse, [2025])
        assert {state.status for state in states} == {Status.PRESENT, Status.NOT_APPLICABLE}
        served.asked.clear()
        next_run = import_season(2025, warehouse=season.warehouse, transport=season.transport)
        assert (next_run.processed, served.asked) == (0, [])
        season.transport.close()
        season.warehouse.close()
    for point in ("request", "archive", "ledger", "warehouse", "lake"):
        found("two at once", point, "each session is imported by one of them: nothing is missing", "asks for nothing")
