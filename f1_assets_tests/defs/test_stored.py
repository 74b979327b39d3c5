"""An instance of Dagster learns what it does not know: a warehouse of before, and what a run could not report."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType

from f1_assets.connection import connect
from f1_assets.context import Context
from f1_assets.datasets import all_datasets, season_datasets
from f1_assets.defs.partitions import PARTITION_TAG, SEASONS, SESSIONS
from f1_assets.defs.resources import WarehouseResource
from f1_assets.defs.sensors import quota_governor
from f1_assets.defs.stored import record_of_lost_runs, record_stored
from f1_assets.keys import SeasonKey, SessionKey
from f1_assets.warehouse import Extraction, Status
from f1_assets_tests.warehouse.samples import CAR, frame_of_samples
from f1_assets_tests.warehouse.seasons import a_season, store
from f1_assets_tests.warehouse.test_store import _weather

RACE, QUALIFYING = SessionKey(2024, 1, "R"), SessionKey(2024, 1, "Q")
WEATHER, DRIVERS = all_datasets()["weather"], season_datasets()["driver_seasons"]


def test_what_is_stored_is_reported_once_and_what_is_not_there_is_not(sqlite_warehouse, settings_of):
    warehouse = sqlite_warehouse
    store(warehouse, a_season())
    context = Context.open(settings_of(), warehouse=warehouse)
    weather = warehouse.replace(RACE, WEATHER, _weather(1000))
    warehouse.replace(RACE, CAR, frame_of_samples())
    warehouse.note(Extraction(RACE, "team_radio", Status.UNAVAILABLE, reason="none was sent"))
    warehouse.note(Extraction(QUALIFYING, "weather", Status.FAILED, error_class="TransientError"))
    season = Extraction(SeasonKey(2024), DRIVERS.name, Status.PRESENT, inputs="{}")
    warehouse.replace(SeasonKey(2024), DRIVERS, warehouse.rows(DRIVERS, SeasonKey(2024)), season)
    with dg.DagsterInstance.ephemeral() as instance:
        assert record_stored(instance, context) == 4
        there = {
            name: instance.get_materialized_partitions(dg.AssetKey(name))
            for name in ("weather", "car_telemetry", "team_radio", "driver_seasons", "calendar", "laps")
        }
        race, year = {str(RACE)}, {"2024"}
        assert there == {
            "weather": race,
            "car_telemetry": race,
            "team_radio": race,
            "driver_seasons": year,
            "calendar": year,
            "laps": set(),
        }
        assert set(instance.get_dynamic_partitions(SEASONS.name)) == year
        assert {str(RACE), str(QUALIFYING)} <= set(instance.get_dynamic_partitions(SESSIONS.name))
        event = instance.get_latest_materialization_event(dg.AssetKey("weather"))
        assert event.asset_materialization.metadata["dagster/row_count"].value == 1
        assert weather.digest in event.asset_materialization.tags.values()
        assert record_stored(instance, context) == 0
        warehouse.replace(QUALIFYING, WEATHER, _weather(1000))
        assert record_stored(instance, context) == 1


def _ended_badly(instance, of):
    """A run that was killed, or lost Dagster's database."""
    run = dg.DagsterRun(job_name="import_sessions", tags={PARTITION_TAG: str(of)})
    instance.run_storage.add_run(run)
    instance.report_dagster_event(
        DagsterEvent(DagsterEventType.PIPELINE_START.value, job_name=run.job_name, message="it began"), run.run_id
    )
    instance.report_run_failed(run)
    return run


def _reports_of(instance, name):
    return instance.fetch_materializations(dg.AssetKey(name), limit=10).records


@pytest.fixture
def home(instance):
    store(connect(), a_season())
    return instance


def test_what_a_run_stored_and_could_not_report_is_reported_for_it_once(home):
    warehouse, context, began = connect(), Context.open(), datetime.now(UTC)
    run, other = _ended_badly(home, RACE), _ended_badly(home, QUALIFYING)
    told = warehouse.replace(
        RACE, WEATHER, _weather(1000), Extraction(RACE, "weather", Status.PRESENT, run_id=run.run_id)
    )
    warehouse.note(Extraction(RACE, "team_radio", Status.UNAVAILABLE, reason="none was sent", run_id=run.run_id))
    warehouse.note(Extraction(RACE, "laps", Status.FAILED, error_class="TransientError", run_id=run.run_id))
    warehouse.replace(
        QUALIFYING, WEATHER, _weather(1000), Extraction(QUALIFYING, "weather", Status.PRESENT, run_id="a run of before")
    )
    reported = [(line.key, line.dataset) for line in record_of_lost_runs(home, context, began)]
    assert reported == [(RACE, "team_radio"), (RACE, "weather")]
    (report,) = _reports_of(home, "weather")
    assert report.asset_materialization.partition == str(RACE)
    assert told.digest in report.asset_materialization.tags.values()
    assert record_of_lost_runs(home, context, began) == []
    # Another run stored other rows later, and could not tell: the report of before is not theirs.
    warehouse.replace(
        QUALIFYING, WEATHER, _weather(1000), Extraction(QUALIFYING, "weather", Status.PRESENT, run_id=other.run_id)
    )
    record_of_lost_runs(home, context, began)
    warehouse.replace(
        QUALIFYING, WEATHER, _weather(2000), Extraction(QUALIFYING, "weather", Status.PRESENT, run_id=other.run_id)
    )
    assert [line.key for line in record_of_lost_runs(home, context, began)] == [QUALIFYING]


def test_runs_that_ended_badly_before_are_left_to_those_who_looked_then(home):
    run = _ended_badly(home, RACE)
    connect().replace(RACE, WEATHER, _weather(1000), Extraction(RACE, "weather", Status.PRESENT, run_id=run.run_id))
    assert record_of_lost_runs(home, Context.open(), datetime.now(UTC) + timedelta(hours=1)) == []


def test_the_governor_reports_what_runs_could_not_and_notes_up_to_when_it_looked(home):
    run = _ended_badly(home, RACE)
    connect().replace(RACE, WEATHER, _weather(1000), Extraction(RACE, "weather", Status.PRESENT, run_id=run.run_id))
    resources = {"warehouse": WarehouseResource()}
    with dg.build_sensor_context(instance=home, resources=resources) as context:
        quota_governor(context)
        assert datetime.now(UTC) - datetime.fromisoformat(context.cursor) < timedelta(hours=1)
    assert [report.asset_materialization.partition for report in _reports_of(home, "weather")] == [str(RACE)]
