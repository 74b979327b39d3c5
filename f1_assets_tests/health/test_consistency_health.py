"""Health of what is stored: a broken rule is told with its rate and a row, an error fails, a warning does not."""

import pandas as pd
import pytest
from sqlalchemy import delete

from f1_assets.datasets import all_datasets
from f1_assets.health.consistency_health import consistency_part, integrity_part
from f1_assets.health.parts import Condition
from f1_assets.keys import SessionKey
from f1_assets.planning import dataset_states
from f1_assets.warehouse.models import extractions
from f1_assets_tests.warehouse.seasons import a_season, store

KEY = SessionKey(2024, 1, "Q")
LAPS, WEATHER = all_datasets()["laps"], all_datasets()["weather"]


@pytest.fixture
def stored(warehouse):
    """Store rows of a dataset of the session."""
    store(warehouse, a_season())

    def stored(dataset, **columns):
        warehouse.replace(KEY, dataset, dataset.conform(pd.DataFrame(columns), KEY))

    stored(WEATHER, session_time_ms=[0, 60_000], humidity_pct=[50.0, 51.0])
    return stored


def _part(warehouse, seasons=()):
    return consistency_part(warehouse, dataset_states(warehouse, [2024]), seasons)


def test_sound_data_are_ok_and_say_which_were_looked_at(warehouse, stored):
    assert (_part(warehouse).condition, _part(warehouse).reason) == (
        Condition.OK,
        "2024-01-Q: the data follow all rules.",
    )
    assert _part(warehouse, [2023]).reason == "There is nothing to hold against the rules yet."
    assert integrity_part(warehouse).condition is Condition.OK


def test_an_oddity_is_a_warning_with_its_rate_and_a_row(warehouse, stored):
    stored(WEATHER, session_time_ms=[0, 60_000], humidity_pct=[50.0, 140.0])
    part = _part(warehouse, [2024])
    assert part.condition is Condition.WARNING
    assert (
        "2024-01-Q weather: 1 of 2 rows (50.0%) break values_are_possible (such as session_time_ms=60000" in part.reason
    )


def test_what_can_never_be_is_a_failure_and_is_told_first(warehouse, stored):
    stored(WEATHER, session_time_ms=[0, 60_000], humidity_pct=[50.0, 140.0])
    stored(LAPS, driver_number=["1"], lap_number=[1], lap_start_time_ms=[2_000], session_time_ms=[1_000])
    part = _part(warehouse)
    assert part.condition is Condition.FAILING
    assert part.reason.startswith("2024-01-Q laps: 1 of 1 rows (100.0%) break laps_end_after_they_begin")
    assert part.reason.endswith("; and 2 more.")


def test_rows_without_their_line_are_a_failure(warehouse, stored):
    with warehouse.engine.begin() as connection:
        connection.execute(delete(extractions))
    part = integrity_part(warehouse)
    assert part.condition is Condition.FAILING
    assert "weather" in part.reason
