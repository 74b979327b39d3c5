"""Workers that are killed: replaced, and their session taken up again; runs that nobody else ends are ended."""

import functools
import os
import signal

import dagster as dg
import pytest

from f1_assets.defs.assets import CLAIM_TAG
from f1_assets.defs.crew import Crew
from f1_assets.defs.lost_runs import end_lost_runs
from f1_assets.defs.partitions import PARTITION_TAG, SESSIONS, add_partitions
from f1_assets.defs.summaries import COMMAND_TAG
from f1_assets.importing import SessionOutcome, SessionRun
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.warehouse.claims import Claims
from f1_assets_tests.warehouse.seasons import a_season, store

FIRST, SECOND = (SessionGap(SessionKey(2024, 1, name), ("laps",)) for name in ("Q", "R"))


def _run(gap):
    return SessionRun(SessionOutcome(gap.key, (), requests=0, archive_hits=0, seconds=0.0), str(os.getpid()))


def _run_killed(gap, until_there):
    """Import it once the file is there; be killed before."""
    if not until_there.exists():
        until_there.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return _run(gap)


def _always_killed(gap):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_is_killed_is_replaced_and_the_others_go_on(tmp_path):
    lost = []
    with Crew(2, lambda gap, times: lost.append((gap, times))) as crew:
        crew.start(FIRST, functools.partial(_run_killed, FIRST, tmp_path / "killed"))
        crew.start(SECOND, functools.partial(_run, SECOND))
        assert crew.is_busy
        runs = []
        while not crew.is_idle:
            runs += crew.ended()
    assert lost == [(FIRST, 1)]
    assert {run.outcome.key for run in runs} == {FIRST.key, SECOND.key}


def test_a_session_that_kills_every_worker_ends_when_it_is_given_up():
    with Crew(1, lambda gap, times: _run(gap) if times == 3 else None) as crew:
        crew.start(FIRST, functools.partial(_always_killed, FIRST))
        runs = []
        while not crew.is_idle:
            runs += crew.ended()
        assert [run.outcome.key for run in runs] == [FIRST.key]
        crew.start(SECOND, functools.partial(_run, SECOND))
        (run,) = crew.ended()
    assert run.outcome.key == SECOND.key


@pytest.fixture
def season(sqlite_warehouse):
    store(sqlite_warehouse, a_season())
    return sqlite_warehouse


def _run_of_a_command(instance, key, owner):
    """A run as a command leaves it that is killed in the middle."""
    add_partitions(instance, str(SESSIONS.name), [str(key)])
    tags = {COMMAND_TAG: "import", CLAIM_TAG: owner, PARTITION_TAG: str(key)}
    status = dg.DagsterRunStatus.STARTED
    return instance.run_storage.add_run(dg.DagsterRun(job_name="import_sessions", status=status, tags=tags))


def test_a_run_of_a_command_that_is_gone_is_ended_and_one_that_is_at_work_is_left_alone(instance, season):
    gone = _run_of_a_command(instance, FIRST.key, "a command that was killed")
    at_work = _run_of_a_command(instance, SECOND.key, "a command at work")
    with Claims(season, "a command at work") as claims:
        claims.take(SECOND.key)
        assert end_lost_runs(instance, season) == [str(FIRST.key)]
    assert instance.get_run_by_id(gone.run_id).status is dg.DagsterRunStatus.FAILURE
    assert instance.get_run_by_id(at_work.run_id).status is dg.DagsterRunStatus.STARTED
