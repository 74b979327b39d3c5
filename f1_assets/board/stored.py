"""Stored rows of a dataset over a season, as the pages need them."""

from __future__ import annotations

from sqlalchemy import RowMapping, Table, select

from f1_assets.datasets import all_datasets
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.engine import reading


def table_of(dataset: str) -> Table:
    """Return the table of a dataset that is kept in the database."""
    table = all_datasets()[dataset].table
    if table is None:
        raise TypeError(f"{dataset} is kept in the lake")
    return table


def rows_of_season(warehouse: Warehouse, dataset: str, season: int) -> list[RowMapping]:
    """Return the rows of all sessions of a season, in the order of rounds."""
    table = table_of(dataset)
    query = select(table).where(table.c.season == season).order_by(table.c.round, table.c.session)
    with reading(warehouse.engine) as connection:
        return list(connection.execute(query).mappings())
