"""The gap sensor and the daily schedule, tick by tick, on a real instance and warehouse."""

import json
import threading
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    SensorInstigatorData,
)
from sqlalchemy import delete, update

from f1_assets.connection import connect
from f1_assets.datasets import all_datasets
from f1_assets.defs import dispatcher
from f1_assets.defs.dispatcher import MOST_WAITING, RUNS_PER_TICK, CalendarPostponements
from f1_assets.defs.resources import WarehouseResource
from f1_assets.defs.schedules import daily_update
from f1_assets.defs.sensors import gap_detection
from f1_assets.importing import process_session_gap
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import process_settings
from f1_assets.warehouse import Extraction, Status
from f1_assets.warehouse.calendar import events_of, known_seasons
from f1_assets.warehouse.leases import Leases
from f1_assets.warehouse.models import extractions, seasons
from f1_assets_tests.applicable import extracted_of


@pytest.fixture
def home(instance, monkeypatch):
    """Seasons of eight short weekends; only 2025 is kept."""
    monkeypatch.setenv("F1_SIMULATOR", "races=8,tests=0,sprints=0,laps=5,samples_every=20,drivers=4")
    monkeypatch.setenv("F1_SEASONS", "2025")
    process_settings.cache_clear()
    return instance


def _tick(instance, cursor=None):
    resources = {"warehouse": WarehouseResource()}
    with dg.build_sensor_context(instance=instance, cursor=cursor, resources=resources) as context:
        return gap_detection(context)


def _daily(instance, schedule=daily_update):
    at, resources = datetime(2026, 5, 4, 6, tzinfo=UTC), {"warehouse": WarehouseResource()}
    with dg.build_schedule_context(instance=instance, scheduled_execution_time=at, resources=resources) as context:
        asked = list(schedule(context))
    return [request for request in asked if isinstance(request, dg.RunRequest)]


def _note_the_sensor(instance, status, last_tick):
    """Put what the daemon notes of the gap sensor into the instance."""
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("f1_assets"), "__repository__")
    data = SensorInstigatorData(last_tick_start_timestamp=last_tick.timestamp())
    origin = RemoteInstigatorOrigin(repository, "gap_detection")
    state = InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus[status], data)
    is_known = instance.get_instigator_state(origin.get_id(), origin.get_selector().get_id()) is not None
    (instance.update_instigator_state if is_known else instance.add_instigator_state)(state)


def _sessions(tick):
    return [request for request in tick.run_requests or () if request.job_name == "import_sessions"]


def _add_run(instance, request, status, job="import_sessions", **tags):
    """Put the requested run into the instance, as the daemon does."""
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("f1_assets"), "__repository__")
    return instance.run_storage.add_run(
        dg.DagsterRun(
            job_name=job,
            status=status,
            tags={"dagster/partition": request.partition_key, "dagster/run_key": request.run_key or "", **tags},
            asset_selection=frozenset(request.asset_selection),
            remote_job_origin=RemoteJobOrigin(repository, job),
        )
    )


def _import(warehouse, key, *datasets):
    return process_session_gap(
        SessionGap(SessionKey.parse(key), datasets or tuple(all_datasets())), warehouse=warehouse
    )


def test_from_nothing_a_tick_fetches_the_calendar_adds_partitions_and_requests_runs(home):
    tick = _tick(home)
    requests = _sessions(tick)
    assert len(requests) == RUNS_PER_TICK
    # The checks of what is imported, and no other: whether a dataset is up to date is looked at once an hour.
    checks = {key.name for request in requests for key in request.asset_check_keys}
    assert "available" in checks
    assert "up_to_date" not in checks
    assert [request.partition_key for request in requests[:6]] == [
        "2025-01-FP1",
        "2025-01-FP2",
        "2025-01-FP3",
        "2025-01-Q",
        "2025-01-R",
        "2025-02-FP1",
    ]
    added = [key for change in tick.dynamic_partitions_requests for key in change.partition_keys]
    assert added == [request.partition_key for request in requests]
    assert home.get_dynamic_partitions("f1_season") == ["2025"]
    assert len(events_of(connect(), 2025)) == 8


def test_a_run_is_requested_for_exactly_the_missing_datasets(home):
    _tick(home)
    warehouse = connect()
    _import(warehouse, "2025-01-FP1", "weather", "circuit")
    _import(warehouse, "2025-01-FP2")
    requests = {request.partition_key: request for request in _sessions(_tick(home))}
    missing = {key.to_user_string() for key in requests["2025-01-FP1"].asset_selection}
    assert missing == extracted_of(SessionKey(2025, 1, "FP1")) - {"weather", "circuit"}
    assert "2025-01-FP2" not in requests


def test_no_session_is_requested_twice_while_its_run_is_queued_or_running_or_another_import_has_it(home):
    first = _sessions(_tick(home))
    _add_run(home, first[0], dg.DagsterRunStatus.QUEUED)
    _add_run(home, first[1], dg.DagsterRunStatus.STARTED)
    with Leases(connect()) as leases:
        leases.take(SessionKey.parse(first[2].partition_key))
        again = [request.partition_key for request in _sessions(_tick(home))]
    assert again[0] == first[3].partition_key
    assert not {request.partition_key for request in first[:3]} & set(again)


def test_a_tick_that_was_cut_short_asks_with_the_same_keys_and_a_retry_with_another(home):
    first = _sessions(_tick(home))
    assert [r.run_key for r in _sessions(_tick(home))] == [r.run_key for r in first]
    _add_run(home, first[0], dg.DagsterRunStatus.SUCCESS)
    again = {request.partition_key: request.run_key for request in _sessions(_tick(home))}
    assert again[first[0].partition_key] != first[0].run_key


def test_a_run_that_failed_without_a_word_is_not_requested_again_at_once(home):
    first = _sessions(_tick(home))
    _add_run(home, first[0], dg.DagsterRunStatus.FAILURE)
    assert first[0].partition_key not in [request.partition_key for request in _sessions(_tick(home))]


@pytest.mark.parametrize("is_retried", [True, False])
def test_a_killed_run_that_dagster_starts_again_is_not_requested_too(home, is_retried):
    """Between its end and its second start there is no run that is queued; some of its datasets are stored."""
    first = _sessions(_tick(home))[0]
    _add_run(home, first, dg.DagsterRunStatus.FAILURE, **{"dagster/will_retry": str(is_retried).lower()})
    _import(connect(), first.partition_key, "weather")
    assert (first.partition_key not in [request.partition_key for request in _sessions(_tick(home))]) is is_retried


@pytest.mark.long
def test_a_session_whose_import_ends_while_a_tick_looks_is_not_requested_again(home, monkeypatch):
    first = _sessions(_tick(home))[0]
    run = _add_run(home, first, dg.DagsterRunStatus.STARTED)

    def ending(look):
        def wrapped(*args, **options):
            seen = look(*args, **options)
            if not home.get_run_by_id(run.run_id).is_finished:
                _import(connect(), first.partition_key)
                home.report_dagster_event(DagsterEvent(DagsterEventType.RUN_SUCCESS.value, run.job_name), run.run_id)
            return seen

        return wrapped

    for name in ("session_runs", "states_kept", "leased_sessions"):
        monkeypatch.setattr(f"f1_assets.defs.dispatcher.{name}", ending(getattr(dispatcher, name)))
    assert first.partition_key not in [request.partition_key for request in _sessions(_tick(home))]
    assert home.get_run_by_id(run.run_id).is_success


def test_the_queue_never_gets_longer_than_a_person_can_look_at(home):
    requests = []
    while new := _sessions(_tick(home)):
        requests += new
        for request in new:
            _add_run(home, request, dg.DagsterRunStatus.QUEUED)
    assert len(requests) == MOST_WAITING == len({request.partition_key for request in requests})


def test_a_failed_dataset_waits_for_its_time_and_the_tick_says_how_far_everything_is(home, monkeypatch):
    monkeypatch.setenv("F1_SIMULATOR", "races=1,tests=0,laps=5,samples_every=20,drivers=4")
    monkeypatch.setenv("F1_DATASETS", "weather")
    process_settings.cache_clear()
    _tick(home)
    warehouse = connect()
    for session in ("FP1", "FP2", "FP3", "Q"):
        _import(warehouse, f"2025-01-{session}", "weather")
    later = datetime.now(UTC) + timedelta(hours=1)
    warehouse.note(Extraction(SessionKey(2025, 1, "R"), "weather", Status.FAILED, reason="x", next_try_at=later))
    tick = _tick(home)
    assert not tick.run_requests
    expected = f"4 of 5 sessions complete, 1 datasets failed, next try {later:%Y-%m-%d %H:%M} UTC"
    assert tick.skip_reason.skip_message == expected


def test_a_calendar_that_cannot_be_refreshed_is_asked_for_later_and_the_stored_one_serves(home, monkeypatch):
    _tick(home)
    with connect().engine.begin() as connection:
        connection.execute(update(seasons).values(refreshed_at=datetime.now(UTC) - timedelta(days=3)))
    monkeypatch.setenv("F1_SEASONS", "2025")
    monkeypatch.setenv("F1_SOURCE", "http://127.0.0.1:9")
    process_settings.cache_clear()
    tick = _tick(home)
    assert list(json.loads(tick.cursor)) == ["2025"]
    postponed = CalendarPostponements.parse(tick.cursor)
    assert datetime.now(UTC) < postponed.until[2025] <= datetime.now(UTC) + timedelta(minutes=15)
    assert _sessions(tick)


def test_daily_update_refreshes_the_calendar_and_asks_for_what_is_missing(home):
    assert len(_daily(home)) == RUNS_PER_TICK
    assert home.has_dynamic_partition("f1_session", "2025-01-FP1")
    assert events_of(connect(), 2025)


def test_the_daily_schedules_leave_to_the_sensor_what_it_requests_where_it_is_on(home, monkeypatch):
    """At 06:00 both looked at the same moment, and each session that was missing had two runs."""
    now = datetime.now(UTC)
    _note_the_sensor(home, "RUNNING", now)
    assert _daily(home) == []
    assert len(events_of(connect(), 2025)) == 8  # refreshed all the same
    _note_the_sensor(home, "STOPPED", now)
    assert len(_daily(home)) == RUNS_PER_TICK
    # As the code has it: off, but for F1_AUTOSTART.
    _note_the_sensor(home, "DECLARED_IN_CODE", now)
    assert _daily(home)
    monkeypatch.setenv("F1_AUTOSTART", "1")
    process_settings.cache_clear()
    assert not _daily(home)
    # The state of a code location that has another name now.
    _note_the_sensor(home, "RUNNING", now - timedelta(days=2))
    assert _daily(home)


@pytest.mark.long
def test_daily_update_asks_for_results_again_after_a_race(home, monkeypatch):
    monkeypatch.setenv("F1_SIMULATOR", "races=1,tests=0,laps=5,samples_every=20,drivers=4")
    process_settings.cache_clear()
    _tick(home)
    warehouse = connect()
    for session in ("FP1", "FP2", "FP3", "Q", "R"):
        _import(warehouse, f"2025-01-{session}")
    assert _daily(home) == []
    race = next(s for e in events_of(warehouse, 2025) for s in e.sessions if s.key.session == "R")
    with warehouse.engine.begin() as connection:
        connection.execute(update(extractions).values(asked_at=race.end + timedelta(hours=1)))
    requests = _daily(home)
    assert [(r.partition_key, [k.to_user_string() for k in r.asset_selection]) for r in requests] == [
        ("2025-01-Q", ["results"]),
        ("2025-01-R", ["constructor_standings", "driver_standings", "results"]),
    ]
    assert [set(r.tags["f1_assets/renew"].split(",")) for r in requests] == [
        {"Jolpica results"},
        {"Jolpica results", "Jolpica driver standings", "Jolpica constructor standings"},
    ]


def test_a_season_that_lost_rows_is_found_incomplete_again(home):
    _tick(home)
    warehouse = connect()
    _import(warehouse, "2025-01-FP1")
    with warehouse.engine.begin() as connection:
        connection.execute(delete(extractions).where(extractions.c.dataset == "weather"))
    requests = {r.partition_key: [k.to_user_string() for k in r.asset_selection] for r in _sessions(_tick(home))}
    assert requests["2025-01-FP1"] == ["weather"]


@pytest.mark.long
def test_all_seasons_there_have_ever_been_are_kept(home, monkeypatch):
    monkeypatch.setenv("F1_SEASONS", "1950-2025")
    monkeypatch.setenv("F1_SIMULATOR", "races=1,tests=0,sprints=0,laps=5,drivers=4")
    process_settings.cache_clear()
    tick = _tick(home)
    while known_seasons(connect()) != list(range(1950, 2026)):  # as many ticks as it takes on this machine
        tick = _tick(home, tick.cursor)
    requests = {request.partition_key: request for request in _sessions(tick)}
    assert list(requests)[:2] == ["1950-01-R", "1951-01-R"]
    # There was no constructors' championship before 1958.
    assert {len(requests[key].asset_selection) for key in ("1950-01-R", "1957-01-R")} == {2}
    assert len(requests["1958-01-R"].asset_selection) == 3


def test_a_calendar_that_takes_too_long_is_postponed_and_the_tick_goes_on(home, monkeypatch):
    _tick(home)
    with connect().engine.begin() as connection:
        connection.execute(update(seasons).values(refreshed_at=datetime(2025, 6, 1, tzinfo=UTC)))
    answered = threading.Event()
    monkeypatch.setattr("f1_assets.defs.dispatcher.refresh_season", lambda *_, **__: answered.wait(60))
    monkeypatch.setattr("f1_assets.defs.dispatcher.CALENDAR_SECONDS", 0.2)
    monkeypatch.setattr("f1_assets.defs.dispatcher.SHORTEST_WAIT_SECONDS", 0.2)
    tick = _tick(home)
    answered.set()
    assert list(json.loads(tick.cursor)) == ["2025"]
    assert _sessions(tick)
