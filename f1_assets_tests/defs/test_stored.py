"""An instance of Dagster learns what it does not know: a warehouse of before, and what a run could not report."""

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType

from f1_assets.connection import connect
from f1_assets.context import Context
from f1_assets.datasets import all_datasets, season_datasets
from f1_assets.defs.partitions import PARTITION_TAG, SEASONS, SESSIONS
from f1_assets.defs.resources import WarehouseResource
from f1_assets.defs.sensors import quota_governor
from f1_assets.defs.stored import record_of_lost_runs, record_of_run, record_stored
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


def _failed(instance, partition, tag=PARTITION_TAG):
    """A run that was killed, or lost Dagster's database."""
    run = dg.DagsterRun(job_name="import_sessions", tags={tag: str(partition)})
    instance.run_storage.add_run(run)
    instance.report_dagster_event(
        DagsterEvent(DagsterEventType.PIPELINE_START.value, job_name=run.job_name, message="it began"), run.run_id
    )
    instance.report_run_failed(run)
    return run


def _by(run, key=RACE, dataset="weather", status=Status.PRESENT):
    return Extraction(key, dataset, status, reason=None, run_id=run.run_id)


def _reports_of(instance, name):
    return instance.fetch_materializations(dg.AssetKey(name), limit=10).records


@pytest.fixture
def home(instance):
    store(connect(), a_season())
    return instance


@pytest.mark.parametrize("tag", [PARTITION_TAG, "dagster/asset_partition_range_start"], ids=["a run", "of a backfill"])
def test_what_a_run_stored_and_could_not_report_is_reported_for_it_once(home, tag):
    warehouse, context = connect(), Context.open()
    run = _failed(home, RACE, tag)
    stored = warehouse.replace(RACE, WEATHER, _weather(1000), _by(run))
    warehouse.note(_by(run, dataset="team_radio", status=Status.UNAVAILABLE))
    warehouse.note(Extraction(RACE, "laps", Status.FAILED, error_class="TransientError", run_id=run.run_id))
    warehouse.replace(
        QUALIFYING, WEATHER, _weather(1000), Extraction(QUALIFYING, "weather", Status.PRESENT, run_id="x")
    )
    reported = [(line.key, line.dataset) for line in record_of_run(home, context, run)]
    assert reported == [(RACE, "team_radio"), (RACE, "weather")]
    (report,) = _reports_of(home, "weather")
    assert report.asset_materialization.partition == str(RACE)
    assert stored.digest in report.asset_materialization.tags.values()
    assert record_of_run(home, context, run) == []
    # Other rows of a later run are not those that were reported.
    later = _failed(home, RACE, tag)
    warehouse.replace(RACE, WEATHER, _weather(2000), _by(later))
    assert [line.dataset for line in record_of_run(home, context, later)] == ["weather"]


def test_each_failed_run_is_looked_at_once_and_runs_of_others_are_none(home):
    context, runs = Context.open(), [_failed(home, RACE), _failed(home, "2024-01-01"), _failed(home, "a place")]
    connect().replace(RACE, WEATHER, _weather(1000), _by(runs[0]))
    assert [line.dataset for line in record_of_lost_runs(home, context)] == ["weather"]
    connect().replace(RACE, WEATHER, _weather(2000), _by(runs[0]))
    assert record_of_lost_runs(home, context) == []
    # A run that is executed again has its parent's tags.
    again = _failed(home, RACE)
    home.add_run_tags(again.run_id, {"f1_assets/looked_at": runs[0].run_id})
    connect().replace(RACE, WEATHER, _weather(3000), _by(again))
    assert [line.dataset for line in record_of_lost_runs(home, context)] == ["weather"]


def test_of_many_failed_runs_a_few_are_looked_at_in_a_tick(home):
    for _ in range(7):
        _failed(home, RACE)
    looked_at = dg.RunsFilter(tags={"f1_assets/looked_at": [run.run_id for run in home.get_runs()]})
    seen = []
    for _ in range(3):
        record_of_lost_runs(home, Context.open())
        seen.append(home.get_runs_count(looked_at))
    assert seen == [5, 7, 7]


def test_the_governor_reports_what_runs_could_not(home):
    run = _failed(home, RACE)
    connect().replace(RACE, WEATHER, _weather(1000), _by(run))
    with dg.build_sensor_context(instance=home, resources={"warehouse": WarehouseResource()}) as context:
        quota_governor(context)
    assert [report.asset_materialization.partition for report in _reports_of(home, "weather")] == [str(RACE)]
