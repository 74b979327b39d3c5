"""A warehouse with a simulated race in SQLite, copied into a real PostgreSQL."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import delete, func, insert, inspect, make_url, select, update

from f1_assets.connection import connect, connect_as_it_is
from f1_assets.context import Context
from f1_assets.datasets import all_datasets, dataset_tables
from f1_assets.errors import ConfigurationError, UsageError
from f1_assets.health.integrity import integrity
from f1_assets.importing import Selection, SessionRun, database_copy, import_selection, process_session_gap
from f1_assets.importing.database_copy import copy_database, state_of_target, stored_since
from f1_assets.keys import SessionKey
from f1_assets.quota.ledger import Ledger
from f1_assets.settings import load_settings
from f1_assets.warehouse.copy_target import CopyState, alone
from f1_assets.warehouse.copying import BOOKKEEPING, CALENDAR, LEFT_OUT, tables_to_copy
from f1_assets.warehouse.engine import reading, writing
from f1_assets.warehouse.leases import Leases
from f1_assets.warehouse.models import (
    amendments,
    extractions,
    metadata,
    quota_closures,
    quota_reservations,
    season_extractions,
    seasons,
    session_claims,
    upstream_requests,
    warehouse_identity,
)
from f1_assets_tests.conftest import PLENTY

SMALL = "races=1,tests=0,laps=5,samples_every=20,drivers=4"
RACE = SessionKey(2025, 1, "R")
TABLES = tables_to_copy(dataset_tables())


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """A home with a race in it, to be copied by each test that changes it."""
    settings = load_settings(
        home=tmp_path_factory.mktemp("imported") / "home", source="simulator", simulator=SMALL, quota=PLENTY
    )
    settings.make_home()
    context = Context.open(settings)

    def run(gaps, workers, reserve, lease, meanwhile):
        for gap in gaps:
            yield SessionRun(process_session_gap(gap, warehouse=context.warehouse, transport=context.transport))

    import_selection(context, Selection.of([2025], sessions=["R"]), run)
    race = {"season": 2025, "round": 1, "session": "R"}
    now = datetime.now(UTC)
    with writing(context.warehouse.engine) as connection:
        change = {"dataset": "laps", "row_key": "x=1", "column": "lap_time_ms", "changed_at": now}
        texts = [("tab\there", "back\\slash"), ("two\nlines", "\\N"), (None, ""), ("ä €", "'quoted' \\.")]
        connection.execute(
            insert(amendments), [{**race, **change, "before": before, "after": after} for before, after in texts]
        )
        connection.execute(insert(quota_closures), [{"policy": "x", "until_ms": 5, "reason": "429"}])
        lease = {"owner": "of a machine that is gone", "expires_at": now - timedelta(days=1)}
        connection.execute(insert(session_claims), [{**race, **lease}])
        reserved = {"id": "x", "policy": "any", "requests_left": 3, "session_key": str(RACE), "expires_at_ms": 1}
        connection.execute(insert(quota_reservations), [reserved])
    context.warehouse.close()
    return settings


@pytest.fixture
def home(imported, tmp_path):
    shutil.copytree(imported.home, tmp_path / "home")
    context = Context.open(imported.model_copy(update={"home": tmp_path / "home"}))
    yield context
    context.warehouse.close()


def _target_of(context, url):
    return connect_as_it_is(context.settings.model_copy(update={"database_url": SecretStr(url)}))


@pytest.fixture
def target(home, postgres_with_schema):
    opened = _target_of(home, postgres_with_schema)
    yield opened
    opened.close()


def _rows(warehouse, table):
    with reading(warehouse.engine) as connection:
        return sorted(map(repr, connection.execute(select(table)).all()))


def _differences(source, target):
    return [table.name for table in TABLES if _rows(source, table) != _rows(target, table)]


def test_every_table_is_copied_or_left_out_for_a_reason():
    of_datasets = {table.name for table in dataset_tables()}
    own = {table.name for table in (*CALENDAR, *BOOKKEEPING, *LEFT_OUT)}
    ours = {name for name, table in metadata.tables.items() if table.metadata is metadata} - of_datasets
    assert {table.name for table in TABLES} == of_datasets | own - {table.name for table in LEFT_OUT}
    # Tests of this process may have declared datasets of their own.
    assert own <= ours
    places = {table.name: place for place, table in enumerate(TABLES)}
    for table in TABLES:
        assert all(places[key.column.table.name] < places[table.name] for key in table.foreign_keys)


def test_a_copy_has_every_row_and_the_second_call_does_nothing(home, target):
    assert state_of_target(home.warehouse, target) is CopyState.NEW
    copied = copy_database(home, target)
    assert copied.rows_there == 0
    assert copied.rows_copied == sum(len(_rows(target, table)) for table in TABLES) > 500
    assert _differences(home.warehouse, target) == []
    assert all(_rows(target, table) for table in (extractions, amendments, upstream_requests, season_extractions))
    assert _rows(target, warehouse_identity) == _rows(home.warehouse, warehouse_identity)
    assert _rows(target, session_claims) == _rows(target, quota_reservations) == []
    assert not inspect(target.engine).has_table("f1_assets_copy")
    # It is a warehouse like any other: up to date, of one piece, with its lake.
    assert target.check() == []
    assert integrity(target) == []
    assert target.owns_lake
    assert len(target.rows(all_datasets()["car_telemetry"], RACE)) > 0
    assert copy_database(home, target).was_finished
    assert stored_since(home.warehouse, target) == []


@pytest.mark.long
def test_what_is_written_after_the_copy_has_ids_of_its_own(home, target):
    copy_database(home, target)
    with writing(target.engine) as connection:
        row = {"season": 2025, "round": 1, "session": "R", "dataset": "laps", "row_key": "x"}
        added = insert(amendments).values(**row, changed_at=datetime.now(UTC)).returning(amendments.c.id)
        assert connection.execute(added).scalar_one() == 5
        sent = set(connection.execute(select(upstream_requests.c.id)).scalars())
    assert Ledger(target.engine, home.ledger.policies).permit("https://x/y") not in sent


class _Stop(Exception):
    pass


def _stopping_before(name):
    """Return what stops a copy before it begins a portion, as a fault would."""

    def began(portion):
        if str(portion) == name:
            raise _Stop

    return began


LATE = "upstream_requests"


@pytest.mark.parametrize(
    "before",
    [
        *(pytest.param(name, marks=pytest.mark.long) for name in ("seasons", "sessions", "extractions of 2025", LATE)),
        "laps of 2025",
    ],
)
def test_a_copy_that_was_stopped_goes_on(home, target, before):
    with pytest.raises(_Stop):
        copy_database(home, target, began=_stopping_before(before))
    assert state_of_target(home.warehouse, target) is CopyState.BEGUN
    assert not target.owns_lake
    with pytest.raises(ConfigurationError, match=r"an unfinished copy\. Finish it: run f1-assets db copy again"):
        target.check()
    begun = []
    copied = copy_database(home, target, began=lambda portion: begun.append(str(portion)))
    assert _differences(home.warehouse, target) == []
    assert begun[0] == (before if before != "sessions" else "seasons")
    assert (copied.rows_there > 0) == (before not in ("seasons", "sessions"))
    assert target.owns_lake


KILLED = """
import os, signal, sys
from f1_assets.context import Context
from f1_assets.connection import connect_as_it_is
from f1_assets.importing.database_copy import copy_database
from f1_assets.settings import load_settings
context = Context.open()
target = connect_as_it_is(load_settings(database_url=sys.argv[1]))
begun = []
def began(portion):
    begun.append(portion)
    if len(begun) == 25:
        os.kill(os.getpid(), signal.SIGKILL)
copy_database(context, target, began=began)
"""


@pytest.mark.long
def test_a_copy_that_was_killed_goes_on(home, target, postgres_with_schema):
    own = {"F1_HOME": str(home.settings.home), "F1_SOURCE": "simulator", "F1_SIMULATOR": SMALL, "F1_QUOTA": PLENTY}
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, postgres_with_schema], env={**os.environ, **own}, capture_output=True, text=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    begun = []
    copied = copy_database(home, target, began=lambda portion: begun.append(str(portion)))
    assert copied.rows_there > 0
    assert len(begun) <= len(TABLES) - 24
    assert _differences(home.warehouse, target) == []


@pytest.mark.long
def test_what_changed_between_two_calls_is_copied_as_it_is_now(home, target):
    with pytest.raises(_Stop):
        copy_database(home, target, began=_stopping_before(LATE))
    weather = all_datasets()["weather"]
    with writing(home.warehouse.engine) as connection:
        connection.execute(delete(extractions).where(extractions.c.dataset == "track_status"))
        connection.execute(delete(all_datasets()["track_status"].table))
        connection.execute(update(weather.table).values(humidity_pct=33))
    begun = []
    copy_database(home, target, began=lambda portion: begun.append(str(portion)))
    assert {"track_status of 2025", "weather of 2025"} <= set(begun)
    assert "laps of 2025" not in begun
    assert _differences(home.warehouse, target) == []


@pytest.mark.long
def test_a_calendar_that_changed_between_two_calls_begins_the_copy_anew(home, target):
    with pytest.raises(_Stop):
        copy_database(home, target, began=_stopping_before(LATE))
    with writing(home.warehouse.engine) as connection:
        connection.execute(update(seasons).values(refreshed_at=datetime(2026, 1, 2, tzinfo=UTC)))
    assert copy_database(home, target).rows_there == 0
    assert _differences(home.warehouse, target) == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("UPDATE laps SET lap_time_ms = 1.5", "The copy of laps of 2025 is not what the original has"),
        ("UPDATE laps SET lap_time_ms = 1 << 40", r"Rows of laps of 2025 cannot be copied: .*out of range"),
        ("UPDATE laps SET compound = char(0)", r"Rows of laps of 2025 cannot be copied: .*NUL"),
        ("UPDATE laps SET round = 7", r"Rows of laps of 2025 cannot be copied: .*foreign key"),
    ],
)
def test_rows_that_only_sqlite_can_store_are_named_and_nothing_of_them_is_stored(home, target, fault, words):
    file = sqlite3.connect(home.warehouse.engine.url.database)  # like another program: without foreign keys
    file.execute(fault)
    file.commit()
    file.close()
    with pytest.raises(ConfigurationError, match=words):
        copy_database(home, target)
    with reading(target.engine) as connection:
        assert connection.execute(select(func.count()).select_from(all_datasets()["laps"].table)).scalar() == 0


def test_a_target_with_data_of_its_own_is_refused_and_not_touched(home, target, postgres_with_schema):
    with writing(target.engine) as connection:
        connection.execute(insert(seasons), [{"season": 1999, "source": "live", "refreshed_at": datetime.now(UTC)}])
    with pytest.raises(ConfigurationError, match=r"the target has data of its own.*empty database") as refused:
        copy_database(home, target)
    assert make_url(postgres_with_schema).database in str(refused.value)
    assert len(_rows(target, seasons)) == 1


@pytest.mark.long
def test_the_unfinished_copy_of_another_database_is_refused(home, target, settings_of):
    with pytest.raises(_Stop):
        copy_database(home, target, began=_stopping_before("laps of 2025"))
    other = Context.open(settings_of(home=home.settings.home / "other", source="simulator"))
    with pytest.raises(ConfigurationError, match="unfinished copy of another database"):
        copy_database(other, target)
    assert _rows(target, seasons) == _rows(home.warehouse, seasons)
    other.warehouse.close()


@pytest.mark.long
def test_the_copy_of_a_warehouse_that_went_on_by_itself_is_left_alone(home, target):
    copy_database(home, target)
    with writing(target.engine) as connection:
        connection.execute(delete(extractions).where(extractions.c.dataset == "weather"))
    with writing(home.warehouse.engine) as connection:
        later = datetime.now(UTC) + timedelta(hours=1)
        connection.execute(update(extractions).where(extractions.c.session == "R").values(extracted_at=later))
    assert copy_database(home, target).was_finished
    assert "2025-01-R" in stored_since(home.warehouse, target)
    assert all(line.dataset != "weather" for line in target.extractions(RACE))


def test_a_session_that_is_being_imported_stops_the_copy_before_anything_is_written(home, target):
    with Leases(home.warehouse, alive_in=home.settings.alive_folder) as leases:
        assert leases.take(SessionKey(2025, 1, "Q"))
        with pytest.raises(ConfigurationError, match=r"2025-01-Q is being imported: nothing was copied.*Stop imports"):
            copy_database(home, target)
    assert not inspect(target.engine).has_table("f1_assets_copy")


def test_two_copies_at_once_are_refused(home, target):
    with alone(target.engine), pytest.raises(ConfigurationError, match="Another process copies into this database"):
        copy_database(home, target)


def test_only_an_embedded_warehouse_is_copied_and_only_into_postgresql(home, target, settings_of):
    sqlite = connect(settings_of(home=home.settings.home / "other"))
    with pytest.raises(UsageError, match="not PostgreSQL"):
        copy_database(home, sqlite)
    with pytest.raises(UsageError, match="copies an embedded warehouse"):
        state_of_target(target, sqlite)
    sqlite.close()


@pytest.mark.long
def test_requests_keep_their_distance_from_now_on_a_server_whose_clock_is_ahead(home, target, monkeypatch):
    """Else requests would leave their window early, and more would be sent than the quota has."""
    monkeypatch.setattr(database_copy, "database_time", lambda _: datetime.now(UTC) + timedelta(hours=1))
    copy_database(home, target)
    with reading(home.warehouse.engine) as before, reading(target.engine) as after:
        highest = select(func.max(upstream_requests.c.counted_at_ms))
        moved = after.execute(highest).scalar() - before.execute(highest).scalar()
    assert abs(moved - 3_600_000) < 60_000
    assert "upstream_requests" in _differences(home.warehouse, target)


@pytest.mark.long
def test_a_record_whose_rows_were_changed_since_is_copied_as_it_is(home, target):
    """Health says of the original that its rows are not those of the record; the copy repeats them."""
    with writing(home.warehouse.engine) as connection:
        connection.execute(update(extractions).where(extractions.c.dataset == "laps").values(digest="of other rows"))
    copy_database(home, target)
    assert _differences(home.warehouse, target) == []
    assert {line.digest for line in target.extractions(RACE) if line.dataset == "laps"} == {"of other rows"}
