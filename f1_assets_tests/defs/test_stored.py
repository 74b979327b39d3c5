"""A new instance of Dagster learns what a warehouse of before has."""

import dagster as dg

from f1_assets.context import Context
from f1_assets.datasets import all_datasets, season_datasets
from f1_assets.defs.partitions import SEASONS, SESSIONS
from f1_assets.defs.stored import record_stored
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
