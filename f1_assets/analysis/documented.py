"""Descriptions of what an export has: rows, columns with types and units, and sources of each dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table

from f1_assets.datasets import Dataset, every_dataset
from f1_assets.datasets.definition import SESSION_COLUMNS
from f1_assets.datasets.licences import licences_of
from f1_assets.warehouse.models import UtcDateTime, events, sessions

CALENDAR = (events, sessions)
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
