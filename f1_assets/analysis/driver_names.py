"""Names of the drivers behind car numbers: each session's own letters and team beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select

from f1_assets.datasets import all_datasets
from f1_assets.errors import UsageError
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.models import of_session

_SESSION = ("season", "round", "session")
_OF_ROW = {"driver_number": {"abbreviation": "abbreviation", "team_name": "team_name"}}
_OF_OTHERS = {
    name: {f"{name}_abbreviation": "abbreviation"}
    for name in ("driver", "teammate", "driver_ahead", "overtaking", "overtaken", "gained_by", "lost_by")
}
_ADDED: Mapping[str, Mapping[str, str]] = {**_OF_ROW, **_OF_OTHERS}
"""Additions for each column of car numbers: the new column, and that of `drivers` which it shows."""


def has_car_numbers(there: Sequence[str]) -> bool:
    """Check whether rows with these columns have car numbers of a session, for which there are names."""
    return {*_SESSION} <= {*there} and any(column in there for column in _ADDED)


def columns_for_names(name: str, there: Sequence[str]) -> list[str]:
    """Return the columns that are needed to say who the rows are of.

    Parameters
    ----------
    name, there
        A dataset or view, and all its columns.

    Raises
    ------
    UsageError
        When its rows have no car numbers of a session.
    """
    if not has_car_numbers(there):
        raise UsageError(f"The rows of {name} have no car numbers: leave with_drivers= out.")
    return [*_SESSION, *(column for column in _ADDED if column in there)]


def with_names(warehouse: Warehouse, table: pa.Table, keys: Sequence[SessionKey]) -> pa.Table:
    """Return rows with the letters of each car number at the end, and the team of a row's own driver.

    What the rows have already is not added. It is NULL where the session's list of drivers does not have the number.

    Parameters
    ----------
    warehouse
        Where the drivers are looked up.
    table
        Rows with the columns of `columns_for_names`.
    keys
        The sessions of the rows.
    """
    drivers = _drivers(warehouse, keys)
    known = _identity(drivers, "driver_number")
    for number, added in _ADDED.items():
        if number in table.column_names:
            places = pc.index_in(_identity(table, number), value_set=known)
            for name, shown in added.items():
                if name not in table.column_names:
                    table = table.append_column(name, drivers[shown].take(places))
    return table


def _identity(table: pa.Table, number: str) -> pa.ChunkedArray:
    """Return one text per row that names the session and the car; NULL without a car number."""
    parts = [pc.cast(table[name], pa.string()) for name in (*_SESSION, number)]
    return pc.binary_join_element_wise(*parts, "/")


def _drivers(warehouse: Warehouse, keys: Sequence[SessionKey]) -> pa.Table:
    table = all_datasets()["drivers"].table
    if table is None:
        raise TypeError("the drivers are not in the database")
    columns = [table.c[name] for name in (*_SESSION, "driver_number", "abbreviation", "team_name")]
    with reading(warehouse.engine) as connection:
        rows = [row for key in keys for row in connection.execute(select(*columns).where(of_session(table, key)))]
    schema = pa.schema([(c.name, pa.int64() if c.name in _SESSION[:2] else pa.string()) for c in columns])
    return pa.Table.from_pylist([dict(row._mapping) for row in rows], schema=schema)
