"""What data of a season is: rows after each of its rounds, in one answer of Jolpica a round."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from sqlalchemy import Column, ForeignKey, Integer, Table

from f1_assets.datasets.definition import Field, columns_of
from f1_assets.datasets.limits import why_not_storable
from f1_assets.keys import FIRST_SEASON
from f1_assets.warehouse.models import UtcDateTime, metadata


@dataclass(frozen=True)
class SeasonDataset:
    """A kind of data of a season, after each of its rounds.

    Parameters
    ----------
    name
        Name of the dataset, of its table and of its Dagster asset.
    row
        What a row is, to follow "One row per".
    description
        What an analyst should know of it.
    key
        The columns that, after season and round, tell rows apart.
    columns
        All columns beside season, round and fetched_at, in order.
    page
        The page of Jolpica's round that has it, as in ``driverstandings``.
    rows
        Gives the rows of an answer's ``MRData``; none where it has none.
    first_season
        The first season that has such data.
    """

    name: str
    row: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Field, ...]
    page: str
    rows: Callable[[Mapping[str, Any]], list[dict[str, Any]]]
    first_season: int = FIRST_SEASON
    table: Table = field(init=False)

    def __post_init__(self) -> None:
        """Make the table."""
        table = Table(
            self.name,
            metadata,
            Column("season", Integer, ForeignKey("seasons.season", ondelete="CASCADE"), primary_key=True),
            Column("round", Integer, primary_key=True, autoincrement=False),
            *columns_of(self.columns, self.key),
            Column("fetched_at", UtcDateTime, nullable=False, comment="When it was asked for"),
            comment=f"One row per {self.row}.",
        )
        object.__setattr__(self, "table", table)

    def rows_of(self, answer: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Give the rows of an answer's ``MRData``.

        Raises
        ------
        ValueError
            When a value cannot be stored as it is, or two rows have the same key.
        """
        found = self.rows(answer)
        for column in self.columns:
            values = pd.Series([row[column.name] for row in found], dtype=object)
            if column.name in self.key and values.isna().any():
                raise ValueError(f"a row has no {column.name}")
            if why := why_not_storable(values, column.type):
                raise ValueError(f"{column.name} {why}")
        if len({tuple(row[name] for name in self.key) for row in found}) < len(found):
            raise ValueError(f"two rows have the same {' and '.join(self.key)}")
        return found


def standings_in(answer: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    """Give the entries of Jolpica's standings; none where there is no list."""
    lists = answer["StandingsTable"]["StandingsLists"]
    return list(lists[0][kind]) if lists else []


def place_of(entry: Mapping[str, Any]) -> int | None:
    """Give the place of an entry; None where it is not classified."""
    position = str(entry.get("position", ""))
    return int(position) if position.isdigit() else None
