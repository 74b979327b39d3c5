import sqlite3
import threading

import pytest
from sqlalchemy import event, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError

from f1_assets.connection import connect
from f1_assets.datasets import dataset_tables, dataset_views
from f1_assets.errors import ConfigurationError, TransientError
from f1_assets.settings import load_settings
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.engine import make_engine, reading, refuse_writes, writing
from f1_assets_tests.warehouse.seasons import a_season, store


def test_a_server_that_cannot_be_reached_is_one_clear_error_without_the_password():
    url = make_url("postgresql://f1:planted-secret@127.0.0.1:1/f1")
    with pytest.raises(ConfigurationError, match="Check F1_DATABASE_URL") as refused:
        Warehouse.open(url, dataset_tables(), dataset_views())
    assert "planted-secret" not in str(refused.value)


def test_a_kind_of_database_that_is_not_installed_is_one_clear_error():
    with pytest.raises(ConfigurationError, match="cannot be used here"):
        Warehouse.open(make_url("oracle://x"), [], {})


def test_a_file_that_is_no_database_is_one_clear_error(tmp_path):
    (tmp_path / "warehouse.db").write_text("not a database, but long enough to look like one" * 100)
    with pytest.raises(ConfigurationError, match="not a SQLite database"):
        connect(load_settings(home=tmp_path))


def test_a_folder_in_place_of_the_file_is_one_clear_error(tmp_path):
    (tmp_path / "warehouse.db").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        connect(load_settings(home=tmp_path))


def test_a_database_that_may_only_be_read_is_one_clear_error(tmp_path):
    settings = load_settings(home=tmp_path)
    store(connect(settings), a_season())
    # Read-only by its address: a test that runs as root is not stopped by permissions.
    url = make_url(f"sqlite:///file:{tmp_path / 'warehouse.db'}?mode=ro&uri=true")
    warehouse = Warehouse.at(url, dataset_tables(), dataset_views())
    with pytest.raises(ConfigurationError, match="read-only"):
        store(warehouse, a_season())


def test_a_file_that_is_damaged_inside_is_one_clear_error_that_says_what_to_do(tmp_path):
    settings = load_settings(home=tmp_path)
    warehouse = connect(settings)
    store(warehouse, a_season())
    warehouse.close()
    file = tmp_path / "warehouse.db"
    sound = file.read_bytes()
    file.write_bytes(sound[:4096] + b"\xa5" * (len(sound) - 4096))
    with pytest.raises(ConfigurationError, match=r"is damaged.*restore a backup"):
        connect(settings)


def test_a_value_that_the_driver_cannot_store_stays_a_defect(tmp_path):
    """The class of the error is that which psycopg2 has for a lost connection."""
    engine = make_engine(make_url(f"sqlite:///{tmp_path / 'x.db'}"))
    with pytest.raises(DBAPIError), reading(engine) as connection:
        connection.execute(text("SELECT :value"), {"value": object()})


@pytest.fixture
def counters(postgres_url):
    """Two rows for two transactions to come in each other's way."""
    engine = make_engine(make_url(postgres_url))
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE counters AS SELECT id, 0 AS count FROM generate_series(1, 2) AS id"))
    yield engine
    engine.dispose()


COUNT = text("UPDATE counters SET count = count + 1 WHERE id = :id")


def test_a_connection_that_was_closed_is_one_clear_error(counters):
    with pytest.raises(ConfigurationError, match=r"already closed\. Check F1_DATABASE_URL"), writing(counters) as lost:
        lost.connection.dbapi_connection.close()
        lost.execute(COUNT, {"id": 1})


def _backend(engine):
    """Return which of the server's processes answers."""
    with reading(engine) as connection:
        return connection.execute(text("SELECT pg_backend_pid()")).scalar_one()


def _end_session(engine, backend):
    other = make_engine(engine.url)
    with reading(other) as connection:
        ended = connection.execute(text("SELECT pg_terminate_backend(:backend, 10000)"), {"backend": backend})
        assert ended.scalar_one()
    other.dispose()


@pytest.mark.parametrize("trusted_seconds", [0.0, 3600.0])
def test_a_connection_that_the_server_has_ended_is_made_anew(counters, monkeypatch, trusted_seconds):
    monkeypatch.setattr("f1_assets.warehouse.engine.TRUSTED_SECONDS", trusted_seconds)
    backend = _backend(counters)
    _end_session(counters, backend)
    assert _backend(counters) != backend


@pytest.mark.parametrize(("trusted_seconds", "asks"), [(0.0, 1), (3600.0, 0)])
def test_a_connection_is_asked_for_only_after_some_silence(counters, monkeypatch, trusted_seconds, asks):
    monkeypatch.setattr("f1_assets.warehouse.engine.TRUSTED_SECONDS", trusted_seconds)
    backend, asked = _backend(counters), []
    ask = counters.dialect.do_ping
    monkeypatch.setattr(counters.dialect, "do_ping", lambda connection: asked.append(connection) or ask(connection))
    assert _backend(counters) == backend
    assert len(asked) == asks


def test_a_read_leaves_no_transaction_open(counters):
    with reading(counters) as connection:
        connection.execute(COUNT, {"id": 1})
        with reading(counters) as other:
            assert other.execute(text("SELECT count FROM counters WHERE id = 1")).scalar_one() == 1
            idle = text("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'")
            assert other.execute(idle).scalar_one() == 0
    with writing(counters) as connection:
        connection.execute(COUNT, {"id": 2})
        with reading(counters) as other:
            assert other.execute(text("SELECT count FROM counters WHERE id = 2")).scalar_one() == 0


def test_a_server_refuses_to_write_where_nobody_may(counters):
    refuse_writes(counters)
    with pytest.raises(ConfigurationError, match="read-only"), writing(counters) as connection:
        connection.execute(COUNT, {"id": 1})
    others = make_engine(counters.url)
    with writing(others) as connection:
        connection.execute(COUNT, {"id": 1})
    others.dispose()


def test_a_connection_that_was_read_with_writes_all_or_nothing(counters):
    """A connection of the pool serves both: what reads leave behind must not end each statement of a write."""
    backend = _backend(counters)
    with pytest.raises(ZeroDivisionError), writing(counters) as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() == backend
        connection.execute(COUNT, {"id": 1})
        _ = 1 / 0
    with reading(counters) as connection:
        assert connection.execute(text("SELECT count FROM counters")).scalars().all() == [0, 0]


def test_a_read_that_fails_leaves_a_connection_that_writes_all_or_nothing(counters):
    with pytest.raises(DBAPIError), reading(counters) as connection:
        connection.execute(text("SELECT no_such_column FROM counters"))
    with pytest.raises(ConfigurationError), reading(counters) as lost:
        lost.connection.dbapi_connection.close()
        lost.execute(text("SELECT 1"))
    with pytest.raises(ZeroDivisionError), writing(counters) as connection:
        connection.execute(COUNT, {"id": 1})
        _ = 1 / 0
    with reading(counters) as connection:
        assert connection.execute(text("SELECT count FROM counters")).scalars().all() == [0, 0]


def sqlite_error(name):
    error = sqlite3.OperationalError("words that another version may have changed")
    error.sqlite_errorcode = getattr(sqlite3, name)
    return OperationalError("SELECT a_statement", {}, error)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("SQLITE_READONLY_DBMOVED", "Give this user write access"),
        ("SQLITE_FULL", "Free some space"),
        ("SQLITE_CANTOPEN_ISDIR", "Check F1_HOME"),
        ("SQLITE_NOTADB", "to another place"),
        ("SQLITE_CORRUPT_INDEX", "restore a backup"),
        ("SQLITE_BUSY_SNAPSHOT", "Is another program holding it open?"),
        ("SQLITE_LOCKED", "Is another program holding it open?"),
        ("SQLITE_IOERR", "that it is running"),
    ],
)
def test_what_sqlite_refuses_is_told_by_its_code(tmp_path, name, advice):
    engine = make_engine(make_url(f"sqlite:///{tmp_path / 'x.db'}"))
    with pytest.raises(ConfigurationError) as refused, reading(engine):
        raise sqlite_error(name)
    assert advice in refused.value.advice
    assert str(tmp_path) in refused.value.where


def test_a_server_that_may_only_be_read_is_one_clear_error(counters):
    engine = make_engine(counters.url)

    @event.listens_for(engine, "connect")
    def read_only(connection, _record):
        connection.set_session(readonly=True)

    with pytest.raises(ConfigurationError) as refused, writing(engine) as connection:
        connection.execute(COUNT, {"id": 1})
    assert refused.value.advice == "Connect to the primary server."
    engine.dispose()


def test_of_two_transactions_in_a_deadlock_one_is_stored_and_the_other_told_to_come_again(counters):
    both_hold_a_row, ends = threading.Barrier(2), []

    def count(first, then):
        try:
            with writing(counters) as connection:
                connection.execute(text("SET LOCAL deadlock_timeout = '20ms'"))
                connection.execute(COUNT, {"id": first})
                both_hold_a_row.wait(30)
                connection.execute(COUNT, {"id": then})
            ends.append("stored")
        except TransientError as error:
            ends.append(str(error))

    threads = [threading.Thread(target=count, args=order) for order in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    words, stored = sorted(ends)
    assert stored == "stored"
    assert "deadlock" in words
    with reading(counters) as connection:
        assert connection.execute(text("SELECT count FROM counters")).scalars().all() == [1, 1]


def test_a_row_that_another_changed_meanwhile_is_a_fault_that_passes(counters):
    with pytest.raises(TransientError, match="changed the same rows"), writing(counters) as late:
        late.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        late.execute(text("SELECT * FROM counters"))
        with writing(counters) as early:
            early.execute(COUNT, {"id": 1})
        late.execute(COUNT, {"id": 1})
