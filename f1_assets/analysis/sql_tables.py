"""The tables that a query sees: those of the database and the files of the lake, each read only when it is scanned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Lock, local
from typing import IO, Any

import duckdb
import pyarrow as pa
from fsspec.spec import AbstractFileSystem
from sqlalchemy import Table, select

from f1_assets.analysis.schemas import schema_of_files, schema_of_table
from f1_assets.datasets import Dataset, all_datasets, dataset_views
from f1_assets.errors import F1AssetsError
from f1_assets.warehouse import Status, Warehouse
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.lake import Lake
from f1_assets.warehouse.models import metadata

LAKE = "lake://"
"""How a query addresses the lake: whatever it is, DuckDB reaches it through `ReadOnlyLake` alone."""

_ROWS_A_TIME = 100_000
SQL_TYPES = {
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.bool_(): "BOOLEAN",
    pa.string(): "VARCHAR",
    pa.timestamp("us", "UTC"): "TIMESTAMPTZ",
}
"""DuckDB's types of columns, by Arrow's."""


class NeedsFiles(Exception):
    """Raised in a scan of a dataset of the lake whose files have not been made a view yet."""


class DatabaseTable:
    """A table of the database as an Arrow stream: its columns are known at once, its rows are read when scanned.

    Parameters
    ----------
    warehouse, table
        Which table of which warehouse.
    seasons
        Only these; all for None.
    """

    def __init__(self, warehouse: Warehouse, table: Table, seasons: Sequence[int] | None) -> None:
        self._warehouse, self._table, self._seasons = warehouse, table, seasons
        self._schema = schema_of_table(table)
        self._rows: pa.Table | None = None
        self.error: F1AssetsError | None = None

    def __arrow_c_schema__(self) -> object:
        """Return the columns."""
        return self._schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return the rows; they are read once, also where a query scans them several times."""
        if self._rows is None:
            try:
                self._rows = pa.Table.from_batches(self._batches(), schema=self._schema)
            except F1AssetsError as error:
                # DuckDB turns it into words of its own; `sql` raises this one.
                self.error = error
                raise
        return self._rows.__arrow_c_stream__(requested_schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        """Read some rows at a time: a table of all seasons never stands in memory as Python objects."""
        query = select(self._table)
        if self._seasons is not None and "season" in self._table.c:
            query = query.where(self._table.c.season.in_(self._seasons))
        with reading(self._warehouse.engine, piecewise=True) as connection:
            result = connection.execution_options(yield_per=_ROWS_A_TIME).execute(query)
            for rows in result.partitions(_ROWS_A_TIME):
                columns = zip(*rows, strict=True)
                arrays = [pa.array(values, field.type) for values, field in zip(columns, self._schema, strict=True)]
                yield pa.RecordBatch.from_arrays(arrays, schema=self._schema)


class LakeTable:
    """A dataset of the lake before a query scans it: it has columns, and says when its files are needed."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset, self.schema = dataset, schema_of_files(dataset)
        self.is_needed = False

    def __arrow_c_schema__(self) -> object:
        """Return the columns."""
        return self.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Note that a query scans it."""
        self.is_needed = True
        raise NeedsFiles


class SharedFile:
    """A file that DuckDB's threads read at once: each thread has its own position.

    DuckDB reads at a place by `seek` and then `read`, and lets another thread go first in between.
    """

    def __init__(self, opened: IO[bytes]) -> None:
        self._file = opened
        self._reading = Lock()
        self._own = local()

    def seek(self, position: int) -> int:
        """Go to a place, for this thread."""
        self._own.position = position
        return position

    def tell(self) -> int:
        """Return where this thread is."""
        return int(getattr(self._own, "position", 0))

    def read(self, size: int = -1) -> bytes:
        """Return bytes from where this thread is."""
        with self._reading:
            self._file.seek(self.tell())
            found = self._file.read(size)
        self._own.position = self.tell() + len(found)
        return found

    def close(self) -> None:
        """Close the file, for all threads."""
        self._file.close()


class ReadOnlyLake(AbstractFileSystem):  # type: ignore[misc] # fsspec is not typed
    """The lake as DuckDB reads it: files that are there, and nothing can be written, moved or removed.

    Parameters
    ----------
    lake
        A folder, or a bucket.
    """

    protocol = LAKE.removesuffix("://")
    cachable = False

    def __init__(self, lake: Lake) -> None:
        super().__init__()
        self._lake = lake

    def open(self, path: str, mode: str = "rb", **_: Any) -> SharedFile:  # noqa: ANN401 (options that fsspec passes)
        """Open a file for reading."""
        if mode != "rb":
            raise PermissionError("the lake is only read here")
        return SharedFile(self._lake.filesystem.open(self._place(path), "rb"))

    def info(self, path: str, **_: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return size and type of a file."""
        return {**self._lake.filesystem.info(self._place(path)), "name": path}

    def exists(self, path: str, **_: Any) -> bool:  # noqa: ANN401
        """Check whether a file is there."""
        return bool(self._lake.filesystem.exists(self._place(path)))

    def isfile(self, path: str) -> bool:
        """Check whether a path is a file."""
        return bool(self._lake.filesystem.isfile(self._place(path)))

    def glob(self, path: str, **_: Any) -> list[str]:  # noqa: ANN401
        """Return a path that is there; nothing is listed."""
        return [path] if self.exists(path) else []

    def modified(self, path: str) -> Any:  # noqa: ANN401 (a time of day)
        """Return when a file was written."""
        return self._lake.filesystem.modified(self._place(path))

    def _place(self, path: str) -> str:
        return self._lake.address(path.removeprefix(LAKE))


def provide(
    connection: duckdb.DuckDBPyConnection, warehouse: Warehouse, seasons: Sequence[int] | None
) -> tuple[list[DatabaseTable], list[LakeTable]]:
    """Register all tables and views of the warehouse in a connection; nothing is read yet."""
    stored, in_lake = [], []
    for name, table in metadata.tables.items():
        stored.append(DatabaseTable(warehouse, table, seasons))
        connection.register(name, stored[-1])
    for dataset in all_datasets().values():
        if dataset.in_lake:
            in_lake.append(LakeTable(dataset))
            connection.register(dataset.name, in_lake[-1])
    for name, query in dataset_views().items():
        connection.execute(f"CREATE TEMP VIEW {name} AS {query}")
    return stored, in_lake


def provide_files(
    connection: duckdb.DuckDBPyConnection, warehouse: Warehouse, table: LakeTable, seasons: Sequence[int] | None
) -> None:
    """Put a view of the lake's files in the place of a dataset that a query scans."""
    name = table.dataset.name
    typed = ", ".join(f"NULL::{SQL_TYPES[field.type]} AS {field.name}" for field in table.schema)
    # Season, round and session stand in `extractions`, not in the files: they follow an event whose round changes.
    lines = [
        line
        for line in warehouse.extractions(seasons=seasons)
        if line.dataset == name and line.status is Status.PRESENT and line.file is not None
    ]
    warehouse.lake_ownership.refuse_files_elsewhere(str(line.file) for line in lines)
    parts = [
        f"SELECT {line.key.season}::BIGINT AS season, {line.key.round}::BIGINT AS round, "  # noqa: S608 (numbers, and what is quoted)
        f"'{line.key.session}' AS session, * "
        f"FROM read_parquet('{_quoted(LAKE + (line.file or ''))}', hive_partitioning = false)"
        for line in lines
    ]
    connection.unregister(name)
    union = " UNION ALL BY NAME ".join([f"SELECT {typed} WHERE false", *parts])
    connection.execute(f"CREATE TEMP VIEW {name} AS {union}")


def _quoted(words: str) -> str:
    return words.replace("'", "''")
