"""Amendments: which value changed in data that was asked for again, from what to what, and when it was found."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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

    `row` names the row by what identifies it, as in ``driver_id=alonso, driver_number=14``. `column` is None where the
    whole row came (`before` is None) or went (`after` is None). Where many rows differ in one column, or many came or
    went, one amendment stands for all of them, and `row` counts them, as in ``1168 rows``. `version` is the dataset's
    version that changed the value; None where upstream did.
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
    """Return what changed, in the order in which it was found.

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
    identities: Sequence[Sequence[str]],
    before: Iterable[Mapping[str, Any]],
    after: Iterable[Mapping[str, Any]],
    uncompared: Collection[str] = (),
) -> Iterator[dict[str, str | None]]:
    """Compare two states of a dataset's rows.

    Parameters
    ----------
    identities
        Sets of columns by which a row is found again, the strictest first: with the first one a value that is missing
        on both sides is equal, with the others all values must be known and belong to one row.
    before, after
        The rows, without the session's key.
    uncompared
        Columns that say nothing of a row, such as its place in a list.

    Yields
    ------
    dict
        ``row_key``, ``column``, ``before``, ``after`` of each value that differs, and of each row that came or went.
    """
    for old, new in _pairs(identities, list(before), list(after)):
        row_key = _row_key(identities[0], new if new is not None else old)
        if old is None or new is None:
            yield {"row_key": row_key, "column": None, "before": _in_words(old), "after": _in_words(new)}
            continue
        for column, value in new.items():
            if column not in uncompared and old.get(column) != value:
                yield {"row_key": row_key, "column": column, "before": _text(old.get(column)), "after": _text(value)}


_Row = Mapping[str, Any]


def _pairs(
    identities: Sequence[Sequence[str]], before: list[_Row], after: list[_Row]
) -> Iterator[tuple[_Row | None, _Row | None]]:
    """Yield each row with what it was, in the order of what was, then what came; None where it came or went."""
    found: dict[int, int] = {}
    for number, identity in enumerate(identities):
        old = _places(identity, before, found.keys(), is_first=number == 0)
        new = _places(identity, after, found.values(), is_first=number == 0)
        for name, places in old.items():
            others = new.get(name, ())
            # Rows with one identity are one after the other; where others are left, nobody knows which is which.
            if number == 0 or (len(places) == len(others) == 1):
                found.update(zip(places, others, strict=False))
    for place, row in enumerate(before):
        yield row, after[found[place]] if place in found else None
    came = set(range(len(after))) - set(found.values())
    for place in sorted(came):
        yield None, after[place]


def _places(
    identity: Sequence[str], rows: Sequence[_Row], taken: Collection[int], is_first: bool
) -> dict[tuple[Any, ...], list[int]]:
    """Return the places of rows that were not found yet by their identity."""
    places: dict[tuple[Any, ...], list[int]] = {}
    for place, row in enumerate(rows):
        name = tuple(row.get(column) for column in identity)
        if place not in taken and (is_first or None not in name):
            places.setdefault(name, []).append(place)
    return places


def _row_key(identity: Sequence[str], row: _Row | None) -> str:
    known = {name: row.get(name) for name in identity} if row is not None else {}
    return ", ".join(f"{name}={value}" for name, value in known.items() if value is not None) or "no identity"


def _in_words(row: Mapping[str, Any] | None) -> str | None:
    if row is None:
        return None
    return ", ".join(f"{name}={_text(value)}" for name, value in row.items() if value is not None)


def _text(value: Any) -> str | None:  # noqa: ANN401 (any value of a row)
    if isinstance(value, float):
        return f"{value:.15g}"
    return None if value is None else str(value)
