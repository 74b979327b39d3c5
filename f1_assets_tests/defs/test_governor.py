import dagster as dg
import pytest

from f1_assets.connection import connect
from f1_assets.context import Context
from f1_assets.defs.governor import POOL, WAITING_TAG, gap_of, gap_tags, govern, note_ending, note_reserved
from f1_assets.defs.instance import dagster_instance
from f1_assets.importing import refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.quota.rate_limit import ledger_of
from f1_assets.settings import process_settings
from f1_assets_tests.defs.queue import queued_run
from f1_assets_tests.fetch.planned import requests_of

OF_A_RACE = requests_of("2025-01-R")


@pytest.fixture
def house(monkeypatch, tmp_path):
    """An instance and a warehouse with a season, under a quota of a few requests an hour more than a race needs."""
    monkeypatch.setenv("F1_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home" / "dagster"))
    monkeypatch.setenv("F1_SOURCE", "simulator")
    monkeypatch.setenv("F1_SIMULATOR", "laps=6,samples_every=20,drivers=4")
    monkeypatch.setenv("F1_QUOTA", f"any={OF_A_RACE + 3}/1h;jolpica=20/1h")
    process_settings.cache_clear()
    warehouse = connect()
    refresh_calendar(2025, warehouse=warehouse)
    with dagster_instance(process_settings()) as instance:
        yield instance, Context.open(warehouse=warehouse)


def _limit(instance):
    return {pool.name: pool.limit for pool in instance.event_log_storage.get_pool_limits()}[POOL]


def _spend(count):
    ledger = ledger_of(process_settings())
    for _ in range(count):
        ledger.settle(ledger.permit("https://livetiming.formula1.com/x", wait_seconds=0), 200, 1, 1.0)


@pytest.mark.parametrize("tag", ["dagster/partition", "dagster/asset_partition_range_start"])
def test_the_pool_admits_what_the_quota_covers(house, tag):
    instance, context = house
    for session in ("R", "Q", "FP1"):
        queued_run(instance, f"2025-01-{session}", dg.DagsterRunStatus.QUEUED, tag)
    # The calendar took 2: one race fits, and nothing after it.
    admission = govern(instance, context)
    assert (admission.limit, admission.queued, _limit(instance)) == (1, 3, 1)


def test_the_pool_is_closed_when_the_next_session_does_not_fit_and_its_run_says_until_when(house):
    instance, context = house
    queued = queued_run(instance, "2025-01-R", dg.DagsterRunStatus.QUEUED)
    _spend(8)
    admission = govern(instance, context)
    assert admission.is_paused
    assert _limit(instance) == 0
    assert f"paused: 2025-01-R needs {OF_A_RACE} requests" in admission.reason
    waits = instance.get_run_by_id(queued.run_id).tags[WAITING_TAG]
    assert waits == f"quota, until {admission.resumes_at:%Y-%m-%d %H:%M} UTC"


def test_a_run_that_ends_leaves_no_slot_for_a_session_that_the_quota_does_not_cover(house):
    instance, context = house
    ending = queued_run(instance, "2025-01-FP1", dg.DagsterRunStatus.STARTED)
    queued_run(instance, "2025-01-R", dg.DagsterRunStatus.QUEUED)
    _spend(8)
    assert govern(instance, context).limit == 1
    note_ending(instance, ending)
    assert govern(instance, context).limit == 0
    # Between its last step and its end the governor looks again.
    assert govern(instance, context).limit == 0


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED])
def test_a_run_that_has_not_reserved_yet_has_its_requests_left_to_it(house, status):
    instance, context = house
    run = queued_run(instance, "2025-01-Q", status)
    queued_run(instance, "2025-01-R", dg.DagsterRunStatus.QUEUED)
    assert govern(instance, context).limit == 1
    note_reserved(instance, run)
    assert govern(instance, context).limit == 2


def test_a_run_that_is_executed_again_has_reserved_nothing_and_is_not_at_its_end(house):
    instance, context = house
    first = queued_run(instance, "2025-01-Q", dg.DagsterRunStatus.STARTED)
    note_reserved(instance, first)
    note_ending(instance, first)
    tags = instance.get_run_by_id(first.run_id).tags
    instance.delete_run(first.run_id)
    queued_run(instance, "2025-01-Q", dg.DagsterRunStatus.STARTED, more=tags)
    queued_run(instance, "2025-01-R", dg.DagsterRunStatus.QUEUED)
    admission = govern(instance, context)
    assert (admission.running, admission.limit) == (1, 1)


def test_without_anyone_waiting_the_pool_is_open_to_the_workers(house):
    instance, context = house
    assert govern(instance, context).limit == 2


def test_runs_of_other_things_are_not_looked_at(house):
    instance, context = house
    queued_run(instance, "2025", dg.DagsterRunStatus.QUEUED)
    assert govern(instance, context).queued == 0


def test_what_the_archive_alone_answers_waits_for_no_quota_and_lets_nothing_pass_that_does(house):
    instance, context = house
    tags = gap_tags(SessionGap(SessionKey(2025, 1, "Q"), ("laps",), from_archive=True))
    queued_run(instance, "2025-01-Q", dg.DagsterRunStatus.QUEUED, more=tags)
    queued_run(instance, "2025-01-R", dg.DagsterRunStatus.QUEUED)
    _spend(8)
    admission = govern(instance, context)
    assert (admission.limit, _limit(instance)) == (1, 1)


def test_a_run_knows_by_its_tags_where_its_sessions_data_come_from(house):
    instance, _ = house
    for gap in (
        SessionGap(SessionKey(2025, 1, "R"), ("laps", "results"), frozenset({"Jolpica results", "TimingData"})),
        SessionGap(SessionKey(2025, 1, "R"), ("laps", "results"), from_archive=True),
        SessionGap(SessionKey(2025, 1, "R"), ("laps", "results")),
    ):
        run = queued_run(instance, str(gap.key), dg.DagsterRunStatus.QUEUED, more=gap_tags(gap), datasets=gap.datasets)
        assert gap_of(instance.get_run_by_id(run.run_id)) == gap
