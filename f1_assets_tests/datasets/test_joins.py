"""The views of joins, in the database and in SQL alike: each row once, with what belongs to it, or NULL."""

from datetime import UTC, datetime

import pandas as pd
import pytest
from sqlalchemy import text

from f1_assets.analysis.stored_rows import source_named
from f1_assets.datasets import all_datasets
from f1_assets.datasets.joins import LAPS_WITH_CONTEXT
from f1_assets.datasets.lap_context import WEATHER_WITHIN_MS
from f1_assets.keys import SessionKey
from f1_assets.reader import Reader
from f1_assets.warehouse import Extraction, Status
from f1_assets.warehouse.engine import reading
from f1_assets_tests.warehouse.seasons import a_season, store

FIRST, SECOND = SessionKey(2024, 1, "R"), SessionKey(2024, 2, "R")
MINUTE = 60_000


def _at(minute):
    return datetime(2024, 3, 2, 13, minute, tzinfo=UTC)


@pytest.fixture
def reader(warehouse):
    """Two races with the same cars: what is of the one must not stand beside what is of the other."""
    store(warehouse, a_season())
    for key in (FIRST, SECOND):
        _replace(
            warehouse,
            key,
            drivers={
                "driver_number": ["1", "44"],
                "abbreviation": ["VER", "HAM"],
                "team_color": [f"r{key.round}", "m"],
            },
            laps={
                "driver_number": ["1", "1", "9"],
                "lap_number": [1, 2, 1],
                "session_time_ms": [10 * MINUTE, 20 * MINUTE, 10 * MINUTE],
                "lap_start_utc": [_at(0), _at(10), _at(0)],
                "utc": [_at(10), _at(20), _at(10)],
            },
            lap_context={
                "driver_number": ["1", "1"],
                "lap_number": [1, 2],
                "gap_to_leader_ms": [100 * key.round, 200 * key.round],
                "air_temperature_c": [20.5, 21.5],
            },
            # At the end of lap 1 the second counts; at that of lap 2 all are older than five minutes.
            weather={
                "session_time_ms": [9 * MINUTE, 10 * MINUTE, 11 * MINUTE],
                "rainfall": [False, key == FIRST, False],
            },
            race_control_messages={
                "message_number": [1, 2, 3],
                "utc": [_at(1)] * 3,
                "driver_number": ["44", None, "77"],
            },
            team_radio={
                "driver_number": ["1", "1", "1", "44"],
                "utc": [datetime(2024, 3, 2, 12, tzinfo=UTC), _at(10), _at(20), _at(5)],
            },
        )
    return Reader(warehouse)


def _replace(warehouse, key, **datasets):
    for name, columns in datasets.items():
        dataset = all_datasets()[name]
        frame = dataset.conform(pd.DataFrame(columns).convert_dtypes(), key)
        warehouse.replace(key, dataset, frame, Extraction(key, name, Status.PRESENT, version=dataset.version))


def _values(frame, *names):
    return [tuple(row) for row in frame[list(names)].astype(object).where(frame[list(names)].notna(), None).to_numpy()]


def test_views_join_what_belongs_to_a_row_and_nothing_of_another_session(reader):
    laps = reader.rows("laps_with_context", FIRST)
    names = ("driver_number", "lap_number", "team_color", "gap_to_leader_ms", "air_temperature_c", "rainfall")
    assert _values(laps, *names) == [
        ("1", 1, "r1", 100, 20.5, True),
        ("1", 2, "r1", 200, 21.5, None),
        ("9", 1, None, None, None, True),
    ]
    later = reader.rows("laps_with_context", SECOND, driver="VER")
    assert _values(later, *names) == [("1", 1, "r2", 200, 20.5, False), ("1", 2, "r2", 400, 21.5, None)]
    messages = reader.rows("messages_with_driver", FIRST)
    of_messages = ("message_number", "driver_number", "abbreviation", "team_color")
    assert _values(messages, *of_messages) == [(1, "44", "HAM", "m"), (2, None, None, None), (3, "77", None, None)]
    assert _values(reader.rows("radio_with_lap", FIRST), "driver_number", "abbreviation", "lap_number") == [
        ("1", "VER", None),
        ("44", "HAM", None),
        ("1", "VER", 2),
        ("1", "VER", None),
    ]
    for name, dataset, order in (
        ("laps_with_context", "laps", "driver_number, lap_number"),
        ("messages_with_driver", "race_control_messages", "message_number"),
        ("radio_with_lap", "team_radio", "utc, driver_number"),
    ):
        own = list(source_named(reader.warehouse, dataset).schema)
        assert list(source_named(reader.warehouse, name).schema)[: len(own)] == own
        answer = reader.sql(f"FROM {name} WHERE round = 1 ORDER BY {order}")
        pd.testing.assert_frame_equal(answer, reader.rows(name, FIRST))
        with reading(reader.warehouse.engine) as connection:
            assert len(connection.execute(text(f"SELECT * FROM {name}")).fetchall()) == 2 * len(answer)


def test_the_weather_of_a_lap_is_as_old_as_that_of_its_context():
    assert f"l.session_time_ms - {WEATHER_WITHIN_MS} " in LAPS_WITH_CONTEXT
