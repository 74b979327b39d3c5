"""``export.json``: what is in the folder of an export, with checksums, the meaning of each column, and licences."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from sqlalchemy import Table

from f1_assets.datasets import Dataset, every_dataset
from f1_assets.datasets.definition import SESSION_COLUMNS
from f1_assets.datasets.licences import LICENCES, licences_of
from f1_assets.errors import UsageError
from f1_assets.warehouse.models import UtcDateTime, events, sessions

MARKER = "export.json"
"""List the files of an export in its folder, and mark the folder as an export."""

CALENDAR = (events, sessions)
_PLACE = re.compile(r"([a-z][a-z0-9_]*)/(\d{4})\.(\w+)")
_KEY = {column.name: column.description for column in SESSION_COLUMNS}
_UNITS = {"gmt_offset_minutes": "min"}


@dataclass(frozen=True)
class ExportedFile:
    """A file of an export: its path below the folder, what is in it, and its checksum."""

    path: str
    dataset: str
    season: int
    rows: int
    bytes: int
    sha256: str


class ExportList:
    """The list of an export's files.

    Parameters
    ----------
    folder
        The export, as an absolute path without links.
    form
        ``parquet`` or ``csv``.
    safe_csv
        Whether texts that begin like a formula are escaped.

    Raises
    ------
    UsageError
        When the folder is an export of another form, or its list cannot be read.
    """

    def __init__(self, folder: Path, form: str, safe_csv: bool) -> None:
        self._folder, self._form, self._safe_csv = folder, form, safe_csv
        self._files = {file.path: file for file in self._listed()}
        self._files |= {file.path: file for file in self._unlisted()}

    def add(self, file: ExportedFile) -> None:
        """Take a file that was written into the list, and write the list."""
        self._files[file.path] = file
        self.write()

    def drop(self, path: str) -> None:
        """Remove a file that an earlier export wrote and that has no rows any more."""
        if self._files.pop(path, None) is not None:
            (self._folder / path).unlink(missing_ok=True)
            self.write()

    def write(self) -> None:
        """Write the list in one step."""
        order = [*(table.name for table in CALENDAR), *every_dataset()]
        files = sorted(self._files.values(), key=lambda file: (file.season, order.index(file.dataset)))
        names = {file.dataset for file in files}
        document = {
            "format": self._form,
            "safe_csv": self._safe_csv,
            "files": [asdict(file) for file in files],
            "datasets": {name: dataset_document(name) for name in order if name in names},
            "licences": [asdict(licence) for licence in LICENCES],
        }
        write_json(self._folder / MARKER, document)

    def _listed(self) -> Iterator[ExportedFile]:
        """Return what the list of an earlier export has and is still there."""
        marker = self._folder / MARKER
        if not marker.exists():
            return
        try:
            document = json.loads(marker.read_text(encoding="utf-8"))
            form, safe_csv, files = document["format"], bool(document.get("safe_csv")), document["files"]
            found = [ExportedFile(**{"sha256": "", **file}) for file in files]
        except (OSError, ValueError, KeyError, TypeError) as error:
            words = f"{marker} cannot be read ({type(error).__name__})"
            raise UsageError(f"{words}. Remove it with what it lists, or name another folder.") from error
        if form != self._form:
            raise UsageError(f"{self._folder} is an export as {form}. Name another folder for {self._form}.")
        if safe_csv != self._safe_csv:
            was, advice = ("with", "add") if safe_csv else ("without", "leave out")
            raise UsageError(f"{self._folder} was exported {was} --safe-csv. Name another folder, or {advice} it.")
        for file in found:
            if self._is_ours(file.path) and file.path == f"{file.dataset}/{file.season}.{self._form}":
                yield file if file.sha256 else replace(file, sha256=checksum(self._folder / file.path))

    def _unlisted(self) -> Iterator[ExportedFile]:
        """Return what lies there and is not in the list, as after an export that was killed."""
        for place in sorted(self._folder.glob(f"*/*.{self._form}")):
            path = place.relative_to(self._folder).as_posix()
            if path not in self._files and self._is_ours(path):
                name, season = place.parent.name, int(place.stem)
                yield ExportedFile(path, name, season, _rows_in(place), place.stat().st_size, checksum(place))

    def _is_ours(self, path: str) -> bool:
        """Check whether a path is that of an export's file in the folder, and no link leads out of it."""
        parts, place = _PLACE.fullmatch(path), self._folder / path
        if parts is None or parts[3] != self._form or documented(parts[1]) is None:
            return False
        return place.is_file() and not place.is_symlink() and not place.parent.is_symlink()


def documented(name: str) -> Dataset | Table | None:
    """Return what is exported under a name; None where there is no such dataset."""
    calendar = {table.name: table for table in CALENDAR}
    return calendar.get(name, every_dataset().get(name))


def dataset_document(name: str) -> Mapping[str, Any]:
    """Return what a dataset's rows and columns are, and whose they are."""
    dataset = documented(name)
    if isinstance(dataset, Table):
        sources = [licence.source for licence in licences_of(None)]
        key = [column.name for column in dataset.primary_key]
        return {"row": name.removesuffix("s"), "key": key, "columns": columns_of(name), "sources": sources}
    if dataset is None:
        raise KeyError(name)
    return {
        "row": dataset.row,
        "description": dataset.description,
        "key": [*(column.name for column in dataset.first_columns), *dataset.key],
        "columns": columns_of(name),
        "sources": [licence.source for licence in licences_of(dataset)],
    }


def columns_of(name: str) -> list[dict[str, Any]]:
    """Return name, type, unit and description of each column of a dataset's files, in their order."""
    dataset = documented(name)
    if isinstance(dataset, Table):
        return [_column(c.name, _type_of(c.type), c.comment or _KEY.get(c.name, "")) for c in dataset.columns]
    if dataset is None:
        raise KeyError(name)
    columns = (*dataset.first_columns, *dataset.columns)
    return [_column(c.name, c.type, c.description, c.unit) for c in columns]


def _column(name: str, kind: str, description: str, unit: str | None = None) -> dict[str, Any]:
    return {"name": name, "type": kind, "unit": unit or _UNITS.get(name), "description": description}


def _type_of(kind: Any) -> str:  # noqa: ANN401 (a type of SQLAlchemy)
    return "timestamp" if isinstance(kind, UtcDateTime) else str(kind).lower()


def _rows_in(place: Path) -> int:
    if place.suffix == ".parquet":
        return int(pq.read_metadata(place).num_rows)
    first_column = pa.csv.ConvertOptions(include_columns=["season"])
    lines = pa.csv.ParseOptions(newlines_in_values=True)
    return int(pa.csv.read_csv(place, parse_options=lines, convert_options=first_column).num_rows)


def checksum(place: Path) -> str:
    """Return the SHA-256 of a file."""
    with place.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(place: Path, document: Mapping[str, Any]) -> None:
    """Write a JSON document in one step."""
    with whole(place) as aside:
        aside.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@contextlib.contextmanager
def whole(place: Path) -> Iterator[Path]:
    """Provide a place aside to write a file, which is moved to its place when it is whole, and removed otherwise.

    A link that is in its place is replaced, not followed.
    """
    aside = place.with_name(f".{place.name}.{uuid.uuid4().hex}.writing")
    try:
        yield aside
        if aside.exists():
            aside.replace(place)
    finally:
        aside.unlink(missing_ok=True)
