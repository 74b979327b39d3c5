"""Mend what a wrong clock wrote: times in the database at which things cannot have happened yet.

What cannot be known is assumed to be as late as possible: a time of the past that lies ahead becomes the present.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Column, Connection, and_, delete, func, insert, select, update

from f1_assets.planning.wrong_clocks import CLOCKS_AGREE_WITHIN, RecordedTimes, is_of_the_future, plausible_times
from f1_assets.quota.clocks import ALIGNED_WITHIN_MS
from f1_assets.quota.ledger import LONGEST_REQUEST_MS, RESERVATION_LASTS_MS, Ledger
from f1_assets.quota.ledger_history import time_of
from f1_assets.quota.windows import LONGEST_CLOSURE
from f1_assets.warehouse import Status, Warehouse
from f1_assets.warehouse.engine import writing
from f1_assets.warehouse.leases import LASTS as LEASE_LASTS
from f1_assets.warehouse.models import (
    amendments,
    extractions,
    quota_closures,
    quota_reservations,
    seasons,
    session_claims,
    sessions,
    upstream_request_hours,
    upstream_requests,
)

_HAPPENED: tuple[Column[Any], ...] = (
    amendments.c.changed_at,
    extractions.c.short_since,
    seasons.c.refreshed_at,
)
"""Times at which something happened, which nothing else follows from than when it is due again."""


@dataclass(frozen=True)
class ClockChange:
    """What was mended: which table, how many rows, and what was done to them."""

    table: str
    rows: int
    change: str


@dataclass(frozen=True)
class ClockRepair:
    """The time that was taken for the present, and what was mended."""

    now: datetime
    changes: tuple[ClockChange, ...]


def repair_clock(warehouse: Warehouse, ledger: Ledger) -> ClockRepair:
    """Mend what a wrong clock wrote, in one transaction. The clock must be right by now.

    Raises
    ------
    ConfigurationError
        When the database cannot be written.
    """
    with writing(warehouse.engine) as connection:
        state = ledger.clock_state()
        now_ms, moved_ms = ledger.repair_clock(connection)
        now = time_of(now_ms)
        changes = [*_ledger(connection, now_ms), *_records(connection, now), *_happened(connection, now)]
        if abs(moved_ms) > ALIGNED_WITHIN_MS:
            rows = connection.execute(select(func.count()).select_from(upstream_requests)).scalar_one()
            words = f"moved by {timedelta(milliseconds=moved_ms)}, so that they count as long as before"
            changes.insert(0, ClockChange("upstream_requests", rows, words))
        if state.jump_ms is not None:
            changes.append(ClockChange("quota_clock", 1, "the jump that was seen is forgotten"))
    return ClockRepair(now, tuple(changes))


def _ledger(connection: Connection, now_ms: int) -> Iterator[ClockChange]:
    """Mend what is counted later than anything can be that was sent, reserved or closed by now."""
    for column, latest in (
        (upstream_requests.c.permitted_at_ms, now_ms),
        (upstream_requests.c.counted_at_ms, now_ms + LONGEST_REQUEST_MS),
        (quota_reservations.c.expires_at_ms, now_ms + RESERVATION_LASTS_MS),
    ):
        yield from _limited(connection, column, latest, latest)
    until = now_ms + int(LONGEST_CLOSURE.total_seconds() * 1000)
    gone = connection.execute(delete(quota_closures).where(quota_closures.c.until_ms > until)).rowcount
    if gone:
        yield ClockChange("quota_closures", gone, "removed: no service is closed for so long")
    yield from _hours(connection, time_of(now_ms).replace(minute=0, second=0, microsecond=0))


def _hours(connection: Connection, this_hour: datetime) -> Iterator[ClockChange]:
    """Add the counts of hours that have not come yet to those of this hour."""
    hours = upstream_request_hours.c
    ahead = connection.execute(select(upstream_request_hours).where(hours.hour_utc > this_hour)).all()
    connection.execute(delete(upstream_request_hours).where(hours.hour_utc > this_hour))
    for row in ahead:
        same = and_(
            hours.hour_utc == this_hour,
            hours.policy == row.policy,
            hours.host == row.host,
            hours.status == row.status,
        )
        more = {"requests": hours.requests + row.requests, "bytes": hours.bytes + row.bytes}
        if connection.execute(update(upstream_request_hours).where(same).values(**more)).rowcount == 0:
            connection.execute(insert(upstream_request_hours), [{**row._asdict(), "hour_utc": this_hour}])
    if ahead:
        yield ClockChange("upstream_request_hours", len(ahead), "added to the present hour")


def _records(connection: Connection, now: datetime) -> Iterator[ClockChange]:
    """Mend extraction records: what was tried or written in the future, and what would not be asked for until then."""
    x = extractions.c
    query = select(
        x.season, x.round, x.session, x.dataset, x.status, x.error_class, x.tried_at, x.extracted_at, x.next_try_at
    )
    query = query.add_columns(sessions.c.end_utc).join(
        sessions,
        and_(sessions.c.season == x.season, sessions.c.round == x.round, sessions.c.session == x.session),
    )
    mended = 0
    for row in connection.execute(query).all():
        recorded = RecordedTimes(row.tried_at, row.extracted_at, row.next_try_at)
        right = plausible_times(recorded, Status(row.status), row.error_class, row.end_utc, now)
        if right == recorded:
            continue
        mended += 1
        same = and_(x.season == row.season, x.round == row.round, x.session == row.session, x.dataset == row.dataset)
        values = {
            "tried_at": now if is_of_the_future(row.tried_at, now) else row.tried_at,
            "extracted_at": now if is_of_the_future(row.extracted_at, now) else row.extracted_at,
            "next_try_at": right.next_try_at,
        }
        connection.execute(update(extractions).where(same).values(**values))
    if mended:
        yield ClockChange("extractions", mended, "times in the future set to the present; what waited for them is due")


def _happened(connection: Connection, now: datetime) -> Iterator[ClockChange]:
    for column in _HAPPENED:
        yield from _limited(connection, column, now + CLOCKS_AGREE_WITHIN, now)
    yield from _limited(connection, session_claims.c.expires_at, now + LEASE_LASTS, now + LEASE_LASTS)


def _limited(
    connection: Connection, column: Column[Any], latest: datetime | int, becomes: datetime | int
) -> Iterator[ClockChange]:
    """Set a column to what it can be at most where it lies beyond."""
    change = update(column.table).where(column > latest).values({column.name: becomes})
    if rows := connection.execute(change).rowcount:
        at = becomes if isinstance(becomes, datetime) else time_of(becomes)
        yield ClockChange(column.table.name, rows, f"{column.name} set to {at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")
