"""Arrow schemas of what the warehouse has, from the dataset registry: a column of NULLs has its type too."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from sqlalchemy import BigInteger, Boolean, Column, Date, Double, Integer, Table

from f1_assets.datasets import Dataset
from f1_assets.warehouse.models import UtcDateTime

_KEY = [pa.field("season", pa.int64()), pa.field("round", pa.int64()), pa.field("session", pa.string())]
_FIELD_TYPES: dict[str, pa.DataType] = {
    "int8": pa.int8(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "integer": pa.int64(),
    "bigint": pa.int64(),
    "float": pa.float64(),
    "boolean": pa.bool_(),
    "text": pa.string(),
    "timestamp": pa.timestamp("us", "UTC"),
}


def schema_of_table(table: Table) -> pa.Schema:
    """Return the columns of a table of the database."""
    return pa.schema([pa.field(column.name, _type_of(column)) for column in table.columns])


def schema_of_files(dataset: Dataset) -> pa.Schema:
    """Return the columns of a dataset whose rows are files of the lake."""
    columns = [pa.field(column.name, _FIELD_TYPES[column.type]) for column in dataset.columns]
    return pa.schema([*_KEY, *columns])


def _type_of(column: Column[Any]) -> pa.DataType:
    kinds: tuple[tuple[Any, pa.DataType], ...] = (
        (Boolean, pa.bool_()),
        (BigInteger, pa.int64()),
        (Integer, pa.int64()),
        (Double, pa.float64()),
        (UtcDateTime, pa.timestamp("us", "UTC")),
        (Date, pa.date32()),
    )
    return next((arrow for kind, arrow in kinds if isinstance(column.type, kind)), pa.string())
