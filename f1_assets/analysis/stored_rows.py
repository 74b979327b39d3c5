"""Stored rows as Arrow tables: of a dataset or a view, session by session, in the types of the registry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Any

import pyarrow as pa
from sqlalchemy import Boolean, ColumnElement, Connection, Select, column, select, text

from f1_assets.analysis.drivers_meant import DriverIds
from f1_assets.analysis.schemas import schema_of_files, schema_of_table
from f1_assets.analysis.sql import schema_of_view
from f1_assets.datasets import Dataset, dataset_views, every_dataset, no_dataset
from f1_assets.errors import UsageError
from f1_assets.keys import SeasonKey, SessionKey
from f1_assets.warehouse import Status, Warehouse
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.lines import identity_of
from f1_assets.warehouse.models import UtcDateTime, order_of

Where = tuple[str, str, Any]
"""A column, ``>``, ``>=``, ``<`` or ``<=``, and a value: rows for which it does not hold are not read."""

_COMPARED = {">": gt, ">=": ge, "<": lt, "<=": le}

_FEW = 10
"""So many sessions are looked up one by one; more, by all of their season."""


@dataclass(frozen=True)
class Source:
    """Source of rows: a dataset, or a view that one brings."""

    name: str
    dataset: Dataset
    schema: pa.Schema
    is_view: bool = False

    @property
    def is_of_seasons(self) -> bool:
        """Check whether its rows belong to a season, not to a session."""
        return "session" not in self.schema.names

    @property
    def is_in_lake(self) -> bool:
        """Check whether its rows are files of the lake."""
        return self.dataset.in_lake and not self.is_view

    def columns(self, names: Sequence[str] | None) -> list[str]:
        """Return the columns to read: all for None.

        Raises
        ------
        UsageError
            When there is no column of a name; it lists which there are.
        """
        if names is None:
            return list(self.schema.names)
        wanted = [names] if isinstance(names, str) else list(names)
        unknown = [name for name in wanted if name not in self.schema.names]
        if unknown:
            there = ", ".join(self.schema.names)
            raise UsageError(f"{self.name} has no column {str(unknown[0])[:60]!r}. There are: {there}.")
        return wanted


def source_named(warehouse: Warehouse, name: str) -> Source:
    """Return the dataset or view of a name.

    Raises
    ------
    UsageError
        When there is none; it lists which there are.
    """
    datasets = every_dataset()
    if name in datasets:
        dataset = datasets[name]
        schema = schema_of_files(dataset) if dataset.table is None else schema_of_table(dataset.table)
        return Source(name, dataset, schema)
    owner = next((dataset for dataset in datasets.values() if name in dataset.views), None)
    if owner is None:
        raise UsageError(no_dataset(str(name), [*datasets, *dataset_views()]))
    return Source(name, owner, schema_of_view(warehouse, name), is_view=True)


def stored_keys(warehouse: Warehouse, dataset: Dataset, keys: Sequence[SessionKey]) -> set[SessionKey]:
    """Return for which of these sessions, or seasons, the dataset is stored, with rows or with none."""
    if len(keys) > _FEW and dataset.per == "session":
        lines = warehouse.extractions(seasons={key.season for key in keys})
    else:
        lines = [line for key in keys for line in warehouse.extractions(key)]
    there = {line.key for line in lines if line.dataset == dataset.name and line.status is Status.PRESENT}
    return there & {*keys}


def read_rows(
    warehouse: Warehouse,
    source: Source,
    keys: Sequence[SessionKey],
    columns: Sequence[str],
    drivers: Sequence[DriverIds] | None = None,
    limit: int | None = None,
    where: Sequence[Where] = (),
) -> pa.Table:
    """Read the rows of sessions, or of seasons, one after the other; those of the database on one connection.

    Parameters
    ----------
    warehouse, source
        Where, and of what.
    keys
        Which sessions or seasons.
    columns
        Which columns.
    drivers
        For each key whose rows; all by default.
    limit
        How many rows at most.
    where
        Conditions that all rows meet; one without a value meets none.
    """
    schema = pa.schema([source.schema.field(name) for name in columns])
    tables, left = [schema.empty_table()], limit
    each = zip(keys, drivers if drivers is not None else [None] * len(keys), strict=True)
    if source.is_in_lake:
        for key, ids in each:
            tables.append(_of_file(warehouse, source, key, schema, ids, where))
    else:
        with reading(warehouse.engine) as connection:
            for key, ids in each:
                if left == 0:
                    break
                tables.append(_of_database(connection, source, schema, key, ids, left, where))
                left = left - tables[-1].num_rows if left is not None else None
    table = pa.concat_tables(tables)
    return table if limit is None else table.slice(0, limit)


def _of_database(
    connection: Connection,
    source: Source,
    schema: pa.Schema,
    key: SessionKey,
    ids: DriverIds | None,
    limit: int | None,
    where: Sequence[Where],
) -> pa.Table:
    query = _query(source, schema.names, key, ids, where)
    rows = connection.execute(query if limit is None else query.limit(limit)).fetchall()
    if not rows:
        return schema.empty_table()
    arrays = [pa.array(values, field.type) for values, field in zip(zip(*rows, strict=True), schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _query(
    source: Source, names: Sequence[str], key: SessionKey, ids: DriverIds | None, where: Sequence[Where]
) -> Select[Any]:
    table = source.dataset.table
    if table is not None and not source.is_view:
        columns: Any = table.c
        order = order_of(table, source.dataset.order_by)
        query = select(*(columns[name] for name in names))
    else:
        view = _view(source)
        columns = view.c
        order = [columns[name].nulls_last() for name in source.dataset.order_by if name in columns]
        query = select(*(columns[name] for name in names)).select_from(view)
    identity = identity_of(SeasonKey(key.season) if source.is_of_seasons else key)
    conditions: list[ColumnElement[bool]] = [columns[name] == value for name, value in identity.items()]
    if ids is not None:
        conditions.append(ids.condition(columns))
    conditions += [_COMPARED[operator](columns[name], value) for name, operator, value in where]
    return query.where(*conditions).order_by(*order)


def _view(source: Source) -> Any:  # noqa: ANN401 (a subquery with the view's columns)
    """Return the view's own SELECT as a subquery: an older version of the view may stand in the database."""
    typed: list[Any] = [column(field.name, _sql_type(field.type)) for field in source.schema]
    return text(dataset_views()[source.name]).columns(*typed).subquery(source.name)


def _sql_type(kind: pa.DataType) -> Any:  # noqa: ANN401 (a type, or None for the driver's own)
    if pa.types.is_timestamp(kind):
        return UtcDateTime()
    return Boolean() if pa.types.is_boolean(kind) else None


def _of_file(
    warehouse: Warehouse,
    source: Source,
    key: SessionKey,
    schema: pa.Schema,
    ids: DriverIds | None,
    where: Sequence[Where],
) -> pa.Table:
    lines = [line for line in warehouse.extractions(key) if line.dataset == source.name and line.file is not None]
    if not lines:
        return schema.empty_table()
    identity = identity_of(key)
    in_file = [name for name in schema.names if name not in identity]
    filters = list(where) if ids is None else [("driver_number", "in", sorted(ids.numbers)), *where]
    # A file has rows even where no column of it is asked for.
    frame = warehouse.read_file(str(lines[0].file), in_file or list(source.dataset.key[:1]), filters or None)
    return pa.Table.from_pandas(frame.assign(**identity)[schema.names], schema=schema, preserve_index=False)
