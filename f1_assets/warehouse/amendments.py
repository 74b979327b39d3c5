"""What changed in data that was asked for again: which value, from what to what, and when it was found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from f1_assets.keys import SessionKey
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.models import amendments, of_session

if TYPE_CHECKING:
    from f1_assets.warehouse.store import Warehouse

MOST_OF_A_COLUMN = 100
"""So many changes of one column are stored one by one: all drivers of a session, or a lap of all of them."""


@dataclass(frozen=True)
class Amendment:
    """A value that changed upstream after it was imported.

    `row` names the row by its dataset's key, as in ``driver_number=1``. `column` is None where the whole row came
    (`before` is None) or went (`after` is None). Where many rows differ in one column, or many came or went, one
    amendment stands for all of them, and `row` counts them, as in ``1168 rows``. `version` is the dataset's version
    that changed the value; None where upstream did.
    """

    key: SessionKey
    dataset: str
    row: str
    column: str | None
    before: str | None
    after: str | None
    changed_at: datetime
    version: int | None = None


def amendments_of(
    warehouse: Warehouse,
    key: SessionKey | None = None,
    dataset: str | None = None,
    seasons: Iterable[int] | None = None,
) -> list[Amendment]:
    """Give what changed, in the order in which it was found.

    Parameters
    ----------
    warehouse
        Where to look.
    key, dataset, seasons
        Only those of a session, a dataset, some seasons.
    """
    table = amendments.c
    query = select(amendments).order_by(table.id)
    if key is not None:
        query = query.where(of_session(amendments, key))
    if dataset is not None:
        query = query.where(table.dataset == dataset)
    if seasons is not None:
        query = query.where(table.season.in_(list(seasons)))
    with reading(warehouse.engine) as connection:
        return [
            Amendment(
                SessionKey(row.season, row.round, row.session),
                row.dataset,
                row.row_key,
                row.column,
                row.before,
                row.after,
                row.changed_at,
                row.version,
            )
            for row in connection.execute(query)
        ]


def summarized(changes: Iterable[Mapping[str, str | None]]) -> list[Mapping[str, str | None]]:
    """Put one change in the place of more than `MOST_OF_A_COLUMN` in one column, or of as many rows that came or went.

    A renewal may bring a thousand laps, and a new version may fill a column of all rows.
    """
    groups: dict[tuple[str | None, bool, bool], list[Mapping[str, str | None]]] = {}
    for change in changes:
        column, before, after = change["column"], change["before"], change["after"]
        came_or_went = (before is None, after is None) if column is None else (False, False)
        groups.setdefault((column, *came_or_went), []).append(change)
    kept: list[Mapping[str, str | None]] = []
    for (column, _, _), group in groups.items():
        if len(group) <= MOST_OF_A_COLUMN:
            kept += group
            continue
        before, after = (_values(change[side] for change in group) for side in ("before", "after"))
        kept.append({"row_key": f"{len(group)} rows", "column": column, "before": before, "after": after})
    return kept


def _values(values: Iterable[str | None]) -> str | None:
    """Describe the values of one side in many rows: the value that all have, or that they differ."""
    distinct = set(values)
    return distinct.pop() if len(distinct) == 1 else f"{len(distinct)} different values"


def differences(
    identity: Sequence[str], before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]
) -> Iterator[dict[str, str | None]]:
    """Compare two states of a dataset's rows.

    Parameters
    ----------
    identity
        The columns that tell rows apart.
    before, after
        The rows, without the session's key.

    Yields
    ------
    dict
        ``row_key``, ``column``, ``before``, ``after`` of each value that differs, and of each row that came or went.
    """
    old, new = _by_key(identity, before), _by_key(identity, after)
    for row_key in dict.fromkeys((*old, *new)):
        if row_key not in new or row_key not in old:
            gone, came = _in_words(old.get(row_key)), _in_words(new.get(row_key))
            yield {"row_key": row_key, "column": None, "before": gone, "after": came}
            continue
        for column, value in new[row_key].items():
            if old[row_key].get(column) != value:
                was, now = _text(old[row_key].get(column)), _text(value)
                yield {"row_key": row_key, "column": column, "before": was, "after": now}


def _by_key(identity: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {", ".join(f"{name}={row[name]}" for name in identity): row for row in rows}


def _in_words(row: Mapping[str, Any] | None) -> str | None:
    if row is None:
        return None
    return ", ".join(f"{name}={_text(value)}" for name, value in row.items() if value is not None)


def _text(value: Any) -> str | None:  # noqa: ANN401 (any value of a row)
    if isinstance(value, float):
        return f"{value:.15g}"
    return None if value is None else str(value)
