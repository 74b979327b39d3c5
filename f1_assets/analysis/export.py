"""The warehouse as files: a folder per dataset, and in it a Parquet or CSV file per season."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol, Self

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from sqlalchemy import ColumnElement, String, Table, select

from f1_assets.analysis.csv_files import SCHEMA, csv_schema, without_formulas
from f1_assets.analysis.documented import CALENDAR, ExportedFile, columns_of
from f1_assets.analysis.export_list import MARKER, ExportList, checksum, whole, write_json
from f1_assets.analysis.schemas import schema_of_files, schema_of_table
from f1_assets.datasets import every_dataset
from f1_assets.errors import ConfigurationError, UsageError
from f1_assets.warehouse import Status, Warehouse
from f1_assets.warehouse.engine import reading

FORMATS = ("parquet", "csv")

_ROWS_A_TIME = 50_000


class _Writer(Protocol):
    def write_table(self, table: pa.Table) -> None:
        """Write rows."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(self, *exc: object) -> None:
        """End the file."""


def export_warehouse(
    warehouse: Warehouse,
    folder: Path,
    seasons: Iterable[int],
    form: str = "parquet",
    datasets: Iterable[str] | None = None,
    safe_csv: bool = False,
) -> list[ExportedFile]:
    """Write the rows of seasons into files, one per dataset and season; what has no rows has no file.

    Events and sessions are written with them. Files of an earlier export are replaced, each in one step, and removed
    where there are no rows any more. ``export.json`` lists all files that are in the folder then, and so does
    ``datapackage.json``. The same rows give the same bytes, whatever the database.

    Parameters
    ----------
    warehouse
        Whose rows.
    folder
        Where to; absent, empty, or of an earlier export. No link in it is followed.
    seasons
        Which seasons.
    form
        ``parquet`` or ``csv``.
    datasets
        Names of datasets; all by default.
    safe_csv
        Whether to put an apostrophe before texts that a spreadsheet would run as a formula.

    Returns
    -------
    list of ExportedFile
        The files that were written now.

    Raises
    ------
    UsageError
        When the folder holds anything but an export of this form, a link leads out of it, or there is no such form.
    ConfigurationError
        When it cannot be written, or a file of the lake cannot be read.
    """
    if form not in FORMATS:
        raise UsageError(f"There is no format {form[:20]!r}. There are: {', '.join(FORMATS)}.")
    if safe_csv and form != "csv":
        raise UsageError(f"Formulas are escaped in CSV only, not in {form}. Leave one of the two out.")
    folder = folder.resolve()
    _refuse_foreign(folder, form)
    wanted = None if datasets is None else set(datasets)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        listed, files = ExportList(folder, form, safe_csv), []
        listed.drop_package()
        listed.write()
        for season in seasons:
            for name, schema, tables in _sources(warehouse, season, wanted):
                file = _write(folder, name, season, form, schema, tables, safe_csv)
                if file is None:
                    listed.drop(f"{name}/{season}.{form}")
                else:
                    listed.add(file)
                    files.append(file)
        listed.write_package()
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written: {error.strerror or error}.") from error
    return files


def _refuse_foreign(folder: Path, form: str) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is no folder. Name one that is absent or empty.")
    marker = folder / MARKER
    if folder.exists() and any(folder.iterdir()) and (marker.is_symlink() or not marker.is_file()):
        raise UsageError(f"{folder} holds other files. Name a folder that is absent, empty, or of an earlier export.")
    others = {place.suffix[1:] for place in folder.glob("*/*.*")} & {*FORMATS} - {form}
    if others:
        raise UsageError(f"{folder} is an export as {', '.join(others)}. Name another folder for {form}.")


def _sources(
    warehouse: Warehouse, season: int, wanted: set[str] | None
) -> Iterator[tuple[str, pa.Schema, Iterator[pa.Table]]]:
    """Return the name, columns and rows of each table of a season."""
    for table in CALENDAR:
        yield table.name, schema_of_table(table), _rows(warehouse, table, season)
    for dataset in (each for each in every_dataset().values() if wanted is None or each.name in wanted):
        if dataset.table is not None:
            yield dataset.name, schema_of_table(dataset.table), _rows(warehouse, dataset.table, season)
        else:
            schema = schema_of_files(dataset)
            yield dataset.name, schema, _rows_of_files(warehouse, dataset.name, season, schema)


def _rows(warehouse: Warehouse, table: Table, season: int) -> Iterator[pa.Table]:
    query = select(table).where(table.c.season == season).order_by(*_order(warehouse, table))
    schema = schema_of_table(table)
    with reading(warehouse.engine, piecewise=True) as connection:
        for rows in connection.execution_options(yield_per=_ROWS_A_TIME).execute(query).partitions(_ROWS_A_TIME):
            columns = zip(*rows, strict=True)
            arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
            yield pa.Table.from_arrays(arrays, schema=schema)


def _order(warehouse: Warehouse, table: Table) -> list[ColumnElement[Any]]:
    """Return the key to order by: texts by their bytes, as SQLite does, whatever PostgreSQL's language."""
    columns = list(table.primary_key.columns)
    if warehouse.engine.dialect.name != "postgresql":
        return [*columns]
    return [column.collate("C") if isinstance(column.type, String) else column for column in columns]


def _rows_of_files(warehouse: Warehouse, name: str, season: int, schema: pa.Schema) -> Iterator[pa.Table]:
    for line in sorted(warehouse.extractions(seasons=[season]), key=lambda line: (line.key.round, line.key.session)):
        if line.dataset == name and line.status is Status.PRESENT and line.file is not None:
            frame = warehouse.rows(every_dataset()[name], line.key)
            yield pa.Table.from_pandas(frame, schema=schema, preserve_index=False)


def _writer(place: Path, form: str, schema: pa.Schema) -> _Writer:
    writer: _Writer = (
        pa.csv.CSVWriter(place, schema) if form == "csv" else pq.ParquetWriter(place, schema, compression="zstd")
    )
    return writer


def _write(
    folder: Path,
    name: str,
    season: int,
    form: str,
    schema: pa.Schema,
    tables: Iterator[pa.Table],
    safe_csv: bool,
) -> ExportedFile | None:
    parent = folder / name
    if parent.is_symlink():
        raise UsageError(f"{parent} is a link, and an export follows none. Remove it, or name another folder.")
    first = next(tables, None)
    if first is None:
        return None
    place, rows = parent / f"{season}.{form}", 0
    parent.mkdir(exist_ok=True)
    if form == "csv":
        write_json(parent / SCHEMA, csv_schema(name, schema, columns_of(name), safe_csv))
    with whole(place) as aside, _writer(aside, form, schema) as writer:
        for table in itertools.chain([first], tables):
            writer.write_table(without_formulas(table) if safe_csv else table)
            rows += len(table)
    return ExportedFile(f"{name}/{place.name}", name, season, rows, place.stat().st_size, checksum(place))
