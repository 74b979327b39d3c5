"""History of the ledger: how many requests past loads took, and hourly counts of older requests."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import SplitResult

from sqlalchemy import Connection, delete, func, insert, select, update

from f1_assets.quota.clocks import GRAIN_MS
from f1_assets.quota.ledger_totals import fold_waits
from f1_assets.quota.policies import ANY
from f1_assets.warehouse.models import upstream_request_hours as hours
from f1_assets.warehouse.models import upstream_requests as requests

KEPT_WITHIN_MS = 1_000
"""Some milliseconds pass between the answer and its place in the archive."""

SHARED_WITHIN_MS = 5_000
"""In an archive that hosts share it takes longer: a body of telemetry is sent to a bucket, or to the database."""

_KEPT = (200, 404)
"""What the archive keeps; no other answer is waited for longer than `KEPT_WITHIN_MS`."""


def time_of(milliseconds: int) -> datetime:
    """Return the time of day of milliseconds since 1970, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def counted_since(connection: Connection, policy: str, since_ms: int, shift_ms: int = 0) -> tuple[datetime, ...]:
    """Return when the requests of a policy are counted, from a time on, oldest first.

    Parameters
    ----------
    connection
        Where from.
    policy
        Its name.
    since_ms
        From when on, in terms of the times that are stored.
    shift_ms
        Brings stored times into terms of the wall clock.
    """
    query = select(requests.c.counted_at_ms).where(requests.c.counted_at_ms > since_ms)
    if policy != ANY:
        query = query.where(requests.c.policy == policy)
    return tuple(
        time_of(ms + shift_ms) for ms in connection.execute(query.order_by(requests.c.counted_at_ms)).scalars()
    )


def is_in_flight(
    connection: Connection, address: SplitResult, load_id: str, now_ms: int, kept_within_ms: int = KEPT_WITHIN_MS
) -> bool:
    """Check whether another load, of any host, has asked for an address and has no answer yet, or has not kept it yet.

    Parameters
    ----------
    connection
        Where from.
    address
        What is asked for.
    load_id
        Who asks.
    now_ms
        The ledger's time.
    kept_within_ms
        How long after an answer the archive has it at the latest.
    """
    same = (requests.c.host == address.hostname) & (requests.c.path == address.path)
    # Until it is settled, it is counted as if it had arrived as late as it can.
    counted_at = requests.c.counted_at_ms
    is_kept = requests.c.status.in_(_KEPT) & (counted_at > now_ms - kept_within_ms)
    lately = (counted_at > now_ms - KEPT_WITHIN_MS) | is_kept
    # One that is settled and still counted as late as it can be will never be settled: its process died.
    awaited = ~requests.c.settled | (counted_at <= now_ms + GRAIN_MS)
    others = requests.c.load_id.is_not(None) & (requests.c.load_id != load_id)
    return connection.execute(select(requests.c.id).where(lately, awaited, same, others).limit(1)).first() is not None


def past_loads(connection: Connection, session: str, needs: str, limit: int) -> list[dict[str, int]]:
    """Return how many requests the last loads of such sessions took, by policy."""
    latest = (
        select(requests.c.load_id, func.max(requests.c.id).label("last"))
        .where(requests.c.needs == needs, requests.c.session_key.like(f"%-{session}"))
        .where(requests.c.load_id.is_not(None))
        .group_by(requests.c.load_id)
        .order_by(func.max(requests.c.id).desc())
        .limit(limit)
        .subquery()
    )
    query = (
        select(requests.c.load_id, requests.c.policy, func.count())
        .where(requests.c.load_id.in_(select(latest.c.load_id)))
        .group_by(requests.c.load_id, requests.c.policy)
    )
    loads: dict[str, dict[str, int]] = {}
    for load_id, policy, count in connection.execute(query):
        load = loads.setdefault(load_id, {ANY: 0})
        load[ANY] += count
        if policy != ANY:
            load[policy] = count
    return list(loads.values())


def compact(connection: Connection, before_ms: int) -> int:
    """Turn requests that were counted before a time into hourly counts; give how many there were."""
    old = requests.c.counted_at_ms < before_ms
    counts: dict[tuple[datetime, str, str, int], list[int]] = {}
    rows = connection.execute(select(requests).where(old)).all()
    for row in rows:
        hour = time_of(row.permitted_at_ms).replace(minute=0, second=0, microsecond=0)
        entry = counts.setdefault((hour, row.policy, row.host, row.status or 0), [0, 0])
        entry[0] += 1
        entry[1] += row.bytes or 0
    for (hour, policy, host, status), (number, size) in counts.items():
        of_this_hour = (hours.c.hour_utc == hour) & (hours.c.policy == policy)
        same = of_this_hour & (hours.c.host == host) & (hours.c.status == status)
        more = {"requests": hours.c.requests + number, "bytes": hours.c.bytes + size}
        if connection.execute(update(hours).where(same).values(**more)).rowcount == 0:
            row_of_hour = {"hour_utc": hour, "policy": policy, "host": host, "status": status}
            connection.execute(insert(hours), [{**row_of_hour, "requests": number, "bytes": size}])
    fold_waits(connection, [(row.policy, row.waited_ms) for row in rows if row.waited_ms is not None])
    connection.execute(delete(requests).where(old))
    return len(rows)
