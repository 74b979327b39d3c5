"""Connections to the database: SQLite with the pragmas that a warehouse needs, or any other by its URL."""

import contextlib
import functools
import os
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from select import POLLIN, poll
from typing import Any

from sqlalchemy import URL, Connection, Dialect, Engine, create_engine, event, func, select, text
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from f1_assets.errors import ConfigurationError, TransientError

BUSY_TIMEOUT_MS = 30_000

SILENCE_SECONDS = 60
"""After so long without a sign of the other machine, a connection to PostgreSQL is closed, on both sides."""

TRUSTED_SECONDS = 1.0
"""A connection to PostgreSQL that was used within this time is used again, unless its end has arrived already."""

_PROBES = 3


def make_engine(url: URL) -> Engine:
    """Make an engine for `url`; nothing is connected yet.

    Raises
    ------
    ConfigurationError
        When the kind of database is unknown or its driver is not installed.
    """
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg2")
    try:
        if url.get_backend_name() == "postgresql":
            return _make_postgresql_engine(url)
        if url.get_backend_name() != "sqlite":
            return create_engine(url, pool_pre_ping=True)
        engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
        event.listen(engine, "do_connect", functools.partial(_make_private, url.database))
    except (NoSuchModuleError, ImportError) as error:
        raise ConfigurationError(
            f"F1_DATABASE_URL names a database that cannot be used here: {error}.",
            advice="Supported are postgresql://USER:PASSWORD@HOST/DATABASE and sqlite:///FILE.",
        ) from error
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_postgresql_engine(url: URL) -> Engine:
    is_libpq = url.get_driver_name() in ("psycopg2", "psycopg")
    ours = {name: value for name, value in _client_keepalive().items() if is_libpq and name not in url.query}
    engine = create_engine(url, connect_args=ours)
    event.listen(engine, "connect", _let_the_server_notice)
    event.listen(engine, "checkin", _note_return)
    event.listen(engine, "checkout", functools.partial(_refuse_dead, engine.dialect))
    return engine


def _note_return(_connection: Any, record: ConnectionPoolEntry) -> None:  # noqa: ANN401 (a driver's connection)
    record.info["returned_at"] = time.monotonic()


def _refuse_dead(dialect: Dialect, connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:  # noqa: ANN401 (a driver's connection, a pool's proxy)
    """Check a connection before it is used: the server may have been restarted since.

    To ask the server each time, as SQLAlchemy's `pool_pre_ping` does, is a third of the messages of a read.
    """
    returned_at = record.info.get("returned_at")
    if returned_at is None:
        return  # it is new
    if time.monotonic() - returned_at < TRUSTED_SECONDS and not _has_news(connection):
        return
    try:
        dialect.do_ping(connection)
    except Exception as error:  # whatever a driver raises: SQLAlchemy connects anew
        raise InvalidatePoolError from error


def _has_news(connection: Any) -> bool:  # noqa: ANN401 (a driver's connection)
    """Check whether the server has sent something unasked: that it ends the session, or the end of the connection."""
    if connection.closed:
        return True
    incoming = poll()
    incoming.register(connection.fileno(), POLLIN)
    return bool(incoming.poll(0))


def _client_keepalive() -> dict[str, int]:
    """Return parameters of libpq: without them a host that is cut off waits for hours for an answer that was lost."""
    probe_seconds = SILENCE_SECONDS // (2 * _PROBES)
    timeout = {} if "PGCONNECT_TIMEOUT" in os.environ else {"connect_timeout": SILENCE_SECONDS}
    return timeout | {
        "keepalives_idle": SILENCE_SECONDS // 2,
        "keepalives_interval": probe_seconds,
        "keepalives_count": _PROBES,
        "tcp_user_timeout": SILENCE_SECONDS * 1000,
    }


def _server_keepalive() -> dict[str, int]:
    """Return settings of a session: without them the locks of a host that lost power hold up all others for hours."""
    return {
        "tcp_keepalives_idle": SILENCE_SECONDS // 2,
        "tcp_keepalives_interval": SILENCE_SECONDS // (2 * _PROBES),
        "tcp_keepalives_count": _PROBES,
        "tcp_user_timeout": SILENCE_SECONDS * 1000,
    }


def _let_the_server_notice(connection: Any, _record: Any) -> None:  # noqa: ANN401 (a driver's connection, a pool's record)
    """Have the server end this session, and free its locks, soon after its host is gone."""
    settings = _server_keepalive()
    cursor = connection.cursor()
    # What a server of an older version does not know is left out.
    cursor.execute(
        "SELECT set_config(name, value, false) FROM unnest(%s::text[], %s::text[]) AS wanted (name, value) "
        "WHERE name IN (SELECT name FROM pg_settings)",
        (list(settings), [str(value) for value in settings.values()]),
    )
    cursor.close()
    connection.commit()


def refuse_writes(engine: Engine) -> None:
    """Let the database refuse to write for an engine, from its next connection on."""
    engine.dispose()
    engine.update_execution_options(f1_reads_only=True)
    if is_embedded(engine):
        event.listen(engine, "connect", _refuse_writes_to_file)


def _refuse_writes_to_file(connection: sqlite3.Connection, _record: Any) -> None:  # noqa: ANN401 (a pool's record)
    connection.execute("PRAGMA query_only = ON")


@contextlib.contextmanager
def reading(engine: Engine, piecewise: bool = False) -> Iterator[Connection]:
    """Read; what the database refuses becomes a `ConfigurationError`, or else a `TransientError`.

    On SQLite it is one transaction. On PostgreSQL each statement is one: each would see what is committed meanwhile in
    any case, and none has to be ended.

    Parameters
    ----------
    engine
        Where from.
    piecewise
        Whether rows of a statement are fetched some at a time (`yield_per`): PostgreSQL wants a transaction for that.
    """
    with _refusals_named(engine), engine.connect() as connection:
        if piecewise or is_embedded(engine):
            yield connection
        else:
            with _each_statement_alone(connection):
                yield connection


@contextlib.contextmanager
def _each_statement_alone(connection: Connection) -> Iterator[None]:
    """Let PostgreSQL end each statement by itself.

    SQLAlchemy's own option for it makes psycopg2 send a message more each time a connection is given back.
    """
    driver: Any = connection.connection.dbapi_connection
    driver.autocommit = True
    try:
        yield
    finally:
        try:
            driver.autocommit = False
        except Exception:  # it is gone, whatever a driver raises then: nobody may write with it as it is
            connection.invalidate()


@contextlib.contextmanager
def writing(engine: Engine, durable: bool = True) -> Iterator[Connection]:
    """Write in one transaction, or not at all; on SQLite it takes the write lock at once, so it never deadlocks.

    Parameters
    ----------
    engine
        Where to.
    durable
        Whether it must survive a power cut. What need not is not waited for until it is on the disk (SQLite); a crash
        of the process it survives all the same.

    Raises
    ------
    ConfigurationError
        When the database is away, full, locked, damaged, or may not be written.
    TransientError
        When it undid this transaction in favour of another one.
    """
    options = {"f1_writes": True, "f1_durable": durable}
    with _refusals_named(engine), engine.execution_options(**options).begin() as connection:
        if engine.get_execution_options().get("f1_reads_only") and not is_embedded(engine):
            # For this transaction alone: a pooler gives the server's session to others afterwards.
            connection.execute(text("SET TRANSACTION READ ONLY"))
        yield connection


@contextlib.contextmanager
def one_at_a_time(engine: Engine, what: str) -> Iterator[None]:
    """Let in one process of all machines at a time, and the others after it; on SQLite it lets in everybody.

    Parameters
    ----------
    engine
        Of the database that the machines share.
    what
        Names the lock.

    Raises
    ------
    ConfigurationError
        When the database cannot be reached.
    """
    if engine.dialect.name != "postgresql":
        yield
        return
    with contextlib.ExitStack() as stack:
        with _refusals_named(engine):
            # The end of the transaction releases it, also behind a pooler that changes the session.
            connection = stack.enter_context(engine.begin())
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(what))))
        yield


def database_time(connection: Connection) -> datetime:
    """Return the time of the database, which all machines share; SQLite has that of its one machine."""
    if connection.dialect.name != "postgresql":
        return datetime.now(UTC)
    now: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now.astimezone(UTC)


def is_embedded(engine: Engine) -> bool:
    """Check whether the database is a file of this user, who needs no one's leave to upgrade it."""
    return engine.dialect.name == "sqlite"


@contextlib.contextmanager
def _refusals_named(engine: Engine) -> Iterator[None]:
    where = f"The database is {shown(engine.url)}."
    try:
        yield
    except DBAPIError as error:
        if (collision := _COLLISIONS.get(getattr(error.orig, "pgcode", None))) is not None:
            raise TransientError(
                f"The database undid a transaction: {collision}.", advice="Nothing was changed.", where=where
            ) from error
        if not _is_refusal(error):
            raise
        if is_embedded(engine):
            engine.dispose()  # a connection of before would find the disk read-only for ever
        what, advice = _what_is_wrong(error)
        raise ConfigurationError(what, advice=advice, where=where) from error


def _is_refusal(error: DBAPIError) -> bool:
    """Check whether the database itself stands in the way, not what it was asked to do."""
    # Drivers do not agree on the class: psycopg2 has InterfaceError for a connection that is gone, sqlite3 for a value
    # that it cannot store. Of SQLite, what is wrong with the file is a DatabaseError and none of its subclasses.
    is_of_the_file = type(error.orig) is sqlite3.DatabaseError
    is_of_the_server = getattr(error.orig, "pgcode", None) in _REFUSALS
    return isinstance(error, OperationalError) or error.connection_invalidated or is_of_the_file or is_of_the_server


_COLLISIONS: dict[object, str] = {
    "40P01": "it and another one waited for each other (deadlock)",
    "40001": "another one changed the same rows (serialization failure)",
}
"""What happens to one of two transactions of PostgreSQL that come in each other's way, by its code."""

_LOCKED = (f"The database stayed locked for {BUSY_TIMEOUT_MS // 1000} s.", "Is another program holding it open?")
_FULL = ("The disk is full; nothing was changed.", "Free some space and run the command again.")

_REFUSALS = {
    "25006": ("The database is read-only.", "Connect to the primary server."),
    "25P03": (
        "The server ended a transaction that was idle for too long.",
        "See its idle_in_transaction_session_timeout.",
    ),
    "42501": (
        "This user may not do that.",
        "Give it all rights to the tables of f1_assets, or use their owner.",
    ),
    "53100": _FULL,
    "XX001": (
        "Data of the database is corrupted.",
        "Stop imports and restore a backup: see docs/operations.md, Backup.",
    ),
    "XX002": (
        "An index of the database is corrupted.",
        "Run REINDEX, or restore a backup: see docs/operations.md, Backup.",
    ),
}
"""What PostgreSQL refuses whoever asks, and what to do, by its code; psycopg2 has no one class for it."""

_SQLITE_REFUSALS = {
    sqlite3.SQLITE_READONLY: (
        "The database is read-only.",
        "Give this user write access to the file and its folder.",
    ),
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_CANTOPEN: (
        "The database file cannot be opened.",
        "Check F1_HOME or F1_DATABASE_URL, and its permissions.",
    ),
    sqlite3.SQLITE_NOTADB: (
        "The file is not a SQLite database.",
        "Set F1_DATABASE_URL or F1_HOME to another place.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "The database file is damaged.",
        "Stop imports and restore a backup: see docs/operations.md, Backup.",
    ),
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
}
"""What SQLite refuses, and what to do, by its primary code: an extended one has more in its upper bits."""


def _what_is_wrong(error: DBAPIError) -> tuple[str, str]:
    refusal = _REFUSALS.get(getattr(error.orig, "pgcode", None) or "")
    refusal = refusal or _SQLITE_REFUSALS.get(getattr(error.orig, "sqlite_errorcode", 0) & 0xFF)
    if refusal is not None:
        return refusal
    lines = [" ".join(line.split()) for line in str(error.orig).strip().splitlines()]
    said = "; ".join(line.rstrip(".") for line in lines if line and not line.startswith("Is the server"))
    return f"The database cannot be used: {said}.", "Check F1_DATABASE_URL and that it is running."


def shown(url: URL) -> str:
    """Write a database's address for people: without its password, or options, which may hold one too."""
    return url.set(query={}).render_as_string(hide_password=True)


def _make_private(database: str | None, *_args: Any) -> None:  # noqa: ANN401 (what the event gives)
    """Make a database file that is not there yet for this user alone; SQLite's own files beside it follow."""
    if not database or database == ":memory:" or database.startswith("file:"):
        return
    with contextlib.suppress(OSError):  # SQLite says better what is wrong
        Path(database).touch(mode=0o600)


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:  # noqa: ANN401 (a pool's record)
    # Transactions are begun by `_begin_sqlite`: the driver's own would begin too late for a write lock.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    with contextlib.suppress(sqlite3.OperationalError):  # a read-only file keeps the mode that it has
        cursor.execute("PRAGMA journal_mode = WAL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    # FULL: what is committed survives a power cut, at the price of waiting for the disk.
    synchronous = "FULL" if options.get("f1_durable", True) else "NORMAL"
    connection.exec_driver_sql(f"PRAGMA synchronous = {synchronous}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("f1_writes", False) else "BEGIN")
