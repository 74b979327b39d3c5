"""The ledger's clock in the database: its last look, and the times that move along when the wall clock jumps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from f1_assets.quota.clocks import LastLook, Look, Reading
from f1_assets.quota.ledger_history import time_of
from f1_assets.warehouse.models import quota_clock
from f1_assets.warehouse.models import quota_closures as closures
from f1_assets.warehouse.models import quota_reservations as reservations
from f1_assets.warehouse.models import upstream_requests as requests


@dataclass(frozen=True)
class ClockState:
    """What is known of the clock: its last jump, if any was seen, and how far the ledger's time is ahead of it."""

    jump_ms: int | None
    jumped_at: datetime | None
    ahead_ms: int


def last_look(connection: Connection, to_write: bool) -> LastLook:
    """Return what was noted at the last look; `to_write` keeps others from permitting until the transaction ends."""
    c = quota_clock.c
    query = select(c.latest_ms, c.boot_id, c.uptime_ms, c.wall_ms)
    row = connection.execute(query.with_for_update() if to_write else query).one()
    return LastLook(int(row.latest_ms), row.boot_id, row.uptime_ms, row.wall_ms)


def note_look(connection: Connection, look: Look, reading: Reading) -> int:
    """Note a look, move stored times where the clock jumped, and return the ledger's time."""
    if look.shift_ms:
        move_times(connection, look.shift_ms, with_permits=look.is_measured or look.shift_ms < 0)
    now = look.now_ms + look.shift_ms
    values: dict[str, object] = {
        "latest_ms": now,
        "boot_id": reading.boot_id,
        "uptime_ms": None if reading.boot_id is None else reading.uptime_ms,
        "wall_ms": reading.wall_ms,
    }
    if look.jump_ms is not None:
        values |= {"jump_ms": look.jump_ms, "jumped_at_ms": now}
    connection.execute(update(quota_clock).values(**values))
    return now


def move_times(connection: Connection, by_ms: int, with_permits: bool) -> None:
    """Move all times that the ledger counts by, so that they keep their distance from now.

    Parameters
    ----------
    connection
        In whose transaction.
    by_ms
        By how much.
    with_permits
        Whether the time of a permit, which history shows, was taken from the clock that was wrong.
    """
    moved = {"counted_at_ms": requests.c.counted_at_ms + by_ms}
    if with_permits:
        moved["permitted_at_ms"] = requests.c.permitted_at_ms + by_ms
    connection.execute(update(requests).values(**moved))
    connection.execute(update(reservations).values(expires_at_ms=reservations.c.expires_at_ms + by_ms))
    connection.execute(update(closures).values(until_ms=closures.c.until_ms + by_ms))


def clock_state(connection: Connection, look: Look, reading: Reading) -> ClockState:
    """Return what is known of the clock; a jump that the ledger did not take note of yet counts too."""
    noted = connection.execute(select(quota_clock.c.jump_ms, quota_clock.c.jumped_at_ms)).one()
    ahead_ms = look.now_ms + look.shift_ms - reading.wall_ms
    if look.jump_ms is not None:
        return ClockState(look.jump_ms, time_of(reading.wall_ms), ahead_ms)
    at = time_of(noted.jumped_at_ms) if noted.jumped_at_ms is not None else None
    return ClockState(noted.jump_ms, at, ahead_ms)
