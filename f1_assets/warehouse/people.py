"""Jolpica's identifiers of drivers and teams where a session's own sources have none: taken from other stored sessions.

Jolpica has no sprint qualifying, no tests and no drivers who only drove a practice. A sprint qualifying takes them from
the event's other sessions, as any session does; a test from the season's first round in which the driver has the same
letters and team. What is stored later fills in what is stored already, in one transaction.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, func, or_, select, update

from f1_assets.keys import SessionKey
from f1_assets.warehouse.digests import store_digest
from f1_assets.warehouse.models import extractions, of_session

_COLUMNS = ("driver_number", "full_name", "team_name", "driver_id", "team_id")
_SESSION = ("season", "round", "session")
_MOST_NAMES = 5
_JOINT = "; "

LACKING = "no driver_id or team_id of "
"""Begins what a reason says of missing identifiers: that is always its last part, and no other part has these words."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Known:
    """A driver as a stored row has him or her."""

    round: int
    number: str | None
    letters: str | None
    full_name: str | None
    team_name: str | None
    driver_id: str | None
    team_id: str | None


def names_people(table: Table) -> bool:
    """Check whether the rows of a session's dataset say who drove for whom."""
    return {*_COLUMNS, *_SESSION} <= {column.name for column in table.columns}


def lock_people(connection: Connection, season: int) -> None:
    """Make other transactions that fill in people of a season wait, before anything is locked that they need."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("f1_assets.people"), season)))


def identified(
    connection: Connection, tables: Sequence[Table], key: SessionKey, table: Table, rows: Sequence[Row]
) -> tuple[list[dict[str, Any]], str | None]:
    """Fill in the identifiers that rows of a session lack.

    Parameters
    ----------
    connection
        In whose transaction.
    tables
        The datasets' tables; those that name people are looked at.
    key, table
        Whose rows they are: what is stored there now is no source.
    rows
        The rows, without the session's key.

    Returns
    -------
    tuple
        The rows, and why some of them still lack an identifier; None where none does.
    """
    if all(row.get("driver_id") and row.get("team_id") for row in rows):
        return [dict(row) for row in rows], None
    known = list(_known(connection, tables, key, table))
    return _filled(key, _with_letters(connection, tables, key, rows), known)


def fill_people(connection: Connection, tables: Sequence[Table], key: SessionKey, stored: Table) -> int:
    """Fill in what rows of other sessions lack, or of this session's other datasets, now that this one is stored.

    Parameters
    ----------
    connection
        In whose transaction.
    tables
        The datasets' tables; those that name people are looked at.
    key, stored
        The session, and the table that was just stored of it.

    Returns
    -------
    int
        How many rows were filled. The digest and the reason in their extraction records are new, too.
    """
    filled = 0
    for table in sorted(filter(names_people, tables), key=lambda table: table.name):
        for other in _lacking(connection, table, key.season):
            if (other, table.name) != (key, stored.name):
                filled += _fill(connection, tables, other, table)
    return filled


def with_reason(reason: str | None, ours: str | None) -> str | None:
    """Return a reason that ends with why identifiers are missing, in place of what it says of that until now."""
    others, _ = _parted(reason)
    return _JOINT.join(part for part in (others, ours) if part) or None


def reason_of_people(reason: str | None) -> str | None:
    """Return of a record's reason the part that says why identifiers are missing; None without it."""
    return _parted(reason)[1]


def _parted(reason: str | None) -> tuple[str | None, str | None]:
    """Return what a reason says of other things, and what of missing identifiers."""
    others, begins, rest = (reason or "").partition(LACKING)
    return (others.removesuffix(_JOINT) if begins else others) or None, begins + rest or None


def _lacking(connection: Connection, table: Table, season: int) -> list[SessionKey]:
    c = table.c
    lacks = or_(c.driver_id.is_(None), c.team_id.is_(None))
    query = select(c.season, c.round, c.session).where(c.season == season, lacks)
    return sorted((SessionKey(*row) for row in connection.execute(query.distinct())), key=str)


def _fill(connection: Connection, tables: Sequence[Table], key: SessionKey, table: Table) -> int:
    columns = [column for column in table.columns if column.name not in _SESSION]
    before = [row._asdict() for row in connection.execute(select(*columns).where(of_session(table, key)))]
    after, why = identified(connection, tables, key, table, before)
    changed = [row for old, row in zip(before, after, strict=True) if old != row]
    identity = [column for column in table.primary_key.columns if column.name not in _SESSION]
    for row in changed:
        same = [column == row[column.name] for column in identity]
        values = {name: row[name] for name in ("driver_id", "team_id")}
        connection.execute(update(table).where(of_session(table, key), *same).values(**values))
    if changed:
        store_digest(connection, table, key)
        mine = of_session(extractions, key) & (extractions.c.dataset == table.name)
        reason = connection.execute(select(extractions.c.reason).where(mine)).scalar()
        connection.execute(update(extractions).where(mine).values(reason=with_reason(reason, why)))
    return len(changed)


def _known(connection: Connection, tables: Sequence[Table], key: SessionKey, own: Table) -> Iterator[Known]:
    """Return who is known in the season, from all rows but those of this dataset in this session."""
    for table in filter(names_people, tables):
        c = table.c
        letters = [c.abbreviation] if "abbreviation" in c else []
        named = or_(c.driver_id.is_not(None), c.team_id.is_not(None))
        query = select(c.round, *(c[name] for name in _COLUMNS), *letters).where(c.season == key.season, named)
        if table.name == own.name:
            query = query.where(~of_session(table, key))
        for number_of_round, number, name, team, driver_id, team_id, *code in connection.execute(query.distinct()):
            yield Known(number_of_round, number, code[0] if code else None, name, team, driver_id, team_id)


def _with_letters(
    connection: Connection, tables: Sequence[Table], key: SessionKey, rows: Sequence[Row]
) -> Iterator[tuple[Row, str | None]]:
    """Return each row with the driver's letters, which another dataset of the session may have."""
    letters: dict[str, str] = {}
    for table in tables:
        if names_people(table) and "abbreviation" in table.c:
            query = select(table.c.driver_number, table.c.abbreviation).where(of_session(table, key))
            letters |= {number: code for number, code in connection.execute(query) if number and code}
    for row in rows:
        yield row, row.get("abbreviation") or letters.get(row.get("driver_number") or "")


def _filled(
    key: SessionKey, rows: Iterable[tuple[Row, str | None]], known: Sequence[Known]
) -> tuple[list[dict[str, Any]], str | None]:
    rounds: dict[int, list[Known]] = {}
    for one in known:
        rounds.setdefault(one.round, []).append(one)
    of_season = [rounds[number] for number in sorted(rounds) if number > 0]
    filled, unknown = [], []
    for row, letters in rows:
        number, name, team, driver_id, team_id = (row.get(column) for column in _COLUMNS)
        asked = Known(key.round, number, letters, name, team, driver_id, team_id)
        people = _in_season(asked, of_season) if key.is_test else _in_event(asked, rounds.get(key.round, ()))
        driver_id = driver_id or _only({one.driver_id for one in people})
        team_id = team_id or _only({one.team_id for one in people})
        filled.append({**row, "driver_id": driver_id, "team_id": team_id})
        if driver_id is None or team_id is None:
            unknown.append(letters or name or number or "a car without a number")
    return filled, _why(key, unknown) if unknown else None


def _in_event(asked: Known, event: Sequence[Known]) -> list[Known]:
    """Find a driver among those of the event: by letters or name; by number where a row has neither."""
    return [one for one in event if _is_same(asked, one)] or [
        one for one in event if one.number == asked.number and _is_same(asked, one) is None
    ]


def _in_season(asked: Known, rounds: Iterable[Sequence[Known]]) -> list[Known]:
    """Find a driver in the first round in which one with the same letters has the same team."""
    found = ([one for one in event if _is_same(asked, one) and one.team_name == asked.team_name] for event in rounds)
    return next(filter(None, found), [])


def _only(identifiers: set[str | None]) -> str | None:
    """Return the identifier that all rows agree on."""
    known = identifiers - {None}
    return known.pop() if len(known) == 1 else None


def _is_same(one: Known, other: Known) -> bool | None:
    """Check whether two rows are of one person, by letters, else by name; None where neither is known of both."""
    if one.letters and other.letters:
        return one.letters.casefold() == other.letters.casefold()
    if one.full_name and other.full_name:
        return _words(one.full_name) == _words(other.full_name)
    return None


def _words(name: str) -> list[str]:
    return sorted(re.findall(r"\w+", name.casefold()))


def _why(key: SessionKey, names: Sequence[str]) -> str:
    listed = ", ".join(names[:_MOST_NAMES])
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    of_season = f"round of {key.season} has them with these letters and team"
    return f"{LACKING}{listed}{more}: no stored {of_season if key.is_test else 'session of the event has them'}"
