"""SQL over the warehouse and the lake together, in DuckDB: laps, weather and telemetry in one query."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

import duckdb
import pandas as pd
import pyarrow as pa
from sqlalchemy import MetaData, Table, inspect, select

from f1_assets.datasets import all_datasets
from f1_assets.errors import UsageError
from f1_assets.warehouse import Status, Warehouse
from f1_assets.warehouse.engine import reading

_ROWS_A_TIME = 100_000
_MISSING_TABLE = re.compile(r"Table with name (\w+) does not exist")


def sql(warehouse: Warehouse, query: str, seasons: Iterable[int] | None = None) -> pd.DataFrame:
    """Run a query; see `f1_assets.connection.F1Warehouse.sql`."""
    wanted = None if seasons is None else sorted(set(seasons))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        _keep_in(connection, warehouse)
        while True:
            try:
                return connection.execute(query).df()
            except duckdb.CatalogException as error:
                # DuckDB names the table that it misses before it runs anything; it is provided, and asked again.
                missing = _MISSING_TABLE.search(str(error))
                if missing is None:
                    raise UsageError(f"The query failed: {error}") from error
                _provide(connection, warehouse, missing[1], wanted)
            except duckdb.Error as error:
                raise UsageError(f"The query failed: {error}") from error


def _keep_in(connection: duckdb.DuckDBPyConnection, warehouse: Warehouse) -> None:
    """Let a query reach nothing but the lake: no other file or address, no extension; nor change that."""
    connection.execute(f"SET allowed_directories = ['{_quoted(warehouse.lake.address(''))}']")
    if not warehouse.lake.is_local:
        connection.register_filesystem(warehouse.lake.filesystem)
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _provide(connection: duckdb.DuckDBPyConnection, warehouse: Warehouse, name: str, seasons: list[int] | None) -> None:
    dataset = all_datasets().get(name)
    if dataset is not None and dataset.in_lake:
        _provide_files(connection, warehouse, name, seasons)
        return
    inspector = inspect(warehouse.engine)
    if name not in (*inspector.get_table_names(), *inspector.get_view_names()):
        there = ", ".join(sorted({*inspector.get_table_names(), *inspector.get_view_names(), *all_datasets()}))
        raise UsageError(f"There is no table {name[:60]!r}. There are: {there}.")
    table = Table(name, MetaData(), autoload_with=warehouse.engine)
    statement = select(table)
    if seasons is not None and "season" in table.c:
        statement = statement.where(table.c.season.in_(seasons))
    connection.register(name, _arrow(warehouse, statement))


def _arrow(warehouse: Warehouse, statement: object) -> pa.Table:
    """Read rows into Arrow, some at a time: a table of all seasons never stands in memory as Python objects."""
    pieces: list[pa.Table] = []
    with reading(warehouse.engine) as connection:
        result = connection.execution_options(yield_per=_ROWS_A_TIME).execute(statement)  # type: ignore[call-overload]
        names = list(result.keys())
        for rows in result.partitions(_ROWS_A_TIME):
            columns = (pa.array([_aware(value) for value in values]) for values in zip(*rows, strict=True))
            pieces.append(pa.table(dict(zip(names, columns, strict=True))))
    if not pieces:
        return pa.table({name: pa.nulls(0) for name in names})
    return pa.concat_tables(pieces, promote_options="permissive")


def _aware(value: object) -> object:
    """Mark times of day as what they are: SQLite keeps UTC without saying so."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def _provide_files(
    connection: duckdb.DuckDBPyConnection, warehouse: Warehouse, name: str, seasons: list[int] | None
) -> None:
    lines = [
        line
        for line in warehouse.extractions(seasons=seasons)
        if line.dataset == name and line.status is Status.PRESENT and line.file is not None
    ]
    if not lines:
        raise UsageError(f"The lake has no {name}. Run: f1-assets import SEASONS --dataset {name}")
    # Season, round and session stand in `extractions`, not in the files: they follow an event whose round changes.
    parts = [
        f"SELECT {line.key.season} AS season, {line.key.round} AS round, '{line.key.session}' AS session, * "  # noqa: S608 (numbers, and what is quoted)
        f"FROM read_parquet('{_quoted(warehouse.lake.address(line.file or ''))}', hive_partitioning = false)"
        for line in lines
    ]
    connection.execute(f"CREATE VIEW {name} AS {' UNION ALL '.join(parts)}")


def _quoted(words: str) -> str:
    return words.replace("'", "''")
