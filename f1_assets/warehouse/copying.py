"""Copy a warehouse's tables into PostgreSQL: portion by portion, each held against the original and stored whole.

A portion is a season of a table, or a table without seasons. One that is equal in both databases is left alone, so a
copy that was killed goes on with what it lacks. Leases and reservations are not copied: they are of processes that
write to the original. The ledger's clock is the server's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select, text, true
from sqlalchemy.exc import DataError, IntegrityError

from f1_assets.errors import ConfigurationError
from f1_assets.keys import SeasonKey, SessionKey
from f1_assets.warehouse.bulk_writes import copy_rows
from f1_assets.warehouse.digests import stored_digest
from f1_assets.warehouse.models import (
    amendments,
    archived_bodies,
    archived_responses,
    circuits,
    events,
    extractions,
    of_session,
    quota_clock,
    quota_closures,
    quota_reservations,
    records_table,
    season_extractions,
    seasons,
    session_claims,
    sessions,
    upstream_request_hours,
    upstream_request_waits,
    upstream_requests,
    warehouse_identity,
)

CALENDAR = (seasons, circuits, events, sessions)
"""What all other rows speak of."""

BOOKKEEPING = (
    extractions,
    season_extractions,
    amendments,
    archived_bodies,
    archived_responses,
    upstream_requests,
    upstream_request_hours,
    upstream_request_waits,
    quota_closures,
)
"""Copied after the rows that records speak of: a copy that is not finished has no record without its rows."""

LEFT_OUT = (session_claims, quota_reservations, quota_clock, warehouse_identity)
"""What is of a process, of a machine, or copied last of all: see `f1_assets.warehouse.copy_target`."""

_ROWS_AT_ONCE = 5_000
_BODIES_AT_ONCE = 20
"""A body of telemetry has some megabytes."""

_LONGEST_REASON = 300


@dataclass(frozen=True)
class Portion:
    """What is copied in one transaction: a season of a table, or a table without seasons."""

    table: Table
    season: int | None = None

    @property
    def condition(self) -> ColumnElement[bool]:
        """The condition that a row is of it."""
        return true() if self.season is None else self.table.c.season == self.season

    def __str__(self) -> str:
        """Return the table's name, with the season."""
        return self.table.name if self.season is None else f"{self.table.name} of {self.season}"


def tables_to_copy(dataset_tables: Sequence[Table]) -> list[Table]:
    """Return the tables in the order in which they are copied: those that others depend on first."""
    return [*CALENDAR, *sorted(dataset_tables, key=lambda table: table.name), *BOOKKEEPING]


def portions(source: Connection, target: Connection, table: Table) -> Iterator[Portion]:
    """Return the portions of a table: also those that only the copy has."""
    if table in CALENDAR or "season" not in table.columns:
        return iter([Portion(table)])
    found: set[int] = set()
    for connection in (source, target):
        found.update(connection.execute(select(table.c.season).distinct()).scalars())
    return iter([Portion(table, season) for season in sorted(found)])


def is_equal(source: Connection, target: Connection, portion: Portion) -> bool:
    """Check whether both databases have the same rows of a portion.

    Rows of datasets are compared by their number and their digest in each session, all others one by one.
    """
    if not _is_of_dataset(portion):
        return _fingerprint(source, portion) == _fingerprint(target, portion)
    counts = _counts(source, portion)
    return counts == _counts(target, portion) and all(
        stored_digest(source, portion.table, key) == stored_digest(target, portion.table, key) for key in counts
    )


def copy_portion(source: Connection, target: Connection, portion: Portion) -> int:
    """Replace a portion of the copy by the rows of the original, hold it against these, and give how many there are.

    Raises
    ------
    ConfigurationError
        When PostgreSQL refuses a row, or the copy has other rows than the original.
    """
    table = portion.table
    target.execute(delete(table).where(portion.condition))
    try:
        copied = copy_rows(target, table, [column.name for column in table.columns], _streamed(source, portion))
    except (DataError, IntegrityError, ValueError) as error:
        # SQLite stores a value of any type, and keeps rows whose parent was deleted by other programs.
        why = " ".join(str(getattr(error, "orig", error)).split())
        raise ConfigurationError(
            f"Rows of {portion} cannot be copied: {why[:_LONGEST_REASON].rstrip('.')}.",
            advice="Run f1-assets health, repair these rows or import their session again, and copy again.",
        ) from error
    if not _is_as_recorded(source, target, portion):
        raise ConfigurationError(
            f"The copy of {portion} is not what the original has; it was not stored.",
            advice="Run f1-assets health, and report it.",
        )
    return copied


def rows_of_portion(connection: Connection, portion: Portion) -> int:
    """Count the rows of a portion."""
    return connection.execute(select(func.count()).select_from(portion.table).where(portion.condition)).scalar_one()


def empty(target: Connection, tables: Sequence[Table]) -> None:
    """Remove all rows of a copy that is not finished."""
    names = ", ".join(target.dialect.identifier_preparer.format_table(table) for table in tables)
    target.execute(text(f"TRUNCATE {names} CASCADE"))


def is_empty(connection: Connection, tables: Sequence[Table]) -> bool:
    """Check whether none of these tables has a row."""
    return all(connection.execute(select(table).limit(1)).first() is None for table in tables)


def set_sequences(target: Connection, tables: Sequence[Table]) -> None:
    """Let the sequences of a copy go on after the ids that it has."""
    for table in tables:
        column = table.autoincrement_column
        if column is None:
            continue
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        highest = select(func.max(column)).scalar_subquery()
        target.execute(select(func.setval(sequence, func.coalesce(highest, 1), highest.is_not(None))))


def _streamed(connection: Connection, portion: Portion) -> Iterator[Sequence[Any]]:
    """Yield the rows of a portion, of which some thousands at a time are in memory."""
    options = {"yield_per": _BODIES_AT_ONCE if portion.table is archived_bodies else _ROWS_AT_ONCE}
    yield from connection.execute(select(portion.table).where(portion.condition), execution_options=options)


def _counts(connection: Connection, portion: Portion) -> dict[SessionKey, int]:
    """Return the number of rows by session, or by season."""
    c = portion.table.c
    identity = [c.season, c.round, c.session] if "session" in c else [c.season]
    query = select(func.count(), *identity).where(portion.condition).group_by(*identity)
    return {SessionKey(*key) if len(key) > 1 else SeasonKey(*key): number for number, *key in connection.execute(query)}


def _is_as_recorded(source: Connection, target: Connection, portion: Portion) -> bool:
    """Check whether rows of a dataset that were copied have the digests of their records, and others are equal.

    Where a record has no digest, or not that of the original rows, these are what the copy is held against.
    """
    if not _is_of_dataset(portion):
        return is_equal(source, target, portion)
    counts = _counts(source, portion)
    if counts != _counts(target, portion):
        return False
    for key in counts:
        copied = stored_digest(target, portion.table, key)
        records = records_table(key)
        mine = (of_session(records, key), records.c.dataset == portion.table.name)
        recorded = source.execute(select(records.c.digest).where(*mine)).scalar()
        if copied != recorded and copied != stored_digest(source, portion.table, key):
            return False
    return True


def _is_of_dataset(portion: Portion) -> bool:
    return portion.table not in CALENDAR and portion.table not in BOOKKEEPING


def _fingerprint(connection: Connection, portion: Portion) -> tuple[int, int]:
    """Return the number of rows, and a sum of their hashes: the same in whatever order a database gives them."""
    number = total = 0
    for row in _streamed(connection, portion):
        number += 1
        total += int.from_bytes(hashlib.sha256(repr(tuple(row)).encode(errors="surrogatepass")).digest())
    return number, total
