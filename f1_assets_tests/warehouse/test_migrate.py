import contextlib
import sqlite3
import threading
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Integer, MetaData, Table, bindparam, make_url, text

from f1_assets.connection import connect
from f1_assets.datasets import all_datasets, dataset_tables, dataset_views, named
from f1_assets.errors import ConfigurationError
from f1_assets.keys import SessionKey
from f1_assets.planning import dataset_states
from f1_assets.settings import load_settings
from f1_assets.warehouse import Extraction, Status, Warehouse, migrate
from f1_assets.warehouse.amendments import amendments_of
from f1_assets.warehouse.digests import stored_digest
from f1_assets.warehouse.models import UtcDateTime, metadata
from f1_assets_tests.warehouse.schema_0007 import make_0007
from f1_assets_tests.warehouse.seasons import a_season, store


def test_migrations_lead_to_the_schema_that_the_code_declares(warehouse):
    assert _differences(warehouse) == []


def _differences(warehouse):
    """Return what differs from the schema that the code declares, but for comments."""
    with warehouse.engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
    each = [one for difference in found for one in (difference if isinstance(difference, list) else [difference])]
    return [one for one in each if one[0] not in ("remove_table", "modify_comment", "add_table_comment")]


def test_the_head_that_opening_looks_for_is_alembics():
    assert ScriptDirectory(str(migrate._MIGRATIONS)).get_current_head() == migrate.HEAD


def test_opening_an_embedded_database_many_times_at_once_creates_it_once(tmp_path):
    errors = []

    def open_it():
        try:
            connect(load_settings(home=tmp_path / "home")).close()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_a_shared_database_is_upgraded_only_on_demand(postgres_url):
    url = make_url(postgres_url)
    with pytest.raises(ConfigurationError, match="f1-assets db upgrade"):
        Warehouse.open(url, dataset_tables(), dataset_views())
    Warehouse.at(url, dataset_tables(), dataset_views()).upgrade()
    assert Warehouse.open(url, dataset_tables(), dataset_views()).check() == []


def test_a_database_of_a_newer_version_is_refused_untouched(warehouse):
    with warehouse.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for act in (warehouse.upgrade, warehouse.check):
        with pytest.raises(ConfigurationError, match="newer f1_assets"):
            act()


def test_a_table_and_a_column_that_a_dataset_gained_are_added(warehouse):
    extra = Table("tyre_pressures", MetaData(), Column("id", Integer, primary_key=True))
    with_table = Warehouse(warehouse.engine, [*dataset_tables(), extra], dataset_views())
    assert with_table.check() == ["table tyre_pressures is missing"]
    with_table.upgrade()
    wider = Table("tyre_pressures", MetaData(), Column("id", Integer, primary_key=True), Column("kpa", Integer))
    with_column = Warehouse(warehouse.engine, [*dataset_tables(), wider], dataset_views())
    assert with_column.check() == ["column tyre_pressures.kpa is missing"]
    with_column.upgrade()
    assert with_column.check() == []


def test_the_views_can_be_read(warehouse):
    with warehouse.engine.connect() as connection:
        for name in dataset_views():
            assert connection.execute(text(f"SELECT * FROM {name}")).fetchall() == []


def test_a_database_of_schema_0007_keeps_its_rows_and_is_copied_first(warehouse):
    store(warehouse, a_season())
    key, results = SessionKey(2024, 1, "R"), all_datasets()["results"]
    rows = pd.DataFrame(
        {"driver_number": ["44", "1", "4"], "position": [2, 1, None], "points": [18.0, 25.0, None], "entry": [2, 1, 3]}
    )
    warehouse.replace(key, results, rows.convert_dtypes())
    make_0007(warehouse.engine)
    steps, copy = warehouse.pending_migrations()
    assert [step[:5] for step in steps] == ["0008:", "0009:", "0010:", "0011:", "0012:", "0013:"]
    warehouse.upgrade()
    assert warehouse.check() == []
    assert warehouse.pending_migrations() == ([], None)
    stored = warehouse.rows(results, key).sort_values("entry")
    assert stored[["entry", "driver_number", "position"]].astype(object).where(
        stored.notna(), None
    ).values.tolist() == [
        [1, "1", 1],
        [2, "44", 2],
        [3, "4", None],
    ]
    (line,) = warehouse.extractions(key)
    assert (line.status, line.rows, line.version) == (Status.PRESENT, 3, 1)
    state = next(s for s in dataset_states(warehouse, [2024], [results], key=key))
    assert state.is_outdated
    if warehouse.engine.dialect.name == "sqlite":
        assert copy is not None and copy.stat().st_mode & 0o777 == 0o600
        with contextlib.closing(sqlite3.connect(copy)) as before:
            assert before.execute("SELECT version_num FROM alembic_version").fetchall() == [("0007",)]
            assert before.execute("SELECT COUNT(*) FROM results").fetchall() == [(3,)]
    # The rows still belong to their session, and follow it.
    with warehouse.engine.begin() as connection:
        connection.execute(text("DELETE FROM sessions WHERE season = 2024 AND round = 1 AND session = 'R'"))
    assert warehouse.rows(results, key).empty


FETCHED_AT = datetime(2024, 3, 4, 6, tzinfo=UTC)


def _standings_of_0007(warehouse):
    """Fill the tables of standings as schema 0007 had them: after round 1, of a round that is gone, and an absence."""
    seen = bindparam("at", FETCHED_AT, UtcDateTime())
    with warehouse.engine.begin() as connection:
        for number, driver, points in ((1, "max", 25.0), (1, "lewis", 18.0), (9, "max", 200.0)):
            position = 2 if driver == "lewis" else 1
            connection.execute(
                text(
                    "INSERT INTO driver_standings VALUES "
                    f"(2024, {number}, '{driver}', {position}, {points}, 1, NULL, 'A', 'B', 'red_bull', :at)"
                ).bindparams(seen)
            )
        connection.execute(
            text(
                "INSERT INTO constructor_standings VALUES (2024, 1, 'red_bull', 1, 43, 1, 'Red Bull', :at)"
            ).bindparams(seen)
        )
        connection.execute(
            text("INSERT INTO standings_absences VALUES (2024, 2, 'driver_standings', :at)").bindparams(seen)
        )


def test_standings_of_schema_0007_become_data_of_their_races(warehouse):
    store(warehouse, a_season())
    make_0007(warehouse.engine)
    _standings_of_0007(warehouse)
    warehouse.upgrade()
    assert warehouse.check() == []
    assert [each for each in _differences(warehouse) if "standings" in str(each)] == []
    race, drivers = SessionKey(2024, 1, "R"), all_datasets()["driver_standings"]
    rows = warehouse.rows(drivers, race)
    assert rows[["driver_id", "position", "points", "constructor_ids"]].values.tolist() == [
        ["max", 1, 25.0, "red_bull"],
        ["lewis", 2, 18.0, "red_bull"],
    ]
    records = {line.dataset: line for line in warehouse.extractions(race)}
    assert {name: (line.status, line.rows) for name, line in records.items()} == {
        "driver_standings": (Status.PRESENT, 2),
        "constructor_standings": (Status.PRESENT, 1),
    }
    record = records["driver_standings"]
    assert record.extracted_at == record.asked_at == record.tried_at == FETCHED_AT
    for name, line in records.items():
        with warehouse.engine.connect() as connection:
            assert line.digest == stored_digest(connection, all_datasets()[name].table, race)
    # The same rows again are no amendment.
    again = warehouse.replace(race, drivers, rows.drop(columns=["season", "round", "session"]))
    assert again.digest == record.digest
    assert amendments_of(warehouse, race, "driver_standings") == []
    assert warehouse.extractions(SessionKey(2024, 9, "R")) == []
    with warehouse.engine.connect() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM driver_standings")).scalar() == 2


def test_a_round_without_standings_of_schema_0007_is_unavailable_until_its_month_is_over(warehouse):
    store(warehouse, a_season())
    make_0007(warehouse.engine)
    _standings_of_0007(warehouse)
    warehouse.upgrade()
    key, drivers = SessionKey(2024, 2, "R"), named(["driver_standings"])

    def status(days):
        now = FETCHED_AT + timedelta(days=days)
        return next(s.status for s in dataset_states(warehouse, [2024], drivers, now, key))

    (record,) = warehouse.extractions(key)
    assert (record.status, record.next_try_at) == (Status.UNAVAILABLE, FETCHED_AT + timedelta(days=30))
    assert (status(29), status(31)) == (Status.UNAVAILABLE, Status.MISSING)


def test_what_was_refused_and_taken_for_absent_is_asked_for_again(warehouse):
    store(warehouse, a_season())
    key, later = SessionKey(2024, 1, "R"), datetime.now(UTC) + timedelta(days=30)
    reasons = {
        "laps": "TimingData is not there (HTTP 403)",
        "weather": "WeatherData is not there (HTTP 404)",
    }
    for name, reason in reasons.items():
        warehouse.note(Extraction(key, name, Status.UNAVAILABLE, reason=reason, next_try_at=later))
    make_0007(warehouse.engine)
    warehouse.upgrade()
    states = {s.dataset: s.status for s in dataset_states(warehouse, [2024], named([*reasons]), key=key)}
    assert states == {"laps": Status.MISSING, "weather": Status.UNAVAILABLE}


def test_a_file_that_cannot_be_copied_is_not_upgraded(sqlite_warehouse):
    make_0007(sqlite_warehouse.engine)
    _, copy = sqlite_warehouse.pending_migrations()
    copy.mkdir()
    with pytest.raises(ConfigurationError, match="nothing was changed"):
        sqlite_warehouse.upgrade()
    with sqlite_warehouse.engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "0007"
    assert [path.name for path in copy.parent.glob("*.writing")] == []
