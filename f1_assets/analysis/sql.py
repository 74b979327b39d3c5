"""SQL over the warehouse and the lake together, in DuckDB: laps, weather and telemetry in one query.

A query only reads. DuckDB has no file, no address and no extension but the lake's files, which it reaches through a
file system that cannot write; its configuration is locked, and its temporary files are in a folder of their own.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence

import duckdb
import pandas as pd
import pyarrow as pa

from f1_assets.analysis.frames import FRAME_TYPES
from f1_assets.analysis.sql_tables import LAKE, SQL_TYPES, DatabaseTable, ReadOnlyLake, provide, provide_files
from f1_assets.datasets import all_datasets, dataset_views
from f1_assets.errors import ConfigurationError, UsageError
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.models import metadata

_READING = ("SELECT", "EXPLAIN", "MULTI")
"""Types of statements that only read; PIVOT is several in one (MULTI)."""

_WHAT_READS = "A query only reads: SELECT, WITH, FROM, VALUES, PIVOT, DESCRIBE, SHOW, SUMMARIZE and EXPLAIN"
_MISSING_TABLE = re.compile(r"Table with name \"?([^\"!]+?)\"? does not exist")


def sql(
    warehouse: Warehouse,
    query: str,
    seasons: Iterable[int] | None = None,
    limit: int | None = None,
    timeout_seconds: float | None = None,
) -> pd.DataFrame:
    """Run a query; see `f1_assets.reader.Reader.sql`. Return at most `limit` rows, and stop it after the timeout."""
    wanted = None if seasons is None else sorted(set(seasons))
    with (
        tempfile.TemporaryDirectory(prefix="f1_assets_sql_") as temporary,
        duckdb.connect(config={"temp_directory": temporary}) as connection,
    ):
        _fence(connection, warehouse)
        try:
            _refuse_all_but_one_question(connection, query)
            with _stopped_after(timeout_seconds, connection):
                return _answer(connection, warehouse, query, wanted, limit)
        except duckdb.CatalogException as error:
            raise UsageError(_unknown_table(error)) from error
        except (duckdb.Error, UnicodeError) as error:
            raise UsageError(f"The query failed: {_reason(error)}") from error


@contextlib.contextmanager
def _stopped_after(seconds: float | None, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Interrupt what a connection runs in a block when it takes longer."""
    if seconds is None:
        yield
        return
    timer = threading.Timer(seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    except duckdb.InterruptException as error:
        raise UsageError(
            f"The query was stopped after {seconds:g} seconds. Ask for fewer sessions, or for less at a time."
        ) from error
    finally:
        timer.cancel()


def schema_of_view(warehouse: Warehouse, name: str) -> pa.Schema:
    """Return the columns of a view, whose types follow from those of the tables; no row is read."""
    kinds = {words: kind for kind, words in SQL_TYPES.items()} | {"TIMESTAMP WITH TIME ZONE": pa.timestamp("us", "UTC")}
    with duckdb.connect() as connection:
        provide(connection, warehouse, None)
        described = connection.execute(f"DESCRIBE {name}").fetchall()
    return pa.schema([pa.field(column, kinds[kind]) for column, kind, *_ in described])


def _fence(connection: duckdb.DuckDBPyConnection, warehouse: Warehouse) -> None:
    """Let a query reach nothing but the lake's files, and change nothing of that."""
    connection.register_filesystem(ReadOnlyLake(warehouse.lake))
    for setting in (
        "TimeZone = 'UTC'",
        "python_enable_replacements = false",  # a table is never a variable of a caller
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        f"allowed_directories = ['{LAKE}']",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")


def _refuse_all_but_one_question(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    query.encode()  # a lone surrogate is no text
    statements = connection.extract_statements(query)
    if not statements:
        raise UsageError("The query is empty. SHOW TABLES lists what there is, DESCRIBE laps its columns.")
    if len(statements) > 1:
        raise UsageError(f"The query has {len(statements)} statements. Write one at a time.")
    kind = statements[0].type.name
    if kind not in _READING:
        raise UsageError(f"The query failed: {kind.replace('_', ' ')} is not allowed. {_WHAT_READS}.")


def _answer(
    connection: duckdb.DuckDBPyConnection,
    warehouse: Warehouse,
    query: str,
    seasons: Sequence[int] | None,
    limit: int | None,
) -> pd.DataFrame:
    stored, in_lake = provide(connection, warehouse, seasons)
    while True:
        try:
            for table in [table for table in in_lake if table.is_needed]:
                in_lake.remove(table)
                provide_files(connection, warehouse, table, seasons)
            found = connection.sql(query)
            return _frame(connection, found if limit is None else found.limit(limit))
        except duckdb.Error as error:
            # Each round makes views of at least one dataset's files, of which there are few.
            if any(table.is_needed for table in in_lake):
                continue
            _raise_own_error(error, stored)
            raise


def _raise_own_error(error: duckdb.Error, stored: Iterable[DatabaseTable]) -> None:
    """Raise what the database or the lake failed with, where DuckDB only repeats it."""
    for table in stored:
        if table.error is not None:
            raise table.error from error
    if isinstance(error, duckdb.IOException) and LAKE in str(error):
        advice = "Is F1_LAKE_URL right? f1-assets archive verify says what is missing."
        raise ConfigurationError(f"A file of the lake cannot be read: {_reason(error)}\n{advice}") from error


def _frame(connection: duckdb.DuckDBPyConnection, relation: duckdb.DuckDBPyRelation) -> pd.DataFrame:
    """Return the answer in types that can be NULL, so that a column has one type whatever its values."""
    answer = relation.to_arrow_table()
    frame = connection.from_arrow(answer).df()
    columns = {
        name: frame[name] if (typed := _typed(values)) is None else typed
        for name, values in zip(frame.columns, answer.columns, strict=True)
    }
    return pd.DataFrame(columns)


def _typed(values: pa.ChunkedArray) -> pd.Series | None:
    """Return a column as `rows` has it; None for a type that no dataset has, which stays as DuckDB gives it."""
    if pa.types.is_timestamp(values.type):
        try:
            values = values.cast(pa.timestamp("ns", values.type.tz))
        except pa.ArrowInvalid:  # beyond 2262: it stays as it is
            return None
    elif values.type not in FRAME_TYPES and values.type != pa.float64():
        return None
    series: pd.Series = values.to_pandas(types_mapper=FRAME_TYPES.get)
    return series


def _unknown_table(error: duckdb.CatalogException) -> str:
    missing = _MISSING_TABLE.search(str(error))
    if missing is None:
        return f"The query failed: {error}"
    there = ", ".join(sorted({*metadata.tables, *all_datasets(), *dataset_views()}))
    return f"There is no table {missing[1][:60]!r}. There are: {there}."


def _reason(error: Exception) -> str:
    """Return what DuckDB says; of a traceback, as it has for what the lake refuses, the last line."""
    words = str(error).strip()
    return words.splitlines()[-1] if words.startswith("Traceback") else words
