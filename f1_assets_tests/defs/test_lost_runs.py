"""Runs whose process was killed are ended by whoever comes next, and those that live are left alone."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType
from filelock import FileLock

from f1_assets.connection import connect
from f1_assets.context import Context
from f1_assets.defs import lost_runs
from f1_assets.defs.assets import LEASE_TAG, lease_owner
from f1_assets.defs.lost_runs import EXPIRED_FOR_GOOD_AFTER, LEASED_AFTER, SURELY_LEASED_AFTER, end_lost_runs
from f1_assets.defs.partitions import PARTITION_TAG, SESSIONS, add_partitions
from f1_assets.defs.resources import WarehouseResource
from f1_assets.defs.sensors import quota_governor
from f1_assets.defs.summaries import COMMAND_TAG
from f1_assets.keys import SessionKey
from f1_assets.settings import process_settings
from f1_assets.warehouse import Extraction, Status
from f1_assets.warehouse.leases import LASTS, Leases, lease_owners, leased_sessions
from f1_assets_tests.warehouse.seasons import a_season, store

KEY, OTHER = SessionKey(2024, 1, "Q"), SessionKey(2024, 1, "R")
STARTED, FAILURE = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.FAILURE


@pytest.fixture
def home(instance):
    store(connect(), a_season())
    add_partitions(instance, str(SESSIONS.name), [str(KEY), str(OTHER)])
    return instance


def _started(instance, key, **tags):
    """A run that is at work, as Dagster sees it."""
    run = dg.DagsterRun(job_name="import_sessions", tags={PARTITION_TAG: str(key), **tags})
    instance.run_storage.add_run(run)
    instance.report_dagster_event(_start_event(run), run.run_id)
    return run.run_id


def _start_event(run):
    return DagsterEvent(DagsterEventType.PIPELINE_START.value, job_name=run.job_name, message="it began")


def _end_event(run):
    return DagsterEvent(DagsterEventType.PIPELINE_SUCCESS.value, job_name=run.job_name, message="it ended")


def _status(instance, run_id):
    return instance.get_run_by_id(run_id).status


def _died(owner):
    """Leave the sign of a process that was killed."""
    folder = process_settings().alive_folder
    folder.mkdir(exist_ok=True)
    with FileLock(folder / f"{owner}.alive"):
        pass


def test_a_run_whose_process_died_on_this_machine_is_ended_at_once(home):
    run_id = _started(home, KEY)
    assert Leases(connect(), run_id).take(KEY)
    assert end_lost_runs(home, Context.open()) == []
    _died(run_id)
    assert end_lost_runs(home, Context.open()) == [str(KEY)]
    assert _status(home, run_id) is FAILURE


def test_a_run_of_another_machine_is_lost_when_it_has_no_lease_for_long(home):
    run_id, began = _started(home, KEY), datetime.now(UTC)
    assert end_lost_runs(home, Context.open(), began + LEASED_AFTER * 0.9) == []
    assert Leases(connect(), run_id).take(KEY, began + LEASED_AFTER)
    assert end_lost_runs(home, Context.open(), began + LEASED_AFTER * 1.1) == []
    Leases(connect(), run_id).release(KEY)
    # Its lease is given back some moments before its end.
    line = Extraction(KEY, "weather", Status.UNAVAILABLE, run_id=run_id, tried_at=began + LEASED_AFTER)
    connect().note(line)
    assert end_lost_runs(home, Context.open(), began + LEASED_AFTER * 1.1) == []
    assert end_lost_runs(home, Context.open(), began + LEASED_AFTER * 2.1) == [str(KEY)]


def test_a_run_of_another_machine_may_wait_for_the_lease_of_another_import(home):
    _, began = _started(home, KEY), datetime.now(UTC)
    assert Leases(connect(), "another import").take(KEY, began)
    assert end_lost_runs(home, Context.open(), began + SURELY_LEASED_AFTER * 0.9) == []
    assert end_lost_runs(home, Context.open(), began + SURELY_LEASED_AFTER * 1.1) == [str(KEY)]


def test_a_run_of_another_machine_is_ended_when_its_lease_expired_and_stays_so(home):
    run_id, now = _started(home, KEY), datetime.now(UTC)
    assert Leases(connect(), run_id).take(KEY, now - LASTS)
    # The database may have been away: whoever lives renews its lease now.
    assert end_lost_runs(home, Context.open(), now) == []
    assert end_lost_runs(home, Context.open(), now + EXPIRED_FOR_GOOD_AFTER * 0.9) == []
    assert Leases(connect(), run_id).take(KEY, now - LASTS + timedelta(milliseconds=1))
    assert end_lost_runs(home, Context.open(), now + EXPIRED_FOR_GOOD_AFTER * 1.1) == []
    assert end_lost_runs(home, Context.open(), now + EXPIRED_FOR_GOOD_AFTER * 2.2) == [str(KEY)]
    assert _status(home, run_id) is FAILURE
    looks = 2 * timedelta(seconds=quota_governor.minimum_interval_seconds)
    assert LASTS + EXPIRED_FOR_GOOD_AFTER + looks < timedelta(minutes=2)


def test_a_run_that_is_started_again_does_not_inherit_since_when_a_lease_has_expired(home):
    now = datetime.now(UTC)
    expired = f"{now:%Y} {(now - LASTS).isoformat()}"
    run_id = _started(home, KEY, **{"f1_assets/lease_expired": f"another-run {expired}"})
    assert Leases(connect(), run_id).take(KEY, now - LASTS)
    assert end_lost_runs(home, Context.open(), now) == []


def test_a_run_of_another_machine_that_begins_meanwhile_is_not_taken_for_lost(home, monkeypatch):
    """A command leases a session, then starts its run: who read the leases first saw a run without one."""
    listed = lost_runs.session_runs

    def listed_late(*arguments, **options):
        assert Leases(connect(), "a command elsewhere").take(KEY)
        _started(home, KEY, **{COMMAND_TAG: "import", LEASE_TAG: "a command elsewhere"})
        return listed(*arguments, **options)

    monkeypatch.setattr(lost_runs, "session_runs", listed_late)
    assert end_lost_runs(home, Context.open()) == []


def test_a_run_of_another_machine_that_ends_meanwhile_is_not_taken_for_lost(home, monkeypatch):
    """A run ends, then its command releases the lease: who listed the runs first sees one without a lease."""
    run_id = _started(home, KEY, **{COMMAND_TAG: "import", LEASE_TAG: "a command elsewhere"})
    states = lost_runs.lease_states

    def read_late(*arguments):
        run = home.get_run_by_id(run_id)
        home.report_dagster_event(_end_event(run), run_id)
        return states(*arguments)

    monkeypatch.setattr(lost_runs, "lease_states", read_late)
    assert end_lost_runs(home, Context.open()) == []
    assert _status(home, run_id) is dg.DagsterRunStatus.SUCCESS


def test_a_run_of_a_command_that_is_gone_is_ended_and_one_that_is_at_work_is_left_alone(home):
    gone = _started(home, KEY, **{COMMAND_TAG: "import", LEASE_TAG: "a command that was killed"})
    at_work = _started(home, OTHER, **{COMMAND_TAG: "import", LEASE_TAG: "a command at work"})
    with Leases(connect(), "a command at work") as leases:
        leases.take(OTHER)
        assert end_lost_runs(home, Context.open()) == [str(KEY)]
    assert (_status(home, gone), _status(home, at_work)) == (FAILURE, STARTED)


def test_a_run_of_a_command_that_lives_is_left_alone_whatever_became_of_its_lease(home):
    with Leases(connect(), "a command", process_settings().alive_folder) as command:
        run_id = _started(home, KEY, **{COMMAND_TAG: "import", LEASE_TAG: "a command"})
        command.take(KEY, datetime.now(UTC) - LASTS * 2)  # the laptop slept
        assert end_lost_runs(home, Context.open()) == []
        with Leases(connect(), "a command") as of_its_run:
            assert of_its_run.take(KEY)
        assert lease_owners(connect()) == {KEY: "a command"}, "the command gives it back, when the run has ended"
        assert end_lost_runs(home, Context.open()) == []
    assert end_lost_runs(home, Context.open()) == [str(KEY)]
    assert _status(home, run_id) is FAILURE


def test_a_run_of_a_command_that_is_executed_again_in_the_ui_is_no_run_of_the_command(home):
    _died("a command that was killed")
    tags = {PARTITION_TAG: str(KEY), COMMAND_TAG: "import", LEASE_TAG: "a command that was killed"}
    first = dg.DagsterRun(job_name="import_sessions", tags=tags, status=FAILURE)
    again = dg.DagsterRun(
        job_name="import_sessions",
        tags=tags,
        status=dg.DagsterRunStatus.STARTING,
        parent_run_id=first.run_id,
        root_run_id=first.run_id,
    )
    for run in (first, again):
        home.run_storage.add_run(run)
    assert end_lost_runs(home, Context.open()) == []
    assert lease_owner(again) == again.run_id


def test_the_governors_tick_ends_lost_runs_and_frees_their_sessions(home):
    run_id = _started(home, KEY)
    Leases(connect(), run_id).take(KEY)
    _died(run_id)
    with dg.build_sensor_context(instance=home, resources={"warehouse": WarehouseResource()}) as context:
        quota_governor(context)
    assert _status(home, run_id) is FAILURE
    assert leased_sessions(connect()) == set()
