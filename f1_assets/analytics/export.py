"""The warehouse as files: a folder per dataset, and in it a Parquet or CSV file per season."""

from __future__ import annotations

import contextlib
import itertools
import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol, Self

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from sqlalchemy import Table, select

from f1_assets.analytics.schemas import schema_of_files, schema_of_table
from f1_assets.datasets import Dataset, SeasonDataset, all_datasets, all_season_datasets
from f1_assets.errors import ConfigurationError, UsageError
from f1_assets.warehouse import Status, Warehouse
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.models import events, sessions

FORMATS = ("parquet", "csv")
MARKER = "export.json"
"""What an export leaves in its folder: the list of its files, and the sign that the folder is one."""

_ROWS_A_TIME = 50_000


@dataclass(frozen=True)
class ExportedFile:
    """A file that was written: its path below the folder, what is in it."""

    path: str
    dataset: str
    season: int
    rows: int
    bytes: int


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
) -> list[ExportedFile]:
    """Write the rows of seasons into files, one per dataset and season; what has no rows has no file.

    Events and sessions are written with them. Files of an earlier export are replaced, each in one step.

    Parameters
    ----------
    warehouse
        Whose rows.
    folder
        Where to; absent, empty, or of an earlier export.
    seasons
        Which seasons.
    form
        ``parquet`` or ``csv``.
    datasets
        Names of datasets; all by default.

    Raises
    ------
    UsageError
        When the folder holds anything but an export of this form, or there is no such form.
    ConfigurationError
        When it cannot be written, or a file of the lake cannot be read.
    """
    if form not in FORMATS:
        raise UsageError(f"There is no format {form[:20]!r}. There are: {', '.join(FORMATS)}.")
    folder = folder.absolute()
    _refuse_foreign(folder, form)
    wanted = None if datasets is None else set(datasets)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _mark(folder, form, [])
        files = [
            file
            for season in seasons
            for name, schema, tables in _sources(warehouse, season, wanted)
            if (file := _write(folder, name, season, form, schema, tables)) is not None
        ]
        _mark(folder, form, files)
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written: {error.strerror or error}.") from error
    return files


def _refuse_foreign(folder: Path, form: str) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is no folder. Name one that is absent or empty.")
    if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).is_file():
        raise UsageError(f"{folder} holds other files. Name a folder that is absent, empty, or of an earlier export.")
    others = {place.suffix[1:] for place in folder.glob("*/*.*")} & {*FORMATS} - {form}
    if others:
        raise UsageError(f"{folder} is an export as {', '.join(others)}. Name another folder for {form}.")


def _mark(folder: Path, form: str, files: list[ExportedFile]) -> None:
    with _whole(folder / MARKER) as aside:
        document = {"format": form, "files": [asdict(file) for file in files]}
        aside.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


@contextlib.contextmanager
def _whole(place: Path) -> Iterator[Path]:
    """Give a place aside to write a file, which is moved to its place when it is whole, and removed otherwise."""
    aside = place.with_name(f".{place.name}.{uuid.uuid4().hex}.writing")
    try:
        yield aside
        if aside.exists():
            aside.replace(place)
    finally:
        aside.unlink(missing_ok=True)


def _sources(
    warehouse: Warehouse, season: int, wanted: set[str] | None
) -> Iterator[tuple[str, pa.Schema, Iterator[pa.Table]]]:
    """Give name, columns and rows of all that a season has."""
    for table in (events, sessions):
        yield table.name, schema_of_table(table), _rows(warehouse, table, season)
    every: list[Dataset | SeasonDataset] = [*all_datasets().values(), *all_season_datasets().values()]
    for dataset in (each for each in every if wanted is None or each.name in wanted):
        if dataset.table is not None:
            yield dataset.name, schema_of_table(dataset.table), _rows(warehouse, dataset.table, season)
        else:
            schema = schema_of_files(dataset)
            yield dataset.name, schema, _rows_of_files(warehouse, dataset.name, season, schema)


def _rows(warehouse: Warehouse, table: Table, season: int) -> Iterator[pa.Table]:
    query = select(table).where(table.c.season == season).order_by(*table.primary_key.columns)
    schema = schema_of_table(table)
    with reading(warehouse.engine) as connection:
        for rows in connection.execution_options(yield_per=_ROWS_A_TIME).execute(query).partitions(_ROWS_A_TIME):
            columns = zip(*rows, strict=True)
            arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
            yield pa.Table.from_arrays(arrays, schema=schema)


def _rows_of_files(warehouse: Warehouse, name: str, season: int, schema: pa.Schema) -> Iterator[pa.Table]:
    for line in warehouse.extractions(seasons=[season]):
        if line.dataset == name and line.status is Status.PRESENT and line.file is not None:
            frame = warehouse.rows(all_datasets()[name], line.key)
            yield pa.Table.from_pandas(frame, schema=schema, preserve_index=False)


def _writer(place: Path, form: str, schema: pa.Schema) -> _Writer:
    writer: _Writer = (
        pa.csv.CSVWriter(place, schema) if form == "csv" else pq.ParquetWriter(place, schema, compression="zstd")
    )
    return writer


def _write(
    folder: Path, name: str, season: int, form: str, schema: pa.Schema, tables: Iterator[pa.Table]
) -> ExportedFile | None:
    first = next(tables, None)
    if first is None:
        return None
    place, rows = folder / name / f"{season}.{form}", 0
    place.parent.mkdir(exist_ok=True)
    with _whole(place) as aside, _writer(aside, form, schema) as writer:
        for table in itertools.chain([first], tables):
            writer.write_table(table)
            rows += len(table)
    return ExportedFile(f"{name}/{place.name}", name, season, rows, place.stat().st_size)
