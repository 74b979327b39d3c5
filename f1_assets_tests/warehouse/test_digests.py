"""The digest of stored rows: the same on each database, and another one when any value changes."""

import copy
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import event, select, update

from f1_assets.datasets import all_datasets
from f1_assets.datasets.checking import AS_STORED, State, check_session
from f1_assets.datasets.definition import Severity
from f1_assets.health.consistency_health import consistency_part
from f1_assets.health.parts import Condition
from f1_assets.keys import SessionKey
from f1_assets.planning import dataset_states
from f1_assets.warehouse import Extraction, Status
from f1_assets.warehouse.digests import stored_digest
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.models import extractions, sessions
from f1_assets_tests.warehouse.seasons import a_season, store

KEY = SessionKey(2024, 1, "R")
TABLES = [name for name, dataset in all_datasets().items() if dataset.table is not None]
BEGAN = datetime(2024, 3, 2, 14, 0, 0, 123456, tzinfo=UTC)

# Texts that databases sort differently, floats that have no end in binary, NULL in every column.
VALUES = {
    "integer": [0, 2**31 - 1, -1, None],
    "bigint": [0, 2**63 - 1, -1, None],
    "float": [-0.0, 0.1 + 0.2, 1e-300, None],
    "boolean": [True, False, None, None],
    "text": ["a 'b'", "B %s", "ä\n", None],
    "timestamp": [
        pd.Timestamp("2024-03-02T15:00:00.000001Z"),
        pd.Timestamp("1999-12-31T23:59:59Z"),
        pd.NaT,
        pd.NaT,
    ],
}
KEYS = {
    "integer": [3, 10, 2, 1],
    "text": ["b", "B", "ä", "10"],
    "timestamp": [pd.Timestamp("2024-03-02T15:00:00.5Z") + pd.Timedelta(seconds=n) for n in (3, 1, 2, 0)],
}


def _rows(dataset):
    columns = {c.name: KEYS[c.type] if c.name in dataset.key else VALUES[c.type] for c in dataset.columns}
    return dataset.conform(pd.DataFrame(columns), KEY)


def _found(warehouse, name):
    return next(f for f in check_session(warehouse, KEY, [name]) if f.check == AS_STORED)


@pytest.mark.parametrize("name", TABLES)
def test_rows_that_are_read_back_have_the_digest_with_which_they_were_stored(warehouse, name):
    store(warehouse, a_season())
    dataset = all_datasets()[name]
    record = warehouse.replace(KEY, dataset, _rows(dataset))
    with reading(warehouse.engine) as connection:
        assert stored_digest(connection, dataset.table, KEY) == record.digest
    assert _found(warehouse, name).state is State.PASSED
    # In whatever order they came.
    assert warehouse.replace(KEY, dataset, _rows(dataset).iloc[::-1]).digest == record.digest


@pytest.mark.parametrize("name", TABLES)
def test_a_value_that_something_else_changed_is_an_error_with_what_to_do(sqlite_warehouse, name):
    store(sqlite_warehouse, a_season())
    dataset = all_datasets()[name]
    record = Extraction(KEY, name, Status.PRESENT, version=dataset.version)
    sqlite_warehouse.replace(KEY, dataset, _rows(dataset), record)
    column = next(c for c in reversed(dataset.columns) if c.name not in dataset.key)
    other = {"integer": 7, "float": 0.5, "boolean": True, "text": "other", "timestamp": BEGAN}[column.type]
    one = dataset.table.c[dataset.key[0]] == KEYS[dict((c.name, c.type) for c in dataset.columns)[dataset.key[0]]][1]
    with sqlite_warehouse.engine.begin() as connection:
        connection.execute(update(dataset.table).where(one).values({column.name: other}))
    finding = _found(sqlite_warehouse, name)
    assert (finding.state, finding.severity, finding.rows) == (State.BROKEN, Severity.ERROR, 4)
    assert f"f1-assets import 2024 --round 1 --session R --dataset {name} --renew --from-archive" in finding.reason


def test_health_says_that_a_value_was_changed(sqlite_warehouse):
    store(sqlite_warehouse, a_season())
    weather = all_datasets()["weather"]
    frame = pd.DataFrame({"session_time_ms": [0, 60_000], "humidity_pct": [50.0, 51.0]})
    sqlite_warehouse.replace(KEY, weather, weather.conform(frame, KEY))
    states = dataset_states(sqlite_warehouse, [2024])
    assert consistency_part(sqlite_warehouse, states).condition is Condition.OK
    with sqlite_warehouse.engine.begin() as connection:
        connection.execute(update(weather.table).values(humidity_pct=51.0))
    part = consistency_part(sqlite_warehouse, states)
    assert part.condition is Condition.FAILING
    assert "2024-01-R weather: rows_are_as_stored: its rows are not as the import stored it" in part.reason


def test_rows_of_an_older_version_or_without_a_digest_are_not_checked(sqlite_warehouse):
    store(sqlite_warehouse, a_season())
    weather = all_datasets()["weather"]
    sqlite_warehouse.replace(KEY, weather, _rows(weather))

    def noted(**values):
        with sqlite_warehouse.engine.begin() as connection:
            connection.execute(update(extractions).values(**values))
        finding = _found(sqlite_warehouse, "weather")
        assert finding.state is State.NOT_CHECKED
        return finding.reason

    assert "version 0; they are extracted again from the archive" in noted(digest="other", version=0)
    assert "no digest was noted" in noted(digest=None)


def test_an_import_that_replaces_rows_meanwhile_is_no_change(sqlite_warehouse, monkeypatch):
    store(sqlite_warehouse, a_season())
    weather = all_datasets()["weather"]
    before = sqlite_warehouse.replace(KEY, weather, _rows(weather))
    current = sqlite_warehouse.extractions
    sqlite_warehouse.replace(KEY, weather, _rows(weather).head(2))
    known = iter([[before]])
    monkeypatch.setattr(sqlite_warehouse, "extractions", lambda key: next(known, None) or current(key))
    finding = _found(sqlite_warehouse, "weather")
    assert (finding.state, finding.reason) == (State.NOT_CHECKED, "weather: it was imported again meanwhile")


def test_a_file_of_the_lake_that_was_changed_is_an_error(sqlite_warehouse):
    store(sqlite_warehouse, a_season())
    cars = all_datasets()["car_telemetry"]
    frame = pd.DataFrame({"driver_number": ["1"] * 3, "session_time_ms": [0, 250, 500], "speed_kmh": [0, 1, 2]})
    line = Extraction(KEY, cars.name, Status.PRESENT, version=cars.version)
    record = sqlite_warehouse.replace(KEY, cars, cars.conform(frame, KEY), line)
    assert _found(sqlite_warehouse, "car_telemetry").state is State.PASSED
    file = sqlite_warehouse.lake.write(
        KEY, "car_telemetry", cars.conform(frame.assign(speed_kmh=3), KEY), "driver_number"
    )
    sqlite_warehouse.lake.filesystem.copy(
        sqlite_warehouse.lake.address(file.path), sqlite_warehouse.lake.address(record.file)
    )
    finding = _found(sqlite_warehouse, "car_telemetry")
    assert (finding.state, finding.severity) == (State.BROKEN, Severity.ERROR)
    assert "its file is not as the import stored it" in finding.reason


def test_times_of_day_that_are_filled_in_change_the_digest_in_the_same_transaction(warehouse):
    store(warehouse, a_season())
    weather, status = all_datasets()["weather"], all_datasets()["session_status"]
    frame = pd.DataFrame({"session_time_ms": [0, 60_000], "humidity_pct": [50.0, 51.0]})
    before = warehouse.replace(KEY, weather, weather.conform(frame, KEY))
    statuses = pd.DataFrame({"change_number": [1], "session_time_ms": [1_000], "status": ["Started"]})
    identity = {"season": 2024, "round": 1, "session": "R"}
    written = []
    event.listen(
        warehouse.engine, "before_cursor_execute", lambda _c, _cursor, statement, *_rest: written.append(statement)
    )
    event.listen(warehouse.engine, "commit", lambda _connection: written.append("COMMIT"))
    parents = {sessions: [{**identity, "t0_utc": BEGAN}]}
    warehouse.replace(KEY, status, status.conform(statuses, KEY), parents=parents)
    assert warehouse.rows(weather, KEY)["utc"].tolist() == [BEGAN, BEGAN + timedelta(minutes=1)]
    with reading(warehouse.engine) as connection:
        after = connection.execute(select(extractions.c.digest).where(extractions.c.dataset == "weather")).scalar_one()
        assert after == stored_digest(connection, weather.table, KEY)
    assert after not in (None, before.digest)
    assert _found(warehouse, "weather").state is State.PASSED
    rows, digest = (
        next(place for place, text in enumerate(written) if text.startswith(f"UPDATE {table}"))
        for table in ("weather", "extractions")
    )
    assert rows < digest < written.index("COMMIT", rows)


def test_the_key_of_a_dataset_is_in_the_order_of_its_columns():
    for name in TABLES:
        dataset = all_datasets()[name]
        assert [c.name for c in dataset.columns if c.name in dataset.key] == list(dataset.key), name


def test_a_key_may_list_its_columns_in_another_order_than_the_table(sqlite_warehouse, monkeypatch):
    store(sqlite_warehouse, a_season())
    laps = copy.copy(all_datasets()["laps"])
    object.__setattr__(laps, "key", laps.key[::-1])
    monkeypatch.setattr("f1_assets.datasets.checking.named", lambda _names: [laps])
    rows = pd.DataFrame({"driver_number": ["1", "2"], "lap_number": [2, 1]})
    sqlite_warehouse.replace(KEY, laps, rows, Extraction(KEY, "laps", Status.PRESENT, version=laps.version))
    finding = next(each for each in check_session(sqlite_warehouse, KEY) if each.check == AS_STORED)
    assert (finding.state, finding.rows) == (State.PASSED, 2)
