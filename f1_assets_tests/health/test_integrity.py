"""Contradictions in a warehouse: found, named, and nothing else with them."""

from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import delete, text, update

from f1_assets.datasets import all_datasets
from f1_assets.health.integrity import Part, integrity
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Extraction, Status
from f1_assets.warehouse.engine import is_embedded
from f1_assets.warehouse.lake import Lake
from f1_assets.warehouse.lines import is_line
from f1_assets.warehouse.models import extractions, of_session
from f1_assets_tests.warehouse.seasons import a_season, store

POSTGRESQL_IS_LONG = True

RACE, QUALIFYING = SessionKey(2024, 1, "R"), SessionKey(2024, 1, "Q")
WEATHER, CAR = all_datasets()["weather"], all_datasets()["car_telemetry"]


@pytest.fixture
def sound(warehouse):
    """A warehouse that agrees with itself: rows, a file, and lines for what is not there."""
    store(warehouse, a_season())
    for key in (RACE, QUALIFYING):
        warehouse.replace(key, WEATHER, pd.DataFrame({"session_time_ms": [1000, 61000, 121000]}))
        samples = {"driver_number": ["1", "1", "44"], "session_time_ms": [0, 240, 0]}
        warehouse.replace(key, CAR, pd.DataFrame(samples))
    warehouse.note(Extraction(RACE, "laps", Status.UNAVAILABLE, reason="no feed"))
    warehouse.note(Extraction(QUALIFYING, "position_telemetry", Status.FAILED, error_class="TransientError"))
    assert integrity(warehouse) == []
    return warehouse


def _run(warehouse, *statements):
    with warehouse.engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)


def _line(warehouse, key, dataset):
    return next(line for line in warehouse.extractions(key) if line.dataset == dataset)


def _one(warehouse):
    (finding,) = integrity(warehouse)
    return finding


def test_rows_without_a_line_are_found(sound):
    _run(sound, delete(extractions).where(is_line(_line(sound, RACE, "weather"))))
    finding = _one(sound)
    assert (finding.part, finding.key, finding.dataset) == (Part.ROWS, RACE, "weather")
    assert finding.reason.startswith("2024-01-R: weather has 3 rows, but no line in extractions.")


def test_rows_that_are_fewer_or_more_than_their_line_says_are_found(sound):
    _run(sound, delete(WEATHER.table).where(WEATHER.table.c.session_time_ms == 61000, WEATHER.table.c.session == "R"))
    assert _one(sound).reason.startswith("2024-01-R: weather has 2 rows, but its line in extractions says 3.")
    line = is_line(_line(sound, RACE, "weather"))
    _run(sound, update(extractions).where(line).values(rows=1))
    assert _one(sound).reason.startswith("2024-01-R: weather has 2 rows, but its line in extractions says 1.")


def test_a_line_whose_rows_are_all_gone_is_found(sound):
    _run(sound, delete(WEATHER.table).where(of_session(WEATHER.table, QUALIFYING)))
    finding = _one(sound)
    assert (finding.key, finding.dataset) == (QUALIFYING, "weather")
    assert "has 0 rows, but its line in extractions says 3" in finding.reason


def test_rows_that_their_line_says_are_not_there_are_found(sound):
    line = is_line(_line(sound, RACE, "weather"))
    _run(sound, update(extractions).where(line).values(status=str(Status.FAILED)))
    assert "has 3 rows, but its line in extractions says failed" in _one(sound).reason


def test_rows_whose_session_is_gone_are_found_on_sqlite_and_refused_by_other_databases(sound):
    orphan = text("INSERT INTO weather (season, round, session, session_time_ms) VALUES (2024, 55, 'R', 1000)")
    if not is_embedded(sound.engine):
        with pytest.raises(Exception, match="foreign key"):
            _run(sound, orphan)
        return
    with sound.engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        connection.execute(orphan)
        connection.commit()
        connection.exec_driver_sql("PRAGMA foreign_keys = ON")
    rows, parents = integrity(sound)
    assert (rows.part, rows.key) == (Part.ROWS, SessionKey(2024, 55, "R"))
    assert parents.part is Part.FOREIGN_KEYS
    assert parents.reason.startswith("1 row of weather")
    assert "sessions" in parents.reason


def test_files_that_are_gone_or_of_another_size_are_found(sound):
    path = Path(sound.lake.address(_line(sound, RACE, "car_telemetry").file))
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    finding = _one(sound)
    assert (finding.part, finding.key, finding.dataset) == (Part.LAKE, RACE, "car_telemetry")
    assert f"has {len(whole) - 10} bytes, not {len(whole)}" in finding.reason
    path.unlink()
    assert "is not in the lake" in _one(sound).reason
    path.write_bytes(whole)
    assert integrity(sound) == []


def test_a_line_that_names_no_file_is_found(sound):
    _run(sound, update(extractions).where(is_line(_line(sound, RACE, "car_telemetry"))).values(file=None))
    assert "names no file" in _one(sound).reason


def test_a_file_that_is_replaced_before_the_lake_is_listed_is_no_finding(sound, monkeypatch):
    sizes = Lake.sizes

    def replace_meanwhile(lake):
        sound.replace(RACE, CAR, pd.DataFrame({"driver_number": ["1"], "session_time_ms": [480]}))
        return sizes(lake)

    monkeypatch.setattr(Lake, "sizes", replace_meanwhile)
    assert integrity(sound) == []


def test_a_lake_that_cannot_be_read_is_a_finding(sound, monkeypatch):
    def refuse(_lake):
        raise PermissionError("access denied")

    monkeypatch.setattr(Lake, "sizes", refuse)
    finding = _one(sound)
    assert (finding.part, finding.key) == (Part.LAKE, None)
    assert "access denied" in finding.reason
    assert "F1_LAKE_URL" in finding.reason
